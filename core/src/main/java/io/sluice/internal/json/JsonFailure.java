package io.sluice.internal.json;

import io.sluice.RecordException.Kind;

/** Why a record is refused, and at which index of the array. Has no stack trace: it never leaves the decoder. */
public class JsonFailure extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final Kind kind;
    private final int at;

    public JsonFailure(Kind kind, String reason, int at) {
        super(reason, null, false, false);
        this.kind = kind;
        this.at = at;
    }

    /** The sort of failure; MALFORMED where the line's end was the trouble, see {@link Lines#malformedAt}. */
    public Kind kind() {
        return kind;
    }

    /** Index of the byte that was wrong. */
    public int at() {
        return at;
    }

    /** Refuses what stands at {@code at}, where {@code expected} should be. */
    public static JsonFailure expected(String expected, byte[] b, int at) {
        String found = describe(b[at]);
        return new JsonFailure(Kind.MALFORMED, "expected " + expected + ", found " + found, at);
    }

    static String describe(byte c) {
        if (c == '\n') {
            return "the end of the line";
        }
        if (c > ' ' && c < 0x7F) {
            return "'" + (char) c + "'";
        }
        return "the byte 0x" + "0123456789ABCDEF".charAt(c >> 4 & 15) + "0123456789ABCDEF".charAt(c & 15);
    }
}
