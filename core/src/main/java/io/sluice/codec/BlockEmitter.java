package io.sluice.codec;

import org.jspecify.annotations.Nullable;

/**
 * The last step, run in order on the emitting thread: hands on a block's values one by one, or assembles them into
 * batches. The only place where reference-counted values may be made, so that they go straight to the subscriber.
 *
 * <p>The pipeline's protocol: {@code accept} a run of values, {@code poll} until null, and so on; at the end {@code end}
 * and {@code poll} until null, where {@code end} may follow an {@code accept} at once (a limit was reached: its values are still
 * to be polled); {@code close} always, once, on completion, error and cancel alike.
 *
 * @param <B> a block's values as the decoder made them
 * @param <T> what the subscriber receives
 */
public interface BlockEmitter<B, T> extends AutoCloseable {

    /**
     * Takes over values {@code from} (inclusive) to {@code to} (exclusive) of a block. Called only when {@code poll}
     * has returned null.
     */
    void accept(BlockOrigin origin, B values, int from, int to);

    /**
     * A block was decoded of which a resumed read wants no value: for formats whose blocks change what the following ones mean. Called
     * instead of {@code accept}.
     */
    default void skipped(BlockOrigin origin, B values) {}

    /** Whether {@code poll} would return a value: asked without demand, so it makes and allocates nothing. */
    boolean hasNext();

    /** The next value to emit, or null where another {@code accept} (or, after {@code end}, nothing) is needed. */
    @Nullable
    T poll();

    /** How many records the value that {@code poll} returned last covers: 1 for single values, the rows of a batch. */
    default int polledRecords() {
        return 1;
    }

    /**
     * Whether values that were accepted may be handed out together with later ones. Nothing can then be put between two
     * records, so {@code ErrorPolicy.replace} is refused.
     */
    default boolean holdsBack() {
        return false;
    }

    /** No more values will come: what was held back is now handed out by {@code poll}. */
    default void end() {}

    /** Releases what was held back. Idempotent. */
    @Override
    default void close() {}
}
