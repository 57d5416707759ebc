package io.sluice.format;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.codec.Block;
import io.sluice.codec.DecodedBlock;
import io.sluice.codec.ReadLimits;
import io.sluice.codec.Rejection;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class CheckedLineDecoderTest {

    private static final ReadLimits LIMITS = new ReadLimits(1 << 16, 40, 1000);

    @Test
    void handsOnGoodLinesAsTheyAreAndRejectsTheOthers() {
        String text = "\uFEFF{\"a\":1.50}\r\n"
                + "\n"
                + "{\"a\":\n"
                + " {\"b\" : \"\\u0041\"} \n"
                + "{\"long\":\"0123456789012345678901234567890123456789\"}\n"
                + "[1]\n"
                + "{\"c\":1e2}\n"
                + "not json";

        DecodedBlock<Object[]> block = decode(text);

        assertThat(lines(block)).containsExactly("{\"a\":1.50}", " {\"b\" : \"\\u0041\"} ", "{\"c\":1e2}");
        assertThat(block.rejections())
                .extracting(r -> new String(r.raw(), StandardCharsets.UTF_8).substring(0, 3))
                .containsExactly("{\"a", "{\"l", "[1]", "not");
        assertAccount(block, text);
    }

    @Test
    void agreesWithTheMapDecoderOnAnyMixtureOfLines() {
        List<String> kinds =
                List.of("{\"a\":1}", "", " ", "\r", "{", "[]", "null", "{\"a\":" + "1".repeat(50) + "}", "{} {}", "{}");
        Random random = new Random(7);
        for (int round = 0; round < 300; round++) {
            StringBuilder text = new StringBuilder(random.nextInt(4) == 0 ? "\uFEFF" : "");
            for (int i = random.nextInt(12); i > 0; i--) {
                text.append(kinds.get(random.nextInt(kinds.size()))).append(i == 1 && random.nextBoolean() ? "" : "\n");
            }
            DecodedBlock<Object[]> block = decode(text.toString());
            DecodedBlock<Object[]> maps = new MapDecoder(JsonlSpec.create(), LIMITS).decode(block(text.toString()));
            assertThat(block.count()).as(text.toString()).isEqualTo(maps.count());
            assertThat(block.rejections())
                    .extracting(Rejection::start)
                    .isEqualTo(maps.rejections().stream().map(Rejection::start).toList());
            assertThat(lines(block)).as(text.toString()).allMatch(line -> line.startsWith("{"));
            assertAccount(block, text.toString());
        }
    }

    private static DecodedBlock<Object[]> decode(String text) {
        return new CheckedLineDecoder(new MapDecoder(JsonlSpec.create(), LIMITS), LIMITS).decode(block(text));
    }

    /** In the middle of an array, as blocks are. */
    private static Block block(String text) {
        byte[] bytes = ("before\n" + text + "\nbehind").getBytes(StandardCharsets.UTF_8);
        return new Block(bytes, 7, bytes.length - 7, 0, null);
    }

    private static Stream<String> lines(DecodedBlock<Object[]> block) {
        return Arrays.stream(block.values()).limit(block.count()).map(value -> {
            ByteBuffer line = (ByteBuffer) value;
            byte[] bytes = new byte[line.remaining()];
            line.get(bytes);
            return new String(bytes, StandardCharsets.UTF_8);
        });
    }

    private static void assertAccount(DecodedBlock<Object[]> block, String text) {
        long rejected = block.rejections().stream().mapToLong(Rejection::length).sum();
        assertThat(block.bytesDelivered() + block.bytesBlank() + rejected)
                .isEqualTo(text.getBytes(StandardCharsets.UTF_8).length);
    }
}
