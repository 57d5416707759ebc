package io.sluice.internal.json;

import io.sluice.RecordException;
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
import java.time.MonthDay;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.Period;
import java.time.Year;
import java.time.YearMonth;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.RandomAccess;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Writes Java values as JSON text (RFC 8259) on one line. What the values become is told at {@code Jsonl.maps()}; what
 * is not told there is refused with the path of the value. Single-threaded, reusable.
 */
public final class JsonWriter {

    /** The deepest nesting of arrays and objects that is written. */
    public static final int MAX_NESTING = 1000;

    /** The longest text of one value, in bytes. */
    private static final int MAX_BYTES = Integer.MAX_VALUE - 64;

    private final boolean nonFinite;
    private final KeyCache keys = new KeyCache();
    private final char[] scratch = new char[JsonStrings.CHARS];

    private Output out = new Output(0);
    private byte[] b = out.array();
    private int p;

    /** @param nonFinite whether NaN and the infinities are written as literals, which JSON does not know, instead of being refused */
    public JsonWriter(boolean nonFinite) {
        this.nonFinite = nonFinite;
    }

    /**
     * Appends a value. Where it throws, {@code out} stands where it stood.
     *
     * @throws RecordException where the value, or one inside it, can't be written
     */
    public void write(@Nullable Object value, Output out) {
        int start = out.position();
        this.out = out;
        this.b = out.array();
        this.p = start;
        try {
            value(value, 0);
            out.position(p - 1); // without the comma that follows every value
        } catch (Unwritable e) {
            out.position(start);
            throw e.toRecordException();
        } catch (Throwable e) {
            out.position(start);
            throw e;
        }
    }

    /** Room for {@code more} bytes, and a few beyond: the comma, and what is copied eight bytes at a time. */
    private void room(int more) {
        if (b.length - p < more + 16) {
            grow(more + 16L);
        }
    }

    private void grow(long more) {
        if (p + more > MAX_BYTES) {
            throw new Unwritable(
                    RecordException.Kind.TOO_LONG, "its JSON text is longer than a buffer of 2 GiB can hold", null);
        }
        out.position(p);
        b = out.ensure((int) more);
    }

    /** Writes a value and a comma; whoever closes an array or object overwrites the comma. */
    private void value(@Nullable Object v, int depth) {
        if (v == null) {
            literal(NULL, 5);
            return;
        }
        Class<?> type = v.getClass();
        if (type == String.class) {
            string((String) v);
        } else if (type == Integer.class) {
            room(JsonNumbers.MAX_INT_BYTES);
            p = JsonNumbers.writeInt((Integer) v, b, p);
            b[p++] = ',';
        } else if (type == Boolean.class) {
            bool((Boolean) v);
        } else if (type == Long.class) {
            integer((Long) v);
        } else if (type == Double.class) {
            decimal((Double) v);
        } else if (type == RecordMap.class) {
            record((RecordMap) v, depth + 1);
        } else if (v instanceof Map<?, ?> map) {
            object(map, depth + 1);
        } else if (v instanceof List<?> list && v instanceof RandomAccess) {
            list(list, depth + 1);
        } else {
            other(v, depth);
        }
    }

    private static final long NULL = literal("null,");
    private static final long TRUE = literal("true,");
    private static final long FALSE = literal("false,");

    private static long literal(String text) {
        return Words.load(Arrays.copyOf(text.getBytes(StandardCharsets.ISO_8859_1), 8), 0);
    }

    private void bool(boolean v) {
        literal(v ? TRUE : FALSE, v ? 5 : 6);
    }

    private void literal(long text, int length) {
        room(8);
        Words.store(b, p, text);
        p += length;
    }

    private void integer(long v) {
        room(JsonNumbers.MAX_LONG_BYTES);
        p = JsonNumbers.writeLong(v, b, p);
        b[p++] = ',';
    }

    private void decimal(double v) {
        room(ShortestDecimal.MAX_BYTES);
        if (Math.abs(v) <= Double.MAX_VALUE) {
            p = ShortestDecimal.write(v, b, p);
            b[p++] = ',';
        } else {
            notFinite(Double.toString(v));
        }
    }

    private void decimal(float v) {
        if (Math.abs(v) <= Float.MAX_VALUE) {
            ascii(Float.toString(v)); // its own shortest digits: as a double it would have more
        } else {
            notFinite(Float.toString(v));
        }
    }

    private void notFinite(String text) {
        if (!nonFinite) {
            throw new Unwritable(
                    RecordException.Kind.UNMAPPABLE,
                    text + " has no JSON form; replace it, or allow non-finite numbers in the JsonlSpec",
                    null);
        }
        ascii(text);
    }

    private void ascii(String text) {
        room(text.length());
        System.arraycopy(text.getBytes(StandardCharsets.ISO_8859_1), 0, b, p, text.length());
        p += text.length();
        b[p++] = ',';
    }

    private void string(String s) {
        int length = s.length();
        if (length > JsonStrings.PART) {
            longString(s);
            return;
        }
        room(JsonStrings.room(length));
        int end = JsonStrings.write(s, scratch, b, p);
        if (end < 0) {
            throw loneSurrogate(s);
        }
        b[end] = ',';
        p = end + 1;
    }

    private void longString(String s) {
        room(1);
        b[p++] = '"';
        for (int from = 0; from < s.length(); ) {
            int to = Math.min(from + JsonStrings.PART, s.length());
            if (to < s.length() && Character.isHighSurrogate(s.charAt(to - 1))) {
                to--;
            }
            room(JsonStrings.room(to - from));
            int end = JsonStrings.writeChars(s, from, to, scratch, b, p);
            if (end < 0) {
                throw loneSurrogate(s);
            }
            p = end;
            from = to;
        }
        room(2);
        b[p] = '"';
        b[p + 1] = ',';
        p += 2;
    }

    private static Unwritable loneSurrogate(String s) {
        int at = JsonStrings.loneSurrogate(s);
        return new Unwritable(
                RecordException.Kind.INVALID_UNICODE,
                "the string has a surrogate without its other half at character " + at,
                null);
    }

    /** A map as the parser makes them: no entries to walk, no keys to look up. */
    private void record(RecordMap map, int depth) {
        Keys keys = map.sharedKeys();
        KeyTexts texts = keys == null ? null : keys.texts();
        if (keys == null || texts == null) {
            object(map, depth);
            return;
        }
        open('{', depth);
        @Nullable Object[] values = map.sharedValues();
        int i = 0;
        try {
            for (int n = keys.size(); i < n; i++) {
                byte[] text = texts.at(i);
                room(text.length);
                p = KeyTexts.copy(text, b, p);
                value(values[i], depth);
            }
        } catch (Unwritable e) {
            throw e.inside(keys.name(i));
        }
        close('}');
    }

    private void object(Map<?, ?> map, int depth) {
        open('{', depth);
        Object key = null;
        try {
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                key = entry.getKey();
                if (!(key instanceof String name)) {
                    throw badKey(key);
                }
                key(name);
                value(entry.getValue(), depth);
            }
        } catch (Unwritable e) {
            throw key instanceof String name ? e.inside(name) : e;
        } catch (RuntimeException e) {
            throw failed(map, e);
        }
        close('}');
    }

    private static Unwritable badKey(@Nullable Object key) {
        return new Unwritable(
                RecordException.Kind.UNMAPPABLE,
                key == null
                        ? "a map with a null key can't be written as JSON; keys must be strings"
                        : "a map with a key of " + key.getClass().getName()
                                + " can't be written as JSON; keys must be strings",
                null);
    }

    private void key(String name) {
        byte[] known = keys.find(name);
        if (known == null) {
            newKey(name);
            return;
        }
        room(known.length);
        p = KeyTexts.copy(known, b, p);
    }

    private void newKey(String name) {
        int start = p;
        string(name);
        b[p - 1] = ':';
        if (p - start <= KeyCache.LONGEST) {
            keys.add(name, b, start, p - start);
        }
    }

    private void list(List<?> list, int depth) {
        open('[', depth);
        int i = 0;
        try {
            for (int n = list.size(); i < n; i++) {
                value(list.get(i), depth);
            }
        } catch (Unwritable e) {
            throw e.inside(i);
        } catch (RuntimeException e) {
            throw failed(list, e);
        }
        close(']');
    }

    private void iterable(Iterable<?> values, int depth) {
        open('[', depth);
        int i = 0;
        try {
            for (Object v : values) {
                value(v, depth);
                i++;
            }
        } catch (Unwritable e) {
            throw e.inside(i);
        } catch (RuntimeException e) {
            throw failed(values, e);
        }
        close(']');
    }

    private static Unwritable failed(Object container, RuntimeException e) {
        return new Unwritable(
                RecordException.Kind.UNMAPPABLE, container.getClass().getName() + " failed while it was read: " + e, e);
    }

    private void open(char bracket, int depth) {
        if (depth > MAX_NESTING) {
            throw new Unwritable(
                    RecordException.Kind.TOO_DEEP,
                    "nested deeper than " + MAX_NESTING + "; does the value contain itself?",
                    null);
        }
        room(2);
        b[p++] = (byte) bracket;
    }

    private void close(char bracket) {
        room(2);
        if (b[p - 1] == ',') {
            b[p - 1] = (byte) bracket;
        } else {
            b[p++] = (byte) bracket;
        }
        b[p++] = ',';
    }

    private void other(Object v, int depth) {
        if (v instanceof Number number) {
            number(number);
        } else if (v instanceof CharSequence || v instanceof Character || v instanceof UUID) {
            string(v.toString());
        } else if (v instanceof Enum<?> constant) {
            string(constant.name());
        } else if (v instanceof byte[] bytes) {
            base64(ByteBuffer.wrap(bytes));
        } else if (v instanceof ByteBuffer bytes) {
            base64(bytes.duplicate());
        } else if (v instanceof Object[] array) {
            list(Arrays.asList(array), depth + 1);
        } else if (v.getClass().isArray()) {
            primitives(v, depth + 1);
        } else if (v instanceof Optional<?> optional) {
            value(optional.orElse(null), depth);
        } else if (v instanceof AtomicBoolean bool) {
            bool(bool.get());
        } else if (v instanceof Path) { // an Iterable of itself
            string(v.toString());
        } else if (v instanceof Iterable<?> values) {
            iterable(values, depth + 1);
        } else {
            time(v);
        }
    }

    private void number(Number v) {
        if (v instanceof Float f) {
            decimal(f.floatValue());
        } else if (v instanceof Short || v instanceof Byte || v instanceof AtomicInteger || v instanceof AtomicLong) {
            integer(v.longValue());
        } else if (v.getClass() == BigInteger.class || v.getClass() == BigDecimal.class) {
            ascii(v.toString());
        } else {
            throw unknown(v);
        }
    }

    private void base64(ByteBuffer bytes) {
        ByteBuffer text = Base64.getEncoder().encode(bytes);
        int length = text.remaining();
        room(length + 3);
        b[p++] = '"';
        text.get(b, p, length);
        p += length;
        b[p++] = '"';
        b[p++] = ',';
    }

    private void primitives(Object array, int depth) {
        open('[', depth);
        int i = 0;
        try {
            if (array instanceof int[] values) {
                for (; i < values.length; i++) {
                    integer(values[i]);
                }
            } else if (array instanceof long[] values) {
                for (; i < values.length; i++) {
                    integer(values[i]);
                }
            } else if (array instanceof double[] values) {
                for (; i < values.length; i++) {
                    decimal(values[i]);
                }
            } else if (array instanceof float[] values) {
                for (; i < values.length; i++) {
                    decimal(values[i]);
                }
            } else if (array instanceof short[] values) {
                for (; i < values.length; i++) {
                    integer(values[i]);
                }
            } else if (array instanceof boolean[] values) {
                for (; i < values.length; i++) {
                    bool(values[i]);
                }
            } else {
                throw unknown(array); // char[]: a string or a list? nobody can tell
            }
        } catch (Unwritable e) {
            throw array instanceof char[] ? e : e.inside(i);
        }
        close(']');
    }

    /** Times as ISO 8601 writes them, with seconds always, so that RFC 3339 readers take them too. */
    private void time(Object v) {
        if (v instanceof Instant
                || v instanceof LocalDate
                || v instanceof Duration
                || v instanceof Period
                || v instanceof Year
                || v instanceof YearMonth
                || v instanceof MonthDay
                || v instanceof ZoneId) {
            string(v.toString());
        } else if (v instanceof LocalDateTime t) {
            string(DateTimeFormatter.ISO_LOCAL_DATE_TIME.format(t));
        } else if (v instanceof OffsetDateTime t) {
            string(DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(t));
        } else if (v instanceof ZonedDateTime t) {
            string(DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(t));
        } else if (v instanceof LocalTime t) {
            string(DateTimeFormatter.ISO_LOCAL_TIME.format(t));
        } else if (v instanceof OffsetTime t) {
            string(DateTimeFormatter.ISO_OFFSET_TIME.format(t));
        } else if (v.getClass() == Date.class) {
            string(((Date) v).toInstant().toString());
        } else {
            throw unknown(v);
        }
    }

    private static Unwritable unknown(Object v) {
        return new Unwritable(
                RecordException.Kind.UNMAPPABLE,
                "a value of " + v.getClass().getTypeName()
                        + " can't be written as JSON; turn it into a map, a list, a string or a number first",
                null);
    }
}
