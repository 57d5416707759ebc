package io.sluice.arrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.Dataset;
import io.sluice.RecordException;
import io.sluice.RollingPolicy;
import io.sluice.WriteResult;
import io.sluice.WriteSpec;
import io.sluice.format.JsonlSpec;
import io.sluice.storage.InMemoryObjectStore;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.DurationVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.TimeSecVector;
import org.apache.arrow.vector.TimeStampNanoTZVector;
import org.apache.arrow.vector.TimeStampSecVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;

/** Batches written as JSONL: what comes back under the same schema is the same. */
class JsonlWriteTest {

    private BufferAllocator allocator;

    @BeforeEach
    void open() {
        allocator = new RootAllocator();
    }

    @AfterEach
    void nothingIsLeft() {
        Batches.awaitEmpty(allocator);
        allocator.close();
    }

    private String written(ArrowSpec spec, Flux<RecordBatch> batches) {
        InMemoryObjectStore store = InMemoryObjectStore.create();
        Dataset.at(store, "x.jsonl", Arrow.jsonl(allocator, spec))
                .write(batches)
                .block();
        return text(store, "x.jsonl");
    }

    private static String text(InMemoryObjectStore store, String key) {
        StringBuilder text = new StringBuilder();
        List<ByteBuffer> parts = store.get(key).collectList().block();
        int length = parts.stream().mapToInt(ByteBuffer::remaining).sum();
        ByteBuffer all = ByteBuffer.allocate(length);
        parts.forEach(all::put);
        return text.append(StandardCharsets.UTF_8.decode(all.flip())).toString();
    }

    private <V extends FieldVector> String value(ArrowType type, Class<V> vector, Consumer<V> fill) {
        return written(ArrowSpec.create(), Flux.defer(() -> Flux.just(column(type, vector, fill))))
                .strip();
    }

    private <V extends FieldVector> RecordBatch column(ArrowType type, Class<V> vector, Consumer<V> fill) {
        return column(Batches.field("v", type), vector, fill);
    }

    private <V extends FieldVector> RecordBatch column(Field field, Class<V> vector, Consumer<V> fill) {
        VectorSchemaRoot root = VectorSchemaRoot.create(new Schema(List.of(field)), allocator);
        V v = vector.cast(root.getVector(0));
        v.allocateNew();
        fill.accept(v);
        v.setValueCount(1);
        root.setRowCount(1);
        return RecordBatch.of(root);
    }

    @Test
    void everyTypeComesBackUnderItsSchema() {
        ArrowSpec spec = ArrowSpec.create().schema(Batches.schema()).batchRows(70);
        Flux<RecordBatch> batches = Flux.range(0, 4).map(i -> Batches.random(allocator, i, 50));
        List<Map<String, Object>> expected = new ArrayList<>();
        batches.doOnNext(batch -> expected.addAll(Batches.rows(batch))).blockLast();
        InMemoryObjectStore store = InMemoryObjectStore.create();
        Dataset<RecordBatch> dataset = Dataset.at(store, "d/", Arrow.jsonl(allocator, spec));
        WriteResult result = dataset.write(batches, WriteSpec.create().rolling(RollingPolicy.maxRecords(100)))
                .block();
        assertThat(result.records()).isEqualTo(200);
        assertThat(result.shards()).hasSize(2);
        List<Map<String, Object>> rows = new ArrayList<>();
        dataset.read().doOnNext(batch -> rows.addAll(Batches.rows(batch))).blockLast();
        assertThat(rows).isEqualTo(expected);
        // and it is JSON to others
        for (String line : text(store, result.shards().get(0).key()).split("\n")) {
            assertThat(Rows.json(line)).isInstanceOf(Map.class);
        }
    }

    @Test
    void whatWasReadIsWrittenAsItWas() {
        String text = """
                {"a":1,"b":"x","c":[1.5,null],"d":{"e":null},"f":{"any":[1,"x"]}}
                {"a":null,"b":"é\\n","c":[],"d":null,"f":"text"}
                """;
        ArrowSpec spec = ArrowSpec.create();
        InMemoryObjectStore store = InMemoryObjectStore.create();
        Dataset<RecordBatch> from = Dataset.at(store, "a.jsonl", Arrow.jsonl(allocator, spec));
        store.put(
                        "a.jsonl",
                        Flux.just(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8))),
                        io.sluice.storage.PutMode.CREATE)
                .block();
        Dataset.at(store, "b.jsonl", Arrow.jsonl(allocator, spec))
                .write(from.read())
                .block();
        assertThat(text(store, "b.jsonl")).isEqualTo(text);
    }

    @Test
    void rowsWithoutColumnsCount() {
        Flux<RecordBatch> batches = Flux.defer(() -> {
            VectorSchemaRoot root = VectorSchemaRoot.create(new Schema(List.of()), allocator);
            root.setRowCount(3);
            return Flux.just(RecordBatch.of(root));
        });
        assertThat(written(ArrowSpec.create(), batches)).isEqualTo("{}\n{}\n{}\n");
        // through the reader, and back
        List<Integer> counts = new ArrayList<>();
        InMemoryObjectStore store = InMemoryObjectStore.create();
        Dataset<RecordBatch> dataset = Dataset.at(store, "a.jsonl", Arrow.jsonl(allocator));
        dataset.write(batches).block();
        dataset.read()
                .doOnNext(batch -> {
                    counts.add(batch.rowCount());
                    batch.close();
                })
                .blockLast();
        assertThat(counts).containsExactly(3);
    }

    @Test
    void timesAreWrittenAsTextAndAsNumbersWhereThatHasNoRoom() {
        assertThat(value(
                        new ArrowType.Timestamp(TimeUnit.NANOSECOND, "Asia/Tokyo"),
                        TimeStampNanoTZVector.class,
                        v -> v.setSafe(0, -1)))
                .isEqualTo("{\"v\":\"1969-12-31T23:59:59.999999999Z\"}");
        assertThat(value(
                        new ArrowType.Timestamp(TimeUnit.SECOND, null), TimeStampSecVector.class, v -> v.setSafe(0, 0)))
                .isEqualTo("{\"v\":\"1970-01-01T00:00:00\"}");
        assertThat(value(
                        new ArrowType.Timestamp(TimeUnit.SECOND, null),
                        TimeStampSecVector.class,
                        v -> v.setSafe(0, Long.MAX_VALUE)))
                .isEqualTo("{\"v\":9223372036854775807}");
        assertThat(value(
                        new ArrowType.Timestamp(TimeUnit.SECOND, null),
                        TimeStampSecVector.class,
                        v -> v.setSafe(0, 1_000_000_000_000L)))
                .isEqualTo("{\"v\":\"+33658-09-27T01:46:40\"}");
        assertThat(value(
                        new ArrowType.Duration(TimeUnit.NANOSECOND),
                        DurationVector.class,
                        v -> v.setSafe(0, Long.MIN_VALUE)))
                .isEqualTo("{\"v\":\"PT-2562047H-47M-16.854775808S\"}");
        assertThatThrownBy(() ->
                        value(new ArrowType.Time(TimeUnit.SECOND, 32), TimeSecVector.class, v -> v.setSafe(0, 86_400)))
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("column 'v'");
    }

    @Test
    void whatJsonCannotSayIsRefusedWithColumnAndRow() {
        ArrowType number = new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE);
        assertThatThrownBy(() -> value(number, Float8Vector.class, v -> v.setSafe(0, Double.NaN)))
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("NaN")
                .hasMessageContaining("column 'v'")
                .hasMessageContaining("x.jsonl")
                .hasMessageContaining("line 1");
        ArrowSpec lenient = ArrowSpec.create().jsonl(JsonlSpec.create().acceptNonFinite());
        assertThat(written(
                        lenient,
                        Flux.defer(() -> Flux.just(column(number, Float8Vector.class, v -> v.setSafe(0, -1 / 0.0))))))
                .isEqualTo("{\"v\":-Infinity}\n");
        assertThatThrownBy(() -> value(
                        new ArrowType.Utf8(), VarCharVector.class, v -> v.setSafe(0, new byte[] {'a', (byte) 0xC3})))
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("UTF-8");
        Field json = new Field("v", JsonType.fieldType(), List.of());
        for (String bad : List.of("{\"a\":}", "1 2", "", "\"a\nb\"")) {
            Flux<RecordBatch> batch = Flux.defer(() -> Flux.just(
                    column(json, VarCharVector.class, v -> v.setSafe(0, bad.getBytes(StandardCharsets.UTF_8)))));
            assertThatThrownBy(() -> written(ArrowSpec.create(), batch))
                    .as(bad)
                    .isInstanceOf(RecordException.class)
                    .hasMessageContaining("no JSON");
        }
        Flux<RecordBatch> lines = Flux.defer(() -> Flux.just(column(
                json, VarCharVector.class, v -> v.setSafe(0, "{\n\"a\":\n1}".getBytes(StandardCharsets.UTF_8)))));
        assertThat(written(ArrowSpec.create(), lines)).isEqualTo("{\"v\":{ \"a\": 1}}\n");
        Flux<RecordBatch> quotes = Flux.defer(() -> Flux.just(column(
                json,
                VarCharVector.class,
                v -> v.setSafe(0, "[\"\\\"\\\\\",\n\"\\\\\"\n]".getBytes(StandardCharsets.UTF_8)))));
        assertThat(written(ArrowSpec.create(), quotes)).isEqualTo("{\"v\":[\"\\\"\\\\\", \"\\\\\" ]}\n");
    }

    /** What becomes of a text that is read by a schema and written. */
    private String writtenAgain(String text, Schema schema) {
        InMemoryObjectStore store = InMemoryObjectStore.create();
        store.put(
                        "a.jsonl",
                        Flux.just(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8))),
                        io.sluice.storage.PutMode.CREATE)
                .block();
        Dataset<RecordBatch> from = Dataset.at(
                store, "a.jsonl", Arrow.jsonl(allocator, ArrowSpec.create().schema(schema)));
        return written(ArrowSpec.create(), from.read());
    }

    @Test
    void keysOfMapsAreStringsWhateverTheyAre() {
        Field key = new Field(
                "key", org.apache.arrow.vector.types.pojo.FieldType.notNullable(Batches.integer(32, true)), List.of());
        Field entries = new Field(
                "entries",
                org.apache.arrow.vector.types.pojo.FieldType.notNullable(new ArrowType.Struct()),
                List.of(key, Batches.field("value", new ArrowType.Bool())));
        Schema schema = new Schema(List.of(Batches.field("m", new ArrowType.Map(false), entries)));
        String text = "{\"m\":{\"-1\":true,\"2147483647\":null}}\n";
        assertThat(writtenAgain(text, schema)).isEqualTo(text);
    }

    @Test
    void unsignedNumbersAreNotNegative() {
        String text = "{\"a\":255,\"b\":65535,\"c\":4294967295,\"d\":18446744073709551615}\n";
        Schema schema = new Schema(List.of(
                Batches.field("a", Batches.integer(8, false)),
                Batches.field("b", Batches.integer(16, false)),
                Batches.field("c", Batches.integer(32, false)),
                Batches.field("d", Batches.integer(64, false))));
        assertThat(writtenAgain(text, schema)).isEqualTo(text);
    }

    @Test
    void theWriterHoldsTwoBatchesAtMostAndClosesAll() {
        List<Integer> made = new ArrayList<>();
        List<RecordBatch> open = new ArrayList<>();
        Flux<RecordBatch> batches = Flux.range(0, 40).map(i -> {
            open.removeIf(RecordBatch::isClosed);
            made.add(open.size());
            RecordBatch batch = Batches.random(allocator, i, 20);
            open.add(batch);
            return batch;
        });
        for (var format : List.of(Arrow.jsonl(allocator), Arrow.ipcFile(allocator))) {
            Dataset.at(InMemoryObjectStore.create(), "x", format).write(batches).block();
        }
        assertThat(made).allMatch(waiting -> waiting <= 2).hasSize(80);
    }
}
