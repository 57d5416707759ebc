package io.sluice.format;

import io.sluice.codec.Block;
import io.sluice.codec.Encoder;
import io.sluice.codec.FormatReader;
import io.sluice.codec.Framer;
import io.sluice.codec.ReadLimits;
import java.util.List;

/**
 * What the bytes of a shard mean, and which Java type its records become. Immutable and reusable; sans-IO, so free of
 * stores, compression and Reactor.
 *
 * @param <T> what a subscriber receives and a writer takes: a map, a bean, a batch of rows
 */
public interface Format<T> {

    /** Its name for people: {@code "jsonl maps"}. */
    String name();

    /** File name extensions with their dot and without compression, the one used for writing first. */
    List<String> extensions();

    /** A framer for one shard. */
    Framer framer(ReadLimits limits);

    /**
     * The most bytes that its framers ever want to see at a time: a record's, unless a block of the format has a limit of its own
     * (a message of many rows).
     */
    default int maxBlockBytes(ReadLimits limits) {
        return limits.maxRecordBytes();
    }

    /**
     * How many values a writer may request ahead of their encoding, whatever {@link io.sluice.WriteSpec#bufferRecords(int)} says:
     * few where a value is a batch of many records.
     */
    default int maxBufferedValues() {
        return Integer.MAX_VALUE;
    }

    /**
     * How many bytes from the start of the data set {@link #reader} wants to see before it makes a reader; 0 (none) where
     * nothing is inferred from data.
     */
    default int sampleBytes() {
        return 0;
    }

    /**
     * Prepares one subscription.
     *
     * @param sample the first blocks of the data set, up to {@link #sampleBytes} or its end; they are decoded as well later
     */
    FormatReader<?, T> reader(ReadLimits limits, List<Block> sample);

    /**
     * An encoder for one shard.
     *
     * @throws UnsupportedOperationException where the format can only be read
     */
    Encoder<T> encoder();

    /**
     * A writer is done with a value: it was written, refused, or dropped because the writing was cancelled or failed. Called once for each
     * value that a writer was given, on any thread; formats whose values hold memory of their own free it here.
     */
    default void release(T value) {}
}
