package io.sluice.format;

import io.sluice.codec.Output;
import org.jspecify.annotations.Nullable;

/**
 * Maps one JSON value to a Java value and back. Implement it to use a library of your own with {@link Jsonl#of(JsonCodec)}.
 *
 * <p>Thread-safe: many workers call one codec at once. A codec need not be strict about JSON itself: what it reads has been
 * found to be one well-formed value, and what it writes is held to the same rules.
 */
public interface JsonCodec<T> {

    /**
     * Maps the JSON value that lies in {@code bytes[from, to)}: well-formed, valid UTF-8, with white space around it at most.
     *
     * @param bytes not to be changed, and not to be kept
     * @return the value; null makes a rejected record, because a stream can't carry it
     * @throws Exception the value does not fit; becomes the cause of a rejected record. A
     *     {@link io.sluice.RecordException} keeps its kind and reason, and its offset is taken as relative to {@code from}
     */
    @Nullable
    T read(byte[] bytes, int from, int to) throws Exception;

    /**
     * Appends the value's JSON text, without terminator and without line feeds. What it has written when it throws is taken back.
     *
     * @throws Exception the value can't be written; becomes the cause of a {@link io.sluice.RecordException}
     */
    void write(T value, Output out) throws Exception;
}
