package io.sluice.internal.json;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShortestDecimalTest {

    private final byte[] buffer = new byte[64];

    private String write(double value) {
        return new String(buffer, 5, ShortestDecimal.write(value, buffer, 5) - 5, StandardCharsets.ISO_8859_1);
    }

    @ParameterizedTest
    @CsvSource({
        "0.0, 0.0",
        "-0.0, -0.0",
        "1.0, 1.0",
        "-1.5, -1.5",
        "1.1, 1.1",
        "100.0, 100.0",
        "0.001, 0.001",
        "0.00123, 0.00123",
        "0.000999, 9.99E-4",
        "1234567.0, 1234567.0",
        "9999999.0, 9999999.0",
        "1.0E7, 1.0E7",
        "12345678.0, 1.2345678E7",
        "123456.789, 123456.789",
        "1.0E23, 1.0E23",
        "2.0E-3, 0.002",
        "2.2250738585072014E-308, 2.2250738585072014E-308",
        "1.7976931348623157E308, 1.7976931348623157E308",
        "4.9E-324, 5.0E-324",
        "9.007199254740993E15, 9.007199254740992E15",
        "2.98023223876953125E-8, 2.9802322387695312E-8",
        "-7.3879E20, -7.3879E20"
    })
    void laysOutAsDoubleToStringDoes(double value, String text) {
        assertThat(write(value)).isEqualTo(text);
    }

    @Test
    void readsBackAndIsNoLongerThanTheJdks() {
        Random random = new Random(7);
        for (int i = 0; i < 100_000; i++) {
            check(Double.longBitsToDouble(random.nextLong()));
            check(random.nextDouble());
            check(random.nextInt(2_000_000) / 1000.0);
            check(random.nextLong() >> random.nextInt(64));
            check(Math.scalb(1.0, random.nextInt(2098) - 1074)); // irregular neighbours
            check(Math.nextDown(Math.scalb(1.0, random.nextInt(2098) - 1074)));
        }
    }

    private void check(double value) {
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            return;
        }
        String text = write(value);
        long bits = Double.doubleToRawLongBits(value);
        if (Double.doubleToRawLongBits(Double.parseDouble(text))
                != bits) { // a million assertions would take their time
            assertThat(text).as("reads back").isEqualTo(Double.toString(value));
            throw new AssertionError(text + " does not read back as bits " + Long.toHexString(bits));
        }
        String theirs = Double.toString(value);
        if (!text.equals(theirs)) { // 2.0E-3 and such: JDK 17 writes some digits too many, and 4.9E-324 for 5E-324
            assertThat(digits(text)).as("%s, JDK: %s", text, theirs).isLessThanOrEqualTo(digits(theirs));
        }
    }

    private static int digits(String text) {
        return new BigDecimal(text).stripTrailingZeros().precision();
    }

    @Test
    void integersOfEveryLength() {
        long power = 1;
        for (int i = 0; i < 19; i++, power *= 10) {
            for (long v : new long[] {power - 1, power, power + 1, power * 9, power * 5 + 7}) {
                for (long w : new long[] {v, -v}) {
                    assertThat(integer(w)).isEqualTo(Long.toString(w));
                    assertThat(new String(buffer, 0, JsonNumbers.writeInt((int) w, buffer, 0), StandardCharsets.UTF_8))
                            .isEqualTo(Integer.toString((int) w));
                }
            }
        }
        for (long v : new long[] {Long.MIN_VALUE, Long.MAX_VALUE, Integer.MIN_VALUE, Integer.MAX_VALUE, 1L << 31}) {
            assertThat(integer(v)).isEqualTo(Long.toString(v));
        }
        Random random = new Random(11);
        for (int i = 0; i < 200_000; i++) {
            long v = random.nextLong() >> random.nextInt(64);
            if (!integer(v).equals(Long.toString(v))) {
                assertThat(integer(v)).isEqualTo(Long.toString(v));
            }
        }
    }

    private String integer(long v) {
        return new String(buffer, 0, JsonNumbers.writeLong(v, buffer, 0), StandardCharsets.ISO_8859_1);
    }
}
