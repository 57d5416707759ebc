package io.sluice.internal.json;

import java.nio.charset.StandardCharsets;

/**
 * Writes strings as JSON literals in UTF-8: quotes, backslashes and control characters are escaped, all else stands as it
 * is. Strings with a surrogate that lacks its other half are refused.
 *
 * <p>The JDK turns a string into UTF-8 faster than a loop over its characters could; what it makes is searched for characters to
 * escape eight bytes at a time while it is copied. Lone surrogates come out of it as {@code ?}, so each {@code ?} is looked at twice.
 */
final class JsonStrings {

    /** The longest string that {@link #write} takes; longer ones are written in pieces by {@link #writePart}. */
    static final int PART = 8192;

    private static final long ONES = 0x0101010101010101L;
    private static final long TOPS = 0x8080808080808080L;
    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.ISO_8859_1);

    /** For ASCII: 0 where a character stands for itself, else the letter of its short escape or 'u'. */
    private static final byte[] ESCAPE = new byte[128];

    static {
        for (int c = 0; c < 0x20; c++) {
            ESCAPE[c] = 'u';
        }
        ESCAPE['\b'] = 'b';
        ESCAPE['\t'] = 't';
        ESCAPE['\n'] = 'n';
        ESCAPE['\f'] = 'f';
        ESCAPE['\r'] = 'r';
        ESCAPE['"'] = '"';
        ESCAPE['\\'] = '\\';
    }

    private JsonStrings() {}

    /** The room that a string of {@code length} characters needs, quotes and what is touched beyond it included. */
    static int room(int length) {
        return 6 * length + 16;
    }

    /** Writes a string of at most {@link #PART} characters with its quotes; answers the index behind it, or -1 where it can't be written. */
    static int write(String s, byte[] b, int p) {
        b[p] = '"';
        p = writePart(s, b, p + 1);
        if (p >= 0) {
            b[p++] = '"';
        }
        return p;
    }

    /** As {@link #write}, without quotes. A part must not end between two halves of a surrogate pair. */
    static int writePart(String s, byte[] b, int p) {
        int length = s.length();
        if (length < 8) {
            int i = 0;
            for (; i < length; i++) {
                char c = s.charAt(i);
                if (c >= 128 || ESCAPE[c] != 0) {
                    break;
                }
                b[p + i] = (byte) c;
            }
            if (i == length) {
                return p + length;
            }
        }
        byte[] utf8 = s.getBytes(StandardCharsets.UTF_8);
        return utf8.length == length ? copyAscii(s, utf8, b, p) : copy(s, utf8, b, p);
    }

    private static int copyAscii(String s, byte[] t, byte[] b, int p) {
        int i = 0;
        int length = t.length;
        while (i + 8 <= length) {
            long x = Words.load(t, i);
            Words.store(b, p, x);
            long m = toEscape(x) | bytesOf(x, '?');
            if (m == 0) {
                i += 8;
                p += 8;
                continue;
            }
            int k = Long.numberOfTrailingZeros(m) >>> 3;
            i += k;
            p += k;
            byte c = t[i];
            if (c == '?') {
                if (s.charAt(i) != '?') {
                    return -1;
                }
                b[p++] = c;
            } else {
                p = escape(c, b, p);
            }
            i++;
        }
        for (; i < length; i++) {
            byte c = t[i];
            if (c == '?' && s.charAt(i) != '?') {
                return -1;
            }
            if (ESCAPE[c] == 0) {
                b[p++] = c;
            } else {
                p = escape(c, b, p);
            }
        }
        return p;
    }

    private static int copy(String s, byte[] t, byte[] b, int p) {
        int i = 0;
        int length = t.length;
        int marks = 0;
        while (i + 8 <= length) {
            long x = Words.load(t, i);
            Words.store(b, p, x);
            long m = toEscape(x) | bytesOf(x, '?');
            if (m == 0) {
                i += 8;
                p += 8;
                continue;
            }
            int k = Long.numberOfTrailingZeros(m) >>> 3;
            i += k;
            p += k;
            byte c = t[i++];
            if (c == '?') {
                marks++;
                b[p++] = c;
            } else {
                p = escape(c, b, p);
            }
        }
        for (; i < length; i++) {
            byte c = t[i];
            if (c == '?') {
                marks++;
            }
            if (c < 0 || ESCAPE[c] == 0) {
                b[p++] = c;
            } else {
                p = escape(c, b, p);
            }
        }
        return marks == 0 || marks == count(s, '?') ? p : -1;
    }

    private static int count(String s, char c) {
        int n = 0;
        for (int i = s.indexOf(c); i >= 0; i = s.indexOf(c, i + 1)) {
            n++;
        }
        return n;
    }

    private static int escape(byte c, byte[] b, int p) {
        byte letter = ESCAPE[c];
        b[p] = '\\';
        b[p + 1] = letter;
        if (letter != 'u') {
            return p + 2;
        }
        b[p + 2] = '0';
        b[p + 3] = '0';
        b[p + 4] = HEX[c >> 4];
        b[p + 5] = HEX[c & 15];
        return p + 6;
    }

    /** The top bit of the lowest byte that must be escaped is the lowest bit set; bits above it mean nothing. */
    private static long toEscape(long x) {
        long quote = x ^ ONES * '"';
        long backslash = x ^ ONES * '\\';
        return (x - ONES * 0x20 | quote - ONES | backslash - ONES) & ~x & TOPS;
    }

    private static long bytesOf(long x, char c) {
        long y = x ^ ONES * c;
        return y - ONES & ~y & TOPS;
    }

    /** Where the first surrogate without its other half stands, or -1. */
    static int loneSurrogate(String s) {
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            if (!Character.isSurrogate(c)) {
                continue;
            }
            if (Character.isLowSurrogate(c) || i + 1 == s.length() || !Character.isLowSurrogate(s.charAt(i + 1))) {
                return i;
            }
            i++;
        }
        return -1;
    }
}
