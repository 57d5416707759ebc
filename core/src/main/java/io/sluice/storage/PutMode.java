package io.sluice.storage;

/** What a put does where the key is taken. */
public enum PutMode {
    /** Fails with {@code ALREADY_EXISTS}; of several concurrent creators exactly one succeeds. */
    CREATE,
    /** Replaces the object, atomically. */
    OVERWRITE
}
