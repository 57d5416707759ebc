package io.sluice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.codec.Compressions;
import io.sluice.format.Jsonl;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.Scannable;
import reactor.core.publisher.Flux;
import reactor.util.context.Context;

class RoundTripTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    Path dir;

    private static Flux<Map<String, Object>> records(int from, int to) {
        return Flux.fromStream(() -> IntStream.range(from, to).mapToObj(i -> Map.of("n", (Object) i)));
    }

    private static List<Integer> numbers(Dataset<Map<String, Object>> dataset) {
        return dataset.read().map(m -> (Integer) m.get("n")).collectList().block(PATIENCE);
    }

    @Test
    void whatIsWrittenAsShardsIsReadBackInOrderAndAppendedTo() {
        Dataset<Map<String, Object>> dataset = Dataset.at(dir.resolve("events"), Jsonl.maps());
        WriteSpec spec =
                WriteSpec.create().rolling(RollingPolicy.maxRecords(100)).compression(Compressions.zstd());
        WriteResult first = dataset.write(records(0, 250), spec).block(PATIENCE);
        assertThat(first.shards()).hasSize(3);
        dataset.write(records(250, 300), spec).block(PATIENCE);
        assertThat(numbers(dataset)).isEqualTo(IntStream.range(0, 300).boxed().toList());
        assertThat(dataset.shards()
                        .map(m -> m.key().substring(m.key().lastIndexOf('/') + 1))
                        .collectList()
                        .block(PATIENCE))
                .containsExactly(
                        "part-00000.jsonl.zst", "part-00001.jsonl.zst", "part-00002.jsonl.zst", "part-00003.jsonl.zst");
    }

    @Test
    void aFileIsWrittenWholeByItsExtension() throws Exception {
        for (String name : List.of("a.jsonl", "a.jsonl.gz", "a.ndjson.zst")) {
            Dataset<Map<String, Object>> dataset = Dataset.at(dir.resolve(name), Jsonl.maps());
            dataset.write(records(0, 1000)).block(PATIENCE);
            assertThat(numbers(dataset)).hasSize(1000);
        }
        assertThat(Files.readAllBytes(dir.resolve("a.jsonl.gz"))).startsWith(0x1f, 0x8b);
        assertThat(Files.readAllBytes(dir.resolve("a.ndjson.zst"))).startsWith(0x28, 0xb5, 0x2f, 0xfd);
        assertThatThrownBy(() -> Dataset.at(dir.resolve("a.jsonl"), Jsonl.maps())
                        .write(records(0, 1))
                        .block(PATIENCE))
                .isInstanceOfSatisfying(
                        StorageException.class,
                        e -> assertThat(e.kind()).isEqualTo(StorageException.Kind.ALREADY_EXISTS));
    }

    @Test
    void batchesAreExact() {
        Dataset<Map<String, Object>> dataset = Dataset.at(dir.resolve("b.jsonl"), Jsonl.maps());
        dataset.write(records(0, 1000)).block(PATIENCE);
        assertThat(dataset.readBatches(300).map(List::size).collectList().block(PATIENCE))
                .containsExactly(300, 300, 300, 100);
    }

    @Test
    void theMissingAndTheEmpty() throws Exception {
        assertThatThrownBy(() -> numbers(Dataset.at(dir.resolve("nowhere"), Jsonl.maps())))
                .isInstanceOfSatisfying(
                        StorageException.class, e -> assertThat(e.kind()).isEqualTo(StorageException.Kind.NOT_FOUND))
                .hasMessageContaining("nowhere");
        Files.createDirectory(dir.resolve("empty"));
        assertThat(numbers(Dataset.at(dir.resolve("empty"), Jsonl.maps()))).isEmpty();
    }

    @Test
    void directoriesGlobsAndMixedCompression() throws Exception {
        Path d = Files.createDirectories(dir.resolve("d/deep"));
        Path top = d.getParent();
        String[] names = {
            "part-99999.jsonl",
            "part-100000.jsonl.gz",
            "part-100001.jsonl.zst",
            "log-9.jsonl",
            "log-10.jsonl",
            "_SUCCESS",
            ".part-00000.jsonl.tmp",
            "_claims.jsonl",
            "notes.txt",
            "deep/part-00000.jsonl"
        };
        int n = 0;
        for (String name : names) {
            Dataset.at(top.resolve(name), Jsonl.maps())
                    .write(records(n, n + 1), WriteSpec.create())
                    .block(PATIENCE);
            n++;
        }
        assertThat(numbers(Dataset.at(top, Jsonl.maps()))).containsExactly(0, 1, 2, 3, 4);
        assertThat(numbers(Dataset.at(top + "/log-*.jsonl", Jsonl.maps()))).containsExactly(3, 4);
        assertThat(numbers(Dataset.at(top + "/*.{txt,jsonl}", Jsonl.maps()))).containsExactly(0, 3, 4, 8);
        assertThat(numbers(Dataset.at(top + "/**/part-*", Jsonl.maps())))
                .contains(0, 1, 2, 9)
                .hasSize(4);
        assertThatThrownBy(() -> numbers(Dataset.at(top + "/none-*.jsonl", Jsonl.maps())))
                .isInstanceOf(StorageException.class)
                .hasMessageContaining("no file matches");
    }

    @Test
    void aFileThatIsNamedLikeAGlobIsReadAsThatFile() {
        int n = 0;
        for (String name : List.of("data[1].jsonl", "data1.jsonl", "a*.jsonl", "ab.jsonl")) {
            Dataset.at(dir.resolve(name), Jsonl.maps()).write(records(n, n + 1)).block(PATIENCE);
            n++;
        }
        assertThat(numbers(Dataset.at(dir.resolve("data[1].jsonl"), Jsonl.maps())))
                .containsExactly(0);
        assertThat(numbers(Dataset.at(dir + "/data[1].jsonl", Jsonl.maps()))).containsExactly(0);
        assertThat(numbers(Dataset.at(dir + "/a*.jsonl", Jsonl.maps()))).containsExactly(2);
        // and as a glob where there is no such file
        assertThat(numbers(Dataset.at(dir + "/data[12].jsonl", Jsonl.maps()))).containsExactly(1);
        assertThat(numbers(Dataset.at(dir + "/a*.json?", Jsonl.maps()))).containsExactly(2, 3);
    }

    @Test
    void theSubscribersContextReachesTheStore() {
        io.sluice.testing.ContextStore store = new io.sluice.testing.ContextStore();
        Dataset.at(store, "a.jsonl", Jsonl.maps())
                .read()
                .contextWrite(Context.of("tenant", "t1"))
                .blockLast(PATIENCE);
        assertThat(store.seen).containsExactly("t1", "t1");
    }

    @Test
    void aReadHasANameATagAndACheckpointForMetricsAndTraces() {
        Dataset<Map<String, Object>> dataset = Dataset.at(dir.resolve("gone.jsonl"), Jsonl.maps());
        assertThat(Scannable.from(dataset.read()).name()).isEqualTo("sluice.read");
        assertThat(Scannable.from(dataset.read()).tags().map(t -> t.getT1() + "=" + t.getT2()))
                .containsExactly("format=jsonl maps");
        assertThatThrownBy(() -> dataset.read().blockLast(PATIENCE))
                .satisfies(e -> assertThat(stackTrace(e))
                        .contains("sluice: read " + dir.resolve("gone.jsonl") + " as jsonl maps"));
    }

    private static String stackTrace(Throwable e) {
        StringWriter text = new StringWriter();
        e.printStackTrace(new PrintWriter(text));
        return text.toString();
    }
}
