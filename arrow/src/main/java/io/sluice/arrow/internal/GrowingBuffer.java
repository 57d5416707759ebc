package io.sluice.arrow.internal;

import java.util.Objects;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.util.MemoryUtil;
import org.jspecify.annotations.Nullable;

/**
 * An Arrow buffer under construction. It is as large as what has arrived needs, or as its predecessor in the batch before
 * was: nothing is reserved by guesswork on the first batch.
 */
final class GrowingBuffer implements AutoCloseable {

    private final BufferAllocator allocator;
    private @Nullable ArrowBuf buffer;
    /** Of {@link #buffer}: writing past Arrow's checks of every access, which cost more than small copies. */
    private long address;

    private long capacity;
    private long used;
    private long lastUsed;

    GrowingBuffer(BufferAllocator allocator) {
        this.allocator = allocator;
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

    private void grow(long wanted) {
        ArrowBuf now = buffer;
        ArrowBuf grown =
                allocator.buffer(Math.max(wanted, now == null ? Math.min(lastUsed, wanted * 1024) : capacity * 2));
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
