package io.sluice.internal.json;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Searches for line ends eight bytes at a time (SWAR: exact zero-byte detection in a 64-bit word). */
public final class Newlines {

    static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private static final long NEWLINES = 0x0A0A0A0A0A0A0A0AL;
    private static final long LOW = 0x7F7F7F7F7F7F7F7FL;
    private static final long ONES = 0x0101010101010101L;
    private static final long HIGH = 0x8080808080808080L;

    private Newlines() {}

    /** The first newline in {@code [from, to)}, or -1. */
    public static int first(byte[] bytes, int from, int to) {
        int p = from;
        for (; p + 32 <= to; p += 32) {
            long a = (long) LONG.get(bytes, p) ^ NEWLINES;
            long b = (long) LONG.get(bytes, p + 8) ^ NEWLINES;
            long c = (long) LONG.get(bytes, p + 16) ^ NEWLINES;
            long d = (long) LONG.get(bytes, p + 24) ^ NEWLINES;
            // may also flag bytes above a real hit, never without one
            long hit = ((a - ONES) & ~a) | ((b - ONES) & ~b) | ((c - ONES) & ~c) | ((d - ONES) & ~d);
            if ((hit & HIGH) != 0) {
                break;
            }
        }
        for (; p + 8 <= to; p += 8) {
            long x = (long) LONG.get(bytes, p) ^ NEWLINES;
            long hit = (x - ONES) & ~x & HIGH;
            if (hit != 0) {
                return p + (Long.numberOfTrailingZeros(hit) >>> 3);
            }
        }
        for (; p < to; p++) {
            if (bytes[p] == '\n') {
                return p;
            }
        }
        return -1;
    }

    /** The last newline in {@code [from, to)}, or -1. */
    public static int last(byte[] bytes, int from, int to) {
        int p = to;
        for (; p - 8 >= from; p -= 8) {
            long x = (long) LONG.get(bytes, p - 8) ^ NEWLINES;
            // exact in every byte, as the highest hit is wanted
            long hit = ~(((x & LOW) + LOW) | x | LOW);
            if (hit != 0) {
                return p - 1 - (Long.numberOfLeadingZeros(hit) >>> 3);
            }
        }
        for (; p > from; p--) {
            if (bytes[p - 1] == '\n') {
                return p - 1;
            }
        }
        return -1;
    }
}
