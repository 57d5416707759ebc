package io.sluice.internal.json;

import io.sluice.RecordException.Kind;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Decodes JSON strings that hold escapes or more than ASCII, strictly: ill-formed UTF-8 (Unicode 15, table 3-7) and surrogates
 * without their other half are refused, never replaced. Reused, single-threaded.
 *
 * <p>Text is gathered as Latin-1 bytes, which a String takes as they are, and as chars from the first one that needs them.
 */
final class TextDecoder {

    private static final int KEPT = 1 << 20;

    /** What the byte behind a backslash stands for; 0: nothing. */
    private static final byte[] ESCAPES = new byte[256];

    /** Values of hexadecimal digits, -1 for all other bytes. */
    private static final byte[] HEX = new byte[256];

    static {
        ESCAPES['"'] = '"';
        ESCAPES['\\'] = '\\';
        ESCAPES['/'] = '/';
        ESCAPES['b'] = '\b';
        ESCAPES['f'] = '\f';
        ESCAPES['n'] = '\n';
        ESCAPES['r'] = '\r';
        ESCAPES['t'] = '\t';
        Arrays.fill(HEX, (byte) -1);
        for (int i = 0; i < 10; i++) {
            HEX['0' + i] = (byte) i;
        }
        for (int i = 0; i < 6; i++) {
            HEX['a' + i] = (byte) (10 + i);
            HEX['A' + i] = (byte) (10 + i);
        }
    }

    private byte[] narrow = new byte[1024];
    private char[] wide = new char[1024];

    /** Index behind the closing quote, after {@link #decode}. */
    int end;

    /**
     * Decodes the string whose first byte is at {@code start} and whose bytes before {@code stop} are plain ASCII.
     *
     * @throws JsonFailure not a string
     */
    String decode(byte[] b, int start, int stop) {
        byte[] out = narrow;
        int o = stop - start;
        if (o + 16 > out.length) {
            out = growNarrow(0, o + 16);
        }
        System.arraycopy(b, start, out, 0, o);
        int p = stop;
        while (true) {
            if (o + 8 > out.length) {
                out = growNarrow(o, o + 8);
            }
            long w = Words.load(b, p);
            long stops = Words.stops(w);
            Words.store(out, o, w);
            if (stops == 0) {
                p += 8;
                o += 8;
                continue;
            }
            int n = Words.lowest(stops);
            p += n;
            o += n;
            byte c = b[p];
            if (c == '\\') {
                byte plain = ESCAPES[b[p + 1] & 0xFF];
                if (plain != 0) {
                    out[o++] = plain;
                    p += 2;
                    continue;
                }
                int unit = unit(b, p);
                if (unit > 0xFF) {
                    return decodeWide(b, p, o);
                }
                out[o++] = (byte) unit;
                p += 6;
            } else if (c == '"') {
                end = p + 1;
                String text = new String(out, 0, o, StandardCharsets.ISO_8859_1);
                if (out.length > KEPT) {
                    narrow = new byte[1024];
                }
                return text;
            } else if ((c & 0xFE) == 0xC2 && b[p + 1] < (byte) 0xC0) {
                out[o++] = (byte) (c << 6 | b[p + 1] & 0x3F);
                p += 2;
            } else if (c < 0) {
                return decodeWide(b, p, o);
            } else {
                throw control(b, p);
            }
        }
    }

    private byte[] growNarrow(int used, int wanted) {
        byte[] grown = new byte[Math.max(wanted, narrow.length * 2)];
        System.arraycopy(narrow, 0, grown, 0, used);
        narrow = grown;
        return grown;
    }

    private char[] growWide(int used, int wanted) {
        char[] grown = new char[Math.max(wanted, wide.length * 2)];
        System.arraycopy(wide, 0, grown, 0, used);
        wide = grown;
        return grown;
    }

    /** Goes on at {@code p} after {@code length} narrow characters. */
    private String decodeWide(byte[] b, int p, int length) {
        char[] out = wide;
        int o = length;
        if (o + 16 > out.length) {
            out = growWide(0, o + 16);
        }
        byte[] before = narrow;
        for (int i = 0; i < o; i++) {
            out[i] = (char) (before[i] & 0xFF);
        }
        if (before.length > KEPT) {
            narrow = new byte[1024];
        }
        while (true) {
            if (o + 8 > out.length) {
                out = growWide(o, o + 8);
            }
            byte c = b[p];
            if (c < 0) {
                int v = Words.loadInt(b, p);
                if ((v & 0x00C0C0F0) == 0x008080E0) {
                    int unit = (v & 0x0F) << 12 | (v & 0x3F00) >> 2 | (v & 0x3F0000) >> 16;
                    if (unit < 0x800 || (unit & 0xF800) == 0xD800) {
                        throw illFormed(b, p);
                    }
                    out[o++] = (char) unit;
                    p += 3;
                } else if ((v & 0xC0E0) == 0x80C0) {
                    int unit = (v & 0x1F) << 6 | (v & 0x3F00) >> 8;
                    if (unit < 0x80) {
                        throw illFormed(b, p);
                    }
                    out[o++] = (char) unit;
                    p += 2;
                } else if ((v & 0xC0C0C0F8) == 0x808080F0) {
                    int point = (v & 0x07) << 18 | (v & 0x3F00) << 4 | (v & 0x3F0000) >> 10 | (v & 0x3F000000) >>> 24;
                    if (point < 0x10000 || point > 0x10FFFF) {
                        throw illFormed(b, p);
                    }
                    out[o] = (char) (0xD7C0 + (point >> 10));
                    out[o + 1] = (char) (0xDC00 + (point & 0x3FF));
                    o += 2;
                    p += 4;
                } else {
                    throw illFormed(b, p);
                }
                continue;
            }
            if (c == '\\') {
                byte plain = ESCAPES[b[p + 1] & 0xFF];
                if (plain != 0) {
                    out[o++] = (char) plain;
                    p += 2;
                    continue;
                }
                int unit = unit(b, p);
                out[o++] = (char) unit;
                if ((unit & 0xF800) == 0xD800) {
                    out[o++] = otherHalf(b, p, unit);
                    p += 6;
                }
                p += 6;
                continue;
            }
            long w = Words.load(b, p);
            long stops = Words.stops(w);
            out[o] = (char) (w & 0xFF);
            out[o + 1] = (char) (w >>> 8 & 0xFF);
            out[o + 2] = (char) (w >>> 16 & 0xFF);
            out[o + 3] = (char) (w >>> 24 & 0xFF);
            out[o + 4] = (char) (w >>> 32 & 0xFF);
            out[o + 5] = (char) (w >>> 40 & 0xFF);
            out[o + 6] = (char) (w >>> 48 & 0xFF);
            out[o + 7] = (char) (w >>> 56);
            if (stops == 0) {
                p += 8;
                o += 8;
                continue;
            }
            int n = Words.lowest(stops);
            p += n;
            o += n;
            c = b[p];
            if (c == '"') {
                end = p + 1;
                String text = new String(out, 0, o);
                if (out.length > KEPT) {
                    wide = new char[1024];
                }
                return text;
            }
            if (c >= 0 && c < ' ') {
                throw control(b, p);
            }
        }
    }

    /** The UTF-16 unit that the escape at {@code p} stands for; no escape of the short ones. */
    static int unit(byte[] b, int p) {
        if (b[p + 1] != 'u') {
            throw JsonFailure.expected("one of \"\\/bfnrtu after a backslash", b, p + 1);
        }
        int unit = HEX[b[p + 2] & 0xFF] << 12
                | HEX[b[p + 3] & 0xFF] << 8
                | HEX[b[p + 4] & 0xFF] << 4
                | HEX[b[p + 5] & 0xFF];
        if (unit < 0) {
            int at = p + 2;
            while (HEX[b[at] & 0xFF] >= 0) {
                at++;
            }
            throw JsonFailure.expected("four hexadecimal digits after \\u", b, at);
        }
        return unit;
    }

    static char otherHalf(byte[] b, int p, int unit) {
        if (unit < 0xDC00 && b[p + 6] == '\\' && b[p + 7] == 'u') {
            int low = unit(b, p + 6);
            if ((low & 0xFC00) == 0xDC00) {
                return (char) low;
            }
        }
        throw new JsonFailure(
                Kind.INVALID_UNICODE, "a surrogate without its other half: \\u" + Integer.toHexString(unit), p);
    }

    /** What to say of a byte beyond ASCII that begins no character. */
    static JsonFailure illFormed(byte[] b, int p) {
        int lead = b[p] & 0xFF;
        int wanted =
                lead >= 0xF0 && lead < 0xF5 ? 4 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xC2 && lead < 0xE0 ? 2 : 1;
        for (int i = 1; i < wanted; i++) {
            if (b[p + i] == '\n') {
                return JsonFailure.expected("the rest of a character", b, p + i);
            }
            if ((b[p + i] & 0xC0) != 0x80) {
                break;
            }
        }
        return new JsonFailure(
                Kind.INVALID_UNICODE, "not UTF-8: " + JsonFailure.describe(b[p]) + " begins no character", p);
    }

    /** What to say of a control character within a string, or of its end being missing. */
    static JsonFailure control(byte[] b, int p) {
        if (b[p] == '\n') {
            return JsonFailure.expected("the end of a string", b, p);
        }
        return new JsonFailure(
                Kind.MALFORMED, "a control character in a string must be escaped: " + JsonFailure.describe(b[p]), p);
    }
}
