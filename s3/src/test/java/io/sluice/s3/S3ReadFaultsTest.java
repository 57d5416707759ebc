package io.sluice.s3;

import static io.sluice.s3.TestS3.bytes;
import static io.sluice.s3.TestS3.error;
import static io.sluice.testing.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import io.sluice.s3.FaultProxy.Fault;
import io.sluice.storage.ByteRange;
import io.sluice.storage.PutMode;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.http.async.AsyncExecuteRequest;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.http.async.SdkAsyncHttpResponseHandler;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/** Reading through everything that can go wrong on the way. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class S3ReadFaultsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final FaultProxy proxy = new FaultProxy(TestS3.port());
    private final S3AsyncClient client =
            TestS3.clientSpec(proxy.port()).maxConnections(16).maxRetries(0).client();
    private final String bucket = TestS3.newBucket();
    private final byte[] content = bytes(3_000_000);

    private S3ObjectStore store(S3StoreSpec spec) {
        return S3ObjectStore.create(client, bucket, spec);
    }

    private S3ObjectStore stored(S3StoreSpec spec) {
        put(content);
        return store(spec);
    }

    private void put(byte[] bytes) {
        S3ObjectStore.create(TestS3.client(), bucket, TestS3.spec())
                .put("object", Flux.just(ByteBuffer.wrap(bytes)), PutMode.OVERWRITE)
                .block(PATIENCE);
    }

    private static byte[] read(Flux<ByteBuffer> get) {
        return get.collect(ByteArrayOutputStream::new, (all, chunk) -> all.write(chunk.array(), 0, chunk.limit()))
                .map(ByteArrayOutputStream::toByteArray)
                .block(PATIENCE);
    }

    @AfterEach
    void close() {
        client.close();
        proxy.close();
    }

    @Test
    void resumesAtTheNextByteWhenBodiesAreCut() {
        S3ObjectStore store = stored(TestS3.spec());
        Random random = new Random(1);
        proxy.rule(request -> request.number() % 3 == 0 ? new Fault.Cut(random.nextInt(300_000)) : FaultProxy.NONE);
        for (int round = 0; round < 5; round++) {
            assertThat(read(store.get("object"))).isEqualTo(content);
        }
        assertThat(proxy.requests())
                .as("some ranges begin in the middle of one")
                .anyMatch(request -> from(request) % 300_000 != 0)
                .allMatch(request -> request.header("If-Match") != null || from(request) == 0);
    }

    private static long from(FaultProxy.Request request) {
        String range = request.header("Range");
        return Long.parseLong(range.substring(6, range.indexOf('-')));
    }

    @Test
    void resumesWhenABodyStalls() {
        S3ObjectStore store = stored(TestS3.spec().stallTimeout(Duration.ofMillis(300)));
        proxy.rule(request -> request.number() % 4 == 1 ? new Fault.Stall(100_000) : FaultProxy.NONE);
        assertThat(read(store.get("object"))).isEqualTo(content);
    }

    @Test
    void resumesWhenNoAnswerComes() {
        S3ObjectStore store = stored(TestS3.spec().stallTimeout(Duration.ofMillis(300)));
        CountDownLatch never = new CountDownLatch(1);
        proxy.rule(request -> request.number() <= 2 ? new Fault.Hold(never) : FaultProxy.NONE);
        assertThat(read(store.get("object"))).isEqualTo(content);
    }

    @Test
    void waitsForAServerThatIsOverloaded() {
        S3ObjectStore store = stored(TestS3.spec());
        proxy.rule(request -> request.number() % 3 != 0 ? FaultProxy.slowDown() : FaultProxy.NONE);
        assertThat(read(store.get("object"))).isEqualTo(content);
        assertThat(store.head("object").block(PATIENCE).size()).isEqualTo(content.length);
    }

    @Test
    void givesUpAfterSoManyRetriesWithoutProgress() {
        S3ObjectStore store = stored(TestS3.spec().maxRetries(3));
        proxy.rule(request -> FaultProxy.slowDown());
        StorageException error = error(store.get("object"));
        assertThat(error.kind()).isEqualTo(Kind.THROTTLED);
        assertThat(error.isTransient()).isTrue();
        assertThat(error).hasMessageContaining("s3://" + bucket + "/object").hasMessageContaining("SlowDown");
        assertThat(proxy.requests()).hasSize(4);
    }

    @Test
    void givesWhatCameBeforeTheError() {
        S3ObjectStore store = stored(TestS3.spec().maxRetries(1).rangesInFlight(1));
        proxy.rule(request -> from(request) > 300_000
                ? new Fault.Drop(false)
                : from(request) == 300_000 ? new Fault.Cut(100_001) : FaultProxy.NONE);
        ByteArrayOutputStream came = new ByteArrayOutputStream();
        StorageException error =
                error(store.get("object").doOnNext(chunk -> came.write(chunk.array(), 0, chunk.limit())));
        assertThat(error.kind()).isEqualTo(Kind.NETWORK);
        assertThat(came.toByteArray()).isEqualTo(Arrays.copyOf(content, 400_001));
    }

    @Test
    void readsOneVersionOnly() {
        S3ObjectStore store = stored(TestS3.spec().rangesInFlight(1));
        CountDownLatch begun = new CountDownLatch(1);
        Flux<ByteBuffer> get = store.get("object").doOnNext(chunk -> {
            if (begun.getCount() > 0) {
                begun.countDown();
                proxy.rule(request -> {
                    put(bytes(3_000_000 - 1));
                    proxy.rule(later -> FaultProxy.NONE);
                    return FaultProxy.NONE;
                });
            }
        });
        StorageException error = error(get);
        assertThat(error.kind()).isEqualTo(Kind.CHANGED);
        assertThat(error.isTransient()).isFalse();
    }

    @Test
    void doesNotBelieveAServerThatIgnoresTheCondition() {
        S3ObjectStore store = stored(TestS3.spec().rangesInFlight(1));
        CountDownLatch begun = new CountDownLatch(1);
        FaultProxy forgetful = new FaultProxy(TestS3.openPort()).strip("if-match");
        try (S3AsyncClient careless = TestS3.clientSpec(forgetful.port()).client()) {
            String openBucket = TestS3.newOpenBucket();
            S3ObjectStore open =
                    S3ObjectStore.create(careless, openBucket, TestS3.spec().rangesInFlight(1));
            open.put("object", Flux.just(ByteBuffer.wrap(content)), PutMode.OVERWRITE)
                    .block(PATIENCE);
            Flux<ByteBuffer> get = open.get("object")
                    // not on an event loop, which the put may need
                    .publishOn(Schedulers.boundedElastic(), 1)
                    .doOnNext(chunk -> {
                        if (begun.getCount() > 0) {
                            begun.countDown();
                            S3ObjectStore.create(TestS3.openClient(), openBucket)
                                    .put("object", Flux.just(ByteBuffer.wrap(bytes(3_000_001))), PutMode.OVERWRITE)
                                    .block(PATIENCE);
                        }
                    });
            assertThat(error(get).kind()).isEqualTo(Kind.CHANGED);
        } finally {
            forgetful.close();
        }
        assertThat(read(store.get("object"))).isEqualTo(content);
    }

    /** Before the next range, or before the next try of one. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aSchedulerThatIsGoneInMidReadIsAnError(boolean beforeRetry) {
        Scheduler disposed = Schedulers.newBoundedElastic(2, 100, "disposed");
        S3ObjectStore store = stored(TestS3.spec().rangesInFlight(1).scheduler(disposed));
        proxy.rule(request -> {
            if (request.number() == 2) {
                disposed.dispose();
                return beforeRetry ? FaultProxy.slowDown() : FaultProxy.NONE;
            }
            return FaultProxy.NONE;
        });
        StorageException error = error(store.get("object"));
        assertThat(error.kind()).isEqualTo(Kind.IO);
        assertThat(error).hasRootCauseInstanceOf(RejectedExecutionException.class);
    }

    @Test
    void aPauseLosesNothingAndHoldsNoConnection() {
        // long enough for an answer on a slow machine: what is repeated for that would be taken for a fault
        Duration timeout = Duration.ofSeconds(2);
        try (S3AsyncClient impatient = TestS3.clientSpec(proxy.port())
                .timeouts(Duration.ofSeconds(5), timeout)
                .client()) {
            put(content);
            S3ObjectStore store =
                    S3ObjectStore.create(impatient, bucket, TestS3.spec().rangesInFlight(3));
            ByteArrayOutputStream came = new ByteArrayOutputStream();
            StepVerifier.create(store.get("object").doOnNext(chunk -> came.write(chunk.array(), 0, chunk.limit())), 0)
                    .thenRequest(1)
                    .expectNextCount(1)
                    .then(() -> eventually(() -> assertThat(proxy.busy()).isZero()))
                    .expectNoEvent(timeout.plusMillis(300))
                    .thenRequest(4)
                    .expectNextCount(4)
                    .then(() -> eventually(() -> assertThat(proxy.busy()).isZero()))
                    .expectNoEvent(timeout.plusMillis(300))
                    .thenRequest(Long.MAX_VALUE)
                    .thenConsumeWhile(chunk -> true)
                    .expectComplete()
                    .verify(PATIENCE);
            assertThat(came.toByteArray()).isEqualTo(content);
            assertThat(proxy.requests())
                    .as("nothing was asked for twice, neither by the store nor by the client")
                    .hasSize(10);
        }
    }

    @Test
    void asksForNothingThatWasNotRequested() {
        S3ObjectStore store = stored(TestS3.spec());
        StepVerifier.create(store.get("object"), 0)
                .expectSubscription()
                .then(() -> assertThat(proxy.requests()).isEmpty())
                .thenRequest(1)
                .expectNextCount(1)
                .then(() -> assertThat(proxy.requests()).hasSize(1))
                .thenCancel()
                .verify(PATIENCE);
    }

    @Test
    void fetchesSeveralRangesAtATime() {
        S3ObjectStore store = stored(TestS3.spec().rangesInFlight(4));
        proxy.slow(Duration.ofMillis(50), Long.MAX_VALUE);
        assertThat(read(store.get("object"))).isEqualTo(content);
        assertThat(proxy.mostBusy()).isBetween(3, 4);
        assertThat(proxy.requests()).hasSize(10);
    }

    @Test
    void sharesTheReadAheadAmongAllReads() {
        S3ObjectStore store = stored(TestS3.spec().rangesInFlight(4).readAheadBytes(600_000));
        proxy.slow(Duration.ofMillis(20), Long.MAX_VALUE);
        Flux.range(0, 3)
                .flatMap(i -> store.get("object").count(), 3)
                .collectList()
                .block(PATIENCE);
        assertThat(proxy.mostBusy()).isBetween(4, 5);
        S3ObjectStore frugal = store(TestS3.spec().readAheadBytes(0));
        int before = proxy.requests().size();
        FaultProxy counted = proxy;
        assertThat(read(frugal.get("object"))).isEqualTo(content);
        assertThat(counted.requests().size() - before).isEqualTo(10);
        assertThat(frugal.readAheadFree()).isZero();
        assertThat(store.readAheadFree()).isEqualTo(600_000);
    }

    @Test
    void aThousandCancelsExhaustNoPool() {
        try (S3AsyncClient narrow =
                TestS3.clientSpec(proxy.port()).maxConnections(4).client()) {
            put(content);
            S3ObjectStore store = S3ObjectStore.create(narrow, bucket, TestS3.spec());
            Random random = new Random(3);
            for (int i = 0; i < 1000; i++) {
                int chunks = random.nextInt(4);
                long spins = random.nextInt(300_000);
                CountDownLatch enough = new CountDownLatch(chunks);
                BaseSubscriber<ByteBuffer> reader = new BaseSubscriber<>() {
                    @Override
                    protected void hookOnSubscribe(Subscription subscription) {
                        request(8);
                    }

                    @Override
                    protected void hookOnNext(ByteBuffer chunk) {
                        enough.countDown();
                    }
                };
                store.get("object", ByteRange.from(random.nextInt(content.length)), null)
                        .subscribe(reader);
                if (chunks > 0 && random.nextBoolean()) {
                    await(enough);
                } else {
                    long until = System.nanoTime() + spins;
                    while (System.nanoTime() < until) {
                        Thread.onSpinWait();
                    }
                }
                reader.cancel();
            }
            assertThat(read(store.get("object"))).isEqualTo(content);
            assertThat(store.readAheadFree()).isEqualTo(TestS3.spec().readAheadBytes);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            // a range near the end of the object has fewer chunks
            latch.await(50, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aLostTerminalSignalIsNotWaitedFor() {
        try (S3AsyncClient lossy = TestS3.clientSpec()
                .httpClient(new WithoutCompletion(ReactorNettyAsyncHttpClient.create()))
                .client()) {
            put(content);
            S3ObjectStore store = S3ObjectStore.create(lossy, bucket, TestS3.spec());
            assertThat(read(store.get("object"))).isEqualTo(content);
        }
    }

    /** Large bodies never complete. */
    private record WithoutCompletion(SdkAsyncHttpClient delegate) implements SdkAsyncHttpClient {

        @Override
        public CompletableFuture<Void> execute(AsyncExecuteRequest request) {
            SdkAsyncHttpResponseHandler handler = request.responseHandler();
            AtomicInteger status = new AtomicInteger();
            return delegate.execute(AsyncExecuteRequest.builder()
                    .request(request.request())
                    .requestContentPublisher(request.requestContentPublisher())
                    .fullDuplex(request.fullDuplex())
                    .responseHandler(new SdkAsyncHttpResponseHandler() {
                        @Override
                        public void onHeaders(SdkHttpResponse response) {
                            status.set(response.statusCode());
                            handler.onHeaders(response);
                        }

                        @Override
                        public void onStream(Publisher<ByteBuffer> body) {
                            handler.onStream(
                                    status.get() == 206 ? Flux.from(body).concatWith(Flux.never()) : body);
                        }

                        @Override
                        public void onError(Throwable error) {
                            handler.onError(error);
                        }
                    })
                    .build());
        }

        @Override
        public void close() {
            delegate.close();
        }
    }
}
