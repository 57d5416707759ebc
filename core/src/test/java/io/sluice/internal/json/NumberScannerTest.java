package io.sluice.internal.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.RecordException.Kind;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NumberScannerTest {

    private final NumberScanner scanner = new NumberScanner(false, 1000);

    private int scan(String number) {
        byte[] text = (number + ",").getBytes(StandardCharsets.ISO_8859_1);
        byte[] padded = Arrays.copyOf(text, text.length + Lines.PADDING);
        int kind = scanner.scan(padded, 0);
        assertThat(scanner.end).as(number).isEqualTo(number.length());
        return kind;
    }

    private void assertDouble(String number) {
        double expected = Double.parseDouble(number);
        if (Double.isInfinite(expected)) {
            assertThatThrownBy(() -> scan(number))
                    .as(number)
                    .isInstanceOfSatisfying(
                            JsonFailure.class, e -> assertThat(e.kind()).isEqualTo(Kind.UNEXPECTED_TYPE));
            return;
        }
        int kind = scan(number);
        // not assertThat: it is called millions of times
        if (kind != NumberScanner.DECIMAL
                || Double.doubleToRawLongBits(scanner.decimal) != Double.doubleToRawLongBits(expected)) {
            assertThat(scanner.decimal).as(number).isEqualTo(expected);
            assertThat(kind).isEqualTo(NumberScanner.DECIMAL);
        }
    }

    @Test
    void integersOfEveryLength() {
        Random random = new Random(1);
        for (int length = 1; length <= 40; length++) {
            for (int round = 0; round < 2000; round++) {
                StringBuilder digits = new StringBuilder(random.nextBoolean() ? "-" : "");
                digits.append((char) (length == 1 ? '0' + random.nextInt(10) : '1' + random.nextInt(9)));
                for (int i = 1; i < length; i++) {
                    digits.append((char) ('0' + random.nextInt(10)));
                }
                assertInteger(digits.toString());
            }
        }
    }

    @Test
    void integersAtTheEdges() {
        for (String edge :
                new String[] {"0", "-0", "99999999", "100000000", "999999999999999999", "1000000000000000000"}) {
            assertInteger(edge);
        }
        for (long edge : new long[] {Integer.MAX_VALUE, Integer.MIN_VALUE, Long.MAX_VALUE, Long.MIN_VALUE}) {
            for (int d = -12; d <= 12; d++) {
                assertInteger(
                        BigInteger.valueOf(edge).add(BigInteger.valueOf(d)).toString());
            }
        }
    }

    private void assertInteger(String number) {
        BigInteger expected = new BigInteger(number);
        int kind = scan(number);
        if (expected.bitLength() > 63) {
            assertThat(kind).as(number).isEqualTo(NumberScanner.BIG_INTEGER);
        } else if (kind != NumberScanner.LONG || scanner.integer != expected.longValueExact()) {
            assertThat(scanner.integer).as(number).isEqualTo(expected.longValueExact());
            assertThat(kind).isEqualTo(NumberScanner.LONG);
        }
    }

    @Test
    void everyPowerOfTen() {
        for (int power = -400; power <= 400; power++) {
            for (String digits :
                    new String[] {"1", "9", "1.7976931348623157", "9007199254740993", "123456789012345678"}) {
                assertDouble(digits + "e" + power);
                assertDouble("-" + digits + "E" + (power >= 0 ? "+" : "") + power);
            }
        }
    }

    @Test
    void shortestSpellingsOfRandomDoubles() {
        Random random = new Random(2);
        for (int i = 0; i < 500_000; i++) {
            double d = Double.longBitsToDouble(random.nextLong());
            if (Double.isFinite(d)) {
                assertDouble(Double.toString(d));
            }
        }
        for (int i = 0; i < 500_000; i++) {
            assertDouble(Double.toString(Math.round(random.nextDouble() * 1e9) / Math.pow(10, random.nextInt(9))));
        }
    }

    @Test
    void randomDecimals() {
        Random random = new Random(3);
        for (int i = 0; i < 1_000_000; i++) {
            StringBuilder number = new StringBuilder();
            number.append(1 + random.nextInt(9));
            for (int n = random.nextInt(20); n > 0; n--) {
                number.append((char) ('0' + random.nextInt(10)));
            }
            number.append('.');
            for (int n = random.nextInt(20); n >= 0; n--) {
                number.append((char) ('0' + random.nextInt(10)));
            }
            if (random.nextBoolean()) {
                number.append('e').append(random.nextInt(700) - 350);
            }
            assertDouble(number.toString());
        }
    }

    /** Decimals just at, above and below the middle between two doubles, where only the last digit decides. */
    @Test
    void halfWayBetweenTwoDoubles() {
        Random random = new Random(4);
        for (int i = 0; i < 20_000; i++) {
            long bits = random.nextLong() & 0x7FFFFFFFFFFFFFFFL;
            if (i % 3 == 0) { // of a size where the middle has few digits, and takes the quick way
                bits = Double.doubleToLongBits((double) (1L << 52) * (1 + random.nextInt(8)) + random.nextInt(1 << 30));
            }
            if (i % 100 == 1) { // subnormal
                bits &= 0xFFFFFFFFFFFFFL;
            }
            double low = Double.longBitsToDouble(bits);
            double high = Math.nextUp(low);
            if (!Double.isFinite(high)) {
                continue;
            }
            BigDecimal middle = new BigDecimal(low).add(new BigDecimal(high)).divide(BigDecimal.valueOf(2));
            String digits = middle.unscaledValue().toString();
            int power = -middle.scale();
            assertDouble(digits + "e" + power);
            assertDouble(digits + "0001e" + (power - 4));
            assertDouble(new BigInteger(digits).subtract(BigInteger.ONE) + "9e" + (power - 1));
            assertDouble(digits.charAt(0) + "." + digits.substring(1) + "0e" + (power + digits.length() - 1));
            if (digits.length() > 19) {
                assertDouble(digits.substring(0, 19) + "e" + (power + digits.length() - 19));
                assertDouble(digits.substring(0, 18) + "e" + (power + digits.length() - 18));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0.0",
                "-0.0",
                "0e0",
                "0e999999999999",
                "0.00000000000000000000000000000000000000000000000001e60",
                "5e-324",
                "2.4703282292062327e-324",
                "2.4703282292062328e-324",
                "2.2250738585072011e-308",
                "2.2250738585072014e-308",
                "1.7976931348623157e308",
                "1.7976931348623158e308",
                "1.7976931348623159e308",
                "1e-99999999999999999999",
                "1e99999999999999999999",
                "123456789012345678901234567890123456789012345678901234567890e-60",
                "0.000000000000000000000000000000000000000000000000000012345678901234567890123",
                "8.41e21",
                "9007199254740993.0",
                "9007199254740992.99999999999999999999999999999999999999999999",
                "7.3177701707893310e15",
                "6250000000000000000.5e-18"
            })
    void hardOnes(String number) {
        assertDouble(number);
    }

    @Test
    void manyDigits() {
        assertDouble("0." + "0".repeat(5000) + "1e5001");
        assertDouble("1" + "0".repeat(400) + "e-400");
        assertDouble("1." + "9".repeat(20_000));
        assertDouble("9".repeat(2000) + "e-1990");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "-", "+1", ".5", "-.5", "01", "-00", "1.", "1.e5", "1e", "1e+", "1e-x", "00000000.1", "--1"})
    void noNumbers(String number) {
        assertThatThrownBy(() -> scan(number))
                .isInstanceOfSatisfying(
                        JsonFailure.class, e -> assertThat(e.kind()).isEqualTo(Kind.MALFORMED));
    }

    @Test
    void tooManyDigitsForAnInteger() {
        assertThat(scan("1".repeat(1000))).isEqualTo(NumberScanner.BIG_INTEGER);
        assertThatThrownBy(() -> scan("1".repeat(1001)))
                .isInstanceOfSatisfying(
                        JsonFailure.class, e -> assertThat(e.kind()).isEqualTo(Kind.UNEXPECTED_TYPE))
                .hasMessage("a number of 1001 digits is longer than maxNumberDigits, 1000");
    }
}
