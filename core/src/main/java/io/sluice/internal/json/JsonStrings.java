package io.sluice.internal.json;

import java.nio.charset.StandardCharsets;

/**
 * Writes strings as JSON literals in UTF-8: quotes, backslashes and control characters are escaped, all else stands as it
 * is. Strings with a surrogate that lacks its other half are refused.
 *
 * <p>Short strings are turned into UTF-8 by the JDK, which for Latin-1 is faster than a loop over characters could be; what it
 * makes is searched for characters to escape eight bytes at a time while it is copied. Lone surrogates come out of it as {@code ?}, so
 * each {@code ?} is looked at twice. Long strings, which the JDK would copy several times if one character is beyond Latin-1, are
 * taken as characters and narrowed eight at a time as long as they are ASCII.
 */
final class JsonStrings {

    /** The longest string that {@link #write} takes; longer ones are written in pieces by {@link #writeChars}. */
    static final int PART = 8192;

    /** From this length on strings are taken as characters. */
    private static final int LONG = 256;

    /** Characters taken at a time: few enough to stay in the innermost cache. */
    static final int CHARS = 1024;

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
    static int write(String s, char[] scratch, byte[] b, int p) {
        b[p] = '"';
        p = s.length() < LONG ? writeShort(s, b, p + 1) : writeChars(s, 0, s.length(), scratch, b, p + 1);
        if (p >= 0) {
            b[p++] = '"';
        }
        return p;
    }

    /**
     * Writes the characters from {@code from} to {@code to}, without quotes; must not end between two halves of a surrogate pair.
     *
     * @param scratch {@link #CHARS} characters to work with
     */
    static int writeChars(String s, int from, int to, char[] scratch, byte[] b, int p) {
        while (from < to && p >= 0) {
            int end = Math.min(to, from + CHARS);
            if (end < to && Character.isHighSurrogate(s.charAt(end - 1))) {
                end--;
            }
            s.getChars(from, end, scratch, 0);
            p = writeChars(scratch, end - from, b, p);
            from = end;
        }
        return p;
    }

    private static int writeChars(char[] s, int length, byte[] b, int p) {
        int i = 0;
        while (i < length) {
            if (i + 8 <= length) {
                int low = s[i] | s[i + 1] << 8 | s[i + 2] << 16 | s[i + 3] << 24;
                int high = s[i + 4] | s[i + 5] << 8 | s[i + 6] << 16 | s[i + 7] << 24;
                int any = s[i] | s[i + 1] | s[i + 2] | s[i + 3] | s[i + 4] | s[i + 5] | s[i + 6] | s[i + 7];
                if (any < 0x80) {
                    long x = low & 0xFFFFFFFFL | (long) high << 32;
                    Words.store(b, p, x);
                    long m = toEscape(x);
                    if (m == 0) {
                        i += 8;
                        p += 8;
                    } else {
                        int k = Long.numberOfTrailingZeros(m) >>> 3;
                        p = escape((byte) s[i + k], b, p + k);
                        i += k + 1;
                    }
                    continue;
                }
            }
            // a wide character is seldom alone: a few one by one before eight are tried again
            for (int end = Math.min(length, i + 8); i < end; i++) {
                char c = s[i];
                if (c < 0x80) {
                    if (ESCAPE[c] == 0) {
                        b[p++] = (byte) c;
                    } else {
                        p = escape((byte) c, b, p);
                    }
                } else if (c < 0x800) {
                    b[p] = (byte) (0xC0 | c >> 6);
                    b[p + 1] = (byte) (0x80 | c & 0x3F);
                    p += 2;
                } else if (!Character.isSurrogate(c)) {
                    b[p] = (byte) (0xE0 | c >> 12);
                    b[p + 1] = (byte) (0x80 | c >> 6 & 0x3F);
                    b[p + 2] = (byte) (0x80 | c & 0x3F);
                    p += 3;
                } else if (Character.isHighSurrogate(c) && i + 1 < length && Character.isLowSurrogate(s[i + 1])) {
                    int point = Character.toCodePoint(c, s[++i]);
                    b[p] = (byte) (0xF0 | point >> 18);
                    b[p + 1] = (byte) (0x80 | point >> 12 & 0x3F);
                    b[p + 2] = (byte) (0x80 | point >> 6 & 0x3F);
                    b[p + 3] = (byte) (0x80 | point & 0x3F);
                    p += 4;
                } else {
                    return -1;
                }
            }
        }
        return p;
    }

    private static int writeShort(String s, byte[] b, int p) {
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
        int rest = length - i;
        if (rest > 0 && length >= 8) {
            // the last bytes at once, moved down over those already written, with letters in their places above
            long x = Words.load(t, length - 8) >>> (8 - rest << 3) | ONES * 'a' << (rest << 3);
            if ((toEscape(x) | bytesOf(x, '?')) == 0) {
                Words.store(b, p, x);
                return p + rest;
            }
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
