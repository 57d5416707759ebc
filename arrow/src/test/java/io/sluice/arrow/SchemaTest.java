package io.sluice.arrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.Dataset;
import io.sluice.ErrorPolicy;
import io.sluice.ReadSpec;
import io.sluice.RecordException;
import io.sluice.SluiceException;
import io.sluice.storage.InMemoryObjectStore;
import io.sluice.testing.ChunkedStore;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;

/** The schema of a data set, of its sample and of all of it. */
class SchemaTest {

    private static ChunkedStore store(String... shards) {
        ChunkedStore store = new ChunkedStore(300, null);
        for (int i = 0; i < shards.length; i++) {
            store.with("d/part-%05d.jsonl".formatted(i), shards[i].getBytes(StandardCharsets.UTF_8));
        }
        return store;
    }

    private static Dataset<RecordBatch> dataset(ChunkedStore store, ArrowSpec spec) {
        return Dataset.at(store, "d/", Arrow.jsonl(new RootAllocator(), spec));
    }

    private static List<String> names(Schema schema) {
        return schema.getFields().stream().map(Field::getName).toList();
    }

    @Test
    void ofTheSampleIsWhatReadingBeginsWith() {
        ChunkedStore store = store("{\"a\":1}\n{\"a\":2}\n", "{\"b\":1}\n");
        Dataset<RecordBatch> two = dataset(store, ArrowSpec.create().sampleRecords(2));
        assertThat(names(Arrow.schema(two).block())).containsExactly("a");
        assertThat(names(Arrow.schema(dataset(store, ArrowSpec.create())).block()))
                .containsExactly("a", "b");
        assertThat(names(Arrow.schema(dataset(store(""), ArrowSpec.create())).block()))
                .isEmpty();
        Schema given = new Schema(List.of(Batches.field("x", Batches.integer(8, true))));
        assertThat(Arrow.schema(dataset(store, ArrowSpec.create().schema(given)))
                        .block())
                .isEqualTo(given);
        assertThat(Arrow.schema(dataset(store, ArrowSpec.create().schema(given)), ReadSpec.create())
                        .block())
                .isEqualTo(given);
    }

    /** Each block is walked by itself: what one has seen must count beside what another has. */
    @Test
    void ofAllTakesTogetherWhatEachBlockHasSeen() {
        assertThat(typeOf(ArrowSpec.create(), "1.5", "9007199254740993")).contains("arrow.json");
        assertThat(typeOf(ArrowSpec.create(), "1.5", "-9007199254740993")).contains("arrow.json");
        assertThat(typeOf(ArrowSpec.create(), "9007199254740993", "1.5")).contains("arrow.json");
        assertThat(typeOf(ArrowSpec.create(), "1.5", "9007199254740992")).startsWith("FloatingPoint");
        assertThat(typeOf(ArrowSpec.create(), "1", "12345678901234567890")).startsWith("Decimal(38, 0, 128)");
        assertThat(typeOf(ArrowSpec.create(), "12345678901234567890", "1" + "0".repeat(40)))
                .startsWith("Decimal(76, 0, 256)");
        ArrowSpec decimals = ArrowSpec.create().decimals();
        assertThat(typeOf(decimals, "0.5", "0.125")).startsWith("Decimal(38, 3, 128)");
        assertThat(typeOf(decimals, "0.125", "12345678901234567890123456789012345678.5"))
                .startsWith("Decimal(76, 3, 256)");
        assertThat(typeOf(decimals, "9223372036854775807", "0.1234567890123456789012345"))
                .startsWith("Decimal(76, 25, 256)");
        ArrowSpec times = ArrowSpec.create().detectTimestamps();
        assertThat(typeOf(times, "\"2026-01-31T12:00:00Z\"", "\"2026-01-31T12:00:00.5Z\""))
                .startsWith("Timestamp(MICROSECOND, UTC)");
        assertThat(typeOf(times, "\"2026-01-31T12:00:00Z\"", "\"2026-01-31T12:00:00.000000001Z\""))
                .startsWith("Timestamp(NANOSECOND, UTC)");
        assertThat(typeOf(times, "\"2026-01-31T12:00:00Z\"", "\"soon\"")).startsWith("Utf8");
        assertThat(typeOf(times, "\"soon\"", "\"2026-01-31T12:00:00Z\"")).startsWith("Utf8");
    }

    /** The type inferred from two values, in blocks of their own. */
    private static String typeOf(ArrowSpec spec, String first, String second) {
        String pad = " ".repeat(1100);
        String text = "{\"v\":" + first + pad + "}\n{\"v\":" + second + pad + "}\n";
        Field field = Arrow.schema(
                        dataset(store(text), spec),
                        ReadSpec.create().blockBytes(1024).parallelism(2))
                .block()
                .getFields()
                .get(0);
        return field.getType() + " " + field.getMetadata();
    }

    @Test
    void ofASampleReadsNoMoreThanTheSample() {
        String[] shards = new String[60];
        java.util.Arrays.fill(shards, "{\"a\":1}\n".repeat(200));
        ChunkedStore store = store(shards);
        assertThat(Arrow.schema(dataset(store, ArrowSpec.create().sampleBytes(1000)))
                        .block())
                .isNotNull();
        assertThat(store.opened.get()).isLessThan(50);
    }

    @Test
    void ofAllIsTheSameWhateverTheParallelismAndTheBlocks() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 5000; i++) {
            text.append("{\"k")
                    .append(i / 100)
                    .append("\":")
                    .append(i % 7 == 0 ? "1.5" : "1")
                    .append(",\"l\":[")
                    .append(i == 4321 ? "\"x\"" : "1")
                    .append("],\"o\":{\"p")
                    .append(i % 3)
                    .append("\":null}}\n");
        }
        ChunkedStore store = store(text.toString(), "{\"last\":true}");
        Schema expected = Arrow.schema(
                        dataset(store, ArrowSpec.create()),
                        ReadSpec.create().parallelism(1).blockBytes(1 << 20))
                .block();
        assertThat(expected.getFields()).hasSize(53);
        assertThat(expected.findField("l").getChildren().get(0).getMetadata()).isNotEmpty(); // JSON text
        for (int parallelism : new int[] {1, 2, 4}) {
            for (int blockBytes : new int[] {1024, 10_000}) {
                assertThat(Arrow.schema(
                                        dataset(store, ArrowSpec.create()),
                                        ReadSpec.create()
                                                .parallelism(parallelism)
                                                .blockBytes(blockBytes))
                                .block())
                        .isEqualTo(expected);
            }
        }
        // as a sample as long as the data has it
        assertThat(Arrow.schema(dataset(
                                store,
                                ArrowSpec.create().sampleRecords(Long.MAX_VALUE).sampleBytes(1 << 30)))
                        .block())
                .isEqualTo(expected);
    }

    @Test
    void refusedRecordsAreLeftToTheErrorPolicy() {
        ChunkedStore store = store("{\"a\":1}\n{\"b\":}\n[1]\n{\"c\":1} x\n{\"d\":\"é\"}\n");
        Dataset<RecordBatch> dataset = dataset(store, ArrowSpec.create());
        assertThatThrownBy(() -> Arrow.schema(dataset, ReadSpec.create()).block())
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("line 2");
        assertThat(names(Arrow.schema(dataset, ReadSpec.create().onError(ErrorPolicy.skip()))
                        .block()))
                .containsExactly("a", "d");
        assertThatThrownBy(() -> Arrow.schema(dataset, ReadSpec.create().limit(3)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("sampleRecords");
    }

    @Test
    void keysWithoutEndAreRefused() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 25_000; i++) {
            text.append("{\"key").append(i).append("\":1}\n");
        }
        assertThatThrownBy(() -> Arrow.schema(
                                dataset(store(text.toString()), ArrowSpec.create()),
                                ReadSpec.create().blockBytes(4096))
                        .block())
                .isInstanceOf(SluiceException.class)
                .hasMessageContaining("different keys");
    }

    @Test
    void ofFilesThatBringOne() {
        try (BufferAllocator allocator = new RootAllocator()) {
            InMemoryObjectStore memory = InMemoryObjectStore.create();
            Dataset<RecordBatch> dataset = Dataset.at(memory, "x.arrow", Arrow.ipcFile(allocator));
            dataset.write(Flux.range(0, 2).map(i -> Batches.random(allocator, i, 5)))
                    .block();
            assertThat(Arrow.schema(dataset)
                            // all is given back by then: whoever waits may close the allocator at once
                            .doOnNext(schema ->
                                    assertThat(allocator.getAllocatedMemory()).isZero())
                            .block())
                    .isEqualTo(Batches.schema());
            assertThat(Arrow.schema(dataset, ReadSpec.create()).block()).isEqualTo(Batches.schema());
            Batches.awaitEmpty(allocator);
        }
    }
}
