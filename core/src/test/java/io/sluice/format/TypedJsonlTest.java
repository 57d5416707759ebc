package io.sluice.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.annotation.JsonRawValue;
import io.sluice.RecordException;
import io.sluice.RecordException.Kind;
import io.sluice.codec.Block;
import io.sluice.codec.DecodedBlock;
import io.sluice.codec.Output;
import io.sluice.codec.ReadLimits;
import io.sluice.codec.Rejection;
import io.sluice.format.jackson2.Jackson2Codecs;
import io.sluice.format.jackson3.Jackson3Codecs;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Typed records, the same over Jackson 2 and Jackson 3. */
@ParameterizedClass
@MethodSource("libraries")
class TypedJsonlTest {

    private static final ReadLimits LIMITS = new ReadLimits(1 << 20, 1 << 20, 1000);

    @Parameter
    JsonCodecFactory jackson;

    static Stream<JsonCodecFactory> libraries() {
        return Stream.of(Jackson2Codecs.create(), Jackson3Codecs.create());
    }

    record Point(int x, double y, @Nullable String label) {}

    record Sizes(
            BigInteger big,
            BigDecimal exact,
            long whole,
            TimeUnit unit,
            List<Point> points,
            Map<String, Point> named) {}

    public static class Bean {
        public String name = "";
        private int count;

        public int getCount() {
            return count;
        }

        public void setCount(int count) {
            this.count = count;
        }
    }

    public static final class Throwing {
        public int getFine() {
            return 1;
        }

        public int getBroken() {
            throw new IllegalStateException("no");
        }
    }

    record Raw(@JsonRawValue String raw) {}

    private DecodedBlock<?> decode(Format<?> format, byte[] bytes) {
        return format.reader(LIMITS, List.of()).decoder().decode(new Block(bytes, 0, bytes.length, 0, null));
    }

    private DecodedBlock<?> decode(Format<?> format, String text) {
        return decode(format, text.getBytes(StandardCharsets.UTF_8));
    }

    private static List<Object> values(DecodedBlock<?> block) {
        return Arrays.asList((Object[]) block.values()).subList(0, block.count());
    }

    private <T> void roundTrip(Format<T> format, List<T> values) {
        assertThat(JsonlWritingTest.decode(format, JsonlWritingTest.encode(format, values)))
                .isEqualTo(values);
    }

    // ---- what works

    @Test
    void recordsBeansAndGenerics() {
        Point point = new Point(-3, 1.5e-10, "über \"\n\uD83D\uDE00");
        roundTrip(Jsonl.of(jackson.of(Point.class)), List.of(point, new Point(1, 2, null)));
        Bean bean = new Bean();
        bean.name = "n";
        bean.setCount(7);
        Format<Bean> beans = Jsonl.of(jackson.of(Bean.class));
        assertThat(JsonlWritingTest.decode(beans, JsonlWritingTest.encode(beans, List.of(bean))))
                .singleElement()
                .usingRecursiveComparison()
                .isEqualTo(bean);
        roundTrip(
                Jsonl.of(jackson.of(Sizes.class)),
                List.of(new Sizes(
                        new BigInteger("123456789012345678901234567890"),
                        new BigDecimal("0.10000000000000000000001"),
                        1L << 60,
                        TimeUnit.DAYS,
                        List.of(point),
                        Map.of("k", point))));
        roundTrip(
                Jsonl.of(jackson.of(new TypeRef<Map<String, List<Point>>>() {})),
                List.of(Map.of("a", List.of(point), "b", List.of())));
    }

    @Test
    void rootsAreWhateverTheCodecTakes() {
        assertThat(values(decode(Jsonl.of(jackson.of(Integer.class)), "1\n -2 \r\n\n3")))
                .isEqualTo(List.of(1, -2, 3));
        assertThat(values(decode(Jsonl.of(jackson.of(String.class)), "\"a\"\n")))
                .isEqualTo(List.of("a"));
        assertThat(values(decode(Jsonl.of(jackson.of(Object.class)), "[1]\n{\"a\":true}\n2.5\n")))
                .isEqualTo(List.of(List.of(1), Map.of("a", true), 2.5));
        assertThat(JsonlWritingTest.encode(Jsonl.of(jackson.of(Object.class)), List.of(1, "x", List.of(true))))
                .asString(StandardCharsets.UTF_8)
                .isEqualTo("1\n\"x\"\n[true]\n");
    }

    @Test
    void unknownPropertiesAreIgnoredAndPropertiesKeepTheirOrder() {
        Format<Point> format = Jsonl.of(jackson.of(Point.class));
        assertThat(values(decode(format, "{\"zz\":[1],\"y\":2,\"x\":1}\n"))).isEqualTo(List.of(new Point(1, 2, null)));
        assertThat(JsonlWritingTest.encode(Jsonl.of(jackson.of(Raw.class)), List.of(new Raw("{\"b\":1,\"a\":2}"))))
                .asString(StandardCharsets.UTF_8)
                .isEqualTo("{\"raw\":{\"b\":1,\"a\":2}}\n");
        assertThat(JsonlWritingTest.encode(
                        Jsonl.of(jackson.of(Sizes.class)),
                        List.of(new Sizes(BigInteger.ONE, BigDecimal.ONE, 1, TimeUnit.DAYS, List.of(), Map.of()))))
                .asString(StandardCharsets.UTF_8)
                .isEqualTo("{\"big\":1,\"exact\":1,\"whole\":1,\"unit\":\"DAYS\",\"points\":[],\"named\":{}}\n");
    }

    @Test
    void valuesOfASubclassAreWrittenWithAllTheyHave() {
        class More extends Bean {
            @SuppressWarnings("unused")
            public int more = 5;
        }
        assertThat(JsonlWritingTest.encode(Jsonl.of(jackson.of(Bean.class)), List.of(new More())))
                .asString(StandardCharsets.UTF_8)
                .contains("\"more\":5");
    }

    @Test
    void nonFiniteNumbersByOption() {
        Format<Point> lenient =
                Jsonl.of(jackson.of(Point.class), JsonlSpec.create().acceptNonFinite());
        roundTrip(lenient, List.of(new Point(1, Double.NaN, ""), new Point(2, Double.NEGATIVE_INFINITY, "")));
        assertThat(JsonlWritingTest.encode(lenient, List.of(new Point(1, Double.NaN, null))))
                .asString(StandardCharsets.UTF_8)
                .contains(":NaN");
    }

    // ---- what is rejected when reading

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"x\":1} {}            | MALFORMED       | 8",
                "{\"x\":1}]              | MALFORMED       | 7",
                "{\"x\":1,}              | MALFORMED       | 7",
                "{\"x\":01}              | MALFORMED       | 5",
                "{\"x\":NaN}             | MALFORMED       | 5",
                "{\"x\":1e999}           | UNEXPECTED_TYPE | 5",
                "{'x':1}                 | MALFORMED       | 1",
                "{\"x\":1/**/}           | MALFORMED       | 6",
                "{\"label\":\"\\ud800\"} | INVALID_UNICODE | 10",
                "{\"label\":\"\\x\"}     | MALFORMED       | 11",
                "{\"x\":\"a\"}           | UNMAPPABLE      | 5",
                "{\"x\":1.5}             | UNMAPPABLE      | 5",
                "{\"x\":null}            | UNMAPPABLE      | 5",
                "[]                      | UNMAPPABLE      | 0",
                "null                    | UNMAPPABLE      | 0"
            })
    void badRecords(String line, Kind kind, int at) {
        String good = "{\"x\":7,\"y\":0}";
        DecodedBlock<?> block = decode(Jsonl.of(jackson.of(Point.class)), good + "\n\n" + line + "\r\n" + good + "\n");
        assertThat(values(block)).isEqualTo(List.of(new Point(7, 0, null), new Point(7, 0, null)));
        assertThat(block.rejections()).singleElement().satisfies(r -> {
            assertThat(r.kind()).as(r.reason()).isEqualTo(kind);
            assertThat(r.raw()).asString(StandardCharsets.UTF_8).isEqualTo(line);
            assertThat(r.start()).isEqualTo(good.length() + 2);
            assertThat(r.length()).isEqualTo(line.length() + 2);
            assertThat(r.linesBefore()).isEqualTo(2);
            assertThat(r.valuesBefore()).isEqualTo(1);
            long within = r.at() - r.start();
            if (kind == Kind.UNMAPPABLE) { // the libraries may point behind the token
                assertThat(within).as(r.reason()).isBetween((long) at, (long) line.length());
            } else {
                assertThat(within).as(r.reason()).isEqualTo(at);
            }
        });
    }

    @Test
    void aMappingErrorNamesThePath() {
        String line = "{\"points\":[{\"x\":1,\"y\":2},{\"x\":\"no\"}]}";
        Rejection r =
                decode(Jsonl.of(jackson.of(Sizes.class)), line).rejections().get(0);
        assertThat(r.kind()).isEqualTo(Kind.UNMAPPABLE);
        assertThat(r.reason()).startsWith("$.points[1].x: ").contains("\"no\"").doesNotContain("\n");
        assertThat(r.cause()).isNotNull();
    }

    @Test
    void primitivesHaveNoSilentZero() {
        DecodedBlock<?> records = decode(Jsonl.of(jackson.of(Point.class)), "{\"x\":1}\n{\"x\":1,\"y\":null}\n");
        assertThat(records.rejections())
                .hasSize(2)
                .allSatisfy(r -> assertThat(r.reason()).startsWith("$.y: "));
        DecodedBlock<?> beans = decode(Jsonl.of(jackson.of(Bean.class)), "{\"name\":\"n\"}\n{\"count\":null}\n");
        assertThat(beans.count()).isEqualTo(1);
        assertThat(beans.rejections()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ED A0 80", "C0 80", "F4 90 80 80", "E0 80 80", "FF", "C3", "F0 9F 98"})
    void invalidUtf8(String hex) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        line.writeBytes("{\"label\":\"".getBytes(StandardCharsets.UTF_8));
        for (String b : hex.split(" ")) {
            line.write(Integer.parseInt(b, 16));
        }
        line.writeBytes("\"}\n".getBytes(StandardCharsets.UTF_8));
        DecodedBlock<?> block = decode(Jsonl.of(jackson.of(Point.class)), line.toByteArray());
        assertThat(block.rejections()).singleElement().satisfies(r -> {
            assertThat(r.kind()).isEqualTo(Kind.INVALID_UNICODE);
            assertThat(r.at()).isEqualTo(10);
        });
    }

    @Test
    void duplicateKeysByOption() {
        String line = "{\"x\":1,\"\\u0078\":2}\n{\"x\":1,\"y\":{\"x\":1}}\n{\"a\":{\"x\":1},\"b\":{\"x\":1}}\n";
        TypeRef<Map<String, Object>> maps = new TypeRef<>() {};
        assertThat(values(decode(Jsonl.of(jackson.of(maps)), line)).get(0)).isEqualTo(Map.of("x", 2));
        DecodedBlock<?> strict =
                decode(Jsonl.of(jackson.of(maps), JsonlSpec.create().rejectDuplicateKeys()), line);
        assertThat(strict.count()).isEqualTo(2);
        assertThat(strict.rejections())
                .singleElement()
                .satisfies(r -> assertThat(r.reason()).contains("\"x\""));
    }

    @Test
    void nesting() {
        String deep = "[".repeat(1000) + "]".repeat(1000) + "\n";
        DecodedBlock<?> block = decode(Jsonl.of(jackson.of(Object.class)), deep + "[" + deep.trim() + "]\n");
        assertThat(block.count()).isEqualTo(1);
        assertThat(block.rejections())
                .singleElement()
                .satisfies(r -> assertThat(r.kind()).isEqualTo(Kind.TOO_DEEP));
    }

    @Test
    void numbersAsLongAsMapsTakeThem() {
        String line = "{\"x\":1,\"y\":0." + "1".repeat(3000) + "}\n";
        assertThat(values(decode(Jsonl.of(jackson.of(Point.class)), line))).hasSize(1);
        DecodedBlock<?> block = decode(Jsonl.of(jackson.of(Object.class)), "1".repeat(1001) + "\n");
        assertThat(block.rejections())
                .singleElement()
                .satisfies(r -> assertThat(r.kind()).isEqualTo(Kind.UNEXPECTED_TYPE));
    }

    /** Typed reading takes and refuses what maps do: every file of the suite whose root is an object, and lines made of its values. */
    @Test
    void theSameJsonAsMaps() throws IOException {
        Path corpora = JsonlWritingTest.corpora();
        assumeTrue(corpora != null, "no shared corpora beside the checkout");
        Format<?> typed = Jsonl.of(jackson.of(new TypeRef<Map<String, Object>>() {}));
        int accepted = 0;
        try (Stream<Path> files = Files.list(corpora.resolve("json/test_parsing"))) {
            for (Path file : files.sorted().toList()) {
                byte[] text = Files.readAllBytes(file);
                if (text.length > 1 << 19) {
                    continue;
                }
                ByteArrayOutputStream member = new ByteArrayOutputStream();
                member.writeBytes("{\"k\":".getBytes(StandardCharsets.UTF_8));
                member.writeBytes(text);
                member.writeBytes("}".getBytes(StandardCharsets.UTF_8));
                for (byte[] line : List.of(text, member.toByteArray())) {
                    DecodedBlock<?> ours = decode(Jsonl.maps(), line);
                    DecodedBlock<?> theirs = decode(typed, line);
                    assertThat(theirs.count()).as("%s", file.getFileName()).isEqualTo(ours.count());
                    assertThat(values(theirs)).as("%s", file.getFileName()).isEqualTo(values(ours));
                    accepted += ours.count();
                }
            }
        }
        assertThat(accepted).isGreaterThan(50);
    }

    // ---- what is refused when writing

    private RecordException refused(JsonCodec<?> codec, Object value) {
        Output out = new Output(0);
        out.write('x');
        @SuppressWarnings("unchecked")
        JsonCodec<Object> any = (JsonCodec<Object>) codec;
        RecordException e = catchThrowableOfType(
                RecordException.class, () -> Jsonl.of(any).encoder().encode(value, out));
        assertThat(e).as("refusal").isNotNull();
        assertThat(e.kind()).isEqualTo(Kind.UNMAPPABLE);
        assertThat(out.position()).isEqualTo(1);
        return e;
    }

    @Test
    void valuesThatCanNotBeWritten() {
        RecordException thrown = refused(jackson.of(Throwing.class), new Throwing());
        assertThat(thrown.reason()).startsWith("$.broken: ");
        assertThat(thrown).hasRootCauseInstanceOf(IllegalStateException.class);

        assertThat(refused(jackson.of(Point.class), new Point(1, Double.NaN, null))
                        .reason())
                .contains("NaN");
        assertThat(refused(jackson.of(Point.class), new Point(1, Double.POSITIVE_INFINITY, null))
                        .reason())
                .contains("Infinity");
        refused(jackson.of(Point.class), new Point(1, 2, "\uD800"));
        refused(jackson.of(Point.class), new Point(1, 2, "x\uDC00y"));
        refused(jackson.of(Object.class), new Object());
        assertThat(refused(jackson.of(Raw.class), new Raw("{\n}")).reason()).contains("line feed");
        refused(jackson.of(Raw.class), new Raw("{\n"));
        refused(jackson.of(Raw.class), new Raw("1}\n{\"raw\":1"));
        refused(jackson.of(Raw.class), new Raw("no json"));
        Object[] itself = new Object[1];
        itself[0] = itself;
        refused(jackson.of(Object.class), itself);
    }

    // ---- codecs and mappers of the user's own

    @Test
    void aMapperOfTheUsersOwn() {
        JsonCodecFactory own = jackson instanceof Jackson2Codecs
                ? Jackson2Codecs.using(com.fasterxml.jackson.databind.json.JsonMapper.builder()
                        .enable(com.fasterxml.jackson.databind.SerializationFeature.INDENT_OUTPUT)
                        .enable(com.fasterxml.jackson.core.json.JsonReadFeature.ALLOW_JAVA_COMMENTS)
                        .propertyNamingStrategy(com.fasterxml.jackson.databind.PropertyNamingStrategies.SNAKE_CASE)
                        .build())
                : Jackson3Codecs.using(tools.jackson.databind.json.JsonMapper.builder()
                        .enable(tools.jackson.databind.SerializationFeature.INDENT_OUTPUT)
                        .enable(tools.jackson.core.json.JsonReadFeature.ALLOW_JAVA_COMMENTS)
                        .propertyNamingStrategy(tools.jackson.databind.PropertyNamingStrategies.SNAKE_CASE)
                        .build());
        record Named(int someNumber) {}
        Format<Named> format = Jsonl.of(own.of(Named.class));
        assertThat(JsonlWritingTest.encode(format, List.of(new Named(1))))
                .asString(StandardCharsets.UTF_8)
                .isEqualTo("{\"some_number\":1}\n");
        DecodedBlock<?> block = decode(format, "{\"some_number\":2}\n{\"some_number\":/* no */3}\n");
        assertThat(values(block)).isEqualTo(List.of(new Named(2)));
        assertThat(block.rejections()).hasSize(1);
    }

    @Test
    void instants() {
        assumeTrue(jackson instanceof Jackson3Codecs, "Jackson 2 needs a module for java.time");
        record At(Instant at) {}
        Format<At> format = Jsonl.of(jackson.of(At.class));
        List<At> values = List.of(new At(Instant.parse("2026-11-20T10:00:00.123456789Z")));
        roundTrip(format, values);
        assertThat(JsonlWritingTest.encode(format, values))
                .asString(StandardCharsets.UTF_8)
                .contains("\"2026-11-20T10:00:00.123456789Z\"");
    }

    @Test
    void aCodecOfTheUsersOwn() {
        JsonCodec<String> codec = new JsonCodec<>() {
            @Override
            public @Nullable String read(byte[] b, int from, int to) throws IOException {
                String text = new String(b, from, to - from, StandardCharsets.UTF_8).trim();
                if (text.contains("bad")) {
                    throw new IOException("bad one");
                }
                return text.equals("null") ? null : text;
            }

            @Override
            public void write(String value, Output out) throws IOException {
                byte[] b = value.getBytes(StandardCharsets.UTF_8);
                out.write(b, 0, b.length);
                if (value.contains("bad")) {
                    throw new IOException("bad one");
                }
            }
        };
        DecodedBlock<?> block = decode(Jsonl.of(codec), " [1] \n\"bad\"\n{}\nnull\n");
        assertThat(values(block)).isEqualTo(List.of("[1]", "{}"));
        assertThat(block.rejections())
                .extracting(Rejection::kind)
                .containsOnly(Kind.UNMAPPABLE)
                .hasSize(2);
        assertThat(block.rejections().get(0).cause()).hasMessage("bad one");
        assertThat(refused(codec, "\"bad\"")).hasMessageContaining("bad one").hasCauseInstanceOf(IOException.class);
        assertThat(refused(codec, "")).hasMessageContaining("the codec wrote");
        assertThat(refused(codec, "1 2")).hasMessageContaining("at its byte 2");
    }

    @Test
    void typeRefs() {
        Type type = new TypeRef<List<String>>() {}.type();
        assertThat(type.getTypeName()).isEqualTo("java.util.List<java.lang.String>");
        assertThatThrownBy(TypedJsonlTest::<String>variable).isInstanceOf(IllegalArgumentException.class);
    }

    private static <T> TypeRef<T> variable() {
        return new TypeRef<T>() {};
    }
}
