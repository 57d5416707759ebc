package io.sluice.format;

import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Objects;

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
     *
     * <p>What is written, in the order in which a map gives its entries:
     * <table>
     * <caption>Java values as JSON</caption>
     * <tr><td>{@code String}, {@code CharSequence}, {@code Character}, {@code UUID}, {@code Path}</td><td>string</td></tr>
     * <tr><td>{@code Integer}, {@code Long}, {@code Short}, {@code Byte}, {@code BigInteger}, {@code AtomicInteger}, {@code AtomicLong}</td>
     *     <td>integer</td></tr>
     * <tr><td>{@code Double}, {@code Float}</td><td>the shortest decimal that reads back as the same value, with a fraction or an
     *     exponent always; NaN and the infinities only by {@link JsonlSpec#acceptNonFinite()}</td></tr>
     * <tr><td>{@code BigDecimal}</td><td>its exact digits and scale: {@code 1.50}, {@code 1E+3}</td></tr>
     * <tr><td>{@code Boolean}, {@code AtomicBoolean}, null</td><td>literal</td></tr>
     * <tr><td>{@code Map} with {@code String} keys</td><td>object</td></tr>
     * <tr><td>{@code Iterable}, {@code Object[]}, arrays of numbers or booleans</td><td>array</td></tr>
     * <tr><td>{@code Optional}</td><td>what it holds, or null</td></tr>
     * <tr><td>{@code Enum}</td><td>its {@code name()}</td></tr>
     * <tr><td>{@code byte[]}, {@code ByteBuffer} (what remains)</td><td>Base64 (RFC 4648, section 4)</td></tr>
     * <tr><td>{@code java.time} values, {@code java.util.Date}</td><td>ISO 8601, seconds always written; of a {@code ZonedDateTime} the
     *     offset is kept and the region's name is not</td></tr>
     * </table>
     *
     * <p>All else is refused with a {@link io.sluice.RecordException} that names the path of the value ({@code $.a.b[3]}): other types,
     * keys that are no strings, lone surrogates, nesting deeper than 1000. Nothing is written as null or {@code ?} in its place.
     */
    public static Format<Map<String, Object>> maps(JsonlSpec spec) {
        return new JsonlFormat<>(
                "jsonl maps",
                limits -> new ValueReader<>(() -> new MapDecoder(spec, limits), false),
                () -> new MapEncoder(spec));
    }

    /**
     * Every line that is not blank as it is, without its terminator and unparsed: a heap buffer that is the receiver's to
     * keep. Lines of one block share an array, so one that is kept for long keeps its neighbours as well.
     *
     * <p>Written as they are with a {@code \n} behind; not parsed either. The buffer's position stays where it is. Refused are
     * blank records, and ones that contain a line feed or begin with a byte order mark, because they would not come back as what they are.
     */
    public static Format<ByteBuffer> bytes() {
        return new JsonlFormat<>(
                "jsonl bytes",
                limits -> new ValueReader<>(() -> new RawLineDecoder(limits), true),
                RawLineEncoder::new);
    }

    /** {@link #checkedBytes(JsonlSpec)} with the defaults. */
    public static Format<ByteBuffer> checkedBytes() {
        return checkedBytes(JsonlSpec.create());
    }

    /**
     * The lines as {@link #bytes()} gives them, but only those that {@link #maps(JsonlSpec)} would take; the others are
     * rejected records. For passing records on unchanged: no digit of a number and no escape is rewritten.
     */
    public static Format<ByteBuffer> checkedBytes(JsonlSpec spec) {
        return new JsonlFormat<>(
                "jsonl checked bytes",
                limits -> new ValueReader<>(() -> new CheckedLineDecoder(new MapDecoder(spec, limits), limits), true),
                RawLineEncoder::new);
    }

    /** {@link #of(Class, JsonlSpec)} with the defaults. */
    public static <T> Format<T> of(Class<T> type) {
        return of(type, JsonlSpec.create());
    }

    /**
     * Every record a value of {@code type}, mapped by Jackson 3 or else Jackson 2, whichever is on the class path
     * ({@code tools.jackson.core:jackson-databind} or {@code com.fasterxml.jackson.core:jackson-databind}), as
     * {@code Jackson3Codecs.create()} sets it up. For other settings give {@link #of(JsonCodec)} a codec of a mapper of your own.
     *
     * @throws IllegalStateException where neither is there
     */
    public static <T> Format<T> of(Class<T> type, JsonlSpec spec) {
        return of(JsonCodecs.find(type.getTypeName()).of(type), spec);
    }

    /** {@link #of(TypeRef, JsonlSpec)} with the defaults. */
    public static <T> Format<T> of(TypeRef<T> type) {
        return of(type, JsonlSpec.create());
    }

    /** As {@link #of(Class, JsonlSpec)}, for a type with parameters: {@code of(new TypeRef<Map<String, Event>>() {}, spec)}. */
    public static <T> Format<T> of(TypeRef<T> type, JsonlSpec spec) {
        return of(JsonCodecs.find(type).of(type), spec);
    }

    /** {@link #of(JsonCodec, JsonlSpec)} with the defaults. */
    public static <T> Format<T> of(JsonCodec<T> codec) {
        return of(codec, JsonlSpec.create());
    }

    /**
     * Every record a value that {@code codec} maps. The record may be any JSON value, not only an object, if the codec takes it.
     *
     * <p>JSON itself is checked beforehand by the rules of {@link #maps(JsonlSpec)}, so whatever the codec tolerates, a record
     * that is no JSON is rejected. What the codec writes is checked alike: a line feed in it, NaN, or anything that is not one JSON
     * value is refused with a {@link io.sluice.RecordException}, as is a value that the codec fails on. The spec's
     * {@link JsonlSpec#bigDecimals()} only lets numbers pass that are too large for a double.
     */
    public static <T> Format<T> of(JsonCodec<T> codec, JsonlSpec spec) {
        Objects.requireNonNull(codec, "codec");
        return new JsonlFormat<>(
                "jsonl values",
                limits -> new ValueReader<>(() -> new TypedDecoder(codec, spec, limits), false),
                () -> new TypedEncoder<>(codec, spec));
    }

    /**
     * The lines as they stand, unparsed, a block at a time: each buffer holds whole lines, none of them blank, each with its line
     * feed. For passing files on as they are at the speed of a copy. A heap buffer that is the receiver's to keep; where there is
     * nothing to leave out it is a part of the block itself. Positions, {@code limit} and error policies count records, as always.
     */
    public static Format<ByteBuffer> blocks() {
        String name = "jsonl blocks";
        return new JsonlFormat<>(name, LineBlocks::new, JsonlFormat.readOnly(name));
    }

    /** How many records there are, a block at a time, without looking into them: sum up what is emitted. */
    public static Format<Long> counts() {
        String name = "jsonl counts";
        return new JsonlFormat<>(name, LineCounter::new, JsonlFormat.readOnly(name));
    }
}
