package io.sluice;

import org.jspecify.annotations.Nullable;

/** A shard's compressed stream is damaged or cut off, or decompresses to more than the limits allow. Final. */
public class CorruptDataException extends SluiceException {

    private static final long serialVersionUID = 1L;

    private final long compressedOffset;
    private final String bareReason;

    /**
     * @param offset uncompressed bytes that came out before the damage
     * @param compressedOffset offset in the stored object at or before which the damage lies, -1 if unknown
     */
    public CorruptDataException(
            @Nullable String key, long offset, long compressedOffset, String reason, @Nullable Throwable cause) {
        super(
                key,
                -1,
                offset,
                compressedOffset < 0 ? reason : reason + " (compressed byte " + compressedOffset + ")",
                cause);
        this.compressedOffset = compressedOffset;
        this.bareReason = reason;
    }

    @Override
    public String reason() {
        return bareReason;
    }

    /** Offset in bytes into the stored object, -1 if unknown. */
    public long compressedOffset() {
        return compressedOffset;
    }
}
