package io.sluice.codec;

import io.sluice.CorruptDataException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** What a decompressor made of some bytes, fed and emptied in pieces. */
record Decoded(byte[] bytes, @Nullable CorruptDataException error, long frameStart, long frameStartUncompressed) {

    static final DecompressionLimits LIMITS = new DecompressionLimits(Long.MAX_VALUE, Long.MAX_VALUE, 1 << 27);

    static Decoded of(Compression compression, byte[] data) {
        return of(compression, LIMITS, data, data.length, 1 << 16);
    }

    static Decoded of(Compression compression, DecompressionLimits limits, byte[] data, int inPiece, int outPiece) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (Decompressor decompressor = compression.decompressor(limits)) {
            CorruptDataException error = null;
            // A slice, so that its array has an offset.
            ByteBuffer out = ByteBuffer.allocate(outPiece + 3).position(3).slice();
            try {
                for (int at = 0; at < data.length; at += inPiece) {
                    ByteBuffer in = ByteBuffer.wrap(data, at, Math.min(inPiece, data.length - at))
                            .slice();
                    boolean full;
                    do {
                        try {
                            decompressor.decompress(in, out.clear());
                        } finally {
                            bytes.write(out.array(), 3, out.position());
                        }
                        full = !out.hasRemaining();
                    } while (in.hasRemaining() || full);
                }
                decompressor.end();
            } catch (CorruptDataException e) {
                error = e;
            }
            return new Decoded(
                    bytes.toByteArray(), error, decompressor.frameStart(), decompressor.frameStartUncompressed());
        }
    }

    /** Whether these bytes are the beginning of those. */
    boolean isPrefixOf(byte[] truth) {
        return bytes.length <= truth.length && Arrays.equals(bytes, 0, bytes.length, truth, 0, bytes.length);
    }

    /** The bytes of a stream that must be good. */
    static byte[] good(Compression compression, byte[] data) {
        Decoded decoded = of(compression, data);
        if (decoded.error() != null) {
            throw decoded.error();
        }
        return decoded.bytes();
    }
}
