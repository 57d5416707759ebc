package io.sluice.codec;

import io.sluice.CorruptDataException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** What the decompressors share: where they are, where the current frame began, limits, and how errors are made. */
abstract class FramedDecompressor implements Decompressor {

    private static final long RATIO_FREE_BYTES = 16 << 20;

    private final DecompressionLimits limits;
    private long consumed;
    private long produced;
    private long beginning = -1;
    private long frameStart;
    private long frameStartUncompressed;
    private @Nullable CorruptDataException failure;

    FramedDecompressor(DecompressionLimits limits) {
        this.limits = limits;
    }

    @Override
    public final void decompress(ByteBuffer in, ByteBuffer out) {
        CorruptDataException earlier = failure;
        if (earlier != null) {
            throw new CorruptDataException(
                    null, earlier.offset(), earlier.compressedOffset(), earlier.reason(), earlier);
        }
        NativeBuffers buffers = NativeBuffers.borrow();
        try {
            decompress(in, out, buffers);
        } catch (CorruptDataException e) {
            failure = e;
            throw e;
        } finally {
            buffers.release();
        }
    }

    /** {@link #decompress(ByteBuffer, ByteBuffer)} with borrowed buffers. */
    abstract void decompress(ByteBuffer in, ByteBuffer out, NativeBuffers buffers);

    /** Compressed bytes taken so far. */
    final long consumed() {
        return consumed;
    }

    /** Takes note of compressed bytes taken. */
    final void consumed(int bytes) {
        consumed += bytes;
    }

    /** Uncompressed bytes given so far. */
    final long produced() {
        return produced;
    }

    /** A frame begins at this compressed offset; it counts once a byte of it has come out. */
    final void frameBegins(long compressedOffset) {
        beginning = compressedOffset;
    }

    /**
     * Moves what native code wrote to {@code from} into {@code out}, as far as the limits allow.
     *
     * @param compressed compressed bytes that all of this was made from, for the ratio
     */
    final void deliver(ByteBuffer from, ByteBuffer out, long compressed) {
        int length = from.position();
        if (length == 0) {
            return;
        }
        long byRatio = Math.max(RATIO_FREE_BYTES, saturatedProduct(limits.maxRatio(), compressed));
        long allowed = Math.min(limits.maxBytes(), byRatio) - produced;
        int good = (int) Math.max(0, Math.min(length, allowed));
        if (beginning >= 0 && good > 0) {
            frameStart = beginning;
            frameStartUncompressed = produced;
            beginning = -1;
        }
        out.put(out.position(), from, 0, good);
        out.position(out.position() + good);
        produced += good;
        from.clear();
        if (good < length) {
            throw byRatio < limits.maxBytes()
                    ? corrupt(
                            compressed,
                            "decompresses to more than " + limits.maxRatio()
                                    + " times its size; raise maxDecompressionRatio if it is to be trusted",
                            null)
                    : corrupt(
                            compressed,
                            "decompresses to more than " + limits.maxBytes()
                                    + " bytes; raise maxDecompressedBytes if it is to be trusted",
                            null);
        }
    }

    private static long saturatedProduct(long a, long b) {
        return Math.multiplyHigh(a, b) == 0 && a * b >= 0 ? a * b : Long.MAX_VALUE;
    }

    /** An error at the current uncompressed offset. */
    final CorruptDataException corrupt(long compressedOffset, String reason, @Nullable Throwable cause) {
        return new CorruptDataException(null, produced, compressedOffset, reason, cause);
    }

    @Override
    public final long frameStart() {
        return frameStart;
    }

    @Override
    public final long frameStartUncompressed() {
        return frameStartUncompressed;
    }

    /** Little-endian, unsigned, up to eight bytes. */
    static long littleEndian(byte[] bytes, int from, int length) {
        long value = 0;
        for (int i = length - 1; i >= 0; i--) {
            value = value << 8 | bytes[from + i] & 0xff;
        }
        return value;
    }
}
