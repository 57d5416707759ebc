package io.sluice.internal.read;

import static io.sluice.testing.TestData.text;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.Dataset;
import io.sluice.DatasetListener;
import io.sluice.Position;
import io.sluice.Positioned;
import io.sluice.ReadSpec;
import io.sluice.ShardReport;
import io.sluice.SluiceException;
import io.sluice.codec.Block;
import io.sluice.codec.FormatReader;
import io.sluice.codec.Framer;
import io.sluice.codec.ReadLimits;
import io.sluice.codec.Rejection;
import io.sluice.storage.ByteRange;
import io.sluice.storage.ObjectStore;
import io.sluice.testing.ChunkedStore;
import io.sluice.testing.HandFedStore;
import io.sluice.testing.LinesWrapper;
import io.sluice.testing.StoreWrapper;
import io.sluice.testing.TestData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Schedulers;

/** Formats whose shards begin with a header, as Avro's do: shown here by lines of which the first is one. */
@Timeout(60)
class HeaderTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final byte[] CONTENT = content();

    private static byte[] content() {
        StringBuilder all = new StringBuilder("the header\n");
        for (int i = 0; i < 400; i++) {
            all.append("line ").append(i).append('\n');
        }
        return all.toString().getBytes(UTF_8);
    }

    /** The first line is the header. */
    private static class Headed extends LinesWrapper {
        final List<Block> seen = new ArrayList<>();
        int readers;
        private final int sampleBytes;

        Headed(int sampleBytes) {
            this.sampleBytes = sampleBytes;
        }

        @Override
        public int sampleBytes() {
            return sampleBytes;
        }

        @Override
        protected FormatReader<Object[], ByteBuffer> reader(
                FormatReader<Object[], ByteBuffer> lines, List<Block> sample) {
            readers++;
            seen.addAll(sample);
            return super.reader(lines, sample);
        }

        @Override
        public Framer framer(ReadLimits limits) {
            return new HeadedFramer(inner.framer(limits));
        }
    }

    private static final class HeadedFramer implements Framer {
        private final Framer lines;
        private @Nullable Object header;
        private @Nullable Rejection dropped;

        HeadedFramer(Framer lines) {
            this.lines = lines;
        }

        @Override
        public int next(byte[] bytes, int from, int to, boolean last) {
            dropped = null;
            if (header == null) {
                for (int i = from; i < to; i++) {
                    if (bytes[i] == '\n') {
                        header = new String(bytes, from, i - from, UTF_8);
                        dropped = NO_RECORD;
                        return from - i - 1;
                    }
                }
                return NEED_MORE;
            }
            int n = lines.next(bytes, from, to, last);
            dropped = n < 0 ? lines.dropped() : null;
            return n;
        }

        @Override
        public @Nullable Rejection dropped() {
            return dropped;
        }

        @Override
        public @Nullable Object header() {
            return header;
        }

        @Override
        public boolean needsHeader() {
            return true;
        }

        @Override
        public void resumeAt(long offset) {
            lines.resumeAt(offset);
        }
    }

    private static ChunkedStore store(int chunk) {
        return new ChunkedStore(chunk, null).with("a.jsonl", CONTENT);
    }

    private static DatasetListener reportsTo(List<ShardReport> reports) {
        return new DatasetListener() {
            @Override
            public void shardCompleted(ShardReport report) {
                reports.add(report);
            }
        };
    }

    private static final ReadSpec SPEC = ReadSpec.create().blockBytes(1024);

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 1 << 20})
    void aResumedReadKnowsTheHeaderAndGivesExactlyTheRest(int chunk) {
        Dataset<ByteBuffer> dataset = Dataset.at(store(chunk), "a.jsonl", new Headed(0));
        List<Positioned<ByteBuffer>> all =
                dataset.readPositioned(SPEC).collectList().block(PATIENCE);
        assertThat(all).hasSize(400);
        assertThat(all.get(399).position().block()).isGreaterThan(1024);
        for (int i : new int[] {0, 1, 150, 151, 398, 399}) {
            List<ShardReport> reports = new ArrayList<>();
            List<String> rest = dataset.read(SPEC.from(all.get(i).position()).listener(reportsTo(reports)))
                    .map(TestData::text)
                    .collectList()
                    .block(PATIENCE);
            assertThat(rest)
                    .isEqualTo(all.subList(i + 1, 400).stream()
                            .map(p -> text(p.value()))
                            .toList());
            assertThat(reports).hasSize(1).allMatch(ShardReport::conserved);
        }
    }

    @Test
    void aResumedReadThatFailsInItsHeaderGivesNoRecordOfTheBeginning() {
        ObjectStore breaking = new StoreWrapper(store(1000)) {
            @Override
            public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
                return Flux.just(ByteBuffer.wrap(CONTENT, 0, 60))
                        .concatWith(Flux.error(new IOException("the line went dead")));
            }
        };
        List<String> seen = new ArrayList<>();
        List<ShardReport> reports = new ArrayList<>();
        Position middle = new Position("a.jsonl", 120, 0, 120, 15, 14, 0);
        assertThatThrownBy(() -> Dataset.at(breaking, "a.jsonl", new Headed(0))
                        .read(SPEC.from(middle).listener(reportsTo(reports)))
                        .doOnNext(line -> seen.add(text(line)))
                        .blockLast(PATIENCE))
                .isInstanceOf(SluiceException.class)
                .hasMessageContaining("went dead");
        assertThat(seen).isEmpty();
        assertThat(reports).hasSize(1).allMatch(ShardReport::conserved);
    }

    @Test
    void aSampleIsOfRecordsNotOfTheHeader() {
        // the header comes alone: one byte of sample is wanted, and it must be a record's
        HandFedStore store = new HandFedStore(-1);
        Headed format = new Headed(1);
        Dataset.at(store, "a.jsonl", format)
                .read(ReadSpec.create().scheduler(Schedulers.immediate()))
                .subscribe();
        store.send("the header\n".getBytes(UTF_8));
        assertThat(format.readers).isZero();

        store.send("line 0\n".getBytes(UTF_8));
        assertThat(format.readers).isEqualTo(1);
        assertThat(format.seen).hasSize(1);
    }
}
