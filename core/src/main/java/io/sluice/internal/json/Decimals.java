package io.sluice.internal.json;

import java.math.BigInteger;

/**
 * The double nearest to a decimal number, always exact (ties to even): Clinger's short cut where both parts are exact doubles, else
 * the algorithm of D. Lemire, "Number parsing at a gigabyte per second" (2021).
 */
public final class Decimals {

    private static final double[] EXACT_POWERS = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22
    };

    private Decimals() {}

    /** The double nearest to {@code digits * 10^exponent}; {@code digits} is unsigned. Infinite where it is too large. */
    public static double toDouble(long digits, int exponent) {
        if (digits >>> 53 == 0 && exponent >= -22 && exponent <= 22) {
            return exponent < 0 ? (double) digits / EXACT_POWERS[-exponent] : (double) digits * EXACT_POWERS[exponent];
        }
        return scaled(digits, exponent);
    }

    private static double scaled(long digits, int exponent) {
        if (digits == 0 || exponent < Powers.MIN) {
            return 0;
        }
        if (exponent > Powers.MAX) {
            return Double.POSITIVE_INFINITY;
        }
        int zeros = Long.numberOfLeadingZeros(digits);
        long w = digits << zeros;
        int index = 2 * (exponent - Powers.MIN);
        long power = Powers.OF_FIVE[index];
        long high = multiplyHigh(w, power);
        long low = w * power;
        if ((high & 0x1FF) == 0x1FF) { // the bits that are missing could carry into those that count
            long more = multiplyHigh(w, Powers.OF_FIVE[index + 1]);
            low += more;
            if (Long.compareUnsigned(low, more) < 0) {
                high++;
            }
        }
        int top = (int) (high >>> 63);
        long mantissa = high >>> (top + 9);
        // floor(log2(10^exponent)), by 217706 / 65536 for log2(10)
        int binary = ((217706 * exponent) >> 16) + 63 + top - zeros + 1023;
        if (binary <= 0) {
            return subnormal(mantissa, binary);
        }
        if (Long.compareUnsigned(low, 1) <= 0
                && exponent >= -4
                && exponent <= 23
                && (mantissa & 3) == 1
                && mantissa << (top + 9) == high) {
            mantissa &= ~1; // exactly half-way: to even
        }
        mantissa += mantissa & 1;
        mantissa >>>= 1;
        if (mantissa >= 1L << 53) {
            mantissa = 1L << 52;
            binary++;
        }
        if (binary >= 0x7FF) {
            return Double.POSITIVE_INFINITY;
        }
        return Double.longBitsToDouble((mantissa & ~(1L << 52)) | (long) binary << 52);
    }

    private static double subnormal(long mantissa, int binary) {
        int shift = 1 - binary;
        if (shift >= 64) {
            return 0;
        }
        long m = mantissa >>> shift;
        m += m & 1;
        m >>>= 1;
        // 2^52 is the smallest normal number, whose bits happen to be just that
        return Double.longBitsToDouble(m);
    }

    private static long multiplyHigh(long a, long b) {
        return Math.multiplyHigh(a, b) + (a & (b >> 63)) + (b & (a >> 63));
    }

    /** 128 bits of 5^q, top bit set, for q from MIN to MAX: rounded down, or up for the reciprocals of negative q. */
    private static final class Powers {
        static final int MIN = -342;
        static final int MAX = 308;
        static final long[] OF_FIVE = new long[2 * (MAX - MIN + 1)];

        static {
            BigInteger five = BigInteger.valueOf(5);
            BigInteger power = BigInteger.ONE;
            for (int q = 0; q <= MAX; q++, power = power.multiply(five)) {
                int excess = power.bitLength() - 128;
                put(q, excess > 0 ? power.shiftRight(excess) : power.shiftLeft(-excess));
            }
            power = five;
            for (int q = -1; q >= MIN; q--, power = power.multiply(five)) {
                int z = power.bitLength(); // 5^n is no power of two, so this is ceil(log2)
                BigInteger reciprocal = BigInteger.ONE
                        .shiftLeft(q >= -27 ? z + 127 : 2 * z + 128)
                        .divide(power)
                        .add(BigInteger.ONE);
                put(q, reciprocal.shiftRight(Math.max(0, reciprocal.bitLength() - 128)));
            }
        }

        private static void put(int q, BigInteger bits) {
            OF_FIVE[2 * (q - MIN)] = bits.shiftRight(64).longValue();
            OF_FIVE[2 * (q - MIN) + 1] = bits.longValue();
        }

        private Powers() {}
    }
}
