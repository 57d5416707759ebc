package io.sluice.arrow;

import static io.sluice.arrow.Batches.field;
import static io.sluice.arrow.Batches.integer;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.ErrorPolicy;
import io.sluice.ReadSpec;
import io.sluice.Rejected;
import io.sluice.format.JsonlSpec;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.arrow.vector.types.DateUnit;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.UnionMode;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.junit.jupiter.api.Test;

/** Values at the edge of what a column takes, and what is left behind where one does not. */
class JsonlEdgesTest {

    private static final ArrowType DOUBLE = new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE);
    private static final ArrowType FLOAT = new ArrowType.FloatingPoint(FloatingPointPrecision.SINGLE);

    /** The values of column {@code v}, and why records were refused. */
    private record Outcome(List<Object> values, List<String> reasons) {}

    private static Outcome read(ArrowSpec spec, Field v, String... texts) {
        StringBuilder lines = new StringBuilder();
        for (String text : texts) {
            lines.append("{\"v\":").append(text).append("}\n");
        }
        List<Rejected> refused = new ArrayList<>();
        List<Object> values = new ArrayList<>();
        Rows.read(
                        spec.schema(new Schema(List.of(v))),
                        lines.toString(),
                        ReadSpec.create().onError(ErrorPolicy.deadLetter(refused::add)))
                .forEach(row -> values.add(row.get("v")));
        return new Outcome(values, refused.stream().map(r -> r.cause().reason()).toList());
    }

    private static Outcome read(ArrowType type, String... texts) {
        return read(ArrowSpec.create(), field("v", type), texts);
    }

    @Test
    void integersBeyondTheLastThatARealHoldsAreRefused() {
        for (ArrowType type : List.of(DOUBLE, FLOAT)) {
            // the long nearest to 2^63 becomes that, and back it would be the same again
            Outcome outcome = read(type, "9223372036854775807", "-9223372036854775808");
            assertThat(outcome.values).hasSize(1);
            assertThat(((Number) outcome.values.get(0)).doubleValue()).isEqualTo(-0x1p63);
            assertThat(outcome.reasons).hasSize(1).first().asString().contains("exactly");
        }
    }

    @Test
    void zerosKeepTheirSignAndNumbersMustNotBeginWithZero() {
        assertThat(read(DOUBLE, "-0", "-0 ", "-0.0 ", "0 ").values).containsExactly(-0.0, -0.0, -0.0, 0.0);
        assertThat(read(FLOAT, "-0 ").values).containsExactly(-0f);
        Outcome outcome = read(DOUBLE, "01", "-01", "00.5", "01.5", "1.");
        assertThat(outcome.values).isEmpty();
        assertThat(outcome.reasons).hasSize(5);
    }

    @Test
    void nonFiniteNumbersGoIntoRealsOnly() {
        ArrowSpec spec = ArrowSpec.create().jsonl(JsonlSpec.create().acceptNonFinite());
        String[] texts = {"NaN", "Infinity", "-Infinity", "1.5"};
        assertThat(read(spec, field("v", FLOAT), texts).values)
                .containsExactly(Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 1.5f);
        assertThat(read(spec, field("v", DOUBLE), texts).values)
                .containsExactly(Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1.5);
        for (ArrowType type : List.of(
                integer(64, true),
                integer(16, true),
                integer(64, false),
                new ArrowType.Decimal(10, 1, 128),
                new ArrowType.Timestamp(TimeUnit.SECOND, null))) {
            Outcome outcome = read(spec, field("v", type), "NaN", "Infinity", "-Infinity");
            assertThat(outcome.values).as("%s", type).isEmpty();
            assertThat(outcome.reasons).hasSize(3);
        }
    }

    /** Digits that such a number would have are never made. */
    @Test
    void hugeExponentsAreRefusedAtOnce() {
        Outcome outcome = read(new ArrowType.Decimal(38, 2, 128), "1e999999999", "1e-999999999", "1e3");
        assertThat(outcome.values).hasSize(1);
        assertThat(outcome.reasons).hasSize(2).last().asString().contains("no room");
    }

    @Test
    void timesAtTheEdges() {
        ArrowType nanos = new ArrowType.Timestamp(TimeUnit.NANOSECOND, "UTC");
        assertThat(read(nanos, "\"1677-09-21T00:12:43.145224192Z\"", "\"2262-04-11T23:47:16.854775807Z\"").values)
                .containsExactly(Long.MIN_VALUE, Long.MAX_VALUE);
        assertThat(read(nanos, "\"1677-09-21T00:12:43.145224191Z\"").values).isEmpty();
        ArrowType time = new ArrowType.Time(TimeUnit.NANOSECOND, 64);
        assertThat(read(time, "\"00:00:00.0000000010\"", "\"00:00:00.0000000011\"").values)
                .containsExactly(1L);
        ArrowType date = new ArrowType.Date(DateUnit.DAY);
        assertThat(read(date, "\"+5881580-07-11\"", "\"+5881580-07-12\"", "\"+99999999-01-01\"").values)
                .containsExactly((long) Integer.MAX_VALUE);
    }

    @Test
    void aPatternIsForColumnsOfItsKindOnly() {
        ArrowSpec zoned =
                ArrowSpec.create().timestampPatterns(DateTimeFormatter.ofPattern("dd.MM.yyyy HH:mm Z", Locale.ROOT));
        ArrowSpec local =
                ArrowSpec.create().timestampPatterns(DateTimeFormatter.ofPattern("dd.MM.yyyy HH:mm", Locale.ROOT));
        Field instant = field("v", new ArrowType.Timestamp(TimeUnit.SECOND, "UTC"));
        Field wallClock = field("v", new ArrowType.Timestamp(TimeUnit.MILLISECOND, null));
        assertThat(read(zoned, instant, "\"01.01.1970 01:00 +0100\"").values).containsExactly(0L);
        assertThat(read(zoned, wallClock, "\"01.01.1970 01:00 +0100\"").reasons).hasSize(1);
        assertThat(read(local, wallClock, "\"01.01.1970 00:00\"").values).hasSize(1);
        assertThat(read(local, instant, "\"01.01.1970 00:00\"").reasons).hasSize(1);
    }

    @Test
    void keysOfMapsAreInTheirRange() {
        Field key = new Field("key", FieldType.notNullable(integer(8, true)), List.of());
        Field entries = new Field(
                "entries", FieldType.notNullable(new ArrowType.Struct()), List.of(key, field("value", DOUBLE)));
        Outcome outcome = read(
                ArrowSpec.create(),
                field("v", new ArrowType.Map(false), entries),
                "{\"127\":1,\"-128\":2}",
                "{\"128\":1}",
                "{\"-129\":1}",
                "{\"one\":1}");
        assertThat(outcome.values)
                .containsExactly(List.of(Map.of("key", 127L, "value", 1.0), Map.of("key", -128L, "value", 2.0)));
        assertThat(outcome.reasons).hasSize(3);
    }

    // ---- unions -----------------------------------------------------------------------------------------------------

    private static Field union(String name, Field... members) {
        int[] ids = new int[members.length];
        Arrays.setAll(ids, i -> i);
        return field(name, new ArrowType.Union(UnionMode.Dense, ids), members);
    }

    private static Field list(String name, ArrowType items) {
        return field(name, new ArrowType.List(), field("item", items));
    }

    @Test
    void aMemberThatDoesNotTakeAValueAfterAllKeepsNothingOfIt() {
        Field either = union("v", list("numbers", integer(64, true)), list("texts", new ArrowType.Utf8()));
        Outcome outcome =
                read(ArrowSpec.create(), either, "[1,2]", "[null,\"x\"]", "[3]", "[4,\"five\"]", "[6]", "[\"y\"]");
        assertThat(outcome.values)
                .containsExactly(List.of(1L, 2L), Arrays.asList(null, "x"), List.of(3L), List.of(6L), List.of("y"));
        assertThat(outcome.reasons).hasSize(1);
    }

    @Test
    void trialsDoNotCountAsNesting() {
        Field either = union("item", list("numbers", integer(64, true)), list("texts", new ArrowType.Utf8()));
        String many = "[" + "[\"x\"],".repeat(ReadSpec.DEFAULT_MAX_NESTING + 5) + "[1]]";
        Outcome outcome = read(ArrowSpec.create(), field("v", new ArrowType.List(), either), many);
        assertThat(outcome.reasons).isEmpty();
        assertThat((List<?>) outcome.values.get(0)).hasSize(ReadSpec.DEFAULT_MAX_NESTING + 6);
    }

    @Test
    void nullsAmongUnions() {
        Field either = union("item", field("n", integer(64, true)), field("s", new ArrowType.Utf8()));
        Outcome outcome =
                read(ArrowSpec.create(), field("v", new ArrowType.List(), either), "[null,1,\"x\",null]", "[true]");
        assertThat(outcome.values).containsExactly(Arrays.asList(null, 1L, "x", null));
        assertThat(outcome.reasons).hasSize(1);
    }

    // ---- records that are read again --------------------------------------------------------------------------------

    private static List<String> rest(ArrowSpec spec, String text) {
        List<String> rest = new ArrayList<>();
        try (var allocator = new org.apache.arrow.memory.RootAllocator()) {
            byte[] bytes = text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
            io.sluice.Dataset.at(
                            new io.sluice.testing.ChunkedStore(1000, null).with("a.jsonl", bytes),
                            "a.jsonl",
                            Arrow.jsonl(allocator, spec.unexpected(Unexpected.COLLECT)))
                    .read()
                    .doOnNext(batch -> {
                        try (batch) {
                            for (int i = 0; i < batch.rowCount(); i++) {
                                rest.add(String.valueOf(
                                        batch.root().getVector("_rest").getObject(i)));
                            }
                        }
                    })
                    .blockLast();
        }
        return rest;
    }

    @Test
    void whatIsCollectedHasEachKeyOnce() {
        ArrowSpec spec = ArrowSpec.create().schema(new Schema(List.of(field("a", integer(64, true)))));
        assertThat(rest(spec, "{\"b\":1,\"a\":1,\"c\":[],\"b\":{\"x\":2}}\n{\"a\":\"x\",\"a\":\"y\"}\n"))
                .containsExactly("{\"c\":[],\"b\":{\"x\":2}}", "{\"a\":\"y\"}");
    }

    @Test
    void aSecondReadingIsNoSecondKey() {
        ArrowSpec spec = ArrowSpec.create()
                .schema(new Schema(List.of(field("a", integer(64, true)), field("b", integer(64, true)))))
                .jsonl(JsonlSpec.create().rejectDuplicateKeys());
        assertThat(rest(spec, "{\"a\":1,\"b\":\"x\"}\n")).containsExactly("{\"b\":\"x\"}");
    }

    @Test
    void aListThatIsTooLongLeavesNothingInItsColumn() {
        ArrowSpec spec = ArrowSpec.create()
                .schema(new Schema(
                        List.of(field("v", new ArrowType.FixedSizeList(2), field("item", integer(64, true))))))
                .unexpected(Unexpected.COLLECT);
        assertThat(Rows.read(spec, "{\"v\":[1,2]}\n{\"v\":[3,4,5]}\n{\"v\":[6,7]}\n{\"v\":[8]}\n{\"v\":[9,10]}\n"))
                .containsExactly(
                        Map.of("v", List.of(1L, 2L)),
                        Map.of("_rest", Map.of("v", List.of(3, 4, 5))),
                        Map.of("v", List.of(6L, 7L)),
                        Map.of("_rest", Map.of("v", List.of(8))),
                        Map.of("v", List.of(9L, 10L)));
    }

    @Test
    void aBlockOfNullsNeedsNoWordInItsDictionary() {
        ArrowSpec spec = ArrowSpec.create()
                .schema(new Schema(List.of(field("w", new ArrowType.Utf8()))))
                .dictionaries("w")
                .jsonl(JsonlSpec.create()
                        .rejectDuplicateKeys()); // nulls are written down, to tell keys that come twice
        assertThat(Rows.read(spec, "{\"w\":null}\n{\"w\":null}\n")).containsExactly(Map.of(), Map.of());
    }
}
