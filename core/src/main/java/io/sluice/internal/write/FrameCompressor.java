package io.sluice.internal.write;

import io.sluice.codec.Compression;
import io.sluice.codec.Compressor;
import io.sluice.codec.Output;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** A compressor with its output buffer, used for one piece after the other. */
final class FrameCompressor {

    private static final int INITIAL_BYTES = 64 << 10;

    private final Compressor compressor;
    private final Output out = new Output(INITIAL_BYTES);

    FrameCompressor(Compression compression) {
        this.compressor = compression.compressor();
    }

    /** What comes out for a piece, in an array of its own. */
    ByteBuffer compress(Output piece, boolean endOfFrame) {
        out.position(0);
        compressor.compress(piece.array(), 0, piece.position(), out);
        if (endOfFrame) {
            compressor.finish(out);
        }
        return ByteBuffer.wrap(Arrays.copyOf(out.array(), out.position()));
    }

    void close() {
        compressor.close();
    }
}
