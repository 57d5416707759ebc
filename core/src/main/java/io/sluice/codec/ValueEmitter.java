package io.sluice.codec;

import org.jspecify.annotations.Nullable;

/**
 * The last step of formats whose decoders make whole values: hands them on one by one. Slots of the array are cleared as
 * they are emitted, so that a consumed value is garbage before its block is.
 */
public final class ValueEmitter<T> implements BlockEmitter<Object[], T> {

    private static final Object EMITTED = new Object();

    private Object[] values = new Object[0];
    private int next;
    private int end;

    @Override
    public void accept(BlockOrigin origin, Object[] block, int from, int to) {
        values = block;
        next = from;
        end = to;
    }

    @Override
    public boolean hasNext() {
        return next < end;
    }

    @Override
    @SuppressWarnings("unchecked") // the decoder of the same reader made them
    public @Nullable T poll() {
        if (next == end) {
            return null;
        }
        Object value = values[next];
        values[next++] = EMITTED;
        return (T) value;
    }

    @Override
    public void close() {
        values = new Object[0];
        next = 0;
        end = 0;
    }
}
