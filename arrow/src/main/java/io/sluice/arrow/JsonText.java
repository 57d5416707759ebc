package io.sluice.arrow;

import io.sluice.RecordException.Kind;
import io.sluice.arrow.internal.Column;
import io.sluice.internal.json.JsonFailure;
import io.sluice.internal.json.NumberScanner;
import io.sluice.internal.json.Words;

/**
 * Strings of a JSON text copied into columns, and values passed over; all of it checked: UTF-8, escapes, surrogates, control
 * characters, numbers, nesting. Single-threaded. Works on lines as {@link io.sluice.internal.json.Lines#openPadded} hands
 * them out: a {@code \n} stops everything, and there are 64 readable bytes behind it.
 */
final class JsonText {

    /** What a string loop may write in one turn. */
    private static final int ROOM = 48;

    /** The character that {@code \x} stands for; 0 where there is none, and for {@code \\u}. */
    private static final byte[] ESCAPES = new byte[128];

    static {
        ESCAPES['"'] = '"';
        ESCAPES['\\'] = '\\';
        ESCAPES['/'] = '/';
        ESCAPES['b'] = '\b';
        ESCAPES['f'] = '\f';
        ESCAPES['n'] = '\n';
        ESCAPES['r'] = '\r';
        ESCAPES['t'] = '\t';
    }

    private final int maxNesting;
    private final boolean nonFinite;
    final NumberScanner numbers;

    private byte[] b = {};
    private int outEnd;
    private byte[] scratch = new byte[128];

    /** After {@link #slice}: where the string's bytes are. */
    byte[] sliceBytes = {};
    /** After {@link #slice}: where they begin. */
    int sliceFrom;
    /** After {@link #slice}: where they end. */
    int sliceTo;

    JsonText(int maxNesting, int maxNumberDigits, boolean nonFinite) {
        this.maxNesting = maxNesting;
        this.nonFinite = nonFinite;
        this.numbers = new NumberScanner(false, maxNumberDigits);
    }

    void bytes(byte[] bytes) {
        b = bytes;
    }

    /** Skips white space inside a line; a line end is none. */
    static int space(byte[] b, int p) {
        byte c = b[p];
        while (c == ' ' || c == '\t' || c == '\r') {
            c = b[++p];
        }
        return p;
    }

    // ---- strings ----------------------------------------------------------------------------------------------------

    /** Appends the string whose opening quote is at {@code p - 1} to a column of bytes; answers the index behind it. */
    int string(Column column, int p) {
        byte[] b = this.b;
        byte[] out = column.data;
        int o = column.end;
        while (true) {
            if (o > out.length - ROOM) {
                out = column.roomAt(o, ROOM);
            }
            long w = Words.load(b, p);
            Words.store(out, o, w);
            long stop = Words.stops(w);
            if (stop == 0) {
                w = Words.load(b, p + 8);
                Words.store(out, o + 8, w);
                stop = Words.stops(w);
                p += 8;
                o += 8;
                if (stop == 0) {
                    w = Words.load(b, p + 8);
                    Words.store(out, o + 8, w);
                    stop = Words.stops(w);
                    p += 8;
                    o += 8;
                    if (stop == 0) {
                        w = Words.load(b, p + 8);
                        Words.store(out, o + 8, w);
                        stop = Words.stops(w);
                        p += 8;
                        o += 8;
                        if (stop == 0) {
                            p += 8;
                            o += 8;
                            continue;
                        }
                    }
                }
            }
            int n = Words.lowest(stop);
            p += n;
            o += n;
            byte c = b[p];
            if (c == '"') {
                column.endBytes(o);
                return p + 1;
            }
            if (c == '\\') {
                byte e = b[p + 1];
                if (e >= 0 && ESCAPES[e] != 0) {
                    out[o++] = ESCAPES[e];
                    p += 2;
                } else {
                    p = unicodeEscape(p, out, o);
                    o = outEnd;
                }
            } else {
                p = multiByte(p, out, o);
                o = outEnd;
            }
        }
    }

    /** Copies the run of bytes beyond ASCII that begins at {@code p}, as far as there is room. */
    private int multiByte(int p, byte[] out, int o) {
        byte[] b = this.b;
        int limit = out.length - 8;
        do {
            int w = Words.loadInt(b, p);
            Column.INTS.set(out, o, w);
            int n = sequence(w);
            if (n == 0) {
                throw badByte(p);
            }
            p += n;
            o += n;
        } while (b[p] < 0 && o <= limit);
        outEnd = o;
        return p;
    }

    /** Length of the UTF-8 sequence beyond ASCII at the beginning of {@code w}, 0 where there is no good one. */
    private static int sequence(int w) {
        if ((w & 0x00C0C0F0) == 0x008080E0) {
            int top = w & 0x200F; // too long a form; half of a surrogate pair
            return top != 0 && top != 0x200D ? 3 : 0;
        }
        if ((w & 0xC0E0) == 0x80C0) {
            return (w & 0x1E) != 0 ? 2 : 0;
        }
        if ((w & 0xC0C0C0F8) == 0x808080F0) {
            int top = w & 0x3007; // too long a form; beyond U+10FFFF
            return top != 0 && ((w & 7) < 4 || top == 4) ? 4 : 0;
        }
        return 0;
    }

    private JsonFailure badByte(int p) {
        byte c = b[p];
        if (c < 0) {
            return new JsonFailure(Kind.INVALID_UNICODE, "a string is not valid UTF-8", p);
        }
        if (c == '\n') {
            return new JsonFailure(Kind.MALFORMED, "the line ends within a string", p);
        }
        return new JsonFailure(Kind.MALFORMED, "a control character within a string", p);
    }

    /** Takes the escape at {@code p}, a backslash, that is no short one. */
    private int unicodeEscape(int p, byte[] out, int o) {
        if (b[p + 1] != 'u') {
            throw new JsonFailure(Kind.MALFORMED, "no such escape in a string", p);
        }
        int c = hex(p + 2);
        p += 6;
        if (c >= 0xD800 && c < 0xE000) {
            if (c >= 0xDC00 || b[p] != '\\' || b[p + 1] != 'u') {
                throw loneSurrogate(p - 6);
            }
            int low = hex(p + 2);
            if (low < 0xDC00 || low > 0xDFFF) {
                throw loneSurrogate(p - 6);
            }
            c = 0x10000 + (c - 0xD800 << 10) + (low - 0xDC00);
            p += 6;
        }
        outEnd = put(c, out, o);
        return p;
    }

    private static int put(int c, byte[] out, int o) {
        if (c < 0x80) {
            out[o++] = (byte) c;
        } else if (c < 0x800) {
            out[o++] = (byte) (0xC0 | c >> 6);
            out[o++] = (byte) (0x80 | c & 0x3F);
        } else if (c < 0x10000) {
            out[o++] = (byte) (0xE0 | c >> 12);
            out[o++] = (byte) (0x80 | c >> 6 & 0x3F);
            out[o++] = (byte) (0x80 | c & 0x3F);
        } else {
            out[o++] = (byte) (0xF0 | c >> 18);
            out[o++] = (byte) (0x80 | c >> 12 & 0x3F);
            out[o++] = (byte) (0x80 | c >> 6 & 0x3F);
            out[o++] = (byte) (0x80 | c & 0x3F);
        }
        return o;
    }

    private static JsonFailure loneSurrogate(int p) {
        return new JsonFailure(Kind.INVALID_UNICODE, "a surrogate without its other half", p);
    }

    private int hex(int p) {
        int value = 0;
        for (int i = 0; i < 4; i++) {
            byte c = b[p + i];
            int digit = c >= '0' && c <= '9'
                    ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
            if (digit < 0) {
                throw new JsonFailure(Kind.MALFORMED, "no four hexadecimal digits after \\u", p + i);
            }
            value = value << 4 | digit;
        }
        return value;
    }

    /**
     * Finds the bytes of the string whose opening quote is at {@code p - 1}, in place where it has no escape; answers the
     * index behind it. Good until the next call.
     */
    int slice(int p) {
        byte[] b = this.b;
        int q = p;
        while (true) {
            long stop = Words.stops(Words.load(b, q));
            if (stop == 0) {
                q += 8;
                continue;
            }
            q += Words.lowest(stop);
            if (b[q] >= 0) {
                break;
            }
            int n = sequence(Words.loadInt(b, q));
            if (n == 0) {
                throw badByte(q);
            }
            q += n;
        }
        if (b[q] == '"') {
            sliceBytes = b;
            sliceFrom = p;
            sliceTo = q;
            return q + 1;
        }
        return unescape(p, q);
    }

    private int unescape(int from, int p) {
        byte[] b = this.b;
        int o = p - from;
        byte[] out = room(0, o + ROOM);
        System.arraycopy(b, from, out, 0, o);
        while (b[p] != '"') {
            out = room(o, ROOM);
            byte c = b[p];
            if (c == '\\') {
                byte e = b[p + 1];
                if (e >= 0 && ESCAPES[e] != 0) {
                    out[o++] = ESCAPES[e];
                    p += 2;
                } else {
                    p = unicodeEscape(p, out, o);
                    o = outEnd;
                }
            } else if (c >= ' ') {
                out[o++] = c;
                p++;
            } else {
                p = multiByte(p, out, o);
                o = outEnd;
            }
        }
        sliceBytes = out;
        sliceFrom = 0;
        sliceTo = o;
        return p + 1;
    }

    private byte[] room(int used, int more) {
        if (scratch.length - used < more) {
            byte[] grown =
                    new byte[(int) Math.min(Integer.MAX_VALUE - 16, Math.max(used + (long) more, scratch.length * 2L))];
            System.arraycopy(scratch, 0, grown, 0, used);
            scratch = grown;
        }
        return scratch;
    }

    // ---- passing over -----------------------------------------------------------------------------------------------

    /** Checks the value at {@code p} and answers the index behind it. */
    int skip(int p, int depth) {
        byte[] b = this.b;
        byte c = b[p];
        switch (c) {
            case '"':
                return skipString(p + 1);
            case '{':
                return skipObject(p, depth + 1);
            case '[':
                return skipArray(p, depth + 1);
            case 't':
                if (Words.loadInt(b, p) == TRUE) {
                    return p + 4;
                }
                break;
            case 'n':
                if (Words.loadInt(b, p) == NULL) {
                    return p + 4;
                }
                break;
            case 'f':
                if (Words.loadInt(b, p + 1) == ALSE) {
                    return p + 5;
                }
                break;
            case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
                if (nonFinite && c == '-' && isNonFinite(p)) {
                    return p + 9;
                }
                numbers.scan(b, p);
                return numbers.end;
            case 'N', 'I':
                if (nonFinite && isNonFinite(p)) {
                    return p + (c == 'N' ? 3 : 8);
                }
                break;
            default:
                break;
        }
        throw JsonFailure.expected("a value", b, p);
    }

    static final int NULL = 0x6C6C756E;
    static final int TRUE = 0x65757274;
    static final int ALSE = 0x65736C61;

    /** Whether one of the literals {@code NaN}, {@code Infinity}, {@code -Infinity} is at {@code p}. */
    boolean isNonFinite(int p) {
        return startsWith("NaN", p) || startsWith("Infinity", p) || startsWith("-Infinity", p);
    }

    private boolean startsWith(String literal, int p) {
        for (int i = 0; i < literal.length(); i++) {
            if (b[p + i] != literal.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** Passes over the string whose opening quote is at {@code p - 1}. */
    int skipString(int p) {
        byte[] b = this.b;
        while (true) {
            long stop = Words.stops(Words.load(b, p));
            if (stop == 0) {
                p += 8;
                continue;
            }
            p += Words.lowest(stop);
            byte c = b[p];
            if (c == '"') {
                return p + 1;
            }
            if (c == '\\') {
                byte e = b[p + 1];
                p = e >= 0 && ESCAPES[e] != 0 ? p + 2 : unicodeEscape(p, scratch, 0);
            } else {
                int n = c < 0 ? sequence(Words.loadInt(b, p)) : 0;
                if (n == 0) {
                    throw badByte(p);
                }
                p += n;
            }
        }
    }

    private int skipArray(int p, int depth) {
        checkDepth(depth, p);
        byte[] b = this.b;
        p = space(b, p + 1);
        if (b[p] == ']') {
            return p + 1;
        }
        while (true) {
            p = space(b, skip(p, depth));
            byte c = b[p];
            if (c == ']') {
                return p + 1;
            }
            if (c != ',') {
                throw JsonFailure.expected("',' or ']'", b, p);
            }
            p = space(b, p + 1);
        }
    }

    private int skipObject(int p, int depth) {
        checkDepth(depth, p);
        byte[] b = this.b;
        p = space(b, p + 1);
        if (b[p] == '}') {
            return p + 1;
        }
        while (true) {
            if (b[p] != '"') {
                throw JsonFailure.expected("a key", b, p);
            }
            p = space(b, skipString(p + 1));
            if (b[p] != ':') {
                throw JsonFailure.expected("':'", b, p);
            }
            p = space(b, skip(space(b, p + 1), depth));
            byte c = b[p];
            if (c == '}') {
                return p + 1;
            }
            if (c != ',') {
                throw JsonFailure.expected("',' or '}'", b, p);
            }
            p = space(b, p + 1);
        }
    }

    void checkDepth(int depth, int p) {
        if (depth > maxNesting) {
            throw new JsonFailure(Kind.TOO_DEEP, "nested deeper than " + maxNesting, p);
        }
    }
}
