package io.sluice.internal.json;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Writes integers as decimal digits, two at a time. */
final class JsonNumbers {

    /** The most bytes that an int takes, and that a long takes. */
    static final int MAX_INT_BYTES = 11;

    static final int MAX_LONG_BYTES = 20;

    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final short[] PAIRS = new short[100];
    private static final long[] POWERS = new long[19];

    static {
        for (int i = 0; i < 100; i++) {
            PAIRS[i] = (short) ('0' + i / 10 | '0' + i % 10 << 8);
        }
        POWERS[0] = 1;
        for (int i = 1; i < POWERS.length; i++) {
            POWERS[i] = POWERS[i - 1] * 10;
        }
    }

    private JsonNumbers() {}

    /** How many decimal digits a value that is not negative has. */
    static int digits(long v) {
        int guess = (64 - Long.numberOfLeadingZeros(v | 1)) * 1233 >> 12;
        return v >= POWERS[guess] ? guess + 1 : Math.max(guess, 1);
    }

    static int writeInt(int v, byte[] b, int p) {
        if (v < 0) {
            if (v == Integer.MIN_VALUE) {
                return writeLong(v, b, p);
            }
            b[p++] = '-';
            v = -v;
        }
        if (v < 10) {
            b[p] = (byte) ('0' + v);
            return p + 1;
        }
        if (v < 100) {
            SHORT.set(b, p, PAIRS[v]);
            return p + 2;
        }
        int end = p + digits(v);
        return fill(v, b, end);
    }

    static int writeLong(long v, byte[] b, int p) {
        if (v == (int) v && v != Integer.MIN_VALUE) {
            return writeInt((int) v, b, p);
        }
        if (v < 0) {
            if (v == Long.MIN_VALUE) {
                b[p] = '-';
                b[p + 1] = '9';
                return eighteen(223_372_036_854_775_808L, b, p + 2);
            }
            b[p++] = '-';
            v = -v;
        }
        int end = p + digits(v);
        int q = end;
        while (v > Integer.MAX_VALUE) {
            long high = v / 100_000_000;
            q -= 8;
            eight((int) (v - high * 100_000_000), b, q);
            v = high;
        }
        fill((int) v, b, q);
        return end;
    }

    private static int eighteen(long v, byte[] b, int p) {
        int high = (int) (v / 10_000_000_000L);
        long rest = v - high * 10_000_000_000L;
        int middle = (int) (rest / 100);
        eight(high, b, p);
        eight(middle, b, p + 8);
        SHORT.set(b, p + 16, PAIRS[(int) (rest - middle * 100L)]);
        return p + 18;
    }

    /** Exactly eight digits, zeros in front. */
    private static void eight(int v, byte[] b, int p) {
        int high = v / 10_000;
        int low = v - high * 10_000;
        int a = high / 100;
        int c = low / 100;
        SHORT.set(b, p, PAIRS[a]);
        SHORT.set(b, p + 2, PAIRS[high - a * 100]);
        SHORT.set(b, p + 4, PAIRS[c]);
        SHORT.set(b, p + 6, PAIRS[low - c * 100]);
    }

    /** A value that is not negative, its last digit just before {@code end}. */
    private static int fill(int v, byte[] b, int end) {
        int q = end;
        while (v >= 100) {
            int rest = v / 100;
            q -= 2;
            SHORT.set(b, q, PAIRS[v - rest * 100]);
            v = rest;
        }
        if (v >= 10) {
            SHORT.set(b, q - 2, PAIRS[v]);
        } else {
            b[q - 1] = (byte) ('0' + v);
        }
        return end;
    }
}
