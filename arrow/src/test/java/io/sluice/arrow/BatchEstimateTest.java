package io.sluice.arrow;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.Dataset;
import io.sluice.avro.AvroSpec;
import io.sluice.avro.CountingStore;
import io.sluice.storage.InMemoryObjectStore;
import io.sluice.testing.ChunkedStore;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import reactor.core.publisher.Flux;

/** What a batch is said to take, beside what the allocator says it takes. */
class BatchEstimateTest {

    private final BufferAllocator allocator = new RootAllocator();
    private final BufferAllocator recycling = Arrow.allocator(1L << 30);

    @AfterEach
    void nothingIsLeft() {
        Batches.awaitEmpty(allocator);
        Batches.awaitEmpty(recycling);
        allocator.close();
        recycling.close();
    }

    private static byte[] lines(int rows) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < rows; i++) {
            text.append("{\"id\":")
                    .append(i)
                    .append(",\"name\":\"")
                    .append("n".repeat(i % 40))
                    .append("\",\"flag\":")
                    .append(i % 3 == 0)
                    .append(",\"none\":null,\"tags\":[")
                    .append(String.join(",", java.util.Collections.nCopies(i % 5, "\"tag\"")))
                    .append("],\"at\":{\"x\":0.5,\"y\":")
                    .append(i % 7 == 0 ? "null" : "2.25")
                    .append("},\"kind\":\"k")
                    .append(i % 11)
                    .append("\"}\n");
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    private BufferAllocator allocator(boolean recycle) {
        return recycle ? recycling : allocator;
    }

    /** When it is told, all is given back: whoever waits may close the allocator at once. */
    private static long estimate(BufferAllocator from, Dataset<RecordBatch> dataset) {
        return Arrow.estimateBatchBytes(dataset)
                .doOnNext(bytes -> assertThat(from.getAllocatedMemory()).isZero())
                .block();
    }

    /** What each batch of the data set takes, the one behind the other. */
    private static List<Long> taken(BufferAllocator from, Dataset<RecordBatch> dataset) {
        List<Long> bytes = new ArrayList<>();
        dataset.read()
                .doOnNext(batch -> {
                    long with = from.getAllocatedMemory();
                    batch.close();
                    bytes.add(with - from.getAllocatedMemory());
                })
                .blockLast();
        return bytes;
    }

    private static void isNear(long estimate, List<Long> taken) {
        long first = taken.get(0);
        assertThat(estimate).as("%s", taken).isBetween((long) (first * 0.8), (long) (first * 1.35));
    }

    @ParameterizedTest
    @CsvSource({
        "20000, 10000, 33554432, true",
        "20000, 10000, 33554432, false",
        "20000, 65536, 200000, true", // batches that end by their bytes
        "20000, 65536, 600000, false",
        "20000, 1000, 33554432, true", // smaller than the sample
        "700, 65536, 33554432, false" // fewer rows than the sample
    })
    void ofJsonlIsWhatABatchTakes(int rows, int batchRows, long batchBytes, boolean recycle) {
        BufferAllocator from = allocator(recycle);
        ArrowSpec spec = ArrowSpec.create()
                .batchRows(batchRows)
                .batchBytes(batchBytes)
                .dictionaries("kind")
                .pathColumn("file")
                .rowIndexColumn("row");
        Dataset<RecordBatch> dataset = Dataset.at(
                new ChunkedStore(50_000, null).with("a.jsonl", lines(rows)), "a.jsonl", Arrow.jsonl(from, spec));

        isNear(estimate(from, dataset), taken(from, dataset));
    }

    @ParameterizedTest
    @CsvSource({"90000, 60000, 33554432, true", "90000, 60000, 33554432, false", "90000, 65536, 400000, true"})
    void ofAvroIsWhatABatchTakesAndOnlyTheFirstBlocksAreRead(
            int rows, int batchRows, long batchBytes, boolean recycle) {
        BufferAllocator from = allocator(recycle);
        InMemoryObjectStore store = InMemoryObjectStore.create();
        byte[] text = lines(rows);
        Dataset<RecordBatch> source =
                Dataset.at(new ChunkedStore(50_000, null).with("a.jsonl", text), "a.jsonl", Arrow.jsonl(allocator));
        Dataset.at(store, "a.avro", Arrow.avro(allocator, AvroSpec.create().blockBytes(64 << 10), ArrowSpec.create()))
                .write(source.read())
                .block();
        CountingStore counting = new CountingStore(store);
        ArrowSpec spec = ArrowSpec.create().batchRows(batchRows).batchBytes(batchBytes);
        Dataset<RecordBatch> dataset = Dataset.at(counting, "a.avro", Arrow.avro(from, AvroSpec.create(), spec));

        long estimate = estimate(from, dataset);

        assertThat(counting.bytes.get()).isLessThan(store.head("a.avro").block().size());
        isNear(estimate, taken(from, dataset));
    }

    @Test
    void ofIpcFilesIsWhatTheFirstBatchTakes() {
        InMemoryObjectStore store = InMemoryObjectStore.create();
        Dataset<RecordBatch> dataset = Dataset.at(store, "x.arrow", Arrow.ipcFile(allocator));
        dataset.write(Flux.range(0, 3).map(i -> Batches.random(allocator, i, 500)))
                .block();

        long estimate = estimate(allocator, dataset);

        List<Long> taken = taken(allocator, dataset);
        assertThat(estimate).isEqualTo(taken.get(0));
    }

    /** What columns share is counted once, and words are not multiplied with the rows. */
    @Test
    void ofDictionariesAndColumnsWithoutValues() {
        StringBuilder fields = new StringBuilder();
        for (int i = 0; i < 200; i++) {
            fields.append(",\"none").append(i).append("\":null");
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 20_000; i++) {
            String word = i < 40 ? "w".repeat(5000) + i : "w";
            text.append("{\"id\":")
                    .append(i)
                    .append(",\"word\":\"")
                    .append(word)
                    .append('"');
            text.append(i == 0 ? fields : "").append("}\n");
        }
        ArrowSpec spec = ArrowSpec.create().dictionaries("word");
        Dataset<RecordBatch> dataset = Dataset.at(
                new ChunkedStore(50_000, null).with("a.jsonl", text.toString().getBytes(StandardCharsets.UTF_8)),
                "a.jsonl",
                Arrow.jsonl(allocator, spec.batchRows(20_000)));

        isNear(estimate(allocator, dataset), taken(allocator, dataset));
    }

    @Test
    void noMoreIsReadThanItTakes() {
        ChunkedStore store = new ChunkedStore(50_000, null);
        for (int i = 0; i < 30; i++) {
            store.with("d/part-%05d.jsonl".formatted(i), lines(3000));
        }
        assertThat(estimate(
                        allocator,
                        Dataset.at(
                                store,
                                "d/",
                                Arrow.jsonl(allocator, ArrowSpec.create().sampleBytes(1000)))))
                .isPositive();
        assertThat(store.opened.get()).isLessThan(8);
    }

    @Test
    void ofNothingIsEmpty() {
        ChunkedStore store = new ChunkedStore(100, null).with("a.jsonl", new byte[0]);
        assertThat(Arrow.estimateBatchBytes(Dataset.at(store, "a.jsonl", Arrow.jsonl(allocator)))
                        .blockOptional())
                .isEmpty();
    }
}
