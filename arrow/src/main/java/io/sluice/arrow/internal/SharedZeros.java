package io.sluice.arrow.internal;

import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.jspecify.annotations.Nullable;

/**
 * One run of zeros for all columns of a batch that are null throughout: to give each its own would, with schemas of a thousand
 * columns of which a record has fifty, write more than is read. Single-threaded; the vectors hold on to it after {@link #close}.
 */
final class SharedZeros implements AutoCloseable {

    private static final long MIN_BYTES = 4096;

    private final BufferAllocator allocator;
    private @Nullable ArrowBuf zeros;

    SharedZeros(BufferAllocator allocator) {
        this.allocator = allocator;
    }

    /** So many bytes, the caller's to close. */
    ArrowBuf take(long bytes) {
        ArrowBuf from = zeros;
        if (from == null || from.capacity() < bytes) {
            close();
            from = allocator.buffer(Math.max(bytes, MIN_BYTES));
            from.setZero(0, from.capacity());
            zeros = from;
        }
        from.getReferenceManager().retain();
        return from.slice(0, bytes);
    }

    @Override
    public void close() {
        if (zeros != null) {
            zeros.close();
            zeros = null;
        }
    }
}
