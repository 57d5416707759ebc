package io.sluice.s3;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.Dataset;
import io.sluice.WriteResult;
import io.sluice.format.Jsonl;
import io.sluice.s3.FaultProxy.Fault;
import io.sluice.storage.ObjectMeta;
import java.io.BufferedReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import reactor.core.publisher.Flux;

/** Writers in JVMs of their own at one prefix, at once and killed. */
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class S3ProcessesTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final String bucket = TestS3.newBucket();
    private final S3ObjectStore store = S3ObjectStore.create(TestS3.client(), bucket, TestS3.spec());

    private List<String> shards() {
        return store.listDirectory("d/")
                .map(ObjectMeta::key)
                // what a test server makes of an upload that nobody completes may show, with another ending
                .filter(key -> key.startsWith("d/part-") && key.endsWith(".jsonl"))
                .collectList()
                .block(PATIENCE);
    }

    /** The numbers of each writer's records, in the order of the shards. */
    private Map<String, List<Integer>> records() {
        Map<String, List<Integer>> records = new HashMap<>();
        Dataset.at(store, "d/", Jsonl.maps())
                .read()
                .doOnNext(record -> records.computeIfAbsent((String) record.get("w"), name -> new ArrayList<>())
                        .add((Integer) record.get("n")))
                .blockLast(PATIENCE);
        return records;
    }

    private static List<Integer> upTo(int records) {
        return Flux.range(0, records).collectList().block();
    }

    private static List<String> committed(Process process) throws Exception {
        try (BufferedReader out = process.inputReader(UTF_8)) {
            List<String> lines = out.lines().toList();
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(lines).endsWith("done");
            return lines.subList(0, lines.size() - 1);
        }
    }

    @Test
    void twoWritersShareNoNumberAndLoseNothing() throws Exception {
        int shards = 60;
        int perShard = 25;
        Process a = S3Process.Writer.start(TestS3.port(), bucket, "a", shards * perShard, perShard, 10);
        Process b = S3Process.Writer.start(TestS3.port(), bucket, "b", shards * perShard, perShard, 10);
        List<String> committed = new ArrayList<>(committed(a));
        committed.addAll(committed(b));

        assertThat(committed).hasSize(2 * shards).doesNotHaveDuplicates();
        assertThat(shards()).containsExactlyInAnyOrderElementsOf(committed);
        assertThat(shards().stream().map(key -> key.replaceAll("\\D+", "")))
                .as("no two with one number")
                .doesNotHaveDuplicates();
        assertThat(records())
                .containsOnly(Map.entry("a", upTo(shards * perShard)), Map.entry("b", upTo(shards * perShard)));
        assertThat(store.list("d/").map(ObjectMeta::key).collectList().block(PATIENCE))
                .as("all claims were given back")
                .hasSize(2 * shards);
    }

    /** What the second shard's writer is doing when it is killed. */
    @ParameterizedTest
    @CsvSource({"PUT, partNumber=2", "POST, uploads", "POST, uploadId"})
    void aWriterKilledInMidUploadLeavesNothingVisibleAndTheNextGoesOn(String method, String target) throws Exception {
        int perShard = 150;
        CountDownLatch never = new CountDownLatch(1);
        CountDownLatch there = new CountDownLatch(1);
        Process killed;
        try (FaultProxy proxy = new FaultProxy(TestS3.port())) {
            proxy.rule(request -> {
                if (request.is(method, target) && request.target().contains("part-00001")) {
                    there.countDown();
                    return new Fault.Hold(never);
                }
                return FaultProxy.NONE;
            });
            killed = S3Process.Writer.start(proxy.port(), bucket, "killed", 10 * perShard, perShard, 50_000);
            try {
                assertThat(there.await(60, TimeUnit.SECONDS)).isTrue();
            } finally {
                killed.toHandle().destroyForcibly();
            }
            assertThat(killed.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(killed.exitValue()).as("SIGKILL").isEqualTo(128 + 9);
        }
        never.countDown();

        // the first shard may or may not have got that far
        List<String> left = shards();
        assertThat(left).isSubsetOf("d/part-00000.jsonl");
        Map<String, List<Integer>> expected = new HashMap<>();
        if (!left.isEmpty()) {
            expected.put("killed", upTo(perShard));
            assertThat(records()).isEqualTo(expected);
        }

        WriteResult next = Flux.range(0, 10)
                .map(n -> S3Process.Writer.record("next", n, ""))
                .as(records -> Dataset.at(store, "d/", Jsonl.maps()).write(records))
                .block(PATIENCE);
        assertThat(next.shards()).hasSize(1);
        assertThat(shards())
                .hasSize(left.size() + 1)
                .containsAll(left)
                .contains(next.shards().get(0).key());
        expected.put("next", upTo(10));
        assertThat(records()).isEqualTo(expected);
    }
}
