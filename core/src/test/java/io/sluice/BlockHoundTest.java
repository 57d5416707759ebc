package io.sluice;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.codec.Compressions;
import io.sluice.format.Jsonl;
import io.sluice.testing.Fork;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.blockhound.BlockHound;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** Nothing blocks a non-blocking thread; and the check can tell: on an event loop, each stage is caught. */
class BlockHoundTest {

    private static final List<String> JVM =
            List.of("-XX:+AllowRedefinitionToAddDeleteMethods", "-XX:-PrintWarnings", "-XX:+EnableDynamicAgentLoading");

    @TempDir
    Path dir;

    private String fork(String what, String where) throws Exception {
        Fork.Result result = Fork.run(Main.class, JVM, what, where, dir.toString());
        assertThat(result.exit()).as(result.output()).isZero();
        return result.output();
    }

    @ParameterizedTest
    @ValueSource(strings = {"read", "decompress", "write"})
    void onTheDefaultSchedulerNothingBlocks(String what) throws Exception {
        assertThat(fork(what, "default")).contains("done").doesNotContain("Blocking call");
    }

    @ParameterizedTest
    @ValueSource(strings = {"read", "decompress", "write"})
    void onAnEventLoopTheStageIsCaught(String what) throws Exception {
        assertThat(fork(what, "eventloop")).contains("Blocking call");
    }

    static final class Main {

        private Main() {}

        public static void main(String[] args) throws Exception {
            Path dir = Path.of(args[2]);
            boolean zstd = !args[0].equals("read");
            Path file = dir.resolve("a.jsonl" + (zstd ? ".zst" : ""));
            Files.deleteIfExists(file);
            Dataset<Map<String, Object>> dataset = Dataset.at(file, Jsonl.maps());
            Flux<Map<String, Object>> records = Flux.range(0, 100_000).map(i -> Map.of("n", i));
            WriteSpec write = WriteSpec.create().compression(zstd ? Compressions.zstd() : Compressions.none());
            if (!args[0].equals("write")) {
                dataset.write(records, write).block();
            }
            BlockHound.install();
            Scheduler loop = args[1].equals("eventloop") ? Schedulers.newParallel("loop", 2) : null;
            try {
                if (args[0].equals("write")) {
                    dataset.write(
                                    records.subscribeOn(Schedulers.parallel()),
                                    loop == null ? write : write.scheduler(loop))
                            .block();
                } else {
                    ReadSpec spec =
                            loop == null ? ReadSpec.create() : ReadSpec.create().scheduler(loop);
                    // subscribed to and requested from a non-blocking thread
                    Flux.defer(() -> dataset.read(spec))
                            .publishOn(Schedulers.parallel(), 16)
                            .subscribeOn(Schedulers.parallel())
                            .blockLast();
                }
                System.out.println("done");
            } catch (Throwable e) {
                e.printStackTrace(System.out);
            }
            System.exit(0);
        }
    }
}
