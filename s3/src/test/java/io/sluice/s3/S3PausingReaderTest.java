package io.sluice.s3;

import static io.sluice.testing.Eventually.eventually;
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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/** Records for a consumer that is slower than every timeout. */
class S3PausingReaderTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** Long enough for the test server on a slow machine: a request that it made repeat would be one too many. */
    private static final Duration TIMEOUT = Duration.ofSeconds(2);

    private static final int RECORDS = 20_000;
    private static final int LENGTH = 100;
    private static final int RANGE = 250_000;

    private final FaultProxy proxy = new FaultProxy(TestS3.port());
    private final S3AsyncClient client = TestS3.clientSpec(proxy.port())
            .timeouts(Duration.ofSeconds(5), TIMEOUT)
            .maxConnections(2)
            .client();

    @AfterEach
    void close() {
        client.close();
        proxy.close();
    }

    private Flux<Integer> stored() {
        String text = IntStream.range(0, RECORDS)
                .mapToObj(n -> {
                    String begin = "{\"n\":" + n + ",\"text\":\"";
                    return begin + "x".repeat(LENGTH - begin.length() - 3) + "\"}\n";
                })
                .collect(Collectors.joining());
        String bucket = TestS3.newBucket();
        S3ObjectStore.create(TestS3.client(), bucket)
                .put("a.jsonl", Flux.just(ByteBuffer.wrap(text.getBytes(UTF_8))), PutMode.CREATE)
                .block(PATIENCE);
        S3StoreSpec spec = TestS3.spec().rangeBytes(RANGE).stallTimeout(TIMEOUT);
        return Dataset.at(S3ObjectStore.create(client, bucket, spec), "a.jsonl", Jsonl.maps())
                .read(ReadSpec.create().prefetchBytes(256 << 10).blockBytes(16 << 10))
                .map(record -> (Integer) record.get("n"));
    }

    private static List<Integer> all() {
        return IntStream.range(0, RECORDS).boxed().toList();
    }

    /** Each range once, neither resumed by the store nor repeated by the SDK. */
    private void assertNothingWasAskedForTwice() {
        assertThat(proxy.requests())
                .filteredOn(request -> request.method().equals("GET"))
                .extracting(request -> request.header("Range"))
                .doesNotHaveDuplicates()
                .hasSize(RECORDS * LENGTH / RANGE);
    }

    @Test
    void aConsumerThatPausesForLongerThanEveryTimeoutLosesNothingAndHoldsNoConnection() {
        List<Integer> numbers = new ArrayList<>();
        StepVerifier.Step<Integer> steps = StepVerifier.create(stored().doOnNext(numbers::add), 0);
        for (int turn = 0; turn < 3; turn++) {
            steps = steps.thenRequest(4000)
                    .expectNextCount(4000)
                    .then(() -> eventually(() -> assertThat(proxy.busy()).isZero()))
                    .expectNoEvent(TIMEOUT.plusMillis(300));
        }
        steps.thenRequest(Long.MAX_VALUE)
                .expectNextCount(RECORDS - 12_000)
                .expectComplete()
                .verify(PATIENCE);
        assertThat(numbers).isEqualTo(all());
        assertNothingWasAskedForTwice();
    }

    @Test
    void aConsumerOfAThousandBytesASecondLosesNothingAndHoldsNoConnection() {
        int slow = 45;
        List<Integer> numbers = stored().concatMap(
                        n -> n >= slow
                                ? Mono.just(n)
                                : Mono.delay(Duration.ofMillis(LENGTH))
                                        .doOnNext(tick -> {
                                            if (n > slow / 2) {
                                                assertThat(proxy.busy()).isZero();
                                            }
                                        })
                                        .thenReturn(n),
                        1)
                .collectList()
                .block(PATIENCE);
        assertThat(numbers).isEqualTo(all());
        assertNothingWasAskedForTwice();
    }
}
