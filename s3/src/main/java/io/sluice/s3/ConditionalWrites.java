package io.sluice.s3;

/** What a create-only write relies on. S3 itself honours {@code If-None-Match: *}; not every store that speaks its protocol does. */
public enum ConditionalWrites {
    /**
     * A store at an endpoint of its own is tried out once, before its first create-only write, with a small object that is
     * deleted again: {@code _sluice-probe-…} beside the key. One that ignores the condition gets no create-only writes:
     * the error is {@code UNSUPPORTED}. The default.
     */
    PROBE,
    /** The condition is sent and trusted. */
    TRUST,
    /**
     * No condition is sent: whether the key is taken is asked before the upload and again before its end. Between that and
     * the end another writer's object can be overwritten.
     */
    CHECK_BEFORE
}
