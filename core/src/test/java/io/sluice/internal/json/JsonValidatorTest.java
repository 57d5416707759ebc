package io.sluice.internal.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The validator says of every line what the parser of maps says. */
class JsonValidatorTest {

    private static final List<JsonOptions> OPTIONS = List.of(
            new JsonOptions(false, false, false, 1000, 1000),
            new JsonOptions(true, true, false, 20, 8),
            new JsonOptions(false, true, true, 1000, 3));

    private static final String ALPHABET = "{}[]:,\"\\/ \t\r-+.0123456789eEtrufalsnINdity'\u0000\u001fé€\uD83D\uDE00";

    private final List<MapParser> parsers = new ArrayList<>();
    private final List<JsonValidator> validators = new ArrayList<>();
    private int accepted;
    private int refused;

    {
        for (JsonOptions options : OPTIONS) {
            parsers.add(new MapParser(options));
            validators.add(new JsonValidator(options));
        }
    }

    private void compare(byte[] text) {
        for (byte c : text) {
            if (c == '\n') {
                return;
            }
        }
        byte[] line = Arrays.copyOf(text, text.length + 1 + Lines.PADDING);
        line[text.length] = '\n';
        int start = 0;
        while (line[start] == ' ' || line[start] == '\t' || line[start] == '\r') {
            start++;
        }
        for (int i = 0; i < OPTIONS.size(); i++) {
            String theirs = parse(parsers.get(i), line, start, OPTIONS.get(i).uniqueKeys());
            String ours =
                    validate(validators.get(i), line, start, OPTIONS.get(i).uniqueKeys());
            if (!ours.equals(theirs)) {
                assertThat(ours)
                        .as("%s of %s", OPTIONS.get(i), new String(text, StandardCharsets.UTF_8))
                        .isEqualTo(theirs);
            }
            if (ours.startsWith("ok")) {
                accepted++;
            } else {
                refused++;
            }
        }
    }

    /** Where keys must be unique, the two may meet one of several failures first. */
    private static String failure(JsonFailure e, boolean anyFailure) {
        return anyFailure ? "refused" : e.kind() + " @ " + e.at() + ": " + e.getMessage();
    }

    private static String parse(MapParser parser, byte[] line, int start, boolean anyFailure) {
        try {
            parser.parse(line, start);
            return "ok " + parser.end();
        } catch (JsonFailure e) {
            return failure(e, anyFailure);
        }
    }

    private static String validate(JsonValidator validator, byte[] line, int start, boolean anyFailure) {
        try {
            return "ok " + validator.check(line, start);
        } catch (JsonFailure e) {
            return failure(e, anyFailure);
        }
    }

    @Test
    void randomTexts() {
        Random random = new Random(17);
        for (int i = 0; i < 60_000; i++) {
            StringBuilder s = new StringBuilder();
            value(random, s, 0);
            byte[] text = s.toString().getBytes(StandardCharsets.UTF_8);
            compare(text);
            compare(mutate(random, text));
            compare(mutate(random, mutate(random, text)));
        }
        assertThat(accepted).isGreaterThan(50_000);
        assertThat(refused).isGreaterThan(50_000);
    }

    private static byte[] mutate(Random random, byte[] text) {
        if (text.length == 0) {
            return text;
        }
        int at = random.nextInt(text.length);
        int letter = ALPHABET.codePointAt(random.nextInt(ALPHABET.length()));
        byte[] other = Character.toString(letter).getBytes(StandardCharsets.UTF_8);
        byte[] mutated;
        switch (random.nextInt(4)) {
            case 0 -> mutated = Arrays.copyOf(text, at);
            case 1 -> {
                mutated = text.clone();
                mutated[at] = other[random.nextInt(other.length)];
            }
            case 2 -> {
                mutated = Arrays.copyOf(text, text.length - 1);
                System.arraycopy(text, at + 1, mutated, at, mutated.length - at);
            }
            default -> {
                mutated = Arrays.copyOf(text, text.length + 1);
                System.arraycopy(text, at, mutated, at + 1, text.length - at);
                mutated[at] = other[0];
            }
        }
        return mutated;
    }

    private static void value(Random random, StringBuilder s, int depth) {
        switch (random.nextInt(depth > 5 ? 8 : 11)) {
            case 0 -> s.append(random.nextBoolean());
            case 1 -> s.append("null");
            case 2 -> s.append(random.nextInt());
            case 3 -> s.append(random.nextLong() >> random.nextInt(64));
            case 4 -> s.append(random.nextGaussian() * Math.pow(10, random.nextInt(40) - 20));
            case 5 ->
                s.append(new String[] {"1e400", "-1E-400", "NaN", "-Infinity", "1e20000", "0", "-0", "1".repeat(30)}
                        [random.nextInt(8)]);
            case 6, 7 -> string(random, s);
            case 8 -> {
                s.append('[');
                for (int n = random.nextInt(4); n > 0; n--) {
                    space(random, s);
                    value(random, s, depth + 1);
                    s.append(n > 1 ? "," : "");
                }
                space(random, s);
                s.append(']');
            }
            default -> {
                s.append('{');
                for (int n = random.nextInt(5); n > 0; n--) {
                    space(random, s);
                    if (random.nextBoolean()) {
                        s.append("\"k").append(random.nextInt(6)).append('"');
                    } else {
                        string(random, s);
                    }
                    space(random, s);
                    s.append(':');
                    space(random, s);
                    value(random, s, depth + 1);
                    s.append(n > 1 ? "," : "");
                }
                s.append('}');
            }
        }
    }

    private static void space(Random random, StringBuilder s) {
        if (random.nextInt(8) == 0) {
            s.append(" \t\r ", 0, random.nextInt(5));
        }
    }

    private static void string(Random random, StringBuilder s) {
        String[] pieces = {
            "a",
            "plain text",
            "é",
            "€",
            "\uD83D\uDE00",
            "\\n",
            "\\\"",
            "\\u00e9",
            "\\uD83D\\uDE00",
            "\\ud800",
            "\\udc00x"
        };
        int kinds = 1 + random.nextInt(pieces.length);
        s.append('"');
        for (int n = random.nextInt(5); n > 0; n--) {
            s.append(pieces[random.nextInt(kinds)]);
        }
        s.append('"');
    }

    /** Every two bytes, and lead bytes with some that follow. */
    @Test
    void utf8() {
        for (int first = 0; first < 256; first++) {
            for (int second = 0; second < 256; second++) {
                compare(new byte[] {'"', (byte) first, (byte) second, '"'});
                if (first >= 0xE0) {
                    for (int third : new int[] {0x7F, 0x80, 0xBF, 0xC0}) {
                        compare(new byte[] {'"', (byte) first, (byte) second, (byte) third, '"'});
                        compare(new byte[] {'"', (byte) first, (byte) second, (byte) third, (byte) 0x80, '"'});
                        compare(new byte[] {'"', (byte) first, (byte) second, (byte) 0x80, (byte) third, '"'});
                    }
                }
            }
        }
        assertThat(accepted).isGreaterThan(1000);
    }

    @Test
    void theTestSuite() throws IOException {
        Path corpora = null;
        for (Path p = Path.of("").toAbsolutePath(); p != null && corpora == null; p = p.getParent()) {
            corpora = Files.isDirectory(p.resolveSibling("shared/corpora")) ? p.resolveSibling("shared/corpora") : null;
        }
        assumeTrue(corpora != null, "no shared corpora beside the checkout");
        try (Stream<Path> files = Files.list(corpora.resolve("json/test_parsing"))) {
            for (Path file : files.sorted().toList()) {
                for (String line : new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).split("\n")) {
                    compare(line.getBytes(StandardCharsets.ISO_8859_1));
                }
            }
        }
        assertThat(accepted).isGreaterThan(250);
        assertThat(refused).isGreaterThan(400);
    }
}
