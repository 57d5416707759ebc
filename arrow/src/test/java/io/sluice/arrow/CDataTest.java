package io.sluice.arrow;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.Dataset;
import io.sluice.testing.ChunkedStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.arrow.c.ArrowArray;
import org.apache.arrow.c.ArrowSchema;
import org.apache.arrow.c.CDataDictionaryProvider;
import org.apache.arrow.c.Data;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.types.pojo.Schema;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Batches through the C data interface, as the documentation says. */
class CDataTest {

    private final BufferAllocator allocator = new RootAllocator();

    @AfterEach
    void nothingIsLeft() {
        allocator.close();
    }

    /** Out and in again; the batch is closed before the other side looks at what it was given. */
    private List<Map<String, Object>> roundTrip(RecordBatch made) {
        try (ArrowArray array = ArrowArray.allocateNew(allocator);
                ArrowSchema schema = ArrowSchema.allocateNew(allocator)) {
            try (RecordBatch batch = made) {
                Data.exportVectorSchemaRoot(allocator, batch.root(), batch.dictionaries(), array, schema);
            }
            CDataDictionaryProvider dictionaries = new CDataDictionaryProvider();
            VectorSchemaRoot root = Data.importVectorSchemaRoot(allocator, array, schema, dictionaries);
            List<Dictionary> all = new ArrayList<>();
            for (Long id : dictionaries.getDictionaryIds()) {
                all.add(dictionaries.lookup(id));
            }
            return Batches.rows(RecordBatch.of(root, all));
        }
    }

    @Test
    void everyTypeComesBackAfterTheBatchIsClosed() {
        Schema schema = Batches.schema();
        List<Map<String, Object>> expected = Batches.rows(Batches.random(allocator, schema, 3, 200, 20));

        assertThat(roundTrip(Batches.random(allocator, schema, 3, 200, 20))).isEqualTo(expected);
    }

    @Test
    void whatIsReadIsHandedOver() {
        byte[] text = "{\"a\":1,\"s\":\"x\",\"l\":[{\"d\":0.5}]}\n{\"s\":null,\"l\":[]}\n{\"a\":3,\"none\":null}\n"
                .getBytes(StandardCharsets.UTF_8);
        List<Map<String, Object>> rows = new ArrayList<>();
        Dataset.at(
                        new ChunkedStore(1 << 16, null).with("a.jsonl", text),
                        "a.jsonl",
                        Arrow.jsonl(allocator, ArrowSpec.create().dictionaries("s")))
                .read()
                .doOnNext(batch -> rows.addAll(roundTrip(batch)))
                .blockLast();

        assertThat(rows)
                .containsExactly(
                        Map.of("a", 1L, "s", "x", "l", List.of(Map.of("d", 0.5))),
                        Map.of("l", List.of()),
                        Map.of("a", 3L));
    }

    // ---- another language
    // ---------------------------------------------------------------------------------------------

    /** The other side's memory is not the Java program's: it outlives the test that exports into it. */
    private static final BufferAllocator EXPORTING = new RootAllocator();

    private static Schema handedOver() {
        return new Schema(Batches.fields().stream()
                .filter(field -> !field.getName().equals("view"))
                .toList());
    }

    /** Called from the Python in which this runs: exports a batch to where it says. */
    public static void export(long array, long schema) {
        try (RecordBatch batch = Batches.random(EXPORTING, handedOver(), 5, 300, 20)) {
            Data.exportVectorSchemaRoot(
                    EXPORTING, batch.root(), batch.dictionaries(), ArrowArray.wrap(array), ArrowSchema.wrap(schema));
        }
    }

    /** Called from there too: what is still held. */
    public static long held() {
        return EXPORTING.getAllocatedMemory();
    }

    /** A Python that has a Java inside of it takes a batch from one to the other, and writes down what it was given. */
    @Test
    void pyarrowTakesABatchFromTheSameProcess(@TempDir Path dir) throws IOException {
        Python.require("jpype", "pyarrow", "cffi");
        Path written = dir.resolve("taken.arrow");

        Python.script(dir, "cdata.py", System.getProperty("java.home"), System.getProperty("java.class.path"), written);

        List<Map<String, Object>> rows = new ArrayList<>();
        Dataset.at(written, Arrow.ipcFile(allocator))
                .read()
                .doOnNext(batch -> rows.addAll(Batches.rows(batch)))
                .blockLast();
        assertThat(rows).isEqualTo(Batches.rows(Batches.random(allocator, handedOver(), 5, 300, 20)));
    }
}
