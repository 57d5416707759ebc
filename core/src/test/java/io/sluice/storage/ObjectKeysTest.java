package io.sluice.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ObjectKeysTest {

    @Test
    void ordersByUtf8Bytes() {
        Random random = new Random(5);
        int[] codePoints = {'a', 'b', '/', '0', 'é', '日', 0xD7FF, 0xE000, 0xFF5E, 0x10000, 0x1F600, 0x10FFFF};
        for (int i = 0; i < 20_000; i++) {
            String a = text(random, codePoints);
            String b = text(random, codePoints);
            int expected =
                    Arrays.compareUnsigned(a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));
            assertThat(Integer.signum(ObjectKeys.ORDER.compare(a, b)))
                    .as("%s against %s", a, b)
                    .isEqualTo(Integer.signum(expected));
        }
    }

    private static String text(Random random, int[] codePoints) {
        StringBuilder text = new StringBuilder();
        for (int n = random.nextInt(4); n > 0; n--) {
            text.appendCodePoint(codePoints[random.nextInt(codePoints.length)]);
        }
        return text.toString();
    }
}
