package io.sluice.internal.json;

import io.sluice.RecordException.Kind;
import java.nio.charset.StandardCharsets;

/**
 * Reads a JSON number, digits eight at a time. Reused, single-threaded: {@link #scan} tells what it is and leaves its value in
 * the fields. The number must be followed by a byte that belongs to none, and by {@link Lines#PADDING} readable bytes.
 */
public final class NumberScanner {

    /** An integer that fits a {@code long}: in {@link #integer}. */
    public static final int LONG = 0;
    /** An integer that does not: its text is all there is. */
    public static final int BIG_INTEGER = 1;
    /** Has a fraction or an exponent: in {@link #decimal}, unless only the text is wanted. */
    public static final int DECIMAL = 2;

    private static final long[] POWERS_OF_TEN = new long[19];

    static {
        POWERS_OF_TEN[0] = 1;
        for (int i = 1; i < POWERS_OF_TEN.length; i++) {
            POWERS_OF_TEN[i] = POWERS_OF_TEN[i - 1] * 10;
        }
    }

    /** An exponent beyond this makes any number of digits that an array can hold zero or infinite. */
    private static final int EXPONENT_ENOUGH = 1 << 30;

    private final boolean textOnly;
    private final int maxDigits;

    /** The value after {@link #LONG}. */
    public long integer;
    /** The value after {@link #DECIMAL}; never infinite. */
    public double decimal;
    /** Index behind the number's last byte. */
    public int end;
    /** Its exponent as written (bounded to some 10^9), after {@link #DECIMAL}. */
    public int exponent;

    /**
     * @param textOnly whether decimals are wanted as their text
     * @param maxDigits the most digits that a number may have whose text is wanted
     */
    public NumberScanner(boolean textOnly, int maxDigits) {
        this.textOnly = textOnly;
        this.maxDigits = maxDigits;
    }

    /**
     * Reads the number at {@code start}.
     *
     * @return {@link #LONG}, {@link #BIG_INTEGER} or {@link #DECIMAL}
     * @throws JsonFailure no number, or one that is refused for its size
     */
    public int scan(byte[] b, int start) {
        int p = start;
        boolean negative = b[p] == '-';
        if (negative) {
            p++;
        }
        int first = p;
        long digits = Words.unzeroed(Words.load(b, p));
        long others = Words.nonDigits(digits);
        long value;
        if (others != 0) {
            int n = Words.lowest(others);
            if (n == 0) {
                throw JsonFailure.expected("a digit", b, p);
            }
            value = Words.eightDigits(digits << (64 - 8 * n));
            p += n;
        } else {
            value = Words.eightDigits(digits);
            p += 8;
            for (int q = first + 18; p < q && isDigit(b[p]); p++) {
                value = value * 10 + (b[p] - '0');
            }
        }
        byte c = b[p];
        if (b[first] == '0' && p - first > 1) {
            throw new JsonFailure(Kind.MALFORMED, "a number begins with a superfluous 0", first);
        }
        if (c == '.' || (c | 0x20) == 'e') {
            return decimal(b, start, first, p, value);
        }
        if (isDigit(c)) {
            return longInteger(b, start, first, p, value);
        }
        integer = negative ? -value : value;
        end = p;
        return LONG;
    }

    static boolean isDigit(byte c) {
        return c >= '0' && c <= '9';
    }

    /** Has more than 18 digits. */
    private int longInteger(byte[] b, int start, int first, int nineteenth, long of18) {
        int p = nineteenth;
        while (isDigit(b[p])) {
            p++;
        }
        if (b[p] == '.' || (b[p] | 0x20) == 'e') {
            return decimal(b, start, first, p, 0);
        }
        end = p;
        boolean negative = first > start;
        if (p == nineteenth + 1) {
            int last = b[nineteenth] - '0';
            long edge = Long.MAX_VALUE / 10;
            if (of18 < edge || (of18 == edge && last <= (negative ? 8 : 7))) {
                // -2^63 wraps around to itself
                long value = of18 * 10 + last;
                integer = negative ? -value : value;
                return LONG;
            }
        }
        checkDigits(p - first, start);
        return BIG_INTEGER;
    }

    private void checkDigits(int count, int start) {
        if (count > maxDigits) {
            throw new JsonFailure(
                    Kind.UNEXPECTED_TYPE,
                    "a number of " + count + " digits is longer than maxNumberDigits, " + maxDigits,
                    start);
        }
    }

    /** {@code value} counts only where there are at most 18 digits before {@code p}, the dot or the exponent. */
    private int decimal(byte[] b, int start, int first, int p, long value) {
        int digits = p - first;
        int fraction = 0;
        long all = value;
        int q = p;
        if (b[q] == '.') {
            q++;
            int from = q;
            long word = Words.unzeroed(Words.load(b, q));
            long others = Words.nonDigits(word);
            int n;
            while (others == 0) {
                q += 8;
                if (q - from + digits <= 18) {
                    all = all * 100_000_000 + Words.eightDigits(word);
                }
                word = Words.unzeroed(Words.load(b, q));
                others = Words.nonDigits(word);
            }
            n = Words.lowest(others);
            q += n;
            fraction = q - from;
            if (fraction == 0) {
                throw JsonFailure.expected("a digit after the decimal point", b, q);
            }
            digits += fraction;
            if (n > 0 && digits <= 18) {
                all = all * POWERS_OF_TEN[n] + Words.eightDigits(word << (64 - 8 * n));
            }
        }
        int power = 0;
        if ((b[q] | 0x20) == 'e') {
            q++;
            boolean negative = b[q] == '-';
            if (negative || b[q] == '+') {
                q++;
            }
            if (!isDigit(b[q])) {
                throw JsonFailure.expected("a digit of the exponent", b, q);
            }
            for (; isDigit(b[q]); q++) {
                power = power >= EXPONENT_ENOUGH / 10 ? EXPONENT_ENOUGH : power * 10 + (b[q] - '0');
            }
            power = negative ? -power : power;
        }
        end = q;
        exponent = power;
        if (textOnly) {
            checkDigits(digits, start);
            return DECIMAL;
        }
        double magnitude;
        if (digits <= 18) {
            magnitude = Decimals.toDouble(all, power - fraction);
        } else {
            magnitude = ofManyDigits(b, first, q, (long) power - fraction);
        }
        if (magnitude == Double.POSITIVE_INFINITY) {
            throw new JsonFailure(Kind.UNEXPECTED_TYPE, "a number is too large for a double", start);
        }
        decimal = first > start ? -magnitude : magnitude;
        return DECIMAL;
    }

    /** More than 18 digits, with their zeros in front: decides by the first 19 of them where that can be done. */
    private static double ofManyDigits(byte[] b, int first, int to, long lowestPower) {
        int p = first;
        while (b[p] == '0' || b[p] == '.') {
            p++;
        }
        long value = 0;
        int taken = 0;
        boolean more = false;
        long dropped = 0;
        for (; p < to && (isDigit(b[p]) || b[p] == '.'); p++) {
            if (b[p] == '.') {
                continue;
            }
            if (taken < 19) {
                value = value * 10 + (b[p] - '0');
                taken++;
            } else {
                dropped++;
                more |= b[p] != '0';
            }
        }
        int power = (int) Math.max(-EXPONENT_ENOUGH, Math.min(EXPONENT_ENOUGH, lowestPower + dropped));
        double low = Decimals.toDouble(value, power);
        if (!more || low == Decimals.toDouble(value + 1, power)) {
            return low;
        }
        return Double.parseDouble(new String(b, first, to - first, StandardCharsets.ISO_8859_1));
    }
}
