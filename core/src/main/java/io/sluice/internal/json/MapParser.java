package io.sluice.internal.json;

import io.sluice.RecordException.Kind;
import io.sluice.internal.json.Shapes.Field;
import io.sluice.internal.json.Shapes.Node;
import io.sluice.internal.json.Shapes.Site;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Parses JSON text straight into maps, lists and scalars, without tokens between. Reused, single-threaded; the text is a line
 * as {@link Lines#nextStart} gives it, followed by {@code \n} and {@link Lines#PADDING} readable bytes.
 *
 * <p>Records of one source look alike, so it foresees: which key comes next (compared as words, not hashed), how many
 * values an object will have, which short strings come again. Whatever is not foreseen takes a slower way to the same result.
 */
public final class MapParser {

    /** Nested deeper than this, values are parsed with a stack on the heap. */
    private static final int MAX_RECURSION = 100;

    private static final Object[] NO_VALUES = new Object[0];
    private static final int TRUE = 'e' << 24 | 'u' << 16 | 'r' << 8 | 't';
    private static final int ALSE = 'e' << 24 | 's' << 16 | 'l' << 8 | 'a';
    private static final int NULL = 'l' << 24 | 'l' << 16 | 'u' << 8 | 'n';

    private static final int SHORT_STRINGS = 1024;

    private final JsonOptions options;
    private final NumberScanner numbers;
    private final TextDecoder text = new TextDecoder();
    private final int maxRecursion;

    private Shapes shapes = new Shapes();
    private int fullFor;

    private final long[] shortKeys = new long[SHORT_STRINGS];
    private final String[] shortStrings = new String[SHORT_STRINGS];

    /** Index behind the value that was parsed last. */
    private int pos;

    public MapParser(JsonOptions options) {
        this.options = options;
        this.numbers = new NumberScanner(options.bigDecimals(), options.maxNumberDigits());
        this.maxRecursion = Math.min(MAX_RECURSION, options.maxNesting());
        Arrays.fill(shortStrings, "");
    }

    /** Told at the start of every block: lets it forget, now and then, what it has learned too much of. */
    public void startBlock() {
        if (shapes.isFull() && ++fullFor >= 64) {
            shapes = new Shapes();
            fullFor = 0;
        }
    }

    /**
     * Parses the one value of the line, from {@code p}, its first byte that is not white space.
     *
     * @throws JsonFailure the line is refused
     */
    public @Nullable Object parse(byte[] b, int p) {
        Object value = b[p] == '{' ? object(b, p + 1, shapes.root, 1) : value(b, p, shapes.root, 0);
        int end = pos;
        if (b[end] != '\n') {
            end = skipSpace(b, end);
            if (b[end] != '\n') {
                throw JsonFailure.expected("nothing more after the record's value", b, end);
            }
            pos = end;
        }
        return value;
    }

    /** Index of the {@code \n} behind the line that {@link #parse} has read. */
    public int end() {
        return pos;
    }

    private static int skipSpace(byte[] b, int from) {
        int p = from;
        while (b[p] == ' ' || b[p] == '\t' || b[p] == '\r') {
            p++;
        }
        return p;
    }

    /** An object, from behind its brace. */
    private Map<String, @Nullable Object> object(byte[] b, int from, Site site, int depth) {
        int p = from;
        if (b[p] != '"') {
            p = skipSpace(b, p);
            if (b[p] == '}') {
                pos = p + 1;
                return new RecordMap(Keys.NONE, NO_VALUES);
            }
        }
        Node node = site.start;
        @Nullable Object[] values = new @Nullable Object[site.values];
        int n = 0;
        while (true) {
            Node next = node.next;
            Field field = next.field;
            if (field.isAt(b, p)) {
                p += field.length;
            } else {
                next = step(b, p, node, site);
                if (next == null) {
                    return unforeseen(b, p, site, node, values, n, depth);
                }
                field = next.field;
                p = pos;
            }
            node = next;
            byte c = b[p];
            if (c <= ' ') {
                p = skipSpace(b, p);
                c = b[p];
            }
            @Nullable Object value;
            if (c == '"') {
                value = string(b, p + 1);
            } else if (c <= '9' && c >= '-') {
                value = number(b, p);
            } else {
                value = other(b, p, site, field, depth);
            }
            p = pos;
            if (n == values.length) {
                values = grow(values);
            }
            values[n++] = value;
            c = b[p];
            if (c == ',') {
                p++;
                if (b[p] == ' ') {
                    p++;
                }
                continue;
            }
            if (c != '}') {
                p = skipSpace(b, p);
                c = b[p];
                if (c == ',') {
                    p++;
                    continue;
                }
                if (c != '}') {
                    throw JsonFailure.expected("',' or '}' after a value of an object", b, p);
                }
            }
            pos = p + 1;
            if (n != values.length) {
                site.values = n;
                if (values.length - n > 2 + (n >> 2)) {
                    values = Arrays.copyOf(values, n);
                }
            }
            return new RecordMap(node.keys(), values);
        }
    }

    private static @Nullable Object[] grow(@Nullable Object[] values) {
        @Nullable Object[] grown = new @Nullable Object[values.length + (values.length >> 1) + 4];
        System.arraycopy(values, 0, grown, 0, values.length);
        return grown;
    }

    /** Takes the key at {@code p} that was not foreseen, and its colon. Null where the sequence of keys can't go on. */
    private @Nullable Node step(byte[] b, int p, Node node, Site site) {
        String name = key(b, p);
        Field field = name == null ? site.find(b, keyFrom, keyTo) : findEscaped(site, name);
        if (field == null) {
            field = name == null ? site.add(b, keyFrom, keyTo, nameAt(b)) : addEscaped(site, name);
        }
        return field == null ? null : node.child(field);
    }

    private int keyFrom;
    private int keyTo;

    /** Passes over a key and its colon. Null if its name is just the bytes from keyFrom to keyTo, else its name. */
    private @Nullable String key(byte[] b, int from) {
        int p = skipSpace(b, from);
        if (b[p] != '"') {
            throw JsonFailure.expected("a key in quotes", b, p);
        }
        p++;
        int q = p;
        long stops;
        while ((stops = Words.stops(Words.load(b, q))) == 0) {
            q += 8;
        }
        q += Words.lowest(stops);
        String name = null;
        keyFrom = p;
        keyTo = q;
        if (b[q] == '"') {
            q++;
        } else {
            name = text.decode(b, p, q);
            q = text.end;
        }
        q = skipSpace(b, q);
        if (b[q] != ':') {
            throw JsonFailure.expected("':' after a key", b, q);
        }
        pos = q + 1;
        return name;
    }

    private String nameAt(byte[] b) {
        return new String(b, keyFrom, keyTo - keyFrom, StandardCharsets.ISO_8859_1);
    }

    private static @Nullable Field findEscaped(Site site, String name) {
        byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
        return site.find(utf8, 0, utf8.length);
    }

    /** A name that can't be written without escapes is not remembered: its bytes would match what is no JSON. */
    private static @Nullable Field addEscaped(Site site, String name) {
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c < ' ' || c == '"' || c == '\\') {
                return null;
            }
        }
        byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
        return site.add(utf8, 0, utf8.length, name);
    }

    /**
     * Goes on with an object whose sequence of keys is new and can't be remembered, or has a key twice. Its keys stay its
     * own; where they can't be foreseen at all, it becomes an ordinary map.
     */
    private Map<String, @Nullable Object> unforeseen(
            byte[] b, int from, Site site, Node before, @Nullable Object[] first, int count, int depth) {
        int round = ++site.round;
        for (Node node = before; node != null && node.size > 0; node = node.parent) {
            node.field.round = round;
            node.field.index = node.size - 1;
        }
        @Nullable Object[] values = first;
        String[] names = before.names(Math.max(16, count * 2));
        int n = count;
        int p = from;
        while (true) {
            int keyAt = p;
            String name = key(b, p);
            Field field = name == null ? site.find(b, keyFrom, keyTo) : findEscaped(site, name);
            if (field == null) {
                field = name == null ? site.add(b, keyFrom, keyTo, nameAt(b)) : addEscaped(site, name);
            }
            if (field == null) {
                Map<String, @Nullable Object> map = new LinkedHashMap<>();
                for (int i = 0; i < n; i++) {
                    map.put(names[i], values[i]);
                }
                return hashed(b, keyAt, map, depth);
            }
            p = skipSpace(b, pos);
            Object value = memberValue(b, p, site, field, depth);
            p = pos;
            if (field.round == round) {
                if (options.uniqueKeys()) {
                    throw duplicate(b, keyAt, field.name);
                }
                values[field.index] = value;
            } else {
                if (n == values.length) {
                    values = grow(values);
                }
                if (n == names.length) {
                    names = Arrays.copyOf(names, n * 2);
                }
                field.round = round;
                field.index = n;
                names[n] = field.name;
                values[n++] = value;
            }
            p = afterMember(b, p);
            if (p < 0) {
                return new RecordMap(new Keys(Arrays.copyOf(names, n)), values);
            }
        }
    }

    /** Goes on with an object, at a key, as an ordinary map. */
    private Map<String, @Nullable Object> hashed(byte[] b, int from, Map<String, @Nullable Object> map, int depth) {
        int p = from;
        while (true) {
            int keyAt = p;
            String name = key(b, p);
            if (name == null) {
                name = nameAt(b);
            }
            p = skipSpace(b, pos);
            Object value = value(b, p, null, depth);
            p = pos;
            if (options.uniqueKeys() && map.containsKey(name)) {
                throw duplicate(b, keyAt, name);
            }
            map.put(name, value);
            p = afterMember(b, p);
            if (p < 0) {
                return map;
            }
        }
    }

    /** Passes over what follows a value in an object: the index of the next key, or -1 after the closing brace. */
    private int afterMember(byte[] b, int from) {
        int p = skipSpace(b, from);
        if (b[p] == ',') {
            return skipSpace(b, p + 1);
        }
        if (b[p] != '}') {
            throw JsonFailure.expected("',' or '}' after a value of an object", b, p);
        }
        pos = p + 1;
        return -1;
    }

    static JsonFailure duplicate(byte[] b, int from, String name) {
        return new JsonFailure(
                Kind.MALFORMED, "the key \"" + abbreviated(name) + "\" stands twice in an object", skipSpace(b, from));
    }

    private static String abbreviated(String name) {
        return name.length() <= 64 ? name : name.substring(0, 64) + "…";
    }

    private @Nullable Object memberValue(byte[] b, int p, Site site, Field field, int depth) {
        byte c = b[p];
        if (c == '"') {
            return string(b, p + 1);
        }
        if (c <= '9' && c >= '-') {
            return number(b, p);
        }
        return other(b, p, site, field, depth);
    }

    /** A value that is neither a string nor a number. */
    private @Nullable Object other(byte[] b, int p, Site site, Field field, int depth) {
        byte c = b[p];
        if (c == '{' || c == '[') {
            return container(b, p, site.of(field), depth);
        }
        return literal(b, p);
    }

    /** A value anywhere. {@code site} is null where nothing is foreseen. */
    private @Nullable Object value(byte[] b, int p, @Nullable Site site, int depth) {
        byte c = b[p];
        if (c == '"') {
            return string(b, p + 1);
        }
        if (c <= '9' && c >= '-') {
            return number(b, p);
        }
        if (c == '{' || c == '[') {
            return container(b, p, site, depth);
        }
        return literal(b, p);
    }

    private Object container(byte[] b, int p, @Nullable Site site, int depth) {
        if (depth >= maxRecursion) {
            return deep(b, p, depth);
        }
        if (b[p] == '[') {
            return array(b, p + 1, site, depth + 1);
        }
        if (site != null) {
            return object(b, p + 1, site, depth + 1);
        }
        int q = skipSpace(b, p + 1);
        if (b[q] == '}') {
            pos = q + 1;
            return new LinkedHashMap<>();
        }
        return hashed(b, q, new LinkedHashMap<>(), depth + 1);
    }

    private List<@Nullable Object> array(byte[] b, int from, @Nullable Site site, int depth) {
        int p = skipSpace(b, from);
        if (b[p] == ']') {
            pos = p + 1;
            return new ArrayList<>(0);
        }
        Site inner = site == null ? null : site.inner();
        List<@Nullable Object> list = new ArrayList<>(site == null || site.elements == 0 ? 4 : site.elements);
        while (true) {
            list.add(value(b, p, inner, depth));
            p = pos;
            byte c = b[p];
            if (c != ',' && c != ']') {
                p = skipSpace(b, p);
                c = b[p];
            }
            if (c == ',') {
                p = skipSpace(b, p + 1);
                continue;
            }
            if (c != ']') {
                throw JsonFailure.expected("',' or ']' after a value of an array", b, p);
            }
            pos = p + 1;
            if (site != null) {
                site.elements = Math.min(list.size(), 1024);
            }
            return list;
        }
    }

    /** A string, from behind its quote. */
    private String string(byte[] b, int from) {
        long w = Words.load(b, from);
        long stops = Words.stops(w);
        int p = from;
        if (stops != 0) {
            int n = Words.lowest(stops);
            p += n;
            if (b[p] == '"') {
                pos = p + 1;
                return shortString(b, from, n, w);
            }
        } else {
            do {
                p += 8;
                w = Words.load(b, p);
                stops = Words.stops(w);
            } while (stops == 0);
            p += Words.lowest(stops);
            if (b[p] == '"') {
                pos = p + 1;
                return new String(b, from, p - from, StandardCharsets.ISO_8859_1);
            }
        }
        String decoded = text.decode(b, from, p);
        pos = text.end;
        return decoded;
    }

    private String shortString(byte[] b, int from, int length, long word) {
        // a shift by 64 would be one by 0
        long key = length == 0 ? 0 : word << (64 - 8 * length);
        int slot = (int) (key * 0x9E3779B97F4A7C15L >>> 54);
        if (shortKeys[slot] == key) {
            return shortStrings[slot];
        }
        String made = new String(b, from, length, StandardCharsets.ISO_8859_1);
        shortKeys[slot] = key;
        shortStrings[slot] = made;
        return made;
    }

    private Object number(byte[] b, int p) {
        if (b[p] == '-' && b[p + 1] == 'I') {
            return nonFinite(b, p, "-Infinity", Double.NEGATIVE_INFINITY);
        }
        int kind = numbers.scan(b, p);
        pos = numbers.end;
        if (kind == NumberScanner.LONG) {
            long value = numbers.integer;
            if (value == (int) value) {
                return (int) value;
            }
            return value;
        }
        if (kind == NumberScanner.DECIMAL && !options.bigDecimals()) {
            return numbers.decimal;
        }
        return big(b, p, kind);
    }

    private Object big(byte[] b, int p, int kind) {
        String digits = new String(b, p, pos - p, StandardCharsets.ISO_8859_1);
        if (kind == NumberScanner.BIG_INTEGER) {
            return new BigInteger(digits);
        }
        options.checkExponent(numbers.exponent, p);
        return new BigDecimal(digits);
    }

    private @Nullable Object literal(byte[] b, int p) {
        int word = Words.loadInt(b, p);
        if (word == NULL) {
            pos = p + 4;
            return null;
        }
        if (word == TRUE) {
            pos = p + 4;
            return Boolean.TRUE;
        }
        if (b[p] == 'f' && Words.loadInt(b, p + 1) == ALSE) {
            pos = p + 5;
            return Boolean.FALSE;
        }
        return switch (b[p]) {
            case 't' -> throw misspelt(b, p, "true");
            case 'f' -> throw misspelt(b, p, "false");
            case 'n' -> throw misspelt(b, p, "null");
            case 'N' -> nonFinite(b, p, "NaN", Double.NaN);
            case 'I' -> nonFinite(b, p, "Infinity", Double.POSITIVE_INFINITY);
            default -> throw JsonFailure.expected("a value", b, p);
        };
    }

    static JsonFailure misspelt(byte[] b, int p, String token) {
        return JsonFailure.expected(token, b, p + matching(b, p, token));
    }

    static int matching(byte[] b, int p, String token) {
        int n = 0;
        while (n < token.length() && b[p + n] == token.charAt(n)) {
            n++;
        }
        return n;
    }

    private Object nonFinite(byte[] b, int p, String token, double value) {
        if (matching(b, p, token) < token.length()) {
            throw misspelt(b, p, token);
        }
        if (!options.nonFinite()) {
            throw new JsonFailure(
                    Kind.MALFORMED, token + " is no JSON number; a reader takes it with acceptNonFinite()", p);
        }
        pos = p + token.length();
        return value;
    }

    /** The object or array at {@code start}, which lies within {@code outer} others, with a stack of its own. */
    private Object deep(byte[] b, int start, int outer) {
        List<Object> open = new ArrayList<>();
        List<@Nullable String> names = new ArrayList<>();
        int p = start;
        while (true) {
            byte c = b[p];
            Object value;
            if (c == '{' || c == '[') {
                if (outer + open.size() >= options.maxNesting()) {
                    throw new JsonFailure(Kind.TOO_DEEP, "nested deeper than maxNesting, " + options.maxNesting(), p);
                }
                p = skipSpace(b, p + 1);
                boolean isMap = c == '{';
                Object opened = isMap ? new LinkedHashMap<String, @Nullable Object>() : new ArrayList<>();
                if (b[p] != (isMap ? '}' : ']')) {
                    open.add(opened);
                    names.add(null);
                    p = isMap ? deepKey(b, p, opened, names) : p;
                    continue;
                }
                value = opened;
                p++;
            } else {
                value = value(b, p, null, Integer.MAX_VALUE);
                p = pos;
            }
            // hand it to what is open, and close what ends here
            while (true) {
                if (open.isEmpty()) {
                    pos = p;
                    return Objects.requireNonNull(value);
                }
                Object top = open.get(open.size() - 1);
                add(top, names.get(names.size() - 1), value);
                p = skipSpace(b, p);
                boolean isMap = top instanceof Map;
                if (b[p] == ',') {
                    p = skipSpace(b, p + 1);
                    p = isMap ? deepKey(b, p, top, names) : p;
                    break;
                }
                if (b[p] != (isMap ? '}' : ']')) {
                    throw JsonFailure.expected(
                            isMap ? "',' or '}' after a value of an object" : "',' or ']' after a value of an array",
                            b,
                            p);
                }
                p++;
                value = top;
                open.remove(open.size() - 1);
                names.remove(names.size() - 1);
            }
        }
    }

    @SuppressWarnings("unchecked") // deep has opened it
    private static void add(Object container, @Nullable String name, @Nullable Object value) {
        if (name != null) {
            ((Map<String, @Nullable Object>) container).put(name, value);
        } else {
            ((List<@Nullable Object>) container).add(value);
        }
    }

    private int deepKey(byte[] b, int p, Object map, List<@Nullable String> names) {
        String name = key(b, p);
        if (name == null) {
            name = nameAt(b);
        }
        if (options.uniqueKeys() && ((Map<?, ?>) map).containsKey(name)) {
            throw duplicate(b, p, name);
        }
        names.set(names.size() - 1, name);
        return skipSpace(b, pos);
    }
}
