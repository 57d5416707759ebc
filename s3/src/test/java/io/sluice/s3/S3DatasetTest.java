package io.sluice.s3;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.Dataset;
import io.sluice.Positioned;
import io.sluice.ReadSpec;
import io.sluice.RollingPolicy;
import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import io.sluice.WriteSpec;
import io.sluice.codec.Compressions;
import io.sluice.format.Jsonl;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;

/** What a data set can do with local files it can do in a bucket. */
class S3DatasetTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final S3ObjectStore store = S3ObjectStore.create(TestS3.client(), TestS3.newBucket(), TestS3.spec());
    private final Dataset<Map<String, Object>> dataset = Dataset.at(store, "d/", Jsonl.maps());

    private static Flux<Map<String, Object>> records(int from, int to) {
        return Flux.range(from, to - from).map(n -> Map.of("n", n, "text", "record " + n));
    }

    private static List<Integer> numbers(int from, int to) {
        return IntStream.range(from, to).boxed().toList();
    }

    private List<Integer> read(ReadSpec spec) {
        return dataset.read(spec)
                .map(record -> (Integer) record.get("n"))
                .collectList()
                .block(PATIENCE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "gzip", "zstd"})
    void isWrittenInShardsAppendedToReadInParallelAndGoneOnWithAnywhere(String compression) {
        WriteSpec spec = WriteSpec.create()
                .rolling(RollingPolicy.maxRecords(1000))
                .compression(
                        switch (compression) {
                            case "gzip" -> Compressions.gzip();
                            case "zstd" -> Compressions.zstd();
                            default -> Compressions.none();
                        });
        dataset.write(records(0, 3500), spec).block(PATIENCE);
        dataset.write(records(3500, 4200), spec).block(PATIENCE);
        assertThat(store.list("d/").map(ObjectMeta::key).collectList().block(PATIENCE))
                .hasSize(5)
                .allMatch(key -> key.matches("d/part-0000[0-4]\\.jsonl(\\.gz|\\.zst)?"));

        ReadSpec small = ReadSpec.create().blockBytes(4096).parallelism(4);
        assertThat(read(small)).isEqualTo(numbers(0, 4200));
        List<Positioned<Map<String, Object>>> all =
                dataset.readPositioned(small).collectList().block(PATIENCE);
        for (int last : new int[] {0, 998, 999, 1000, 2345, 3499, 4198, 4199}) {
            assertThat(read(small.from(all.get(last).checkpoint()))).isEqualTo(numbers(last + 1, 4200));
        }

        ByteBuffer other = ByteBuffer.wrap("{\"n\":1}\n".getBytes(UTF_8));
        String shard = all.get(4000).position().key();
        store.put(shard, Flux.just(other), PutMode.OVERWRITE).block(PATIENCE);
        assertThatThrownBy(() -> read(small.from(all.get(10).checkpoint())))
                .isInstanceOfSatisfying(
                        StorageException.class,
                        changed -> assertThat(changed.kind()).isEqualTo(Kind.CHANGED))
                .hasMessageContaining(shard);
    }

    /** More than a page of a listing has, and not in the order of their names. */
    @Test
    void manyShardsAreReadInTheOrderOfTheirNumbers() {
        int first = 99_400;
        int count = 1100;
        Flux.range(0, count)
                .flatMap(
                        n -> store.put(
                                "d/part-" + (first + n) + ".jsonl",
                                Flux.just(ByteBuffer.wrap(("{\"n\":" + n + "}\n").getBytes(UTF_8))),
                                PutMode.OVERWRITE),
                        16)
                .blockLast(PATIENCE);
        assertThat(read(ReadSpec.create())).isEqualTo(numbers(0, count));
        assertThat(Dataset.at(store, "d/part-*.jsonl", Jsonl.maps())
                        .read()
                        .count()
                        .block(PATIENCE))
                .isEqualTo(count);
    }
}
