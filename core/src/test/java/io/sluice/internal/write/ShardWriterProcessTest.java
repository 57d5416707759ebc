package io.sluice.internal.write;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.RollingPolicy;
import io.sluice.Shard;
import io.sluice.WriteResult;
import io.sluice.WriteSpec;
import io.sluice.internal.ShardNames;
import io.sluice.storage.LocalObjectStore;
import io.sluice.storage.ObjectMeta;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Flux;

/** Writers in processes of their own, at the same directory at once, and killed. */
class ShardWriterProcessTest {

    private static final int RECORDS_PER_SHARD = 50;

    @TempDir
    private Path directory;

    private LocalObjectStore store() {
        return LocalObjectStore.at(directory);
    }

    private List<String> shards() {
        return store().list("d/part-")
                .map(ObjectMeta::key)
                .sort(ShardNames.ORDER)
                .collectList()
                .block();
    }

    /** Records of each writer, from all shards in order; each shard whole, no number used twice. */
    private Map<String, List<Integer>> readAll() {
        Map<String, List<Integer>> records = new HashMap<>();
        Set<Long> numbers = new HashSet<>();
        for (String key : shards()) {
            assertThat(numbers.add(ShardNames.index(key).orElseThrow())).as(key).isTrue();
            List<String> lines = Stored.lines(store(), key);
            assertThat(lines).as(key).hasSize(RECORDS_PER_SHARD);
            for (String line : lines) {
                String[] parts = line.split(" ");
                records.computeIfAbsent(parts[0], name -> new ArrayList<>()).add(Integer.parseInt(parts[1]));
            }
        }
        return records;
    }

    /** What a writer left is what it wrote from the start, without a gap. */
    private static void requirePrefix(List<Integer> numbers) {
        for (int i = 0; i < numbers.size(); i++) {
            assertThat(numbers.get(i)).isEqualTo(i);
        }
    }

    @Test
    void twoProcessesAtOnceShareNoNumberAndLoseNothing() throws Exception {
        int shards = 120;
        int records = shards * RECORDS_PER_SHARD;
        Process a = WriterProcess.start(directory, "a", records, RECORDS_PER_SHARD, true);
        Process b = WriterProcess.start(directory, "b", records, RECORDS_PER_SHARD, false);
        List<String> committed = new ArrayList<>(drain(a));
        committed.addAll(drain(b));

        assertThat(committed).hasSize(2 * shards).doesNotHaveDuplicates();
        assertThat(shards()).containsExactlyInAnyOrderElementsOf(committed);
        Map<String, List<Integer>> read = readAll();
        assertThat(read.get("a")).hasSize(records);
        assertThat(read.get("b")).hasSize(records);
        read.values().forEach(ShardWriterProcessTest::requirePrefix);
        // all claims were given back
        assertThat(store().list("d/_claims/").collectList().block()).isEmpty();
    }

    private static List<String> drain(Process process) throws Exception {
        List<String> lines = lines(process);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
        assertThat(lines).endsWith("done");
        return lines.subList(0, lines.size() - 1);
    }

    private static List<String> lines(Process process) throws IOException {
        try (BufferedReader reader = process.inputReader(UTF_8)) {
            return reader.lines().toList();
        }
    }

    @Test
    void killedAtAnyMoment_aWriterLeavesWholeShards_andTheNextGoesOn() throws Exception {
        Random random = new Random(20261120);
        Set<String> acknowledged = new HashSet<>();
        int rounds = 10;
        for (int round = 0; round < rounds; round++) {
            // two at a time; both are killed, at moments of their own
            List<Process> processes = new ArrayList<>();
            List<BufferedReader> outputs = new ArrayList<>();
            for (String name : List.of("a" + round, "b" + round)) {
                Process process = WriterProcess.start(
                        directory, name, Integer.MAX_VALUE, RECORDS_PER_SHARD, random.nextBoolean());
                processes.add(process);
                outputs.add(process.inputReader(UTF_8));
            }
            for (int i = 0; i < 2; i++) {
                String first = outputs.get(i).readLine();
                assertThat(first).startsWith("d/part-");
                acknowledged.add(first);
                spin(random.nextInt(20_000_000));
                // by its handle: the process itself would close its output as well
                processes.get(i).toHandle().destroyForcibly();
                assertThat(processes.get(i).waitFor(30, TimeUnit.SECONDS)).isTrue();
                // a line that was cut off by the kill is no acknowledgement
                String rest = readRest(outputs.get(i));
                if (rest.indexOf('\n') >= 0) {
                    rest.substring(0, rest.lastIndexOf('\n')).lines().forEach(acknowledged::add);
                }
            }

            Map<String, List<Integer>> read = readAll();
            read.values().forEach(ShardWriterProcessTest::requirePrefix);
            assertThat(shards()).containsAll(acknowledged);

            List<String> before = shards();
            WriteResult next = ShardWriters.write(
                            Flux.range(0, RECORDS_PER_SHARD).map(n -> "next" + before.size() + " " + n),
                            store(),
                            "d/",
                            new LineFormat(),
                            WriteSpec.create().rolling(RollingPolicy.maxRecords(RECORDS_PER_SHARD)))
                    .block();
            Shard written = next.shards().get(0);
            assertThat(ShardNames.index(written.key()).orElseThrow())
                    .isGreaterThan(
                            ShardNames.index(before.get(before.size() - 1)).orElseThrow());
            acknowledged.add(written.key());
        }
        assertThat(acknowledged).hasSizeGreaterThanOrEqualTo(3 * rounds);
    }

    private static String readRest(BufferedReader reader) throws IOException {
        StringBuilder rest = new StringBuilder();
        for (int c = reader.read(); c >= 0; c = reader.read()) {
            rest.append((char) c);
        }
        return rest.toString();
    }

    /** Lets a random time pass, so that the kill hits any moment. */
    private static void spin(int nanos) {
        long until = System.nanoTime() + nanos;
        while (System.nanoTime() < until) {
            Thread.onSpinWait();
        }
    }
}
