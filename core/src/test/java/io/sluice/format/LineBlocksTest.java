package io.sluice.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.sluice.Dataset;
import io.sluice.ErrorPolicy;
import io.sluice.Positioned;
import io.sluice.ReadSpec;
import io.sluice.codec.ReadLimits;
import io.sluice.storage.InMemoryObjectStore;
import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;

/** Blocks hold exactly the lines that {@code Jsonl.bytes()} gives one by one. */
class LineBlocksTest {

    private static final ReadLimits LIMITS = new ReadLimits(64, 20, 1000);

    @Test
    void holdTheLinesThatTheOtherFormatsGive() {
        Random random = new Random(7);
        for (int round = 0; round < 300; round++) {
            byte[] shard = shard(random, 20).getBytes(StandardCharsets.UTF_8);
            for (int chunk : Drive.CHUNKS) {
                var blocks = Drive.read(Jsonl.blocks(), LIMITS, shard, chunk);
                var lines = Drive.read(Jsonl.bytes(), LIMITS, shard, chunk);
                assertThat(split(blocks.values()))
                        .isEqualTo(lines.values().stream().map(Drive::text).toList());
                assertThat(blocks.refused())
                        .extracting(Drive.Refused::line, Drive.Refused::offset, Drive.Refused::reason)
                        .isEqualTo(lines.refused().stream()
                                .map(r -> tuple(r.line(), r.offset(), r.reason()))
                                .toList());
                assertThat(blocks.delivered()).isEqualTo(lines.delivered());
                assertThat(blocks.blank()).isEqualTo(lines.blank());
            }
        }
    }

    @Test
    void linesWithNothingBetweenThemAreNotCopied() {
        var blocks = Drive.read(
                Jsonl.blocks(), Drive.LIMITS, "1\r\n22\n333\n".getBytes(StandardCharsets.UTF_8), Integer.MAX_VALUE);
        assertThat(blocks.values()).extracting(Drive::text).containsExactly("1\r\n22\n333\n");
    }

    @Test
    void aReadGoesOnBehindAnyRecordAndEndsBehindAny() {
        Random random = new Random(11);
        InMemoryObjectStore store = InMemoryObjectStore.create();
        for (int i = 0; i < 3; i++) {
            StringBuilder text = new StringBuilder();
            while (text.length() < 5000) {
                text.append(shard(random, 10)).append('\n');
            }
            store.put("d/part-0000" + i + ".jsonl", bytes(text), PutMode.CREATE).block();
        }
        Dataset<ByteBuffer> blocks = Dataset.at(store, "d/", Jsonl.blocks());
        ReadSpec spec = ReadSpec.create().blockBytes(1024).maxRecordBytes(20).onError(ErrorPolicy.skip());
        List<String> lines = blocks.as(Jsonl.bytes())
                .read(spec)
                .map(Drive::text)
                .collectList()
                .block();
        for (int cut = 1; cut < lines.size(); cut += 1 + random.nextInt(40)) {
            List<Positioned<ByteBuffer>> head =
                    blocks.readPositioned(spec.limit(cut)).collectList().block();
            List<String> read =
                    new ArrayList<>(split(head.stream().map(Positioned::value).toList()));
            assertThat(read).isEqualTo(lines.subList(0, cut));
            ReadSpec rest = spec.from(head.get(head.size() - 1).position());
            read.addAll(split(blocks.read(rest).collectList().block()));
            assertThat(read).isEqualTo(lines);
        }
    }

    private static Flux<ByteBuffer> bytes(CharSequence text) {
        return Flux.just(ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8)));
    }

    private static List<String> split(List<ByteBuffer> blocks) {
        List<String> lines = new ArrayList<>();
        for (ByteBuffer bytes : blocks) {
            String block = Drive.text(bytes);
            assertThat(block).endsWith("\n");
            for (String line : block.substring(0, block.length() - 1).split("\n", -1)) {
                lines.add(line.endsWith("\r") ? line.substring(0, line.length() - 1) : line);
            }
        }
        return lines;
    }

    /** Lines of all lengths, too long ones and blank ones among them; the last one may lack its end. */
    private static String shard(Random random, int most) {
        StringBuilder text = new StringBuilder(random.nextInt(4) == 0 ? "\ufeff" : "");
        int lines = random.nextInt(most);
        for (int i = 0; i < lines; i++) {
            switch (random.nextInt(8)) {
                case 0 -> text.append(" \t");
                case 1 -> text.append("x".repeat(21 + random.nextInt(100)));
                default -> text.append("y".repeat(random.nextInt(20))).append(i);
            }
            boolean last = i == lines - 1;
            text.append(last && random.nextBoolean() ? "" : random.nextInt(4) == 0 ? "\r\n" : "\n");
        }
        return text.toString();
    }
}
