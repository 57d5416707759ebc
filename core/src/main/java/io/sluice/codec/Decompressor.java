package io.sluice.codec;

import java.nio.ByteBuffer;

/**
 * Decompresses one shard, sans-IO. It takes input of any size, in pieces of any size, and reads all frames or members
 * one behind the other. Single-threaded. May hold native memory: {@code close} it.
 */
public interface Decompressor extends AutoCloseable {

    /**
     * Takes bytes from {@code in} and appends bytes to {@code out}, until {@code in} is empty and everything that it
     * gives has come out, or {@code out} is full. Both are heap buffers.
     *
     * @throws io.sluice.CorruptDataException damaged data or a limit exceeded; what is in {@code out} by then is good
     */
    void decompress(ByteBuffer in, ByteBuffer out);

    /**
     * The input is over and {@code decompress} left room in {@code out}.
     *
     * @throws io.sluice.CorruptDataException where the stream is cut off
     */
    void end();

    /** Offset in the compressed stream of the last frame or member that has begun to come out: a point to restart from. */
    long frameStart();

    /** Offset in the uncompressed stream of that frame's first byte. */
    long frameStartUncompressed();

    @Override
    void close();
}
