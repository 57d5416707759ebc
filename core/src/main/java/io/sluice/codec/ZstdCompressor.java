package io.sluice.codec;

import com.github.luben.zstd.EndDirective;
import com.github.luben.zstd.ZstdCompressCtx;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Writes frames with a checksum. A frame's first bytes are held back for a while: if the frame ends with them, it can be
 * written with its size in its header and with tables of that size, which makes small shards smaller and far faster.
 */
final class ZstdCompressor implements Compressor {

    private static final int HELD_BYTES = 64 << 10;

    private final int level;
    private @Nullable ZstdCompressCtx context;
    private byte[] held = {};
    private int heldLength;
    /** The library has seen a part of the current frame. */
    private boolean begun;
    /** There is something to end: the first frame, even when it is empty, or bytes since the last one. */
    private boolean open = true;

    private boolean closed;

    ZstdCompressor(int level) {
        this.level = level;
    }

    @Override
    public void compress(byte[] bytes, int from, int length, Output out) {
        if (length == 0) {
            return;
        }
        open = true;
        if (!begun) {
            if (length <= HELD_BYTES - heldLength) {
                hold(bytes, from, length);
                return;
            }
            run(held, 0, heldLength, EndDirective.CONTINUE, out);
            heldLength = 0;
        }
        run(bytes, from, length, EndDirective.CONTINUE, out);
    }

    private void hold(byte[] bytes, int from, int length) {
        if (held.length - heldLength < length) {
            int capacity = Math.min(HELD_BYTES, Math.max(heldLength + length, 2 * held.length));
            held = Arrays.copyOf(held, capacity);
        }
        System.arraycopy(bytes, from, held, heldLength, length);
        heldLength += length;
    }

    @Override
    public void flush(Output out) {
        if (heldLength > 0 || begun) {
            run(held, 0, heldLength, EndDirective.FLUSH, out);
            heldLength = 0;
        }
    }

    @Override
    public void finish(Output out) {
        if (open) {
            run(held, 0, heldLength, EndDirective.END, out);
            heldLength = 0;
            begun = false;
            open = false;
        }
    }

    private void run(byte[] bytes, int from, int length, EndDirective directive, Output out) {
        ZstdCompressCtx current = context();
        begun = true;
        NativeBuffers buffers = NativeBuffers.borrow();
        try {
            int done = 0;
            do {
                ByteBuffer source = buffers.in.clear();
                int piece = Math.min(source.capacity(), length - done);
                source.put(0, bytes, from + done, piece).limit(piece);
                done += piece;
                EndDirective now = done == length ? directive : EndDirective.CONTINUE;
                boolean over;
                do {
                    over = current.compressDirectByteBufferStream(buffers.out, source, now);
                    buffers.drainTo(out);
                } while (source.hasRemaining() || now != EndDirective.CONTINUE && !over);
            } while (done < length);
        } finally {
            buffers.release();
        }
    }

    private ZstdCompressCtx context() {
        if (closed) {
            throw new IllegalStateException("closed");
        }
        ZstdCompressCtx current = context;
        if (current == null) {
            current = new ZstdCompressCtx();
            context = current;
            current.setLevel(level).setChecksum(true);
        }
        return current;
    }

    @Override
    public void close() {
        closed = true;
        ZstdCompressCtx current = context;
        if (current != null) {
            context = null;
            current.close();
        }
    }
}
