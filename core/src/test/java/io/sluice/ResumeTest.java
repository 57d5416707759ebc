package io.sluice;

import static io.sluice.testing.TestData.numbered;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.codec.Compression;
import io.sluice.format.Jsonl;
import io.sluice.testing.ChunkedStore;
import io.sluice.testing.TestData;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ResumeTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** Three shards with blank lines, bad lines and one that is too long, in several frames where compressed. */
    private static ChunkedStore store(int chunk, String compressionName) {
        Compression compression = TestData.compression(compressionName);
        String suffix = compression.extensions().isEmpty()
                ? ""
                : compression.extensions().get(0);
        ChunkedStore store = new ChunkedStore(chunk, null);
        for (int shard = 0; shard < 3; shard++) {
            StringBuilder text = new StringBuilder(shard == 0 ? "\ufeff" : "");
            for (int i = 0; i < 120; i++) {
                int n = shard * 120 + i;
                text.append("{\"n\":").append(n).append("}\n");
                if (i % 10 == 3) {
                    text.append(" \r\n");
                }
                if (i % 13 == 5) {
                    text.append("{bad ").append(n).append("\n");
                }
                if (i == 60) {
                    text.append("{\"long\":\"").append("x".repeat(2000)).append("\"}\n");
                }
            }
            byte[] stored = TestData.compress(compression, text.toString().getBytes(UTF_8), 700);
            store.with("d/part-%05d.jsonl%s".formatted(shard, suffix), stored);
        }
        return store;
    }

    private static final ReadSpec SPEC = ReadSpec.create().blockBytes(1024).maxRecordBytes(1000);

    /** What a reader sees: values, refused records with their places, in order. */
    private static List<String> readAll(Dataset<?> dataset, ReadSpec spec, List<Checkpoint> checkpoints) {
        List<String> seen = new ArrayList<>();
        dataset.readPositioned(spec.onError(ErrorPolicy.deadLetter(
                        r -> seen.add("refused " + r.key() + " " + r.line() + " " + r.offset()))))
                .doOnNext(p -> {
                    seen.add(p.value().toString());
                    checkpoints.add(p.checkpoint());
                })
                .blockLast(PATIENCE);
        return seen;
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "gzip", "zstd"})
    void goesOnAtEveryRecordWithExactlyTheRest(String compression) {
        ChunkedStore store = store(1 << 20, compression);
        Dataset<?> whole = Dataset.at(store, "d/", Jsonl.maps());
        List<Checkpoint> checkpoints = new ArrayList<>();
        List<String> all = readAll(whole, SPEC, checkpoints);
        assertThat(checkpoints).hasSize(360);
        int value = -1;
        int at = -1;
        for (Checkpoint checkpoint : checkpoints) {
            value++;
            do {
                at++;
            } while (all.get(at).startsWith("refused"));
            // another chunking cuts other blocks: a position must not depend on it
            int chunk = value % 3 == 0 ? 7 : 997;
            ChunkedStore rechunked = store(chunk, compression);
            List<String> rest = readAll(
                    Dataset.at(rechunked, "d/", Jsonl.maps()),
                    SPEC.from(checkpoint).parallelism(1 + value % 3),
                    new ArrayList<>());
            assertThat(rest)
                    .as("after record %d, chunks of %d", value, chunk)
                    .isEqualTo(all.subList(at + 1, all.size()));
        }
    }

    @Test
    void goesOnBehindAReplacedRecordToo() {
        ChunkedStore store = store(1 << 20, "none");
        Dataset<Map<String, Object>> dataset = Dataset.at(store, "d/", Jsonl.maps());
        ReadSpec spec = SPEC.onError(ErrorPolicy.replace(r -> Map.of("line", r.line())));
        List<Positioned<Map<String, Object>>> all =
                dataset.readPositioned(spec).collectList().block(PATIENCE);
        // refused records count as records of the shard: every value, replaced or not, is one more than the one before
        long before = 0;
        for (Positioned<Map<String, Object>> value : all) {
            long now = value.position().recordsBefore();
            assertThat(now).isIn(1L, before + 1); // 1: a new shard's first
            before = now;
        }
        for (int i = 0; i < all.size(); i += 1 + i % 5) {
            Position position = all.get(i).position();
            List<ShardReport> reports = new ArrayList<>();
            ReadSpec resumed = spec.from(position).listener(new DatasetListener() {
                @Override
                public void shardCompleted(ShardReport report) {
                    reports.add(report);
                }
            });
            List<Positioned<Map<String, Object>>> rest =
                    dataset.readPositioned(resumed).collectList().block(PATIENCE);
            assertThat(reports).allMatch(ShardReport::conserved);
            assertThat(rest).as("after value %d", i).hasSize(all.size() - i - 1);
            for (int k = 0; k < rest.size(); k++) {
                Positioned<Map<String, Object>> expected = all.get(i + 1 + k);
                assertThat(rest.get(k).value()).isEqualTo(expected.value());
                assertThat(rest.get(k).position().recordsBefore())
                        .isEqualTo(expected.position().recordsBefore());
            }
        }
    }

    @Test
    void aPositionDoesNotReadWhatIsBeforeIt() {
        ChunkedStore store = new ChunkedStore(1024, null).with("a.jsonl", numbered(0, 100_000));
        Dataset<?> dataset = Dataset.at(store, "a.jsonl", Jsonl.maps());
        Position late = dataset.readPositioned(ReadSpec.create().blockBytes(4096))
                .elementAt(90_000)
                .block(PATIENCE)
                .position();
        assertThat(late.restart()).isGreaterThan(1_000_000);
        assertThat(late.records()).isLessThan(500);
        assertThat(dataset.read(ReadSpec.create().from(late)).count().block(PATIENCE))
                .isEqualTo(9_999);
    }

    @Test
    void bytesThatLookCompressedInTheMiddleOfAPlainFileAreNoReasonToRefuseIt() {
        // raw lines may hold anything; one that begins as gzip does stands where a block begins
        byte[] all =
                "first\n\u001f\u008b\b\u0000 second\nthird\n".getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
        Dataset<java.nio.ByteBuffer> dataset =
                Dataset.at(new ChunkedStore(1024, null).with("a.jsonl", all), "a.jsonl", Jsonl.bytes());
        Position second = new Position("a.jsonl", 6, 0, 6, 1, 1, 0);
        assertThat(dataset.read(ReadSpec.create().from(second)).count().block(PATIENCE))
                .isEqualTo(2);
    }

    @Test
    void aPositionSurvivesItsTokenAndSerialization() throws Exception {
        Position position = new Position("d/part-00007.jsonl.zst", 4711, 12, 815, 33, 30, 5);
        assertThat(Position.parse(position.token())).isEqualTo(position);
        assertThatThrownBy(() -> Position.parse("nonsense")).isInstanceOf(IllegalArgumentException.class);
        Checkpoint checkpoint =
                new Checkpoint(List.of(new Checkpoint.Pin("a", 1, "e"), new Checkpoint.Pin("b", -1, null)), position);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(checkpoint);
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            assertThat(in.readObject()).isEqualTo(checkpoint);
        }
    }

    @Test
    void aChangedOrMissingShardIsAnErrorNotAMix() {
        ChunkedStore store = new ChunkedStore(1024, null)
                .with("d/part-00000.jsonl", numbered(0, 10))
                .with("d/part-00001.jsonl", numbered(10, 20));
        Dataset<?> dataset = Dataset.at(store, "d/", Jsonl.maps());
        Checkpoint middle =
                dataset.readPositioned().elementAt(4).block(PATIENCE).checkpoint();
        store.with("d/part-00002.jsonl", numbered(20, 30));
        assertThat(dataset.read(ReadSpec.create().from(middle)).count().block(PATIENCE))
                .as("a shard added later is not read")
                .isEqualTo(15);
        assertThat(dataset.read(ReadSpec.create().from(middle.position()))
                        .count()
                        .block(PATIENCE))
                .as("from a position, the data set as it is")
                .isEqualTo(25);
        store.with("d/part-00001.jsonl", numbered(10, 19));
        assertThatThrownBy(() -> dataset.read(ReadSpec.create().from(middle)).blockLast(PATIENCE))
                .isInstanceOfSatisfying(
                        StorageException.class, e -> assertThat(e.kind()).isEqualTo(StorageException.Kind.CHANGED))
                .hasMessageContaining("part-00001");
        store.objects.remove("d/part-00001.jsonl");
        assertThatThrownBy(() -> dataset.read(ReadSpec.create().from(middle)).blockLast(PATIENCE))
                .isInstanceOf(StorageException.class)
                .hasMessageContaining("part-00001");
    }
}
