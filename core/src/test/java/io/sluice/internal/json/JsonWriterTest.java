package io.sluice.internal.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.sluice.RecordException;
import io.sluice.RecordException.Kind;
import io.sluice.codec.Output;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonWriterTest {

    private final JsonWriter writer = new JsonWriter(false);
    private final Output out = new Output(0);

    private String write(@Nullable Object value) {
        out.position(0);
        writer.write(value, out);
        return new String(out.array(), 0, out.position(), StandardCharsets.UTF_8);
    }

    private RecordException refused(@Nullable Object value) {
        out.position(0);
        out.write('x');
        RecordException e = catchThrowableOfType(RecordException.class, () -> writer.write(value, out));
        assertThat(e).as("refusal").isNotNull();
        assertThat(out.position()).as("what is left behind").isEqualTo(1);
        return e;
    }

    static Stream<Arguments> values() {
        return Stream.of(
                Arguments.of(1, "1"),
                Arguments.of(-2147483648, "-2147483648"),
                Arguments.of(9223372036854775807L, "9223372036854775807"),
                Arguments.of((short) -3, "-3"),
                Arguments.of((byte) 4, "4"),
                Arguments.of(new BigInteger("-123456789012345678901234567890"), "-123456789012345678901234567890"),
                Arguments.of(new AtomicInteger(5), "5"),
                Arguments.of(new AtomicLong(-6), "-6"),
                Arguments.of(1.0, "1.0"),
                Arguments.of(0.1f, "0.1"),
                Arguments.of(-0.0, "-0.0"),
                Arguments.of(1e300, "1.0E300"),
                Arguments.of(new BigDecimal("1.50"), "1.50"),
                Arguments.of(new BigDecimal("1E+1000000000"), "1E+1000000000"),
                Arguments.of(true, "true"),
                Arguments.of(new AtomicBoolean(), "false"),
                Arguments.of("a/b", "\"a/b\""),
                Arguments.of(new StringBuilder("sb"), "\"sb\""),
                Arguments.of('c', "\"c\""),
                Arguments.of(TimeUnit.DAYS, "\"DAYS\""),
                Arguments.of(new UUID(1, 2), "\"00000000-0000-0001-0000-000000000002\""),
                Arguments.of(
                        Path.of("a", "b"), "\"" + Path.of("a", "b").toString().replace("\\", "\\\\") + "\""),
                Arguments.of(Optional.of(1), "1"),
                Arguments.of(Optional.empty(), "null"),
                Arguments.of(new byte[] {1, 2, 3, (byte) 255}, "\"AQID/w==\""),
                Arguments.of(ByteBuffer.wrap(new byte[] {0, 1, 2, 3}, 1, 2), "\"AQI=\""),
                Arguments.of(List.of(), "[]"),
                Arguments.of(Map.of(), "{}"),
                Arguments.of(new LinkedList<>(List.of(1, List.of(), Map.of())), "[1,[],{}]"),
                Arguments.of(new LinkedHashSet<>(List.of("a", "b")), "[\"a\",\"b\"]"),
                Arguments.of(new Object[] {1, null, "x"}, "[1,null,\"x\"]"),
                Arguments.of(new String[] {"y"}, "[\"y\"]"),
                Arguments.of(new int[] {1, 2}, "[1,2]"),
                Arguments.of(new long[] {1L << 40}, "[1099511627776]"),
                Arguments.of(new double[] {1.5, 2}, "[1.5,2.0]"),
                Arguments.of(new float[] {0.3f}, "[0.3]"),
                Arguments.of(new short[] {7}, "[7]"),
                Arguments.of(new boolean[] {true, false}, "[true,false]"),
                Arguments.of(Instant.ofEpochSecond(0), "\"1970-01-01T00:00:00Z\""),
                Arguments.of(new Date(0), "\"1970-01-01T00:00:00Z\""),
                Arguments.of(LocalDate.of(2026, 1, 2), "\"2026-01-02\""),
                Arguments.of(LocalTime.of(3, 4), "\"03:04:00\""),
                Arguments.of(LocalDateTime.of(2026, 1, 2, 3, 4), "\"2026-01-02T03:04:00\""),
                Arguments.of(
                        OffsetDateTime.of(2026, 1, 2, 3, 4, 5, 6000, ZoneOffset.ofHours(2)),
                        "\"2026-01-02T03:04:05.000006+02:00\""),
                Arguments.of(
                        ZonedDateTime.of(2026, 1, 2, 3, 4, 0, 0, ZoneId.of("Europe/Paris")),
                        "\"2026-01-02T03:04:00+01:00\""),
                Arguments.of(Duration.ofMinutes(90), "\"PT1H30M\""));
    }

    @ParameterizedTest
    @MethodSource("values")
    void values(Object value, String json) {
        assertThat(write(value)).isEqualTo(json);
        assertThat(write(Map.of("k", value))).isEqualTo("{\"k\":" + json + "}");
        assertThat(write(List.of(value, value))).isEqualTo("[" + json + "," + json + "]");
    }

    @Test
    void nulls() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("a", null);
        map.put("", 1);
        assertThat(write(null)).isEqualTo("null");
        assertThat(write(map)).isEqualTo("{\"a\":null,\"\":1}");
    }

    @Test
    void aListThatEndsInACommaIsClosedAllTheSame() {
        assertThat(write(List.of(","))).isEqualTo("[\",\"]");
        assertThat(write(List.of(Map.of(), List.of()))).isEqualTo("[{},[]]");
    }

    // ---- strings

    @Test
    void everyCharacter() throws Exception {
        ObjectMapper jackson = new ObjectMapper();
        for (int c = 0; c < 0x11000; c++) {
            if (c >= 0xD800 && c < 0xE000) {
                continue;
            }
            String one = Character.toString(c);
            for (String s : List.of(one, "0123456" + one, "01234567" + one + "89abcdef", "é" + one + "€23456789")) {
                String json = write(s);
                if (!s.equals(jackson.readValue(json, String.class))) {
                    assertThat(json).isEqualTo(s);
                }
                if (c >= 0x80) {
                    if (!json.equals("\"" + s + "\"")) {
                        assertThat(json).isEqualTo("\"" + s + "\"");
                    }
                } else if (c >= 0x20 && c != '"' && c != '\\') {
                    assertThat(json).isEqualTo("\"" + s + "\"");
                } else {
                    assertThat(json)
                            .contains("\\")
                            .doesNotContain("\n")
                            .doesNotContain(Character.toString(c < 32 ? c : 1));
                }
            }
        }
    }

    @Test
    void shortEscapes() {
        assertThat(write("\b\t\n\f\r\"\\/\0\u001f\u007f"))
                .isEqualTo("\"\\b\\t\\n\\f\\r\\\"\\\\/\\u0000\\u001f\u007f\"");
    }

    @Test
    void randomStringsAtEveryLength() throws Exception {
        ObjectMapper jackson = new ObjectMapper();
        Random random = new Random(3);
        String[] pieces = {
            "a", "Zz9", "?", "\"", "\\", "\n", "\u0001", "é", "ÿ", "Ā", "€", "\uD83D\uDE00", "plain text", "??"
        };
        for (int i = 0; i < 20_000; i++) {
            StringBuilder s = new StringBuilder();
            int kinds = 1 + random.nextInt(pieces.length);
            for (int n = random.nextInt(40); n > 0; n--) {
                s.append(pieces[random.nextInt(kinds)]);
            }
            String text = s.toString();
            assertThat((Object) jackson.readValue(write(text), String.class)).isEqualTo(text);
            assertThat((Object) jackson.readValue(write(Map.of(text, text)), Map.class))
                    .isEqualTo(Map.of(text, text));
        }
    }

    @Test
    void longStringsAreWrittenInPartsThatKeepPairsTogether() throws Exception {
        ObjectMapper jackson = new ObjectMapper();
        for (int before = JsonStrings.PART - 3; before < JsonStrings.PART + 3; before++) {
            for (String tail : List.of("", "\uD83D\uDE00", "\uD83D\uDE00\n?".repeat(5000), "\u0001".repeat(20_000))) {
                String s = "x".repeat(before) + tail;
                assertThat((Object) jackson.readValue(write(s), String.class)).isEqualTo(s);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 5, 6, 7, 8, 9, 15, 16, 30, 8190, 8191, 8192, 20_000})
    void loneSurrogatesAreRefusedWhereverTheyStand(int before) {
        for (String lone : List.of("\uD800", "\uDFFF", "\uD800\uD800\uDC00", "\uDC00\uD800")) {
            for (String around : List.of("x", "?", "é", "€", "\n")) {
                for (String after : List.of("", "tail", "?€?")) {
                    RecordException e = refused(around.repeat(before) + lone + after);
                    assertThat(e.kind()).isEqualTo(Kind.INVALID_UNICODE);
                    assertThat(e.reason()).startsWith("$: ").endsWith("at character " + before);
                }
            }
        }
        assertThat(refused(Map.of("\uD800", 1)).kind()).isEqualTo(Kind.INVALID_UNICODE);
    }

    // ---- keys

    @Test
    void keysThatShareAPlaceOfTheCache() throws Exception {
        ObjectMapper jackson = new ObjectMapper();
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < 5000; i++) {
            map.put("key " + i + "\n".repeat(i % 3) + "x".repeat(i % 200), i);
        }
        map.put("Aa", 1); // same hash
        map.put("BB", 2);
        for (int i = 0; i < 3; i++) {
            assertThat((Object) jackson.readValue(write(List.of(map, map)), List.class))
                    .isEqualTo(List.of(map, map));
        }
    }

    // ---- refusals

    static Stream<Arguments> refusals() {
        Map<Object, Object> intKey = Map.of(1, "x");
        Map<String, Object> nullKey = new HashMap<>();
        nullKey.put(null, 1);
        List<Object> broken = new AbstractList<>() {
            @Override
            public Object get(int index) {
                throw new IllegalStateException("broken");
            }

            @Override
            public int size() {
                return 3;
            }
        };
        return Stream.of(
                Arguments.of(
                        Map.of("a", Map.of("b", List.of(0, 1, 2, new Object()))),
                        "$.a.b[3]: a value of java.lang.Object "),
                Arguments.of(Map.of("a b", new Thread()), "$['a b']: a value of java.lang.Thread "),
                Arguments.of(Map.of("a'b", 'c', "d", new int[][] {{1}, null}), null),
                Arguments.of(Map.of("m", intKey), "$.m: a map with a key of java.lang.Integer "),
                Arguments.of(Map.of("m", nullKey), "$.m: a map with a null key "),
                Arguments.of(Map.of("x", Double.NaN), "$.x: NaN has no JSON form"),
                Arguments.of(new double[] {1, Double.NEGATIVE_INFINITY}, "$[1]: -Infinity has no JSON form"),
                Arguments.of(new float[] {Float.POSITIVE_INFINITY}, "$[0]: Infinity has no JSON form"),
                Arguments.of(new LinkedHashSet<>(List.of(1, Float.NaN)), "$[1]: NaN has no JSON form"),
                Arguments.of(new char[] {'a'}, "$: a value of char[] "),
                Arguments.of(Map.of("l", broken), "failed while it was read: java.lang.IllegalStateException: broken"),
                Arguments.of(List.of(Stream.of(1)), "$[0]: a value of "));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void whatHasNoJsonFormIsRefusedWithItsPath(Object value, @Nullable String message) {
        if (message == null) {
            assertThat(write(value)).contains("[[1],null]");
            return;
        }
        RecordException e = refused(value);
        assertThat(e.kind()).isEqualTo(Kind.UNMAPPABLE);
        assertThat(e.reason()).contains(message);
        if (message.contains("broken")) {
            assertThat(e.reason()).startsWith("$.l: ");
            assertThat(e.getCause()).isInstanceOf(IllegalStateException.class);
        }
        assertThat(write(1)).as("the writer goes on").isEqualTo("1");
    }

    @Test
    void nonFiniteNumbersByOption() {
        JsonWriter lenient = new JsonWriter(true);
        out.position(0);
        lenient.write(List.of(Double.NaN, Float.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY), out);
        assertThat(new String(out.array(), 0, out.position(), StandardCharsets.UTF_8))
                .isEqualTo("[NaN,-Infinity,Infinity]");
    }

    @Test
    void nestingOfAThousandAndNoDeeper() throws Exception {
        Object deep = 1;
        for (int i = 0; i < JsonWriter.MAX_NESTING; i++) {
            deep = i % 2 == 0 ? List.of(deep) : Collections.singletonMap("k", deep);
        }
        Object root = deep;
        Throwable[] failure = new Throwable[1];
        Thread small = new Thread(
                null, () -> assertThat(write(root)).hasSize(500 * 2 + 500 * 6 + 1), "small stack", 512 * 1024);
        small.setUncaughtExceptionHandler((t, e) -> failure[0] = e);
        small.start();
        small.join();
        assertThat(failure[0]).isNull();

        RecordException e = refused(List.of(root));
        assertThat(e.kind()).isEqualTo(Kind.TOO_DEEP);
        assertThat(e.reason())
                .startsWith("$[0].k[0].k")
                .contains("…: nested deeper than 1000")
                .hasSizeLessThan(500);
    }

    @Test
    void aValueThatContainsItself() {
        Map<String, Object> map = new HashMap<>();
        List<Object> list = new ArrayList<>();
        map.put("list", list);
        list.add(map);
        assertThat(refused(map).kind()).isEqualTo(Kind.TOO_DEEP);
    }
}
