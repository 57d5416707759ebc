package io.sluice.codec;

/**
 * How one subscription reads: makes a decoder per worker and the one emitter. What all of them share (a schema,
 * dictionaries) lives in the reader.
 */
public interface FormatReader<B, T> {

    /** A decoder for one worker. */
    BlockDecoder<B> decoder();

    /** The last step; called once. */
    BlockEmitter<B, T> emitter();

    /** Whether values refer to the bytes of their block, so that its array must not be reused. */
    default boolean keepsBytes() {
        return false;
    }
}
