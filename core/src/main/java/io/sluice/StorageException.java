package io.sluice;

import org.jspecify.annotations.Nullable;

/** A store could not do what it was asked. {@link #kind()} says why, {@link #isTransient()} whether to try again. */
public class StorageException extends SluiceException {

    private static final long serialVersionUID = 1L;

    /** Why the store refused or failed. */
    public enum Kind {
        /** There is no such key, directory, bucket or host. */
        NOT_FOUND(false),
        /** A create-only write found the key taken. */
        ALREADY_EXISTS(false),
        /** The caller may not. */
        ACCESS_DENIED(false),
        /** The object is not the one that was pinned: its ETag differs. */
        CHANGED(false),
        /** Too many requests. */
        THROTTLED(true),
        /** A reset, a time-out, a body cut short, a server error. */
        NETWORK(true),
        /** The request itself is wrong: a bad key, range, region or scheme. */
        INVALID_REQUEST(false),
        /** The store can't do this. */
        UNSUPPORTED(false),
        /** Any other I/O error: disk full, device error. */
        IO(false);

        private final boolean transientByNature;

        Kind(boolean transientByNature) {
            this.transientByNature = transientByNature;
        }
    }

    private final Kind kind;

    /** See {@link SluiceException#SluiceException}; no line or offset, a store does not know them. */
    public StorageException(Kind kind, @Nullable String key, String reason, @Nullable Throwable cause) {
        super(key, -1, -1, reason, cause);
        this.kind = kind;
    }

    /** Why. */
    public Kind kind() {
        return kind;
    }

    @Override
    public boolean isTransient() {
        return kind.transientByNature;
    }
}
