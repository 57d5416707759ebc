package io.sluice.internal.json;

import io.sluice.RecordException.Kind;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Finds out whether a line is one JSON value (RFC 8259), by the same rules as the parser of maps, without making
 * anything of it. Keeps typed reading strict whatever library does the mapping, and holds what a library writes to the same
 * rules. Single-threaded, reusable.
 */
public final class JsonValidator {

    private final JsonOptions options;
    private final NumberScanner numbers;
    /** Per level, whether it is an object. */
    private boolean[] objects = new boolean[32];
    /** Per level, the keys so far, where they must be unique. */
    private final List<Set<String>> keys = new ArrayList<>();

    private int depth;

    public JsonValidator(JsonOptions options) {
        this.options = options;
        this.numbers = new NumberScanner(options.bigDecimals(), options.maxNumberDigits());
    }

    /**
     * Checks the line that begins at {@code from}, which {@code \n} and {@link Lines#PADDING} more readable bytes follow.
     *
     * @return the index of the {@code \n}
     * @throws JsonFailure it is not one value, or one that is refused
     */
    public int check(byte[] b, int from) {
        depth = 0;
        int p = skipSpace(b, from);
        while (true) {
            p = value(b, p);
            if (p < 0) { // behind an opening bracket
                p = ~p;
                continue;
            }
            while (true) {
                p = skipSpace(b, p);
                byte c = b[p];
                if (depth == 0) {
                    if (c != '\n') {
                        throw JsonFailure.expected("nothing more after the record's value", b, p);
                    }
                    return p;
                }
                boolean object = objects[depth - 1];
                if (c == ',') {
                    p = skipSpace(b, p + 1);
                    if (object) {
                        p = key(b, p);
                    }
                    break;
                }
                if (c != (object ? '}' : ']')) {
                    throw JsonFailure.expected(
                            object ? "',' or '}' after a value of an object" : "',' or ']' after a value of an array",
                            b,
                            p);
                }
                depth--;
                p++;
            }
        }
    }

    private static int skipSpace(byte[] b, int p) {
        byte c = b[p];
        while (c == ' ' || c == '\t' || c == '\r') {
            c = b[++p];
        }
        return p;
    }

    /** Answers the index behind a value, or the complement of where its first element's value begins. */
    private int value(byte[] b, int p) {
        switch (b[p]) {
            case '"' -> {
                return string(b, p + 1);
            }
            case '{' -> {
                enter(true, p);
                p = skipSpace(b, p + 1);
                if (b[p] != '}') {
                    return ~key(b, p);
                }
                depth--;
                return p + 1;
            }
            case '[' -> {
                enter(false, p);
                p = skipSpace(b, p + 1);
                if (b[p] != ']') {
                    return ~p;
                }
                depth--;
                return p + 1;
            }
            case 't' -> {
                return literal("true", b, p);
            }
            case 'f' -> {
                return literal("false", b, p);
            }
            case 'n' -> {
                return literal("null", b, p);
            }
            case '-', '.', '/', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' -> {
                if (b[p] == '-' && b[p + 1] == 'I') {
                    return nonFinite("-Infinity", b, p);
                }
                if (numbers.scan(b, p) == NumberScanner.DECIMAL && options.bigDecimals()) {
                    options.checkExponent(numbers.exponent, p);
                }
                return numbers.end;
            }
            case 'N' -> {
                return nonFinite("NaN", b, p);
            }
            case 'I' -> {
                return nonFinite("Infinity", b, p);
            }
            default -> throw JsonFailure.expected("a value", b, p);
        }
    }

    private void enter(boolean object, int at) {
        if (depth == options.maxNesting()) {
            throw new JsonFailure(Kind.TOO_DEEP, "nested deeper than maxNesting, " + options.maxNesting(), at);
        }
        if (depth == objects.length) {
            objects = Arrays.copyOf(objects, depth * 2);
        }
        if (options.uniqueKeys()) {
            while (keys.size() <= depth) {
                keys.add(new HashSet<>());
            }
            keys.get(depth).clear();
        }
        objects[depth++] = object;
    }

    private static int literal(String text, byte[] b, int p) {
        if (MapParser.matching(b, p, text) < text.length()) {
            throw MapParser.misspelt(b, p, text);
        }
        return p + text.length();
    }

    private int nonFinite(String text, byte[] b, int p) {
        int end = literal(text, b, p);
        if (!options.nonFinite()) {
            throw new JsonFailure(
                    Kind.MALFORMED, text + " is no JSON number; a reader takes it with acceptNonFinite()", p);
        }
        return end;
    }

    /** Answers the index of the first byte of the key's value. */
    private int key(byte[] b, int p) {
        if (b[p] != '"') {
            throw JsonFailure.expected("a key in quotes", b, p);
        }
        int end = string(b, p + 1);
        if (options.uniqueKeys()) {
            String name = text(b, p + 1, end - 1);
            if (!keys.get(depth - 1).add(name)) {
                throw MapParser.duplicate(b, p, name);
            }
        }
        int colon = skipSpace(b, end);
        if (b[colon] != ':') {
            throw JsonFailure.expected("':' after a key", b, colon);
        }
        return skipSpace(b, colon + 1);
    }

    /** Checks what follows an opening quote; answers the index behind the closing one. */
    private static int string(byte[] b, int p) {
        while (true) {
            long stops = Words.stops(Words.load(b, p));
            if (stops == 0) {
                p += 8;
                continue;
            }
            p += Words.lowest(stops);
            byte c = b[p];
            if (c == '"') {
                return p + 1;
            }
            if (c < 0) {
                p = beyondAscii(b, p);
            } else if (c == '\\') {
                p = escape(b, p);
            } else {
                throw TextDecoder.control(b, p);
            }
        }
    }

    private static int escape(byte[] b, int p) {
        switch (b[p + 1]) {
            case '"', '\\', '/', 'b', 'f', 'n', 'r', 't' -> {
                return p + 2;
            }
            default -> {
                int unit = TextDecoder.unit(b, p);
                if ((unit & 0xF800) != 0xD800) {
                    return p + 6;
                }
                TextDecoder.otherHalf(b, p, unit);
                return p + 12;
            }
        }
    }

    /** Walks over the UTF-8 sequences that begin at {@code p}: Unicode 15, table 3-7. */
    private static int beyondAscii(byte[] b, int from) {
        int p = from;
        while (b[p] < 0) {
            int lead = b[p] & 0xFF;
            int second = b[p + 1] & 0xFF;
            if (lead < 0xE0) {
                if (lead < 0xC2 || !continues(b, p + 1)) {
                    throw TextDecoder.illFormed(b, p);
                }
                p += 2;
            } else if (lead < 0xF0) {
                boolean overlong = lead == 0xE0 && second < 0xA0;
                boolean surrogate = lead == 0xED && second >= 0xA0;
                if (overlong || surrogate || !continues(b, p + 1) || !continues(b, p + 2)) {
                    throw TextDecoder.illFormed(b, p);
                }
                p += 3;
            } else {
                boolean overlong = lead == 0xF0 && second < 0x90;
                boolean beyond = lead > 0xF4 || lead == 0xF4 && second >= 0x90;
                if (overlong || beyond || !continues(b, p + 1) || !continues(b, p + 2) || !continues(b, p + 3)) {
                    throw TextDecoder.illFormed(b, p);
                }
                p += 4;
            }
        }
        return p;
    }

    private static boolean continues(byte[] b, int p) {
        return b[p] < (byte) 0xC0;
    }

    /** The text of a string that {@link #string} has checked. */
    private static String text(byte[] b, int from, int to) {
        String raw = new String(b, from, to - from, StandardCharsets.UTF_8);
        if (raw.indexOf('\\') < 0) {
            return raw;
        }
        StringBuilder s = new StringBuilder(raw.length());
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            if (c != '\\') {
                s.append(c);
                continue;
            }
            c = raw.charAt(++i);
            switch (c) {
                case 'b' -> s.append('\b');
                case 'f' -> s.append('\f');
                case 'n' -> s.append('\n');
                case 'r' -> s.append('\r');
                case 't' -> s.append('\t');
                case 'u' -> {
                    s.append((char) Integer.parseInt(raw, i + 1, i + 5, 16));
                    i += 4;
                }
                default -> s.append(c);
            }
        }
        return s.toString();
    }
}
