package io.sluice.codec;

import java.nio.ByteBuffer;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import org.jspecify.annotations.Nullable;

/** Writes members without name or time, so that equal content gives equal bytes. */
final class GzipCompressor implements Compressor {

    private static final byte[] EMPTY = {};

    private final int level;
    private final CRC32 crc = new CRC32();
    private long size;
    private @Nullable Deflater deflater;
    /** The header of the current member is written. */
    private boolean begun;
    /** There is something to end: the first member, even when it is empty, or bytes since the last one. */
    private boolean open = true;

    private boolean closed;

    GzipCompressor(int level) {
        this.level = level;
    }

    @Override
    public void compress(byte[] bytes, int from, int length, Output out) {
        if (length == 0) {
            return;
        }
        crc.update(bytes, from, length);
        size += length;
        run(bytes, from, length, Deflater.NO_FLUSH, out);
    }

    @Override
    public void flush(Output out) {
        if (begun) {
            run(EMPTY, 0, 0, Deflater.SYNC_FLUSH, out);
        }
    }

    @Override
    public void finish(Output out) {
        if (open) {
            Deflater current = deflater();
            current.finish();
            run(EMPTY, 0, 0, Deflater.NO_FLUSH, out);
            littleEndian((int) crc.getValue(), out);
            littleEndian((int) size, out);
            current.reset();
            crc.reset();
            size = 0;
            begun = false;
            open = false;
        }
    }

    private void begin(Output out) {
        if (!begun) {
            begun = true;
            open = true;
            int extraFlags = level == 9 ? 2 : level == 1 ? 4 : 0;
            out.write(GzipCompression.MAGIC, 0, 3);
            // No flags, no time; what it was made for, and 255 for an operating system that does not matter.
            out.write(new byte[] {0, 0, 0, 0, 0, (byte) extraFlags, (byte) 255}, 0, 7);
        }
    }

    private void run(byte[] bytes, int from, int length, int flush, Output out) {
        Deflater current = deflater();
        begin(out);
        NativeBuffers buffers = NativeBuffers.borrow();
        try {
            int done = 0;
            do {
                ByteBuffer source = buffers.in.clear();
                int piece = Math.min(source.capacity(), length - done);
                source.put(0, bytes, from + done, piece).limit(piece);
                done += piece;
                current.setInput(source);
                boolean full;
                do {
                    current.deflate(buffers.out, flush);
                    full = !buffers.out.hasRemaining();
                    buffers.drainTo(out);
                } while (full);
            } while (done < length);
            current.setInput(EMPTY);
        } finally {
            buffers.release();
        }
    }

    private static void littleEndian(int value, Output out) {
        for (int shift = 0; shift < 32; shift += 8) {
            out.write(value >>> shift);
        }
    }

    private Deflater deflater() {
        if (closed) {
            throw new IllegalStateException("closed");
        }
        Deflater current = deflater;
        if (current == null) {
            current = new Deflater(level, true);
            deflater = current;
        }
        return current;
    }

    @Override
    public void close() {
        closed = true;
        Deflater current = deflater;
        if (current != null) {
            deflater = null;
            current.end();
        }
    }
}
