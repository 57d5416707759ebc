package io.sluice.internal.read;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.Dataset;
import io.sluice.DatasetListener;
import io.sluice.ErrorPolicy;
import io.sluice.Position;
import io.sluice.Positioned;
import io.sluice.ReadSpec;
import io.sluice.RecordException;
import io.sluice.Rejected;
import io.sluice.ShardReport;
import io.sluice.StorageException;
import io.sluice.codec.Framer;
import io.sluice.codec.ReadLimits;
import io.sluice.codec.Rejection;
import io.sluice.storage.ByteRange;
import io.sluice.storage.ObjectStore;
import io.sluice.testing.ChunkedStore;
import io.sluice.testing.LinesWrapper;
import io.sluice.testing.StoreWrapper;
import io.sluice.testing.TestData;
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
import reactor.core.publisher.Mono;

/**
 * What a framer drops, as Avro's does with damaged blocks: shown by lines, of which {@code #…} is no record, {@code ~…} a record that is
 * refused, and {@code !…} damage that has cost three records.
 */
@Timeout(60)
class DroppedStretchesTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** A block for each line. */
    private static final class DroppingFramer implements Framer {
        private @Nullable Rejection dropped;

        @Override
        public int next(byte[] bytes, int from, int to, boolean last) {
            dropped = null;
            for (int i = from; i < to; i++) {
                if (bytes[i] == '\n') {
                    return cut(bytes[from], i + 1 - from);
                }
            }
            return last ? to - from : NEED_MORE;
        }

        private int cut(byte first, int length) {
            if (first == '#') {
                dropped = NO_RECORD;
            } else if (first == '~' || first == '!') {
                boolean lost = first == '!';
                dropped = new Rejection(
                        0,
                        0,
                        0,
                        length,
                        new byte[0],
                        RecordException.Kind.CORRUPT,
                        "dropped",
                        0,
                        lost,
                        lost ? 3 : 0,
                        null);
            } else {
                return length;
            }
            return -length;
        }

        @Override
        public @Nullable Rejection dropped() {
            return dropped;
        }
    }

    private static class Dropping extends LinesWrapper {
        @Override
        public Framer framer(ReadLimits limits) {
            return new DroppingFramer();
        }
    }

    private static final class Notes implements DatasetListener {
        final List<String> rejected = new ArrayList<>();
        final List<ShardReport> reports = new ArrayList<>();

        @Override
        public void rejected(Rejected r) {
            rejected.add(r.line() + "@" + r.offset());
        }

        @Override
        public void shardCompleted(ShardReport report) {
            reports.add(report);
        }
    }

    private static final String TEXT = "#no\na\n~refused\nb\n!damage\nc\n~x\nd\n";

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 1000})
    void areAccountedForByWhatTheyAre(int chunk) {
        ChunkedStore store = new ChunkedStore(chunk, null).with("a.jsonl", TEXT.getBytes(UTF_8));
        Notes notes = new Notes();

        List<String> values = Dataset.at(store, "a.jsonl", new Dropping())
                .read(ReadSpec.create().onError(ErrorPolicy.skip()).listener(notes))
                .map(TestData::text)
                .collectList()
                .block(PATIENCE);

        assertThat(values).containsExactly("a", "b", "c", "d");
        // lines count records here: what is lost is none, so it does not shift the ones that follow
        assertThat(notes.rejected).containsExactly("2@6", "4@17", "5@27");
        assertThat(notes.reports).containsExactly(new ShardReport("a.jsonl", 4, 3, 0, 3, 32, 8, 4, 12, 8, true));
    }

    @Test
    void countInThePositionsBehindThem() {
        ChunkedStore store = new ChunkedStore(1000, null).with("a.jsonl", TEXT.getBytes(UTF_8));
        Dataset<ByteBuffer> dataset = Dataset.at(store, "a.jsonl", new Dropping());
        ReadSpec spec = ReadSpec.create().onError(ErrorPolicy.skip());

        List<Positioned<ByteBuffer>> all =
                dataset.readPositioned(spec).collectList().block(PATIENCE);

        assertThat(all).extracting(p -> p.position().recordsBefore()).containsExactly(1L, 3L, 5L, 7L);
        assertThat(all).extracting(p -> p.position().line()).containsExactly(0L, 2L, 3L, 5L);
        for (int i = 0; i < all.size(); i++) {
            Position position = all.get(i).position();
            Notes notes = new Notes();
            List<Positioned<ByteBuffer>> rest = dataset.readPositioned(
                            spec.from(position).listener(notes))
                    .collectList()
                    .block(PATIENCE);
            assertThat(rest)
                    .extracting(p -> p.position().recordsBefore())
                    .as("after value %d", i)
                    .containsExactlyElementsOf(all.subList(i + 1, all.size()).stream()
                            .map(p -> p.position().recordsBefore())
                            .toList());
            assertThat(notes.reports).allMatch(ShardReport::conserved);
        }
    }

    @Test
    void countAsDoneWithWhereAReadIsResumedBehindThem() {
        // a position in front of the block of a, three records on: a, the refused one, and b
        ChunkedStore store = new ChunkedStore(1000, null).with("a.jsonl", TEXT.getBytes(UTF_8));
        Notes notes = new Notes();

        List<String> rest = Dataset.at(store, "a.jsonl", new Dropping())
                .read(ReadSpec.create()
                        .onError(ErrorPolicy.skip())
                        .listener(notes)
                        .from(new Position("a.jsonl", 4, 0, 4, 0, 0, 3)))
                .map(TestData::text)
                .collectList()
                .block(PATIENCE);

        assertThat(rest).containsExactly("c", "d");
        assertThat(notes.rejected).as("those behind the position only").containsExactly("4@17", "5@27");
        ShardReport report = notes.reports.get(0);
        assertThat(report.rejected()).as("of what was read again, too").isEqualTo(3);
        assertThat(report.conserved()).isTrue();
    }

    @Test
    void aFramerThatTakesMoreThanItWasShownIsAnError() {
        ChunkedStore store = new ChunkedStore(1000, null).with("a.jsonl", TEXT.getBytes(UTF_8));
        LinesWrapper greedy = new LinesWrapper() {
            @Override
            public Framer framer(ReadLimits limits) {
                return new Framer() {
                    @Override
                    public int next(byte[] bytes, int from, int to, boolean last) {
                        return to - from + 1;
                    }

                    @Override
                    public @Nullable Rejection dropped() {
                        return null;
                    }
                };
            }
        };
        assertThatThrownBy(() -> Dataset.at(store, "a.jsonl", greedy).read().blockLast(PATIENCE))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("[a.jsonl]")
                .hasMessageContaining("took more than it was shown");
    }

    @Test
    void aFramerThatFailsBesidesTheStoreIsToldOf() {
        ChunkedStore store = new ChunkedStore(1000, null).with("a.jsonl", "a\nbcdefgh".getBytes(UTF_8));
        ObjectStore breaking = new StoreWrapper(store) {
            @Override
            public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
                return inner.get(key, range, ifMatch).concatWith(Mono.error(new IllegalStateException("cable cut")));
            }
        };
        LinesWrapper failing = new LinesWrapper() {
            @Override
            public Framer framer(ReadLimits limits) {
                return new Framer() {
                    @Override
                    public int next(byte[] bytes, int from, int to, boolean last) {
                        throw new IllegalArgumentException("no frame");
                    }

                    @Override
                    public @Nullable Rejection dropped() {
                        return null;
                    }
                };
            }
        };
        assertThatThrownBy(() -> Dataset.at(breaking, "a.jsonl", failing).read().blockLast(PATIENCE))
                .isInstanceOf(StorageException.class)
                .hasMessageContaining("cable cut")
                .satisfies(
                        e -> assertThat(e.getSuppressed()).hasAtLeastOneElementOfType(IllegalArgumentException.class));
    }
}
