package io.sluice.codec;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * A pair of direct buffers through which heap bytes reach native code and come back, small enough to stay in a core's
 * cache. Borrowed for the length of one call, so there are about as many as threads at work, not as open streams.
 *
 * <p>Native code could work on heap arrays as well, a few percent faster, but holds up the garbage collector of the whole
 * process meanwhile; other threads that need memory then wait, or fail with an OutOfMemoryError although there is garbage.
 */
final class NativeBuffers {

    /** Room for the largest zstd block with the headers before it. */
    static final int IN_BYTES = (128 << 10) + 64;

    /** More than a zstd block can give, so that a full buffer does not come up at each block. */
    static final int OUT_BYTES = (128 << 10) + 64;

    private static final int SLOTS =
            Math.max(8, Math.min(64, 2 * Runtime.getRuntime().availableProcessors()));
    private static final AtomicReferenceArray<@Nullable NativeBuffers> POOL = new AtomicReferenceArray<>(SLOTS);

    final ByteBuffer in = ByteBuffer.allocateDirect(IN_BYTES);
    final ByteBuffer out = ByteBuffer.allocateDirect(OUT_BYTES);

    private NativeBuffers() {}

    /** Both cleared. */
    static NativeBuffers borrow() {
        for (int slot = 0; slot < SLOTS; slot++) {
            if (POOL.getPlain(slot) != null) {
                NativeBuffers buffers = POOL.getAndSet(slot, null);
                if (buffers != null) {
                    buffers.in.clear();
                    buffers.out.clear();
                    return buffers;
                }
            }
        }
        return new NativeBuffers();
    }

    /** To be called once for each borrowing, in {@code finally}. */
    void release() {
        for (int slot = 0; slot < SLOTS; slot++) {
            if (POOL.getPlain(slot) == null && POOL.compareAndSet(slot, null, this)) {
                return;
            }
        }
    }

    /** Appends what is in {@link #out}, and clears it. */
    void drainTo(Output target) {
        int length = out.position();
        byte[] array = target.ensure(length);
        out.get(0, array, target.position(), length);
        target.position(target.position() + length);
        out.clear();
    }
}
