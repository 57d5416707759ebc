package io.sluice.codec;

/**
 * Turns values into the bytes of one shard. Single-threaded; one encoder per shard, in this order: {@code start},
 * {@code encode} any number of times, {@code finish}.
 */
public interface Encoder<T> extends AutoCloseable {

    /** Writes the shard's header, if the format has one. */
    default void start(Output out) {}

    /**
     * Appends a value, terminator included. What it has written when it throws is rolled back by the caller; what it
     * holds back inside must then be as it was before.
     *
     * @return how many records the value holds (1, or the rows of a batch)
     * @throws io.sluice.RecordException where the value can't be written as it is (NaN, a key that is no string, a
     *     bean that throws); place is added by the pipeline
     */
    int encode(T value, Output out);

    /**
     * Takes the value of the last {@code encode} back, because it belongs into the next shard: what was appended to the
     * output is rolled back by the caller, what is held back inside (see {@link #pendingBytes}) must be as it was before. Called
     * at most once after an {@code encode}, and only before {@code finish}. Encoders that hold nothing back do nothing.
     */
    default void undo() {}

    /**
     * Bytes that the encoder holds back inside (the open block of a container format) and will write later; part of
     * the shard's size for rotation.
     */
    default long pendingBytes() {
        return 0;
    }

    /** Writes what was held back and the shard's footer, if the format has one. */
    default void finish(Output out) {}

    /** Releases what it holds. Idempotent. */
    @Override
    default void close() {}
}
