package io.sluice.arrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.Dataset;
import io.sluice.RecordException;
import io.sluice.format.Format;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import reactor.core.publisher.Flux;

/** What others read of ours, and write for us: each takes a file, reads all of it, and writes it again with its own writer. */
class InteropTest {

    /** What polars has types for that come back as they were, and DuckDB too. */
    private static final Set<String> PLAIN = Set.of(
            "bool",
            "i8",
            "i16",
            "i32",
            "i64",
            "u64",
            "f32",
            "f64",
            "large",
            "utf8",
            "largebin",
            "bin",
            "day",
            "tsMICROSECOND",
            "list",
            "struct");

    @TempDir
    Path dir;

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

    private static IpcCompression compression(String name) {
        return switch (name) {
            case "zstd" -> IpcCompression.zstd();
            case "lz4" -> IpcCompression.lz4();
            default -> IpcCompression.none();
        };
    }

    private Flux<RecordBatch> batches(Schema schema) {
        return Flux.range(0, 4).map(i -> Batches.random(allocator, schema, i, 300, 20 + 3 * i));
    }

    private Path written(String name, String compression, Schema schema) {
        Path file = dir.resolve(name);
        IpcSpec spec = IpcSpec.create().compression(compression(compression));
        Format<RecordBatch> format =
                name.endsWith(".arrow") ? Arrow.ipcFile(allocator, spec) : Arrow.ipcStream(allocator, spec);
        Dataset.at(file, format).write(batches(schema)).block();
        return file;
    }

    private static List<Map<String, Object>> rows(Flux<RecordBatch> batches) {
        List<Map<String, Object>> rows = new ArrayList<>();
        batches.doOnNext(batch -> rows.addAll(Batches.rows(batch))).blockLast();
        return rows;
    }

    private List<Map<String, Object>> read(Path file) {
        return rows(Dataset.at(file, Arrow.ipcFile(allocator)).read());
    }

    private static Schema only(Set<String> names) {
        List<Field> fields = Batches.fields().stream()
                .filter(f -> names.contains(f.getName()))
                .toList();
        assertThat(fields).hasSameSizeAs(names);
        return new Schema(fields);
    }

    @ParameterizedTest
    @CsvSource({
        "a.arrow,none,b.arrow,none",
        "a.arrow,zstd,b.arrows,lz4",
        "a.arrows,lz4,b.arrow,zstd",
        "a.arrows,none,b.arrows,none"
    })
    void pyarrowReadsEveryTypeAndWeReadWhatItWrites(String ours, String compression, String theirs, String their)
            throws IOException {
        Python.require("pyarrow");
        Schema schema = Batches.schema();
        Path file = written(ours, compression, schema);
        Python.script(dir, "interop.py", "pyarrow", file, dir.resolve(theirs), their);
        assertThat(read(dir.resolve(theirs))).isEqualTo(rows(batches(schema)));
    }

    @Test
    void pyarrowMapsFilesIntoMemoryAndReadsTheirBatchesInAnyOrder() throws IOException {
        Python.require("pyarrow");
        Schema schema = Batches.schema();
        Python.script(dir, "interop.py", "pyarrow-mapped", written("a.arrow", "none", schema), dir.resolve("b.arrow"));
        assertThat(read(dir.resolve("b.arrow"))).isEqualTo(rows(batches(schema)));
    }

    @Test
    void whatPyarrowMakesIsRead() throws IOException {
        Python.require("pyarrow");
        for (String name : List.of("a.arrow", "b.arrows")) {
            Path file = dir.resolve(name);
            Python.script(dir, "interop.py", "make", "-", file, "zstd");
            List<Map<String, Object>> rows = read(file);
            assertThat(rows).hasSize(1000);
            assertThat(rows.get(7))
                    .isEqualTo(Map.of(
                            "n",
                            7L,
                            "nested",
                            Map.of("a", List.of(7L, 7L, 7L), "b", "7"),
                            "view",
                            "a string that is not inlined 7"));
            assertThat(rows.get(20)).containsEntry("words", "w7");
        }
    }

    @ParameterizedTest
    @CsvSource({"a.arrow,none,b.arrow,zstd", "a.arrow,lz4,b.arrow,none", "a.arrows,zstd,b.arrows,lz4"})
    void polarsReadsWhatWeWriteAndWeReadWhatItWrites(String ours, String compression, String theirs, String their)
            throws IOException {
        Python.require("polars");
        Schema schema = only(PLAIN);
        Path file = written(ours, compression, schema);
        Python.script(dir, "interop.py", "polars", file, dir.resolve(theirs), their);
        assertThat(read(dir.resolve(theirs))).isEqualTo(rows(batches(schema)));
    }

    @Test
    void polarsReadsDictionaries() throws IOException {
        Python.require("polars");
        Schema schema = only(Set.of("dict", "i64"));
        Flux<RecordBatch> same = Flux.range(0, 3).map(i -> Batches.random(allocator, schema, i, 300, 20));
        Path file = dir.resolve("a.arrow");
        Dataset.at(file, Arrow.ipcFile(allocator)).write(same).block();
        Python.script(dir, "interop.py", "polars", file, dir.resolve("b.arrows"));
        assertThat(read(dir.resolve("b.arrows"))).isEqualTo(rows(same));
        // into files, polars writes dictionaries behind the batches: that is said, not guessed at
        Python.script(dir, "interop.py", "polars", file, dir.resolve("c.arrow"));
        assertThatThrownBy(() -> read(dir.resolve("c.arrow")))
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("write a stream");
    }

    @ParameterizedTest
    @CsvSource({"a.arrow,none,b.arrow", "a.arrows,zstd,b.arrows"})
    void duckdbReadsWhatWeWrite(String ours, String compression, String theirs) throws IOException {
        Python.require("duckdb", "pyarrow");
        Schema schema = only(PLAIN);
        Path file = written(ours, compression, schema);
        Python.script(dir, "interop.py", "duckdb", file, dir.resolve(theirs));
        assertThat(read(dir.resolve(theirs))).isEqualTo(rows(batches(schema)));
    }
}
