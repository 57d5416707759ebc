package io.sluice.internal.json;

import java.math.BigInteger;

/**
 * Writes a double as the shortest decimal that reads back as the same double, in the layout of
 * {@link Double#toString(double)}. The digits are found by the method of Raffaello Giulietti, "The Schubfach way to render
 * doubles" (2022), whose names (g, k, h, rop) are kept here. JDK 17's own method is several times slower and does not always find the
 * shortest decimal.
 */
final class ShortestDecimal {

    /** The most bytes that {@link #write} writes, and what it may touch beyond. */
    static final int MAX_BYTES = 32;

    private static final int K_MIN = -324;
    private static final int K_MAX = 292;
    private static final long MASK_63 = Long.MAX_VALUE;

    /** For every k from K_MIN: the upper and lower 63 bits of 10^-k scaled into [2^125, 2^126), rounded up. */
    private static final long[] G = scaledPowersOfTen();

    private ShortestDecimal() {}

    private static long[] scaledPowersOfTen() {
        long[] g = new long[2 * (K_MAX - K_MIN + 1)];
        BigInteger mask = BigInteger.valueOf(MASK_63);
        for (int k = K_MIN; k <= K_MAX; k++) {
            int r = floorLog2Pow10(-k) - 125;
            BigInteger power = BigInteger.TEN.pow(Math.abs(k));
            BigInteger scaled;
            if (k <= 0) {
                scaled = r >= 0 ? power.shiftRight(r) : power.shiftLeft(-r);
            } else {
                scaled = BigInteger.ONE.shiftLeft(-r).divide(power);
            }
            scaled = scaled.add(BigInteger.ONE);
            g[2 * (k - K_MIN)] = scaled.shiftRight(63).longValueExact();
            g[2 * (k - K_MIN) + 1] = scaled.and(mask).longValueExact();
        }
        return g;
    }

    /** floor(log10(2^e)), exact for every exponent of a double. */
    private static int floorLog10Pow2(int e) {
        return (int) (e * 661_971_961_083L >> 41);
    }

    /** floor(log10(3/4 * 2^e)), exact for every exponent of a double. */
    private static int floorLog10ThreeQuartersPow2(int e) {
        return (int) (e * 661_971_961_083L - 274_743_187_321L >> 41);
    }

    /** floor(log2(10^e)), exact for every exponent of a double. */
    private static int floorLog2Pow10(int e) {
        return (int) (e * 913_124_641_741L >> 38);
    }

    /** Writes a finite value; {@code b} has {@link #MAX_BYTES} of room at {@code p}. Answers the index behind it. */
    static int write(double value, byte[] b, int p) {
        long bits = Double.doubleToRawLongBits(value);
        if (bits < 0) {
            b[p++] = '-';
        }
        long fraction = bits & 0xF_FFFF_FFFF_FFFFL;
        int exponent = (int) (bits >>> 52) & 0x7FF;
        if (exponent == 0) {
            if (fraction == 0) {
                b[p] = '0';
                b[p + 1] = '.';
                b[p + 2] = '0';
                return p + 3;
            }
            return decimal(fraction, -1074, true, b, p);
        }
        long c = fraction | 1L << 52;
        int q = exponent - 1075;
        if (q < 0 && q > -53) {
            long whole = c >> -q;
            if (whole << -q == c && whole < 10_000_000) {
                p = JsonNumbers.writeInt((int) whole, b, p);
                b[p] = '.';
                b[p + 1] = '0';
                return p + 2;
            }
        }
        return decimal(c, q, fraction != 0 || exponent == 1, b, p);
    }

    /** Shortest decimal of c * 2^q; {@code regular} where both neighbours are equally far away. */
    private static int decimal(long c, int q, boolean regular, byte[] b, int p) {
        int odd = (int) c & 1; // an even c owns the borders of its rounding interval
        long cb = c << 2;
        long cbr = cb + 2;
        long cbl;
        int k;
        if (regular) {
            cbl = cb - 2;
            k = floorLog10Pow2(q);
        } else {
            cbl = cb - 1;
            k = floorLog10ThreeQuartersPow2(q);
        }
        int h = q + floorLog2Pow10(-k) + 2;
        long g1 = G[2 * (k - K_MIN)];
        long g0 = G[2 * (k - K_MIN) + 1];
        long vb = rop(g1, g0, cb << h);
        long vbl = rop(g1, g0, cbl << h) + odd;
        long vbr = rop(g1, g0, cbr << h) - odd;
        long s = vb >> 2;
        if (s >= 100) {
            long tenfold = 10 * (s / 10);
            boolean down = vbl <= tenfold << 2;
            boolean up = tenfold + 10 << 2 <= vbr;
            if (down != up) {
                return layOut(down ? tenfold : tenfold + 10, k, b, p);
            }
        }
        long t = s + 1;
        boolean down = vbl <= s << 2;
        boolean up = t << 2 <= vbr;
        if (down != up) {
            return layOut(down ? s : t, k, b, p);
        }
        long middle = vb - (s + t << 1);
        return layOut(middle < 0 || middle == 0 && (s & 1) == 0 ? s : t, k, b, p);
    }

    /** The upper bits of g * cp, the lowest one sticky: rounded to odd. */
    private static long rop(long g1, long g0, long cp) {
        long x1 = Math.multiplyHigh(g0, cp);
        long y0 = g1 * cp;
        long y1 = Math.multiplyHigh(g1, cp);
        long z = (y0 >>> 1) + x1;
        long w = y1 + (z >>> 63);
        return w | (z & MASK_63) + MASK_63 >>> 63;
    }

    /** Writes digits * 10^k, digits > 0 and of 17 digits at most. */
    private static int layOut(long digits, int k, byte[] b, int p) {
        while (true) { // most numbers of real data end in many zeros here
            long tenth = digits / 100;
            if (tenth * 100 != digits) {
                break;
            }
            digits = tenth;
            k += 2;
        }
        long tenth = digits / 10;
        if (tenth * 10 == digits) {
            digits = tenth;
            k++;
        }
        int n = JsonNumbers.digits(digits);
        int point = n + k; // where the decimal point stands, counted from the first digit
        if (point > 0 && point <= 7) {
            if (k >= 0) {
                int end = JsonNumbers.writeLong(digits, b, p);
                for (int i = 0; i < k; i++) {
                    b[end++] = '0';
                }
                b[end] = '.';
                b[end + 1] = '0';
                return end + 2;
            }
            int end = JsonNumbers.writeLong(digits, b, p + 1);
            for (int i = 0; i < point; i++) {
                b[p + i] = b[p + i + 1];
            }
            b[p + point] = '.';
            return end;
        }
        if (point > -3 && point <= 0) {
            b[p] = '0';
            b[p + 1] = '.';
            p += 2;
            for (int i = point; i < 0; i++) {
                b[p++] = '0';
            }
            return JsonNumbers.writeLong(digits, b, p);
        }
        int end = JsonNumbers.writeLong(digits, b, p + 1);
        b[p] = b[p + 1];
        b[p + 1] = '.';
        if (n == 1) {
            b[p + 2] = '0';
            end = p + 3;
        }
        b[end] = 'E';
        return JsonNumbers.writeInt(point - 1, b, end + 1);
    }
}
