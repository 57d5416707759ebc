package io.sluice;

import static io.sluice.testing.TestData.numbered;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.codec.Compressions;
import io.sluice.format.Jsonl;
import io.sluice.storage.ByteRange;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.ObjectStore;
import io.sluice.testing.ChunkedStore;
import io.sluice.testing.HandFedStore;
import io.sluice.testing.StoreWrapper;
import io.sluice.testing.TestData;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What a listener is told: progress, reports, and where in them lost bytes and replaced records stand. */
@Timeout(60)
class ReadAccountTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final ReadSpec SPEC = ReadSpec.create().blockBytes(1024);

    /** Takes everything down. */
    private static final class Notes implements DatasetListener {
        final List<String> calls = new ArrayList<>();
        final List<ReadProgress> progress = new ArrayList<>();
        final List<ShardReport> reports = new ArrayList<>();

        @Override
        public void listed(List<ObjectMeta> shards) {
            calls.add("listed " + shards.stream().map(ObjectMeta::key).toList());
        }

        @Override
        public void shardStarted(String key) {
            calls.add("started " + key);
        }

        @Override
        public void shardCompleted(ShardReport report) {
            calls.add("completed " + report.key());
            reports.add(report);
        }

        @Override
        public void rejected(Rejected rejected) {
            calls.add("rejected " + rejected.key() + ":" + rejected.line());
        }

        @Override
        public void progress(ReadProgress p) {
            progress.add(p);
        }
    }

    private static List<String> read(ObjectStore store, String location, ReadSpec spec, List<String> into) {
        Dataset.at(store, location, Jsonl.maps())
                .read(spec)
                .doOnNext(value -> into.add(value.toString()))
                .blockLast(PATIENCE);
        return into;
    }

    @Test
    void aListenerHearsOfEveryShardInOrder() {
        ChunkedStore store = new ChunkedStore(64, null)
                .with("d/part-00000.jsonl", numbered(0, 3))
                .with("d/part-00001.jsonl", new byte[0])
                .with("d/part-00002.jsonl", "{\n\n{\"n\":4}\n".getBytes(UTF_8));
        Notes notes = new Notes();

        read(store, "d/", SPEC.listener(notes).onError(ErrorPolicy.skip()), new ArrayList<>());

        assertThat(notes.calls)
                .containsExactly(
                        "listed [d/part-00000.jsonl, d/part-00001.jsonl, d/part-00002.jsonl]",
                        "started d/part-00000.jsonl",
                        "completed d/part-00000.jsonl",
                        "started d/part-00001.jsonl",
                        "completed d/part-00001.jsonl",
                        "started d/part-00002.jsonl",
                        "rejected d/part-00002.jsonl:1",
                        "completed d/part-00002.jsonl");
        assertThat(notes.reports)
                .containsExactly(
                        new ShardReport("d/part-00000.jsonl", 3, 0, 0, 0, 24, 24, 0, 0, 0, true),
                        new ShardReport("d/part-00001.jsonl", 0, 0, 0, 0, 0, 0, 0, 0, 0, true),
                        new ShardReport("d/part-00002.jsonl", 1, 1, 1, 0, 11, 8, 1, 2, 0, true));
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "gzip", "zstd"})
    void progressGoesUpToTheTotal(String name) {
        ChunkedStore store = new ChunkedStore(500, null);
        List<String> extensions = TestData.compression(name).extensions();
        String extension = extensions.isEmpty() ? "" : extensions.get(0);
        long total = 0;
        for (int shard = 0; shard < 3; shard++) {
            byte[] stored =
                    TestData.compress(TestData.compression(name), numbered(shard * 2000, shard * 2000 + 2000), 1000);
            total += stored.length;
            store.with("d/part-0000" + shard + ".jsonl" + extension, stored);
        }
        Notes notes = new Notes();

        read(store, "d/", SPEC.prefetchBytes(0).listener(notes), new ArrayList<>());

        assertThat(notes.progress)
                .allSatisfy(p -> assertThat(p.shardsTotal()).isEqualTo(3))
                .isSortedAccordingTo((a, b) -> a.bytes() == b.bytes()
                        ? Long.compare(a.records(), b.records())
                        : Long.compare(a.bytes(), b.bytes()));
        long bytesTotal = total;
        assertThat(notes.progress)
                .allSatisfy(p -> assertThat(p.bytesTotal()).isEqualTo(bytesTotal))
                .last()
                .isEqualTo(new ReadProgress(total, total, 6000, 3, 3));
        // in the midst of each shard, too
        for (int shard = 0; shard < 3; shard++) {
            int done = shard;
            assertThat(notes.progress.stream()
                            .filter(p -> p.shards() == done)
                            .map(ReadProgress::bytes)
                            .distinct())
                    .as("within shard %d", shard)
                    .hasSizeGreaterThan(3);
        }
    }

    @Test
    void aTotalThatAStoreCantTellIsUnknown() {
        HandFedStore store = new HandFedStore(-1);
        store.send(numbered(0, 10));
        store.end();
        Notes notes = new Notes();

        read(store, "a.jsonl", SPEC.listener(notes), new ArrayList<>());

        assertThat(notes.progress).last().isEqualTo(new ReadProgress(80, -1, 10, 1, 1));
    }

    @Test
    void recordsThatWereReplacedCountAsDelivered() {
        ChunkedStore store = new ChunkedStore(64, null).with("a.jsonl", "{\n{\"n\":1}\n{]\n".getBytes(UTF_8));
        Notes notes = new Notes();

        List<String> values = read(
                store,
                "a.jsonl",
                SPEC.listener(notes).onError(ErrorPolicy.replace(r -> r.line() == 1 ? Map.of("line", r.line()) : null)),
                new ArrayList<>());

        assertThat(values).containsExactly("{line=1}", "{n=1}");
        assertThat(notes.reports).containsExactly(new ShardReport("a.jsonl", 2, 2, 0, 0, 13, 8, 0, 5, 0, true));
    }

    @Test
    void aLimitCountsWhatWasReplaced_andEndsWithIt() {
        ChunkedStore store =
                new ChunkedStore(64, null).with("a.jsonl", "{\n{\"n\":1}\n{]\n{\"n\":2}\n".getBytes(UTF_8));
        ErrorPolicy policy = ErrorPolicy.replace(r -> Map.of("line", r.line()));

        assertThat(read(store, "a.jsonl", SPEC.limit(1).onError(policy), new ArrayList<>()))
                .containsExactly("{line=1}");
        assertThat(read(store, "a.jsonl", SPEC.limit(2).onError(policy), new ArrayList<>()))
                .containsExactly("{line=1}", "{n=1}");
        assertThat(read(store, "a.jsonl", SPEC.limit(3).onError(policy), new ArrayList<>()))
                .containsExactly("{line=1}", "{n=1}", "{line=3}");
        // one after the other, with no value between them that would show that it is over
        store.with("b.jsonl", "{\n{]\n{\"n\":1}\n".getBytes(UTF_8));
        assertThat(read(store, "b.jsonl", SPEC.limit(1).onError(policy), new ArrayList<>()))
                .containsExactly("{line=1}");
    }

    @Test
    void theLimitOfAPolicyIsTheLastOneThatPasses() {
        ChunkedStore store =
                new ChunkedStore(64, null).with("a.jsonl", "{\n{\"n\":1}\n{]\n{\"n\":2}\n{\n".getBytes(UTF_8));
        List<String> letters = new ArrayList<>();
        List<String> values = new ArrayList<>();
        ErrorPolicy two =
                ErrorPolicy.deadLetter(r -> letters.add("line " + r.line())).limit(2);

        assertThatThrownBy(() -> read(store, "a.jsonl", SPEC.onError(two), values))
                .isInstanceOfSatisfying(
                        RecordException.class, e -> assertThat(e.line()).isEqualTo(5));
        assertThat(values).containsExactly("{n=1}", "{n=2}");
        assertThat(letters).as("the one that ends the stream is no dead letter").containsExactly("line 1", "line 3");
    }

    /** Breaks off, with an error or without one, after so many bytes. */
    private static ObjectStore breakingOff(ChunkedStore store, long after, @Nullable RuntimeException with) {
        return new StoreWrapper(store) {
            @Override
            public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
                long[] sent = new long[1];
                Flux<ByteBuffer> whole = inner.get(key, range, ifMatch).takeWhile(chunk -> {
                    sent[0] += chunk.remaining();
                    return sent[0] <= after;
                });
                return with == null ? whole : whole.concatWith(Mono.error(with));
            }
        };
    }

    @Test
    void whatArrivedBeforeAStoreBrokeOffIsReadAndTheRestOfItLost() {
        // two whole records and a half, in one block
        ChunkedStore store = new ChunkedStore(4, null).with("a.jsonl", numbered(0, 100));
        for (RuntimeException with : new RuntimeException[] {null, new IllegalStateException("cable cut")}) {
            Notes notes = new Notes();
            List<String> values = new ArrayList<>();

            assertThatThrownBy(() -> read(breakingOff(store, 20, with), "a.jsonl", SPEC.listener(notes), values))
                    .isInstanceOf(StorageException.class)
                    .hasMessageStartingWith("[a.jsonl]")
                    .hasMessageContaining(with == null ? "after 20 of" : "cable cut");

            assertThat(values).containsExactly("{n=0}", "{n=1}");
            assertThat(notes.reports).containsExactly(new ShardReport("a.jsonl", 2, 0, 0, 0, 20, 16, 0, 0, 4, false));
        }
    }

    /** Within the bytes by which compressions are told apart. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    void theFirstBytesAreAccountedForWhereAStoreBreaksOffWithinThem(int after) {
        byte[] text = numbered(0, 100);
        ChunkedStore store = new ChunkedStore(1, null)
                .with("a.jsonl", text)
                .with("a.jsonl.gz", TestData.compress(Compressions.gzip(), text));
        for (RuntimeException with : new RuntimeException[] {null, new IllegalStateException("cable cut")}) {
            String why = with == null ? "after " + after + " of" : "cable cut";
            Notes notes = new Notes();

            assertThatThrownBy(() ->
                            read(breakingOff(store, after, with), "a.jsonl", SPEC.listener(notes), new ArrayList<>()))
                    .isInstanceOf(StorageException.class)
                    .hasMessageStartingWith("[a.jsonl]")
                    .hasMessageContaining(why);
            // its bytes are none of the content's
            assertThatThrownBy(() -> read(
                            breakingOff(store, after, with), "a.jsonl.gz", SPEC.listener(notes), new ArrayList<>()))
                    .isInstanceOf(StorageException.class)
                    .hasMessageContaining(why);

            assertThat(notes.reports)
                    .containsExactly(
                            new ShardReport("a.jsonl", 0, 0, 0, 0, after, 0, 0, 0, after, false),
                            new ShardReport("a.jsonl.gz", 0, 0, 0, 0, 0, 0, 0, 0, 0, false));
        }
    }

    @Test
    void aRecordTooLongThatBreaksOffIsLostFromItsBeginning() {
        byte[] text = ("{\"n\":1}\n{\"long\":\"" + "x".repeat(20_000) + "\"}\n").getBytes(UTF_8);
        ChunkedStore store = new ChunkedStore(100, null).with("a.jsonl", text);
        Notes notes = new Notes();
        List<String> values = new ArrayList<>();

        assertThatThrownBy(() -> read(
                        breakingOff(store, 9000, null),
                        "a.jsonl",
                        SPEC.maxRecordBytes(1000).onError(ErrorPolicy.skip()).listener(notes),
                        values))
                .isInstanceOf(StorageException.class);

        assertThat(values).containsExactly("{n=1}");
        assertThat(notes.reports).containsExactly(new ShardReport("a.jsonl", 1, 0, 0, 0, 9000, 8, 0, 0, 8992, false));
    }

    @Test
    void aShardThatIsCutOffSaysWhereItBroke() {
        byte[] text = "{\"n\":1}\n{\"n\":2}\n{\"n\":3}".getBytes(UTF_8);
        byte[] whole = TestData.compress(Compressions.gzip(), text);
        // all of the content is there, but not the checksum behind it
        ChunkedStore store =
                new ChunkedStore(7, null).with("a.jsonl.gz", java.util.Arrays.copyOf(whole, whole.length - 3));
        Notes notes = new Notes();
        List<String> values = new ArrayList<>();

        assertThatThrownBy(() -> read(store, "a.jsonl.gz", SPEC.listener(notes), values))
                .isInstanceOfSatisfying(CorruptDataException.class, e -> {
                    assertThat(e.key()).isEqualTo("a.jsonl.gz");
                    assertThat(e.offset()).isEqualTo(text.length);
                    assertThat(e.compressedOffset()).isEqualTo(whole.length - 3);
                });
        assertThat(values).as("the whole records before it").containsExactly("{n=1}", "{n=2}");
        assertThat(notes.reports).containsExactly(new ShardReport("a.jsonl.gz", 2, 0, 0, 0, 23, 16, 0, 0, 7, false));
    }
}
