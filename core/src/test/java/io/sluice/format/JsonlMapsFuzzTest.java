package io.sluice.format;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import io.sluice.testing.Corpora;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Maps against jackson-core on the same bytes: random documents, and mutations of random and of real ones. They must agree on which
 * lines are records and on every value, its type and its key's place, except where we are stricter by design: ill-formed
 * UTF-8, surrogates without their other half, doubles that would be infinite.
 */
class JsonlMapsFuzzTest {

    private static final JsonFactory JACKSON = JsonFactory.builder()
            .disable(JsonFactory.Feature.CHARSET_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(1000)
                    .maxNumberLength(1000)
                    .build())
            .build();

    private static final Object REFUSED = new Object();

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void randomDocuments(long seed) throws IOException {
        Random random = new Random(seed);
        List<byte[]> lines = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            lines.add(new Documents(random, 1 + random.nextInt(60)).object());
        }
        assertThat(compare(lines)).isGreaterThan(19_000);
    }

    /** Keys whose hashes collide crowd each other out of what is remembered; that must not show. */
    @Test
    void keysOfOneHash() throws IOException {
        Random random = new Random(5);
        List<byte[]> lines = new ArrayList<>();
        for (int round = 0; round < 100; round++) {
            List<String> keys = new ArrayList<>();
            for (int i = 0; i < 7; i++) {
                StringBuilder key = new StringBuilder().append((char) ('a' + round % 26));
                for (int bit = 0; bit < 3; bit++) {
                    key.append((i >> bit & 1) == 0 ? "Aa" : "BB"); // of the same hash, if it is 31 * h + c
                }
                keys.add(key.toString());
            }
            for (int i = 0; i < 40; i++) {
                StringBuilder line = new StringBuilder("{\"r" + round + "\":{\"first\":0");
                keys.forEach(key -> line.append(",\"" + key + "\":1"));
                line.append(",\"n" + random.nextInt(1000) + "\":2"); // crowds
                keys.forEach(key -> line.append(",\"" + key + "\":3"));
                lines.add(line.append("}}").toString().getBytes(StandardCharsets.UTF_8));
            }
        }
        assertThat(compare(lines)).isEqualTo(lines.size());
    }

    @ParameterizedTest
    @ValueSource(longs = {11, 12, 13, 14})
    void mutatedRandomDocuments(long seed) throws IOException {
        Random random = new Random(seed);
        List<byte[]> lines = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            byte[] line = new Documents(random, 1 + random.nextInt(8)).object();
            lines.add(line);
            for (int n = 0; n < 4; n++) {
                lines.add(mutated(line, random));
            }
        }
        assertThat(compare(lines)).isBetween(11_000, 45_000);
    }

    @ParameterizedTest
    @ValueSource(strings = {"logs", "airline", "events", "chat"})
    void mutatedRecords(String corpus) throws IOException {
        Random random = new Random(corpus.hashCode());
        List<byte[]> lines = new ArrayList<>();
        long budget = 12_000_000;
        List<byte[]> real = lines(Corpora.bytes("ndjson/" + corpus + ".ndjson"));
        while (budget > 0) {
            byte[] line = real.get(random.nextInt(real.size()));
            lines.add(line);
            lines.add(mutated(line, random));
            lines.add(mutated(mutated(line, random), random));
            budget -= line.length * 3L;
        }
        assertThat(compare(lines)).isGreaterThan(lines.size() / 3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"logs", "airline", "events", "chat"})
    void wholeCorpora(String corpus) throws IOException {
        List<byte[]> lines = lines(Corpora.bytes("ndjson/" + corpus + ".ndjson"));
        assertThat(compare(lines)).isEqualTo(lines.size());
    }

    private static List<byte[]> lines(byte[] shard) {
        return Drive.read(Jsonl.bytes(), Drive.LIMITS, shard, Integer.MAX_VALUE).values().stream()
                .map(line -> {
                    byte[] bytes = new byte[line.remaining()];
                    line.get(bytes);
                    return bytes;
                })
                .toList();
    }

    /** Compares line by line, and answers how many were records. */
    private static int compare(List<byte[]> lines) throws IOException {
        ByteArrayOutputStream shard = new ByteArrayOutputStream();
        for (byte[] line : lines) {
            shard.write(line);
            shard.write('\n');
        }
        var result = Drive.read(Jsonl.maps(), Drive.LIMITS, shard.toByteArray(), 100_003);
        Map<Long, Drive.Refused> refused = new HashMap<>();
        result.refused().forEach(r -> refused.put(r.line(), r));
        int records = 0;
        for (int i = 0; i < lines.size(); i++) {
            byte[] line = lines.get(i);
            if (isBlank(line)) {
                continue;
            }
            Drive.Refused r = refused.get(i + 1L);
            Object expected = expected(line);
            Object actual = r == null ? result.values().get(records++) : REFUSED;
            if (!same(expected, actual)) {
                assertThat(actual == REFUSED ? r : actual)
                        .as("line %d: %s", i + 1, new String(line, StandardCharsets.UTF_8))
                        .isEqualTo(expected == REFUSED ? "a refusal" : expected);
                assertThat(keys(actual))
                        .as(new String(line, StandardCharsets.UTF_8))
                        .isEqualTo(keys(expected));
            }
            if (r != null) {
                assertThat(r.raw()).isEqualTo(new String(line, StandardCharsets.ISO_8859_1).replaceFirst("\r$", ""));
                assertThat(r.at()).isBetween(r.offset(), r.offset() + r.length() - 1);
            }
        }
        assertThat(result.values()).hasSize(records);
        return records;
    }

    private static boolean isBlank(byte[] line) {
        for (byte c : line) {
            if (c != ' ' && c != '\t' && c != '\r') {
                return false;
            }
        }
        return true;
    }

    private static boolean same(@Nullable Object expected, @Nullable Object actual) {
        return expected == actual
                || expected != REFUSED
                        && actual != REFUSED
                        && expected != null
                        && expected.equals(actual)
                        && actual.equals(expected)
                        && keys(expected).equals(keys(actual))
                        && expected.hashCode() == actual.hashCode();
    }

    /** All keys, in order, which equality of maps does not look at. */
    private static String keys(@Nullable Object value) {
        StringBuilder keys = new StringBuilder();
        keys(value, keys);
        return keys.toString();
    }

    private static void keys(@Nullable Object value, StringBuilder keys) {
        if (value instanceof Map<?, ?> map) {
            map.forEach((k, v) -> keys(v, keys.append('{').append(k)));
            keys.append('}');
        } else if (value instanceof List<?> list) {
            list.forEach(v -> keys(v, keys));
        }
    }

    private static Object expected(byte[] line) {
        if (line.length >= 3 && line[0] == (byte) 0xEF && line[1] == (byte) 0xBB && line[2] == (byte) 0xBF) {
            return REFUSED; // Jackson skips a byte order mark anywhere; it means something only at the shard's start
        }
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(line));
        } catch (CharacterCodingException e) {
            return REFUSED;
        }
        try (JsonParser p = JACKSON.createParser(line)) {
            if (p.nextToken() != JsonToken.START_OBJECT) {
                return REFUSED;
            }
            Object value = value(p);
            return p.nextToken() == null ? value : REFUSED;
        } catch (IOException | Refusal e) {
            return REFUSED;
        }
    }

    private static @Nullable Object value(JsonParser p) throws IOException {
        switch (p.currentToken()) {
            case START_OBJECT -> {
                Map<String, @Nullable Object> map = new LinkedHashMap<>();
                while (p.nextToken() != JsonToken.END_OBJECT) {
                    String key = text(p.currentName());
                    p.nextToken();
                    map.put(key, value(p));
                }
                return map;
            }
            case START_ARRAY -> {
                List<@Nullable Object> list = new ArrayList<>();
                while (p.nextToken() != JsonToken.END_ARRAY) {
                    list.add(value(p));
                }
                return list;
            }
            case VALUE_STRING -> {
                return text(p.getText());
            }
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> {
                if (p.getNumberValue() instanceof Double d && d.isInfinite()) {
                    throw new Refusal();
                }
                return p.getNumberValue();
            }
            case VALUE_TRUE -> {
                return true;
            }
            case VALUE_FALSE -> {
                return false;
            }
            case VALUE_NULL -> {
                return null;
            }
            default -> throw new AssertionError(p.currentToken());
        }
    }

    private static String text(String text) {
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
            throw new Refusal();
        }
        return text;
    }

    private static final class Refusal extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private static final String[] PIECES = {
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\t",
        "\r",
        "0",
        "1",
        "-",
        "+",
        ".",
        "e",
        "E9",
        "null",
        "true",
        "false",
        "NaN",
        "\\u",
        "\\ud83d",
        "\\ude00",
        "\\u00e9",
        "\\n",
        "\\/",
        "\u00e9",
        "\u20ac",
        "\ud83d\ude00",
        "\u0000",
        "\u0001",
        "\u001f",
        "\u007f",
        "{}",
        "[]",
        "\"\":",
        "\"a\":1,",
        "\"b\":[{\"c\":2}],",
        ",\"a\":null",
        "1e5",
        "12345678901234567890",
        "0.1",
        "1e-400",
        "1e400",
        "//",
        "/**/",
        "'"
    };

    /** The line with one to three small changes; never with a newline in it. */
    private static byte[] mutated(byte[] line, Random random) {
        byte[] out = line;
        for (int n = 1 + random.nextInt(3); n > 0; n--) {
            int at = random.nextInt(out.length + 1);
            int until = Math.min(out.length, at + (random.nextInt(4) == 0 ? random.nextInt(40) : random.nextInt(3)));
            byte[] piece;
            switch (random.nextInt(7)) {
                case 0 -> piece = new byte[0];
                case 1 -> piece = new byte[] {(byte) random.nextInt(256)};
                case 2 -> { // what stands elsewhere in it
                    int from = random.nextInt(out.length + 1);
                    piece = Arrays.copyOfRange(out, from, Math.min(out.length, from + random.nextInt(30)));
                }
                case 3 -> {
                    piece = new byte[0];
                    if (random.nextInt(4) == 0) {
                        until = out.length; // cut off
                    }
                }
                case 4 -> {
                    piece = new byte[] {(byte) (0x80 + random.nextInt(128)), (byte) (0x80 + random.nextInt(128))};
                    until = random.nextBoolean() ? at : until;
                }
                default -> {
                    piece = PIECES[random.nextInt(PIECES.length)].getBytes(StandardCharsets.UTF_8);
                    until = random.nextBoolean() ? at : until;
                }
            }
            ByteArrayOutputStream made = new ByteArrayOutputStream();
            made.write(out, 0, at);
            made.writeBytes(piece);
            made.write(out, until, out.length - until);
            out = made.toByteArray();
            for (int i = 0; i < out.length; i++) {
                if (out[i] == '\n') {
                    out[i] = '\r';
                }
            }
        }
        return out;
    }

    @Test
    void theFuzzerCanFail() throws IOException {
        assertThat(same(1, 1L)).isFalse();
        assertThat(same(
                        expected("{\"a\":1,\"b\":2}".getBytes(StandardCharsets.UTF_8)),
                        expected("{\"b\":2,\"a\":1}".getBytes(StandardCharsets.UTF_8))))
                .isFalse();
    }

    /** Writes random JSON, in odd spellings. */
    private static final class Documents {
        private static final String[] KEYS = {
            "a",
            "b",
            "c",
            "id",
            "name",
            "value",
            "a much longer key than usual",
            "x1",
            "x2",
            "x3",
            "\u00e9t\u00e9",
            "\u65e5",
            "",
            "k\\u0065y",
            "key",
            "q\\\"uote",
            "aaaaaaa",
            "aaaaaaaa",
            "0123456789012",
            "01234567890123",
            "012345678901234",
            "a key beyond what is remembered: " + "k".repeat(50)
        };

        private final Random random;
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();
        private final int style;
        private int budget;

        Documents(Random random, int budget) {
            this.random = random;
            this.budget = budget;
            this.style = random.nextInt(6);
        }

        byte[] object() {
            space();
            members();
            space();
            return out.toByteArray();
        }

        private void write(String text) {
            out.writeBytes(text.getBytes(StandardCharsets.UTF_8));
        }

        private void space() {
            if (style == 0) {
                for (int n = random.nextInt(3); n > 0; n--) {
                    out.write(" \t\r ".charAt(random.nextInt(4)));
                }
            }
        }

        private void members() {
            out.write('{');
            space();
            int n = random.nextInt(random.nextInt(8) == 0 ? 40 : 8);
            int first = random.nextInt(KEYS.length);
            for (int i = 0; i < n && budget > 0; i++) {
                if (i > 0) {
                    out.write(',');
                    write(style == 1 ? " " : "");
                    space();
                }
                // mostly in the same order, sometimes not, sometimes one twice
                String key = KEYS[(random.nextInt(10) == 0 ? random.nextInt(KEYS.length) : first + i) % KEYS.length];
                write("\"" + (random.nextInt(30) == 0 ? key + random.nextInt(1000) : key) + "\"");
                space();
                out.write(':');
                write(style == 1 ? " " : "");
                space();
                value();
                space();
            }
            out.write('}');
        }

        private void value() {
            budget--;
            switch (random.nextInt(12)) {
                case 0, 1, 2 -> string();
                case 3, 4, 5 -> write(number());
                case 6 -> write("true");
                case 7 -> write("false");
                case 8 -> write("null");
                case 9 -> {
                    out.write('[');
                    space();
                    int n = random.nextInt(5);
                    for (int i = 0; i < n; i++) {
                        if (i > 0) {
                            out.write(',');
                            space();
                        }
                        value();
                        space();
                    }
                    out.write(']');
                }
                default -> members();
            }
        }

        private void string() {
            out.write('"');
            int kind = random.nextInt(4);
            for (int n = random.nextInt(random.nextInt(4) == 0 ? 100 : 20); n > 0; n--) {
                int r = kind == 0 ? 0 : random.nextInt(kind == 1 ? 20 : 4);
                switch (r) {
                    case 1 -> write("\\" + "\"\\/bfnrt".charAt(random.nextInt(8)));
                    case 2 -> write(new String(Character.toChars(codePoint())));
                    case 3 -> {
                        for (char c : Character.toChars(codePoint())) {
                            write(String.format(random.nextBoolean() ? "\\u%04x" : "\\u%04X", (int) c));
                        }
                    }
                    default -> out.write(" !#azAZ09[]{}:,".charAt(random.nextInt(15)));
                }
            }
            out.write('"');
        }

        private int codePoint() {
            int point = switch (random.nextInt(5)) {
                case 0 -> 0x80 + random.nextInt(0x80);
                case 1 -> 0x100 + random.nextInt(0x700);
                case 2 -> 0x800 + random.nextInt(0xF800);
                case 3 -> 0x10000 + random.nextInt(0x100000);
                default -> 0x20 + random.nextInt(0x5F);
            };
            return point == '"' || point == '\\' || (point >= 0xD800 && point < 0xE000) ? 'x' : point;
        }

        private String number() {
            String sign = random.nextInt(3) == 0 ? "-" : "";
            return switch (random.nextInt(9)) {
                case 0 -> sign + random.nextInt(10);
                case 1 -> sign + random.nextInt(100_000);
                case 2 -> Integer.toString(random.nextInt());
                case 3 -> Long.toString(random.nextLong());
                case 4 -> sign + digits(1 + random.nextInt(40));
                case 5 -> sign + random.nextInt(1000) + "." + random.nextInt(1000);
                case 6 -> Double.toString(Double.longBitsToDouble(random.nextLong() & 0x7FEFFFFFFFFFFFFFL));
                case 7 ->
                    sign + digits(1 + random.nextInt(30)) + "." + random.nextInt(10) + digits(random.nextInt(30) + 1);
                default ->
                    sign
                            + random.nextInt(100)
                            + (random.nextBoolean() ? "e" : "E")
                            + new String[] {"", "+", "-"}[random.nextInt(3)]
                            + random.nextInt(random.nextInt(5) == 0 ? 500 : 30);
            };
        }

        private String digits(int count) {
            StringBuilder digits = new StringBuilder().append((char) ('1' + random.nextInt(9)));
            while (digits.length() < count) {
                digits.append((char) ('0' + random.nextInt(10)));
            }
            return digits.toString();
        }
    }
}
