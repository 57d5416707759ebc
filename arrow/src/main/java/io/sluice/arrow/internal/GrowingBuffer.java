package io.sluice.arrow.internal;

import java.util.Objects;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.util.MemoryUtil;
import org.jspecify.annotations.Nullable;

/**
 * An Arrow buffer under construction. It is as large as its predecessor in the batch before was, or as the batch will need if it goes
 * on as it began.
 */
final class GrowingBuffer implements AutoCloseable {

    private final BufferAllocator allocator;
    private final BatchProgress progress;
    private @Nullable ArrowBuf buffer;
    /** Of {@link #buffer}: writing past Arrow's checks of every access, which cost more than small copies. */
    private long address;

    private long capacity;
    private long used;
    private long lastUsed;

    GrowingBuffer(BufferAllocator allocator, BatchProgress progress) {
        this.allocator = allocator;
        this.progress = progress;
    }

    long used() {
        return used;
    }

    /** Appends {@code length} bytes. */
    void append(byte[] bytes, int from, int length) {
        if (length > 0) {
            if (used + length > capacity) {
                grow(used + length);
            }
            Objects.checkFromIndexSize(from, length, bytes.length);
            MemoryUtil.copyToMemory(bytes, from, address + used, length);
            used += length;
        }
    }

    /** Appends {@code length} zeros. */
    void appendZeros(long length) {
        if (length > 0) {
            if (used + length > capacity) {
                grow(used + length);
            }
            MemoryUtil.setMemory(address + used, length, (byte) 0);
            used += length;
        }
    }

    /**
     * Appends {@code count} offsets, each {@code base} more than the next of {@code source}.
     *
     * @param wide whether they are 64 bits long
     */
    void appendOffsets(int[] source, int from, int count, long base, boolean wide) {
        Objects.checkFromIndexSize(from, count, source.length);
        long length = (long) count * (wide ? Long.BYTES : Integer.BYTES);
        if (used + length > capacity) {
            grow(used + length);
        }
        long to = address + used;
        int i = from;
        int end = from + count;
        if (wide) {
            for (; i < end; i++, to += Long.BYTES) {
                MemoryUtil.putLong(to, base + source[i]);
            }
        } else {
            int shift = (int) base;
            for (; i < end - 1; i += 2, to += Long.BYTES) {
                MemoryUtil.putLong(to, (shift + source[i]) & 0xFFFFFFFFL | (long) (shift + source[i + 1]) << 32);
            }
            if (i < end) {
                MemoryUtil.putInt(to, shift + source[i]);
            }
        }
        used += length;
    }

    /** Appends {@code count} times the same offset. */
    void repeatOffset(int count, long offset, boolean wide) {
        long length = (long) count * (wide ? Long.BYTES : Integer.BYTES);
        if (offset == 0) {
            appendZeros(length);
            return;
        }
        if (used + length > capacity) {
            grow(used + length);
        }
        long to = address + used;
        long end = to + length;
        long word = wide ? offset : offset & 0xFFFFFFFFL | offset << 32;
        for (; to + Long.BYTES <= end; to += Long.BYTES) {
            MemoryUtil.putLong(to, word);
        }
        if (to < end) {
            MemoryUtil.putInt(to, (int) offset);
        }
        used += length;
    }

    private void grow(long wanted) {
        ArrowBuf now = buffer;
        ArrowBuf grown = allocator.buffer(
                now == null && lastUsed > wanted
                        ? Math.min(lastUsed + (lastUsed >> 4), wanted * 1024)
                        : Math.max(wanted, progress.foresee(wanted)));
        if (now != null) {
            grown.setBytes(0, now, 0, used);
            now.close();
        }
        buffer = grown;
        address = grown.memoryAddress();
        capacity = grown.capacity();
    }

    /** The buffer with what was appended, now the caller's to close; this one begins anew. */
    ArrowBuf detach() {
        ArrowBuf done = buffer;
        if (done == null) {
            return allocator.getEmpty();
        }
        if (used <= done.capacity() / 4) {
            ArrowBuf fitting = allocator.buffer(used);
            fitting.setBytes(0, done, 0, used);
            done.close();
            done = fitting;
        }
        buffer = null;
        capacity = 0;
        done.writerIndex(used);
        lastUsed = used;
        used = 0;
        return done;
    }

    @Override
    public void close() {
        if (buffer != null) {
            buffer.close();
            buffer = null;
            capacity = 0;
        }
        used = 0;
    }
}
