package io.sluice.s3;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.Dataset;
import io.sluice.ReadSpec;
import io.sluice.format.Jsonl;
import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/** Records for a consumer that is slower than every timeout. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class S3PausingReaderTest {

    private static final Duration PATIENCE = Duration.ofSeconds(50);
    private static final int RECORDS = 20_000;

    @Test
    void aConsumerOfAThousandBytesASecondLosesNothingAndHoldsNoConnection() {
        String text = IntStream.range(0, RECORDS)
                .mapToObj(n -> "{\"n\":" + n + ",\"text\":\"" + "x".repeat(80) + "\"}\n")
                .collect(Collectors.joining());
        String bucket = TestS3.newBucket();
        S3ObjectStore.create(TestS3.client(), bucket)
                .put("a.jsonl", Flux.just(ByteBuffer.wrap(text.getBytes(UTF_8))), PutMode.CREATE)
                .block(PATIENCE);
        Duration timeout = Duration.ofMillis(300);
        try (FaultProxy proxy = new FaultProxy(TestS3.port());
                S3AsyncClient client = TestS3.clientSpec(proxy.port())
                        .timeouts(Duration.ofSeconds(5), timeout)
                        .maxConnections(2)
                        .client()) {
            S3StoreSpec spec = TestS3.spec().stallTimeout(timeout);
            List<Object> numbers = new ArrayList<>();
            StepVerifier.Step<Object> steps = StepVerifier.create(
                    Dataset.at(S3ObjectStore.create(client, bucket, spec), "a.jsonl", Jsonl.maps())
                            .read(ReadSpec.create().prefetchBytes(256 << 10).blockBytes(16 << 10))
                            .map(record -> record.get("n"))
                            .doOnNext(numbers::add),
                    0);
            for (int turn = 0; turn < 6; turn++) {
                steps = steps.thenRequest(2000)
                        .expectNextCount(2000)
                        .then(() -> awaitNoConnection(proxy))
                        .expectNoEvent(timeout.multipliedBy(2));
            }
            steps.thenRequest(Long.MAX_VALUE)
                    .expectNextCount(RECORDS - 12_000)
                    .expectComplete()
                    .verify(PATIENCE);
            assertThat(numbers).isEqualTo(IntStream.range(0, RECORDS).boxed().toList());
        }
    }

    private static void awaitNoConnection(FaultProxy proxy) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (proxy.busy() > 0) {
            assertThat(System.nanoTime()).as("a connection is held").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }
}
