package io.sluice.s3;

import static io.sluice.s3.TestS3.bytes;
import static io.sluice.s3.TestS3.read;
import static io.sluice.testing.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.StorageException.Kind;
import io.sluice.s3.FaultProxy.Fault;
import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.Disposable;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/** How often, how soon and from where a range is asked for again, and what a cancel lets go of. */
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class S3ReadRetriesTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int CONNECTIONS = 4;

    private final FaultProxy proxy = new FaultProxy(TestS3.port());
    private final S3AsyncClient client = TestS3.clientSpec(proxy.port())
            .maxConnections(CONNECTIONS)
            .maxRetries(0)
            .client();
    private final String bucket = TestS3.newBucket();
    private final byte[] content = bytes(3_000_000);

    @AfterEach
    void close() {
        client.close();
        proxy.close();
    }

    private S3ObjectStore stored(S3StoreSpec spec) {
        S3ObjectStore.create(TestS3.client(), bucket)
                .put("object", Flux.just(ByteBuffer.wrap(content)), PutMode.OVERWRITE)
                .block(PATIENCE);
        return S3ObjectStore.create(client, bucket, spec);
    }

    @Test
    void pausesDoubleUpToTheLongestAndAreShortenedByUpToAHalf() {
        S3Calls calls =
                new S3Calls(client, bucket, TestS3.spec().backoff(Duration.ofMillis(100), Duration.ofSeconds(5)));
        assertThat(calls.backoff(0)).isBetween(Duration.ofMillis(50), Duration.ofMillis(100));
        assertThat(calls.backoff(3)).isBetween(Duration.ofMillis(400), Duration.ofMillis(800));
        for (int retry : new int[] {6, 39, 40, 1000}) {
            assertThat(calls.backoff(retry)).isBetween(Duration.ofMillis(2500), Duration.ofSeconds(5));
        }
        assertThat(Flux.range(0, 50)
                        .map(i -> calls.backoff(1))
                        .distinct()
                        .count()
                        .block())
                .as("at random")
                .isGreaterThan(10);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void nothingIsAskedForAgainBeforeThePauseIsOver(boolean range) {
        S3ObjectStore store = stored(TestS3.spec().backoff(Duration.ofHours(1), Duration.ofHours(1)));
        proxy.rule(request -> FaultProxy.slowDown());
        Publisher<?> asking = range ? store.get("object") : store.head("object");
        StepVerifier.create(asking)
                .expectSubscription()
                .then(() -> eventually(() -> assertThat(proxy.requests()).hasSize(1)))
                // as long as all retries take that do not wait
                .expectNoEvent(Duration.ofSeconds(1))
                .thenCancel()
                .verify(PATIENCE);
        assertThat(proxy.requests()).hasSize(1);
    }

    @Test
    void nothingMoreIsFetchedWhileNothingIsRequested() {
        S3ObjectStore store = stored(TestS3.spec());
        AtomicLong came = new AtomicLong();
        BaseSubscriber<ByteBuffer> reader = new BaseSubscriber<>() {
            @Override
            protected void hookOnSubscribe(Subscription subscription) {
                subscription.request(1);
            }

            @Override
            protected void hookOnNext(ByteBuffer chunk) {
                // until the first range is used up
                if (came.addAndGet(chunk.remaining()) < 300_000) {
                    request(1);
                }
            }
        };
        store.get("object").subscribe(reader);
        eventually(() -> assertThat(came).hasValue(300_000));
        StepVerifier.create(Mono.never())
                .expectSubscription()
                .expectNoEvent(Duration.ofMillis(200))
                .thenCancel()
                .verify(PATIENCE);
        assertThat(proxy.requests()).hasSize(1);
        reader.cancel();
    }

    @Test
    void onlyRetriesWithoutAByteInBetweenCount() {
        S3ObjectStore store = stored(TestS3.spec().maxRetries(1));
        proxy.rule(request -> new Fault.Cut(40_000));
        assertThat(read(store.get("object"))).isEqualTo(content);
        assertThat(proxy.requests()).hasSizeGreaterThan(70);
    }

    @Test
    void aBodyThatIsSlowButNeverSilentIsReadToItsEnd() {
        S3ObjectStore store = stored(TestS3.spec().rangesInFlight(1).stallTimeout(Duration.ofSeconds(2)));
        // 64 KiB at a time: the first range takes three seconds
        proxy.slow(Duration.ZERO, 100_000).rule(request -> {
            if (request.number() == 2) {
                proxy.slow(Duration.ZERO, Long.MAX_VALUE);
            }
            return FaultProxy.NONE;
        });
        assertThat(read(store.get("object"))).isEqualTo(content);
        assertThat(proxy.requests()).as("nothing was asked for twice").hasSize(10);
    }

    /** Before the answer's head and in its body; more reads than there are connections, and no time-out that would help. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aCancelLetsGoOfConnectionsThatStall(boolean beforeTheAnswer) {
        S3ObjectStore store = stored(TestS3.spec().rangesInFlight(1).stallTimeout(Duration.ofHours(1)));
        CountDownLatch never = new CountDownLatch(1);
        proxy.rule(request -> beforeTheAnswer ? new Fault.Hold(never) : new Fault.Stall(100_000));
        List<Disposable> stalled = new ArrayList<>();
        CountDownLatch came = new CountDownLatch(CONNECTIONS);
        for (int i = 0; i < CONNECTIONS; i++) {
            boolean[] first = {true};
            stalled.add(store.get("object").subscribe(chunk -> {
                if (first[0]) {
                    first[0] = false;
                    came.countDown();
                }
            }));
        }
        eventually(() -> assertThat(proxy.requests()).hasSize(CONNECTIONS));
        if (!beforeTheAnswer) {
            eventually(() -> assertThat(came.getCount()).isZero());
        }
        stalled.forEach(Disposable::dispose);
        proxy.rule(request -> FaultProxy.NONE);
        assertThat(store.get("object").take(1).count().block(Duration.ofSeconds(15)))
                .isEqualTo(1);
    }

    @Test
    void anErrorLetsGoOfTheRangesThatWereFetchedAhead() {
        S3ObjectStore store =
                stored(TestS3.spec().rangesInFlight(CONNECTIONS).maxRetries(0).stallTimeout(Duration.ofHours(1)));
        CountDownLatch never = new CountDownLatch(1);
        proxy.rule(request -> {
            if (request.number() == 1) {
                return FaultProxy.NONE;
            }
            if (!"bytes=300000-599999".equals(request.header("Range"))) {
                return new Fault.Hold(never);
            }
            eventually(() -> assertThat(proxy.requests()).hasSize(1 + CONNECTIONS));
            return new Fault.Answer(403, "", "");
        });
        assertThat(TestS3.error(store.get("object")).kind()).isEqualTo(Kind.ACCESS_DENIED);
        assertThat(store.readAheadFree()).isEqualTo(TestS3.spec().readAheadBytes);
        proxy.rule(request -> FaultProxy.NONE);
        assertThat(store.get("object").take(1).count().block(Duration.ofSeconds(15)))
                .isEqualTo(1);
    }
}
