package io.sluice.codec;

/** Compresses one shard, sans-IO. Single-threaded. May hold native memory: {@code close} it. */
public interface Compressor extends AutoCloseable {

    /** Compresses {@code length} bytes and appends what comes out, which may be nothing yet, to {@code out}. */
    void compress(byte[] bytes, int from, int length, Output out);

    /** Appends all that is held back, so that a reader gets everything up to here. */
    void flush(Output out);

    /**
     * Ends the stream and appends its last bytes. What is compressed after that becomes a further frame or member, which a
     * {@link Decompressor} reads as the continuation.
     */
    void finish(Output out);

    @Override
    void close();
}
