package io.sluice.storage;

/**
 * A range of an object's bytes.
 *
 * @param offset first byte, 0-based
 * @param length number of bytes, or {@link #TO_END}
 */
public record ByteRange(long offset, long length) {

    /** The length that means "up to the end of the object". */
    public static final long TO_END = Long.MAX_VALUE;

    /** The whole object. */
    public static final ByteRange ALL = new ByteRange(0, TO_END);

    /** Checks its arguments. */
    public ByteRange {
        if (offset < 0 || length < 0) {
            throw new IllegalArgumentException("offset and length must not be negative: " + offset + ", " + length);
        }
    }

    /** From {@code offset} to the end of the object. */
    public static ByteRange from(long offset) {
        return new ByteRange(offset, TO_END);
    }

    /** {@code length} bytes from {@code offset}. */
    public static ByteRange of(long offset, long length) {
        return new ByteRange(offset, length);
    }
}
