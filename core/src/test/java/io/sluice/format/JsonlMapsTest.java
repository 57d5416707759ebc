package io.sluice.format;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.RecordException.Kind;
import io.sluice.codec.Block;
import io.sluice.codec.ReadLimits;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonlMapsTest {

    private static Map<String, Object> one(JsonlSpec spec, String line) {
        var result = Drive.read(Jsonl.maps(spec), line);
        assertThat(result.refused()).isEmpty();
        return result.values().get(0);
    }

    private static Drive.Refused refused(JsonlSpec spec, String line) {
        var result = Drive.read(Jsonl.maps(spec), "{}\n" + line + "\n{\"next\":1}\n");
        assertThat(result.values()).containsExactly(Map.of(), Map.of("next", 1));
        Drive.Refused refused = result.refused().get(0);
        assertThat(refused.line()).isEqualTo(2);
        assertThat(refused.offset()).isEqualTo(3);
        return refused;
    }

    @Test
    void values() {
        Map<String, Object> map = one(
                JsonlSpec.create(),
                "{\"i\":-12,\"l\":2147483648,\"b\":9223372036854775808,\"d\":1.5,\"e\":1e2,\"t\":true,\"f\":false,\"n\":null,"
                        + "\"a\":[1,[],{\"x\":\"y\"}],\"o\":{},\"s\":\"a\\u00e9\\u20ac\\ud83d\\ude00\\\"\"}");
        Map<String, Object> expected = new LinkedHashMap<>();
        expected.put("i", -12);
        expected.put("l", 2147483648L);
        expected.put("b", new BigInteger("9223372036854775808"));
        expected.put("d", 1.5);
        expected.put("e", 100.0);
        expected.put("t", true);
        expected.put("f", false);
        expected.put("n", null);
        expected.put("a", List.of(1, List.of(), Map.of("x", "y")));
        expected.put("o", Map.of());
        expected.put("s", "a\u00e9\u20ac\ud83d\ude00\"");
        assertThat(map).isEqualTo(expected);
        assertThat(map.keySet()).containsExactlyElementsOf(expected.keySet());
    }

    @Test
    void mapsAndListsAreTheReceiversToChange() {
        Map<String, Object> map = one(JsonlSpec.create(), "{\"a\":[],\"b\":[1],\"c\":{}}");
        @SuppressWarnings("unchecked")
        List<Object> empty = (List<Object>) map.get("a");
        @SuppressWarnings("unchecked")
        List<Object> list = (List<Object>) map.get("b");
        @SuppressWarnings("unchecked")
        Map<String, Object> inner = (Map<String, Object>) map.get("c");
        empty.add(1);
        list.add(2);
        inner.put("x", 1);
        map.put("d", 1);
        map.remove("c");
        assertThat(map).isEqualTo(Map.of("a", List.of(1), "b", List.of(1, 2), "d", 1));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            null            | UNEXPECTED_TYPE | 0  | the record is not an object but null
            1               | UNEXPECTED_TYPE | 0  | the record is not an object but a number
            ` "x"`          | UNEXPECTED_TYPE | 1  | the record is not an object but a string
            true            | UNEXPECTED_TYPE | 0  | the record is not an object but a boolean
            [{}]            | UNEXPECTED_TYPE | 0  | the record is not an object but an array
            [{]             | MALFORMED       | 2  | expected a key in quotes, found ']'
            {}{}            | MALFORMED       | 2  | expected nothing more after the record's value, found '{'
            `{} x`          | MALFORMED       | 3  | expected nothing more after the record's value, found 'x'
            {"a":1          | MALFORMED       | 6  | expected ',' or '}' after a value of an object, found the end of the line
            {"a"            | MALFORMED       | 4  | expected ':' after a key, found the end of the line
            {"a":           | MALFORMED       | 5  | expected a value, found the end of the line
            {"a":"b         | MALFORMED       | 7  | expected the end of a string, found the end of the line
            {"a":tru}       | MALFORMED       | 8  | expected true, found '}'
            {"a":nil}       | MALFORMED       | 6  | expected null, found 'i'
            {"a":falsE}     | MALFORMED       | 9  | expected false, found 'E'
            {"a":x}         | MALFORMED       | 5  | expected a value, found 'x'
            {"a":1,}        | MALFORMED       | 7  | expected a key in quotes, found '}'
            {,}             | MALFORMED       | 1  | expected a key in quotes, found ','
            {a:1}           | MALFORMED       | 1  | expected a key in quotes, found 'a'
            {"a" 1}         | MALFORMED       | 5  | expected ':' after a key, found '1'
            {"a":[1 2]}     | MALFORMED       | 8  | expected ',' or ']' after a value of an array, found '2'
            {"a":01}        | MALFORMED       | 5  | a number begins with a superfluous 0
            {"a":-}         | MALFORMED       | 6  | expected a digit, found '}'
            {"a":1.}        | MALFORMED       | 7  | expected a digit after the decimal point, found '}'
            {"a":1e}        | MALFORMED       | 7  | expected a digit of the exponent, found '}'
            {"a":1x}        | MALFORMED       | 6  | expected ',' or '}' after a value of an object, found 'x'
            {"a":NaN}       | MALFORMED       | 5  | NaN is no JSON number; a reader takes it with acceptNonFinite()
            {"a":-Infinity} | MALFORMED       | 5  | -Infinity is no JSON number; a reader takes it with acceptNonFinite()
            {"a":-Inf}      | MALFORMED       | 9  | expected -Infinity, found '}'
            {"a":1e400}     | UNEXPECTED_TYPE | 5  | a number is too large for a double
            {"a":"\\x"}     | MALFORMED       | 7  | expected one of "\\/bfnrtu after a backslash, found 'x'
            {"a":"\\u12g4"} | MALFORMED       | 10 | expected four hexadecimal digits after \\u, found 'g'
            {"a":"x\\ud800"}| INVALID_UNICODE | 7  | a surrogate without its other half: \\ud800
            {"\\udc00":1}   | INVALID_UNICODE | 2  | a surrogate without its other half: \\udc00
            """)
    void rejections(String line, Kind kind, long at, String reason) {
        Drive.Refused refused = refused(JsonlSpec.create(), line);
        assertThat(refused.reason()).isEqualTo(reason);
        assertThat(refused.kind()).isEqualTo(kind);
        assertThat(refused.at() - 3).isEqualTo(at);
        assertThat(refused.raw()).isEqualTo(line);
        assertThat(refused.length()).isEqualTo(line.length() + 1);
    }

    @ParameterizedTest
    @CsvSource({
        "80, MALFORMED", // a lone continuation byte; what stands for a character is INVALID_UNICODE only in strings
    })
    void badBytesOutsideStrings(String hex, Kind kind) {
        var result = Drive.read(Jsonl.maps(), Drive.LIMITS, concat("{\"a\":", Drive.hex(hex), "}\n"));
        assertThat(result.refused()).extracting(Drive.Refused::kind).containsExactly(kind);
        assertThat(result.refused()).extracting(Drive.Refused::at).containsExactly(5L);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "80",
                "bf",
                "c0af",
                "c180",
                "c2",
                "c2c2",
                "e0",
                "e080af",
                "e09fbf",
                "e282",
                "eda080",
                "edbfbf",
                "f08282ac",
                "f08fbfbf",
                "f4908080",
                "f5808080",
                "f0908d",
                "fe",
                "ff",
                "f8888080af"
            })
    void illFormedUtf8InStrings(String hex) {
        for (String before : new String[] {"", "x", "0123456789", "\\n", "\u20ac", "\u00e9"}) {
            for (String after : new String[] {"", "x", "0123456789"}) {
                byte[] start = ("{\"a\":\"" + before).getBytes(StandardCharsets.UTF_8);
                byte[] line = concat("{\"a\":\"" + before, Drive.hex(hex), after + "\"}\n");
                var result = Drive.read(Jsonl.maps(), Drive.LIMITS, line, Integer.MAX_VALUE);
                assertThat(result.refused()).extracting(Drive.Refused::kind).containsExactly(Kind.INVALID_UNICODE);
                assertThat(result.refused()).extracting(Drive.Refused::at).containsExactly((long) start.length);
                byte[] asKey = concat("{\"" + before, Drive.hex(hex), after + "\":1}\n");
                assertThat(Drive.read(Jsonl.maps(), Drive.LIMITS, asKey, Integer.MAX_VALUE)
                                .refused())
                        .extracting(Drive.Refused::kind)
                        .containsExactly(Kind.INVALID_UNICODE);
            }
        }
    }

    private static byte[] concat(String before, byte[] middle, String after) {
        byte[] a = before.getBytes(StandardCharsets.UTF_8);
        byte[] z = after.getBytes(StandardCharsets.UTF_8);
        byte[] all = Arrays.copyOf(a, a.length + middle.length + z.length);
        System.arraycopy(middle, 0, all, a.length, middle.length);
        System.arraycopy(z, 0, all, a.length + middle.length, z.length);
        return all;
    }

    @Test
    void controlCharactersInStrings() {
        for (int c = 0; c < 0x20; c++) {
            if (c == '\n') {
                continue;
            }
            for (String text : new String[] {"", "0123456789", "\\n", "\u20ac"}) {
                Drive.Refused r = refused(JsonlSpec.create(), "{\"a\":\"" + text + (char) c + "\"}");
                assertThat(r.kind()).isEqualTo(Kind.MALFORMED);
                assertThat(r.reason()).startsWith("a control character in a string must be escaped: the byte 0x");
                assertThat(r.at() - 3).isEqualTo(6L + text.getBytes(StandardCharsets.UTF_8).length);
            }
        }
        assertThat(one(JsonlSpec.create(), "{\"a\":\"\u007f\"}")).isEqualTo(Map.of("a", "\u007f"));
    }

    @Test
    void nulsOfATornWrite() {
        var result = Drive.read(Jsonl.maps(), "{\"a\":1}\n" + "\0".repeat(100));
        assertThat(result.values()).hasSize(1);
        assertThat(result.refused()).singleElement().satisfies(r -> {
            assertThat(r.reason()).isEqualTo("expected a value, found the byte 0x00");
            assertThat(r.length()).isEqualTo(100);
        });
        // the key that was foreseen must not match them
        assertThat(refused(JsonlSpec.create(), "{" + "\0".repeat(100)).kind()).isEqualTo(Kind.MALFORMED);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{",
                "{\"a\":1,\"b",
                "{\"a\":\"x",
                "{\"a\":\"\u20ac",
                "{\"a\":tr",
                "{\"a\":[1,",
                "{\"a\":\"\\u12",
                "{\"a\":-"
            })
    void aLastLineThatIsCutOff(String tail) {
        var result = Drive.read(Jsonl.maps(), "{\"a\":1}\n" + tail);
        assertThat(result.refused()).singleElement().satisfies(r -> {
            assertThat(r.at()).isBetween(r.offset(), r.offset() + r.length());
            assertThat(r.kind()).isEqualTo(Kind.TRUNCATED);
        });
    }

    @Test
    void aCharacterThatIsCutOff() {
        var result = Drive.read(Jsonl.maps(), Drive.LIMITS, concat("{\"a\":\"", Drive.hex("e282"), ""));
        assertThat(result.refused()).extracting(Drive.Refused::kind).containsExactly(Kind.TRUNCATED);
    }

    @Test
    void duplicateKeys() {
        assertThat(one(JsonlSpec.create(), "{\"a\":1,\"b\":2,\"a\":3}").toString())
                .isEqualTo("{a=3, b=2}");
        assertThat(one(JsonlSpec.create(), "{\"a\":1,\"\\u0061\":3,\"c\":1}").toString())
                .isEqualTo("{a=3, c=1}");
        JsonlSpec strict = JsonlSpec.create().rejectDuplicateKeys();
        assertThat(one(strict, "{\"a\":1,\"b\":{\"a\":1}}").toString()).isEqualTo("{a=1, b={a=1}}");
        Drive.Refused r = refused(strict, "{\"a\":1,\"b\":2, \"\\u0061\":3}");
        assertThat(r.reason()).isEqualTo("the key \"a\" stands twice in an object");
        assertThat(r.at() - 3).isEqualTo(14);
        assertThat(refused(strict, "{\"q\\\"\":1,\"q\\\"\":3}").kind()).isEqualTo(Kind.MALFORMED);
        String deep = "[".repeat(200) + "{\"a\":1,\"a\":2}" + "]".repeat(200);
        assertThat(refused(strict, "{\"x\":" + deep + "}").reason())
                .isEqualTo("the key \"a\" stands twice in an object");
        assertThat(one(JsonlSpec.create(), "{\"x\":" + deep + "}").toString()).contains("[{a=2}]");
    }

    @Test
    void bigDecimals() {
        JsonlSpec spec = JsonlSpec.create().bigDecimals();
        String digits = "1." + "1".repeat(999);
        assertThat(one(spec, "{\"a\":1.10,\"b\":1e400,\"c\":7,\"d\":" + digits + "}"))
                .isEqualTo(Map.of(
                        "a",
                        new BigDecimal("1.10"),
                        "b",
                        new BigDecimal("1e400"),
                        "c",
                        7,
                        "d",
                        new BigDecimal(digits)));
        assertThat(refused(spec, "{\"a\":" + digits + "1}").kind()).isEqualTo(Kind.UNEXPECTED_TYPE);
        assertThat(one(spec, "{\"a\":1e10000}")).isEqualTo(Map.of("a", new BigDecimal("1e10000")));
        assertThat(refused(spec, "{\"a\":1e10001}").kind()).isEqualTo(Kind.UNEXPECTED_TYPE);
        assertThat(refused(spec, "{\"a\":1e-99999999999}").kind()).isEqualTo(Kind.UNEXPECTED_TYPE);
    }

    @Test
    void maxNumberDigits() {
        JsonlSpec spec = JsonlSpec.create().maxNumberDigits(20);
        assertThat(one(spec, "{\"a\":12345678901234567890}"))
                .isEqualTo(Map.of("a", new BigInteger("12345678901234567890")));
        assertThat(refused(spec, "{\"a\":123456789012345678901}").reason())
                .isEqualTo("a number of 21 digits is longer than maxNumberDigits, 20");
        // doubles are not concerned
        assertThat(one(spec, "{\"a\":1.123456789012345678901}")).isEqualTo(Map.of("a", 1.123456789012345678901));
        JsonlSpec large = JsonlSpec.create().maxNumberDigits(3000);
        assertThat(one(large, "{\"a\":" + "7".repeat(3000) + "}"))
                .isEqualTo(Map.of("a", new BigInteger("7".repeat(3000))));
    }

    @Test
    void nonFinite() {
        assertThat(one(JsonlSpec.create().acceptNonFinite(), "{\"a\":[NaN, Infinity,-Infinity],\"b\":NaN}"))
                .isEqualTo(Map.of(
                        "a", List.of(Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY), "b", Double.NaN));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5, 99, 100, 101, 300, 20_000})
    void nesting(int max) {
        ReadLimits limits = new ReadLimits(1 << 16, 1 << 20, max);
        for (String pair : new String[] {"[]", "{}"}) {
            String open = pair.equals("[]") ? "[" : "{\"a\":";
            String close = pair.substring(1);
            String inside = "1";
            String deepest = "{\"a\":" + open.repeat(max - 1) + inside + close.repeat(max - 1) + "}";
            String tooDeep = "{\"a\":" + open.repeat(max) + inside + close.repeat(max) + "}";
            byte[] shard = (deepest + "\n" + tooDeep + "\n{}\n").getBytes(StandardCharsets.UTF_8);
            var result = Drive.read(Jsonl.maps(), limits, shard, 1000);
            assertThat(result.values()).hasSize(2);
            assertThat(result.refused()).singleElement().satisfies(r -> {
                assertThat(r.kind()).isEqualTo(Kind.TOO_DEEP);
                assertThat(r.reason()).isEqualTo("nested deeper than maxNesting, " + max);
                assertThat(r.at() - r.offset()).isEqualTo(5 + (long) open.length() * (max - 1));
            });
            Object value = result.values().get(0);
            for (int i = 0; i < max; i++) {
                value = value instanceof Map<?, ?> map ? map.get("a") : ((List<?>) value).get(0);
            }
            assertThat(value).isEqualTo(1);
        }
    }

    @Test
    void recordsThatAreTooLongWhateverElseIsWrongWithThem() {
        ReadLimits limits = new ReadLimits(4096, 20, 1000);
        var result = Drive.read(
                Jsonl.maps(),
                limits,
                ("{\"a\":\"0123456789ab\"}\n{\"a\":\"0123456789abc\"}\n"
                                + "{\"a\":\"0123456789abcdef\n{\"b\":1}\n[\"0123456789abcdefgh\"]\n" + " ".repeat(21)
                                + "\n{}")
                        .getBytes(StandardCharsets.UTF_8));
        assertThat(result.values()).containsExactly(Map.of("a", "0123456789ab"), Map.of("b", 1), Map.of());
        assertThat(result.refused()).extracting(Drive.Refused::kind).containsOnly(Kind.TOO_LONG);
        assertThat(result.refused()).extracting(Drive.Refused::line).containsExactly(2L, 3L, 5L, 6L);
    }

    /** What is learned is bounded; whatever does not fit any more is still read right. */
    @Test
    void shapesWithoutEnd() {
        StringBuilder shard = new StringBuilder();
        int records = 6000;
        for (int i = 0; i < records; i++) {
            shard.append("{\"id\":").append(i);
            for (int bit = 0; bit < 12; bit++) { // optional fields: 4096 shapes
                if ((i * 0x9E3779B9 >>> 7 + bit & 1) != 0) {
                    shard.append(",\"f").append(bit).append("\":").append(bit);
                }
            }
            shard.append(",\"o")
                    .append(i % 3000)
                    .append("\":{\"x\":[{\"y\":")
                    .append(i)
                    .append("}]},\"last\":")
                    .append(i);
            shard.append(",\"map\":{\"k")
                    .append(i)
                    .append("\":1,\"l")
                    .append(i % 5)
                    .append("\":2}}\n");
        }
        var result = Drive.read(
                Jsonl.maps(), Drive.LIMITS, shard.toString().getBytes(StandardCharsets.UTF_8), Integer.MAX_VALUE);
        assertThat(result.values()).hasSize(records);
        for (int i = 0; i < records; i++) {
            Map<String, Object> expected = new LinkedHashMap<>();
            expected.put("id", i);
            for (int bit = 0; bit < 12; bit++) {
                if ((i * 0x9E3779B9 >>> 7 + bit & 1) != 0) {
                    expected.put("f" + bit, bit);
                }
            }
            expected.put("o" + i % 3000, Map.of("x", List.of(Map.of("y", i))));
            expected.put("last", i);
            expected.put("map", new LinkedHashMap<>(Map.of("k" + i, 1, "l" + i % 5, 2)));
            Map<String, Object> actual = result.values().get(i);
            assertThat(actual.equals(expected)).as("record %d: %s", i, actual).isTrue();
            assertThat(List.copyOf(actual.keySet())).isEqualTo(List.copyOf(expected.keySet()));
            assertThat(actual.get("last")).isEqualTo(i);
        }
    }

    @Test
    void anObjectOfManyKeys() {
        StringBuilder line = new StringBuilder("{");
        Map<String, Object> expected = new HashMap<>();
        for (int i = 0; i < 50_000; i++) {
            line.append(i == 0 ? "" : ",")
                    .append("\"key")
                    .append(i)
                    .append("\":")
                    .append(i);
            expected.put("key" + i, i);
        }
        line.append(",\"key77\":\"again\"}");
        expected.put("key77", "again");
        for (int round = 0; round < 2; round++) {
            assertThat(one(JsonlSpec.create(), line + "\n" + line).equals(expected))
                    .isTrue();
        }
    }

    @Test
    void whatWasLearnedOfOneBlockServesTheNext() {
        // and never leaks from one into the other: a key of the first must not appear in the second
        ReadLimits limits = Drive.LIMITS;
        var reader = Jsonl.maps().reader(limits, List.of());
        var decoder = reader.decoder();
        Object first = decode(decoder, "{\"a\":1,\"b\":[1,2,3],\"c\":\"x\"}\n");
        Object second = decode(decoder, "{\"a\":1,\"b\":[],\"d\":\"x\"}\n");
        assertThat(first.toString()).isEqualTo("{a=1, b=[1, 2, 3], c=x}");
        assertThat(second.toString()).isEqualTo("{a=1, b=[], d=x}");
    }

    private static Object decode(io.sluice.codec.BlockDecoder<?> decoder, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return ((Object[]) decoder.decode(new Block(bytes, 0, bytes.length, 7, null))
                        .values())
                [0];
    }
}
