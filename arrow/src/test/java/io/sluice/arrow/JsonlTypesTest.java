package io.sluice.arrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.ErrorPolicy;
import io.sluice.ReadSpec;
import io.sluice.Rejected;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.arrow.vector.types.DateUnit;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.UnionMode;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every column type: what it takes, and what it refuses. */
class JsonlTypesTest {

    private static final Object BAD = new Object() {
        @Override
        public String toString() {
            return "refused";
        }
    };

    private static Field field(String name, ArrowType type, Field... children) {
        return new Field(name, FieldType.nullable(type), List.of(children));
    }

    private static ArrowType integer(int bits, boolean signed) {
        return new ArrowType.Int(bits, signed);
    }

    private static Arguments of(ArrowType type, Object... textsAndValues) {
        return Arguments.of(field("v", type), textsAndValues);
    }

    static Stream<Arguments> scalars() {
        TimeUnit s = TimeUnit.SECOND;
        TimeUnit ms = TimeUnit.MILLISECOND;
        TimeUnit us = TimeUnit.MICROSECOND;
        TimeUnit ns = TimeUnit.NANOSECOND;
        return Stream.of(
                of(new ArrowType.Null(), "null", null, "1", BAD, "\"\"", BAD, "{}", BAD),
                of(new ArrowType.Bool(), "true", true, "false", false, "0", BAD, "\"true\"", BAD),
                of(integer(8, true), "127", 127L, "-128", -128L, "128", BAD, "-129", BAD, "1.0", BAD, "1e1", BAD),
                of(integer(16, true), "32767", 32767L, "-32768", -32768L, "32768", BAD),
                of(
                        integer(32, true),
                        "2147483647",
                        2147483647L,
                        "-2147483648",
                        -2147483648L,
                        "2147483648",
                        BAD,
                        "99999999999",
                        BAD),
                of(
                        integer(64, true),
                        "9223372036854775807",
                        Long.MAX_VALUE,
                        "-9223372036854775808",
                        Long.MIN_VALUE,
                        "9223372036854775808",
                        BAD,
                        "12345678",
                        12345678L,
                        "-0",
                        0L,
                        "\"1\"",
                        BAD,
                        "true",
                        BAD),
                of(integer(8, false), "255", (long) (byte) 255, "0", 0L, "256", BAD, "-1", BAD),
                of(integer(16, false), "65535", (char) 65535, "65536", BAD),
                of(integer(32, false), "4294967295", -1L, "4294967296", BAD, "-1", BAD),
                of(integer(64, false), "18446744073709551615", -1L, "18446744073709551616", BAD, "-1", BAD, "7", 7L),
                of(
                        new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE),
                        "1",
                        1.0,
                        "-0",
                        -0.0,
                        "0.1",
                        0.1,
                        "1e308",
                        1e308,
                        "1e400",
                        BAD,
                        "9007199254740993",
                        BAD,
                        "9007199254740992",
                        9007199254740992.0,
                        "123456789012345678901234567890",
                        BAD,
                        "123456789012345678901234567890.5",
                        123456789012345678901234567890.5,
                        "4.9e-324",
                        4.9e-324,
                        "\"1\"",
                        BAD),
                of(
                        new ArrowType.FloatingPoint(FloatingPointPrecision.SINGLE),
                        "0.1",
                        0.1f,
                        "16777217",
                        BAD,
                        "16777216",
                        16777216f,
                        "1e39",
                        BAD,
                        "1.00000017881393432617187499",
                        1.0000001f,
                        "1e-45",
                        1e-45f,
                        "-0",
                        -0f),
                of(
                        new ArrowType.Decimal(10, 2, 128),
                        "1",
                        new BigDecimal("1.00"),
                        "-12345678.90",
                        new BigDecimal("-12345678.90"),
                        "1.005",
                        BAD,
                        "1.500",
                        new BigDecimal("1.50"),
                        "123456789",
                        BAD,
                        "1e3",
                        new BigDecimal("1000.00"),
                        "\"1\"",
                        BAD),
                of(
                        new ArrowType.Decimal(76, 1, 256),
                        "123456789012345678901234567890123456789012345678901234567890.5",
                        new BigDecimal("123456789012345678901234567890123456789012345678901234567890.5"),
                        "-0.1",
                        new BigDecimal("-0.1")),
                of(new ArrowType.Utf8(), "\"\"", "", "\"a\\tb\"", "a\tb", "1", BAD, "[]", BAD, "true", BAD),
                of(new ArrowType.LargeUtf8(), "\"é\"", "é", "{}", BAD),
                of(
                        new ArrowType.Utf8View(),
                        "\"short\"",
                        "short",
                        "\"longer than twelve bytes\"",
                        "longer than twelve bytes",
                        "\"twelve bytes\"",
                        "twelve bytes"),
                of(new ArrowType.Binary(), "\"AQI=\"", new byte[] {1, 2}, "\"\"", new byte[0], "\"*\"", BAD, "1", BAD),
                of(new ArrowType.LargeBinary(), "\"\\u0041QI=\"", new byte[] {1, 2}),
                of(new ArrowType.FixedSizeBinary(2), "\"AQI=\"", new byte[] {1, 2}, "\"AQ==\"", BAD),
                of(
                        new ArrowType.Date(DateUnit.DAY),
                        "\"1970-01-02\"",
                        1L,
                        "\"2000-02-29\"",
                        11016L,
                        "\"1900-02-29\"",
                        BAD,
                        "\"1969-12-31\"",
                        -1L,
                        "\"2000-1-1\"",
                        BAD,
                        "\"2000-13-01\"",
                        BAD,
                        "7",
                        7L,
                        "\"-0001-01-01\"",
                        -719893L),
                of(new ArrowType.Date(DateUnit.MILLISECOND), "\"1970-01-02\"", LocalDateTime.of(1970, 1, 2, 0, 0)),
                of(
                        new ArrowType.Time(s, 32),
                        "\"12:34:56\"",
                        45296L,
                        "\"12:34\"",
                        45240L,
                        "\"12:34:56.5\"",
                        BAD,
                        "\"24:00:00\"",
                        BAD,
                        "86400",
                        BAD),
                of(new ArrowType.Time(ms, 32), "\"00:00:01.5\"", LocalDateTime.of(1970, 1, 1, 0, 0, 1, 500_000_000)),
                of(new ArrowType.Time(us, 64), "\"00:00:00.000001\"", 1L, "\"00:00:00.0000001\"", BAD),
                of(new ArrowType.Time(ns, 64), "\"23:59:59.999999999\"", 86399999999999L),
                of(
                        new ArrowType.Timestamp(s, "UTC"),
                        "\"1970-01-01T00:00:01Z\"",
                        1L,
                        "\"1970-01-01T01:00:00+01:00\"",
                        0L,
                        "\"1970-01-01T00:00:00\"",
                        BAD,
                        "\"1970-01-01 00:00:01z\"",
                        1L,
                        "1234",
                        1234L,
                        "\"1970-01-01T00:00:00.5Z\"",
                        BAD,
                        "\"1970-01-01T00:00:60Z\"",
                        BAD,
                        "\"x\"",
                        BAD,
                        "1.5",
                        BAD),
                of(
                        new ArrowType.Timestamp(us, "Europe/Berlin"),
                        "\"1970-01-01T00:00:00.000001Z\"",
                        1L,
                        "\"1969-12-31T23:59:59.999999Z\"",
                        -1L),
                of(
                        new ArrowType.Timestamp(ns, null),
                        "\"1970-01-01T00:00:00.000000001\"",
                        LocalDateTime.of(1970, 1, 1, 0, 0, 0, 1),
                        "\"1970-01-01T00:00:00Z\"",
                        BAD,
                        "\"2262-04-12T00:00:00\"",
                        BAD),
                of(
                        new ArrowType.Timestamp(ms, null),
                        "\"2026-01-31T12:00:00.250\"",
                        LocalDateTime.of(2026, 1, 31, 12, 0, 0, 250_000_000)),
                of(
                        new ArrowType.Duration(ms),
                        "\"PT1.5S\"",
                        Duration.ofMillis(1500),
                        "\"PT0.0001S\"",
                        BAD,
                        "10",
                        Duration.ofMillis(10),
                        "\"1h\"",
                        BAD));
    }

    private record Outcome(List<Object> values, List<Rejected> refused) {}

    private static Outcome read(ArrowSpec spec, List<String> texts) {
        String lines = texts.stream().map(text -> "{\"v\":" + text + "}\n").collect(Collectors.joining());
        List<Rejected> refused = new ArrayList<>();
        List<Object> values = new ArrayList<>();
        for (Map<String, Object> row :
                Rows.read(spec, lines, ReadSpec.create().onError(ErrorPolicy.deadLetter(refused::add)))) {
            values.add(row.get("v"));
        }
        return new Outcome(values, refused);
    }

    private static Object comparable(Object value) {
        return value instanceof byte[] bytes
                ? Arrays.toString(bytes)
                : value instanceof Character c ? (Object) (long) c : value;
    }

    @ParameterizedTest
    @MethodSource("scalars")
    void takesAndRefuses(Field field, Object[] textsAndValues) {
        List<String> texts = new ArrayList<>(List.of("null"));
        List<Object> expected = new ArrayList<>();
        expected.add(null);
        int bad = 0;
        for (int i = 0; i < textsAndValues.length; i += 2) {
            texts.add((String) textsAndValues[i]);
            if (textsAndValues[i + 1] == BAD) {
                bad++;
            } else {
                expected.add(comparable(textsAndValues[i + 1]));
            }
        }
        // twice, and in lists: once through the loop of objects, once through that of elements
        Outcome outcome = read(ArrowSpec.create().schema(new Schema(List.of(field))), texts);
        assertThat(outcome.values.stream().map(JsonlTypesTest::comparable))
                .as(texts.toString())
                .containsExactlyElementsOf(expected);
        assertThat(outcome.refused).hasSize(bad);
        assertThat(outcome.refused)
                .allSatisfy(
                        r -> assertThat(r.cause().kind()).isEqualTo(io.sluice.RecordException.Kind.UNEXPECTED_TYPE));

        Schema list = new Schema(
                List.of(field("v", new ArrowType.List(), new Field("item", field.getFieldType(), List.of()))));
        List<String> lists = texts.stream().map(text -> "[null," + text + "]").toList();
        Outcome inLists = read(ArrowSpec.create().schema(list), lists);
        assertThat(inLists.values.stream().map(v -> comparable(((List<?>) v).get(1))))
                .containsExactlyElementsOf(expected);
        assertThat(inLists.refused).hasSize(bad);
    }

    @Test
    void nestedTypes() {
        Field key = new Field("key", FieldType.notNullable(new ArrowType.Utf8()), List.of());
        Field entries = new Field(
                "entries",
                FieldType.notNullable(new ArrowType.Struct()),
                List.of(key, field("value", integer(32, true))));
        Schema schema = new Schema(List.of(
                field(
                        "list",
                        new ArrowType.List(),
                        field("item", new ArrowType.List(), field("item", integer(16, true)))),
                field(
                        "large",
                        new ArrowType.LargeList(),
                        field("item", new ArrowType.Struct(), field("a", new ArrowType.Utf8()))),
                field(
                        "fixed",
                        new ArrowType.FixedSizeList(2),
                        field("item", new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE))),
                field("map", new ArrowType.Map(false), entries),
                field(
                        "struct",
                        new ArrowType.Struct(),
                        field("x", new ArrowType.Bool()),
                        field("y", new ArrowType.Struct(), field("z", integer(8, true)))),
                field(
                        "union",
                        new ArrowType.Union(UnionMode.Dense, new int[] {0, 1, 2}),
                        field("n", integer(64, true)),
                        field("s", new ArrowType.Utf8()),
                        field("l", new ArrowType.List(), field("item", integer(64, true))))));
        String text = String.join(
                "\n",
                "{\"list\":[[1,2],[],null],\"large\":[{\"a\":\"p\"},{},null],\"fixed\":[1,2.5],\"map\":{\"k\":1,\"l\":null},\"struct\":{\"x\":true,\"y\":{\"z\":1}},\"union\":5}",
                "{\"union\":\"text\",\"struct\":{\"y\":null},\"map\":{},\"list\":[]}",
                "{\"fixed\":[1,2,3]}",
                "{\"list\":[[1],[70000]]}",
                "{\"map\":{\"a\":1,\"b\":2,\"a\":3}, \"union\":[1,2]}",
                "{\"map\":{\"a\":\"x\",\"a\":3}}",
                "{\"union\":true}",
                "{\"struct\":{\"y\":{\"z\":300}}}",
                "{\"union\":null}",
                "{}");
        List<Rejected> refused = new ArrayList<>();
        List<Map<String, Object>> rows = Rows.read(
                ArrowSpec.create().schema(schema),
                text,
                ReadSpec.create().onError(ErrorPolicy.deadLetter(refused::add)));
        assertThat(rows)
                .containsExactly(
                        Map.of(
                                "list",
                                Arrays.asList(List.of(1L, 2L), List.of(), null),
                                "large",
                                Arrays.asList(Map.of("a", "p"), Map.of(), null),
                                "fixed",
                                List.of(1.0, 2.5),
                                "map",
                                List.of(Map.of("key", "k", "value", 1L), Map.of("key", "l")),
                                "struct",
                                Map.of("x", true, "y", Map.of("z", 1L)),
                                "union",
                                5L),
                        Map.of("union", "text", "struct", Map.of(), "map", List.of(), "list", List.of()),
                        Map.of(
                                "map",
                                List.of(Map.of("key", "b", "value", 2L), Map.of("key", "a", "value", 3L)),
                                "union",
                                List.of(1L, 2L)),
                        Map.of("map", List.of(Map.of("key", "a", "value", 3L))),
                        Map.of(),
                        Map.of());
        assertThat(refused).extracting(Rejected::line).containsExactly(3L, 4L, 7L, 8L);
        assertThat(refused.get(1).cause().reason()).contains("'list[][]'").contains("70000");
        assertThat(refused.get(3).cause().reason()).contains("'struct.y.z'").contains("300");
    }

    @Test
    void columnsThatMustNotBeNullRefuseNullsAndGaps() {
        Field required = new Field("id", FieldType.notNullable(integer(64, true)), List.of());
        Field inner = new Field("q", FieldType.notNullable(new ArrowType.Utf8()), List.of());
        Schema schema = new Schema(List.of(required, field("s", new ArrowType.Struct(), inner)));
        List<Rejected> refused = new ArrayList<>();
        List<Map<String, Object>> rows = Rows.read(
                ArrowSpec.create().schema(schema),
                "{\"id\":1}\n{\"id\":null}\n{}\n{\"id\":2,\"s\":{}}\n{\"id\":3,\"s\":{\"q\":\"\"}}\n{\"id\":null,\"id\":4}\n",
                ReadSpec.create().onError(ErrorPolicy.deadLetter(refused::add)));
        assertThat(rows).containsExactly(Map.of("id", 1L), Map.of("id", 3L, "s", Map.of("q", "")), Map.of("id", 4L));
        assertThat(refused)
                .extracting(r -> r.cause().reason())
                .satisfiesExactly(
                        r -> assertThat(r).contains("'id'").contains("can't be null"),
                        r -> assertThat(r).contains("'id'").contains("missing"),
                        r -> assertThat(r).contains("'s.q'").contains("missing"));
    }

    @Test
    void dictionariesAndPatternsOfTimestamps() {
        ArrowSpec spec = ArrowSpec.create()
                .schema(new Schema(List.of(
                        field("w", new ArrowType.Utf8()), field("t", new ArrowType.Timestamp(TimeUnit.SECOND, "UTC")))))
                .dictionaries("w")
                .timestampPatterns(DateTimeFormatter.ofPattern("dd/MMM/yyyy:HH:mm:ss Z", Locale.ENGLISH))
                .batchRows(2);
        String text =
                "{\"w\":\"GET\",\"t\":\"01/Jan/1970:00:00:05 +0000\"}\n{\"w\":\"POST\",\"t\":\"1970-01-01T00:00:06Z\"}\n{\"w\":\"GET\"}\n";
        assertThat(Rows.read(spec, text))
                .containsExactly(Map.of("w", "GET", "t", 5L), Map.of("w", "POST", "t", 6L), Map.of("w", "GET"));
    }

    @Test
    void jsonColumnsKeepTheTextAsItStands() {
        Schema schema = new Schema(List.of(new Field("v", JsonType.fieldType(), List.of())));
        List<String> texts = List.of("1.50", "\"a\\u0041\"", "{ \"x\" : [1, 2] }", "true", "null");
        List<Object> raw = new ArrayList<>();
        try (var allocator = new org.apache.arrow.memory.RootAllocator()) {
            String lines = texts.stream().map(text -> "{\"v\":" + text + "}\n").collect(Collectors.joining());
            io.sluice.Dataset.at(
                            new io.sluice.testing.ChunkedStore(9, null)
                                    .with("a.jsonl", lines.getBytes(StandardCharsets.UTF_8)),
                            "a.jsonl",
                            Arrow.jsonl(allocator, ArrowSpec.create().schema(schema)))
                    .read()
                    .doOnNext(batch -> {
                        try (batch) {
                            for (int i = 0; i < batch.rowCount(); i++) {
                                raw.add(String.valueOf(batch.root().getVector(0).getObject(i)));
                            }
                        }
                    })
                    .blockLast();
        }
        assertThat(raw).isEqualTo(texts);
    }

    /** Arrow's vector of fixed-size lists asks its elements for the members of a union before they have any. */
    @Test
    void fixedSizeListsOfUnionsAreRefusedWithAWayOut() {
        Field union = Batches.field(
                "item",
                new ArrowType.Union(UnionMode.Dense, new int[] {0}),
                Batches.field("n", Batches.integer(8, true)));
        Field pair = Batches.field("pair", new ArrowType.FixedSizeList(2), union);
        assertThatThrownBy(() -> pair.createVector(new org.apache.arrow.memory.RootAllocator()))
                .isInstanceOf(org.apache.arrow.vector.util.SchemaChangeRuntimeException.class);
        assertThatThrownBy(() -> Rows.read(ArrowSpec.create().schema(new Schema(List.of(pair))), "{}"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'pair'")
                .hasMessageContaining("use a list");
    }
}
