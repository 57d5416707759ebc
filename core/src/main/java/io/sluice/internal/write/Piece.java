package io.sluice.internal.write;

import io.sluice.codec.Output;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Some encoded bytes on their way to the store: a frame to be compressed on its own, a part of one, or bytes that go as they
 * are. Made and taken by the writer's drain; compressed, as a task, on any thread.
 */
final class Piece implements Runnable {

    final boolean endOfFrame;
    /** Uncompressed length. */
    final int length;
    /** Before compression; null once it is over. */
    @Nullable
    Output input;

    @Nullable
    FrameCompressor compressor;

    private final Runnable whenDone;

    @Nullable
    ByteBuffer result;

    @Nullable
    Throwable error;
    /** Publishes the two before it. */
    private volatile boolean done;

    Piece(Output input, boolean endOfFrame, Runnable whenDone) {
        this.input = input;
        this.length = input.position();
        this.endOfFrame = endOfFrame;
        this.whenDone = whenDone;
    }

    /** Bytes that need no compression. */
    static Piece plain(ByteBuffer bytes) {
        Piece piece = new Piece(new Output(0), true, () -> {});
        piece.input = null;
        piece.result = bytes;
        piece.done = true;
        return piece;
    }

    boolean isDone() {
        return done;
    }

    @Override
    public void run() {
        FrameCompressor with = compressor;
        Output from = input;
        if (with == null || from == null) {
            throw new IllegalStateException("no compressor");
        }
        try {
            result = with.compress(from, endOfFrame);
        } catch (Throwable e) {
            error = e;
        }
        done = true;
        whenDone.run();
    }

    /** Ends without having run. */
    void fail(Throwable e) {
        error = e;
        done = true;
    }
}
