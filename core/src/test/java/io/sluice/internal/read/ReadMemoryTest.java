package io.sluice.internal.read;

import static io.sluice.testing.TestData.numbered;
import static io.sluice.testing.TestData.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.Dataset;
import io.sluice.ReadSpec;
import io.sluice.codec.Block;
import io.sluice.codec.FormatReader;
import io.sluice.testing.ChunkedStore;
import io.sluice.testing.HandFedStore;
import io.sluice.testing.LinesWrapper;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.scheduler.Schedulers;

/** What a read keeps in memory, and what it asks a store for. */
@Timeout(60)
class ReadMemoryTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private static long held(Iterable<byte[]> arrays) {
        Set<byte[]> distinct = Collections.newSetFromMap(new IdentityHashMap<>());
        arrays.forEach(distinct::add);
        return distinct.stream().mapToLong(array -> array.length).sum();
    }

    /** Wants to see a megabyte first, and remembers what it saw. */
    private static class Sampling extends LinesWrapper {
        final List<Block> seen = new ArrayList<>();

        @Override
        public int sampleBytes() {
            return 1 << 20;
        }

        @Override
        protected FormatReader<Object[], ByteBuffer> reader(
                FormatReader<Object[], ByteBuffer> lines, List<Block> sample) {
            seen.addAll(sample);
            return super.reader(lines, sample);
        }
    }

    private static ChunkedStore tinyShards(int count) {
        ChunkedStore store = new ChunkedStore(1 << 16, null);
        for (int i = 0; i < count; i++) {
            store.with("d/part-%05d.jsonl".formatted(i), numbered(i, i + 1));
        }
        return store;
    }

    @Test
    void aSampleOfTinyShardsHoldsTheirBytesAndNotAsManyBuffers() {
        Sampling format = new Sampling();
        assertThat(Dataset.at(tinyShards(200), "d/", format).read().count().block(PATIENCE))
                .isEqualTo(200);
        assertThat(format.seen).hasSize(200);
        assertThat(held(format.seen.stream().map(Block::bytes).toList())).isLessThan(200 * 200);
    }

    @Test
    void rawLinesOfTinyShardsHoldTheirBytesAndNotAsManyBuffers() {
        List<ByteBuffer> kept = Dataset.at(tinyShards(200), "d/", new LinesWrapper())
                .read()
                .collectList()
                .block(PATIENCE);
        assertThat(kept).hasSize(200);
        assertThat(held(kept.stream().map(ByteBuffer::array).toList())).isLessThan(200 * 200);
    }

    @Test
    void rawLinesOfASlowSourceHoldTheirBytesAndNotAsManyBuffers() {
        // a line at a time: nothing else is there, so each is emitted at once, in a block of its own
        HandFedStore store = new HandFedStore(-1);
        List<ByteBuffer> kept = new ArrayList<>();
        Dataset.at(store, "a.jsonl", new LinesWrapper())
                .read(ReadSpec.create().scheduler(Schedulers.immediate()))
                .subscribe(kept::add);
        for (int i = 0; i < 100; i++) {
            store.send(numbered(i, i + 1));
            assertThat(kept).hasSize(i + 1);
        }
        assertThat(held(kept.stream().map(ByteBuffer::array).toList())).isLessThan(100 * 200);
    }

    @Test
    void whatIsSampledAndFramedIsReadFromItsOwnBytes() {
        // blocks that were copied out of their buffer, behind dropped stretches and at a shard's end
        ChunkedStore store = new ChunkedStore(64, null);
        for (int i = 0; i < 20; i++) {
            byte[] lines = numbered(i * 3, i * 3 + 3);
            byte[] blank = "\n \n".getBytes(java.nio.charset.StandardCharsets.UTF_8);
            byte[] all = java.util.Arrays.copyOf(blank, blank.length + lines.length);
            System.arraycopy(lines, 0, all, blank.length, lines.length);
            store.with("d/part-%05d.jsonl".formatted(i), all);
        }
        List<String> expected = io.sluice.testing.TestData.numberedLines(60);
        assertThat(Dataset.at(store, "d/", new Sampling())
                        .read()
                        .map(line -> text(line))
                        .collectList()
                        .block(PATIENCE))
                .isEqualTo(expected);
    }

    @Test
    void oneChunkIsAskedForUntilItIsKnownHowLargeChunksAre() {
        HandFedStore store = new HandFedStore(64 << 20);
        Dataset.at(store, "a.jsonl", new LinesWrapper())
                .read(ReadSpec.create().prefetchBytes(8 << 20).scheduler(Schedulers.immediate()))
                .subscribe(new BaseSubscriber<>() {
                    @Override
                    protected void hookOnSubscribe(Subscription s) {
                        s.request(1);
                    }
                });
        assertThat(store.requested).hasValue(1);

        // a small one is no measure of those behind it: two at most, now that one has come
        store.send(numbered(0, 1));
        assertThat(store.requested).hasValue(2);

        // and a large one is: of four megabytes that may be asked for, it takes one
        store.send(numbered(1, 75_000));
        assertThat(store.requested).hasValue(4);
    }

    @Test
    void aBufferForTheRestDoesNotOverflow() {
        assertThat(BlockPump.roomFor(100, 1 << 18, 1 << 24)).isEqualTo(1 << 18);
        assertThat(BlockPump.roomFor(1 << 20, 1 << 18, 1 << 24)).isEqualTo(2 << 20);
        assertThat(BlockPump.roomFor(1 << 23, 1 << 18, 1 << 24)).isEqualTo(1 << 24);
        assertThat(BlockPump.roomFor(1_500_000_000, 1 << 18, Integer.MAX_VALUE - 16))
                .isEqualTo(Integer.MAX_VALUE - 16);
    }
}
