package io.sluice.format;

import java.nio.ByteBuffer;
import java.util.Map;

/**
 * JSON Lines: one JSON value a line, UTF-8 (<a href="https://jsonlines.org">jsonlines.org</a>, RFC 8259). Extensions
 * {@code .jsonl}, {@code .ndjson}, {@code .json}.
 *
 * <p>Lines end with {@code \n} or {@code \r\n}; the last one may lack it. Blank lines and a byte order mark at the start are
 * skipped. Whatever else is not one JSON value is a rejected record, for the reader's
 * {@link io.sluice.ErrorPolicy} to deal with: nothing is repaired, replaced or dropped silently.
 */
public final class Jsonl {

    private Jsonl() {}

    /** {@link #maps(JsonlSpec)} with the defaults. */
    public static Format<Map<String, Object>> maps() {
        return maps(JsonlSpec.create());
    }

    /**
     * Every record a JSON object as a map in the order of its keys. Values are {@code String}, {@code Integer},
     * {@code Long} or {@code BigInteger} (the first that fits), {@code Double} (or {@code BigDecimal}, see
     * {@link JsonlSpec#bigDecimals()}), {@code Boolean}, null, {@code List} and {@code Map}. All of them are the receiver's to
     * keep and to change.
     */
    public static Format<Map<String, Object>> maps(JsonlSpec spec) {
        String name = "jsonl maps";
        return new JsonlFormat<>(
                name,
                limits -> new ValueReader<>(() -> new MapDecoder(spec, limits), false),
                JsonlFormat.readOnly(name));
    }

    /**
     * Every line that is not blank as it is, without its terminator and unparsed: a heap buffer that is the receiver's to
     * keep. Lines of one block share an array, so one that is kept for long keeps its neighbours as well.
     */
    public static Format<ByteBuffer> bytes() {
        String name = "jsonl bytes";
        return new JsonlFormat<>(
                name, limits -> new ValueReader<>(() -> new RawLineDecoder(limits), true), JsonlFormat.readOnly(name));
    }

    /** How many records there are, a block at a time, without looking into them: sum up what is emitted. */
    public static Format<Long> counts() {
        String name = "jsonl counts";
        return new JsonlFormat<>(name, LineCounter::new, JsonlFormat.readOnly(name));
    }
}
