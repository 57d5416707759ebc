package io.sluice.arrow.internal;

import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.jspecify.annotations.Nullable;

/**
 * An Arrow buffer under construction. It is as large as what has arrived needs, or as its predecessor in the batch before
 * was: nothing is reserved by guesswork on the first batch.
 */
final class GrowingBuffer implements AutoCloseable {

    private final BufferAllocator allocator;
    private @Nullable ArrowBuf buffer;
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
            reserve(length).setBytes(used, bytes, from, (long) length);
            used += length;
        }
    }

    /** Room for {@code more} bytes behind {@link #used}; for direct writes, followed by {@link #advance}. */
    ArrowBuf reserve(long more) {
        ArrowBuf now = buffer;
        long wanted = used + more;
        if (now != null && now.capacity() >= wanted) {
            return now;
        }
        long capacity = Math.max(wanted, now == null ? Math.min(lastUsed, wanted * 1024) : now.capacity() * 2);
        ArrowBuf grown = allocator.buffer(capacity);
        if (now != null) {
            grown.setBytes(0, now, 0, used);
            now.close();
        }
        buffer = grown;
        return grown;
    }

    void advance(long bytes) {
        used += bytes;
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
        }
        used = 0;
    }
}
