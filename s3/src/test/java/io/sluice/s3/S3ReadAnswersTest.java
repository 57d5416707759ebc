package io.sluice.s3;

import static io.sluice.s3.TestS3.bytes;
import static io.sluice.s3.TestS3.error;
import static io.sluice.s3.TestS3.read;
import static io.sluice.testing.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.StorageException.Kind;
import io.sluice.s3.FaultProxy.Fault;
import io.sluice.s3.FaultProxy.Request;
import io.sluice.storage.ByteRange;
import io.sluice.storage.PutMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Schedulers;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.http.async.AsyncExecuteRequest;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.http.async.SdkAsyncHttpResponseHandler;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/** What a read believes of what stores and HTTP clients answer. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class S3ReadAnswersTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final String TEXT = "abcdefghijklmnopqrst";

    private final FaultProxy proxy = new FaultProxy(TestS3.openPort());
    private final S3AsyncClient client =
            TestS3.clientSpec(proxy.port()).maxRetries(0).client();

    @AfterEach
    void close() {
        client.close();
        proxy.close();
    }

    private static Fault part(int from, int to, String range, String etag) {
        return new Fault.Answer(206, "Content-Range: bytes " + range + "\r\n" + etag, TEXT.substring(from, to));
    }

    /** A store that answers so to the first GET, and to those after it. */
    private S3ObjectStore answering(Fault first, Function<Request, Fault> later) {
        proxy.rule(request -> request.number() == 1 ? first : later.apply(request));
        return S3ObjectStore.create(client, "bucket", TestS3.spec().maxRetries(2));
    }

    private static String text(Flux<ByteBuffer> get) {
        return new String(read(get), UTF_8);
    }

    @Test
    void aPartOfWhatWasAskedForIsGoneOnWith() {
        S3ObjectStore store =
                answering(part(0, 8, "0-7/20", "ETag: \"e\"\r\n"), later -> part(8, 20, "8-19/20", "ETag: \"e\"\r\n"));
        assertThat(text(store.get("object"))).isEqualTo(TEXT);
        assertThat(proxy.requests().get(1).header("Range")).isEqualTo("bytes=8-19");
    }

    @Test
    void withoutAnETagTheSizeTells() {
        S3ObjectStore store = answering(part(0, 8, "0-7/20", ""), later -> part(8, 20, "8-19/21", ""));
        assertThat(error(store.get("object")).kind()).isEqualTo(Kind.CHANGED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0-7/20", "7-18/20", "8-", "*/20", "none"})
    void whatBeginsElsewhereIsRefused(String range) {
        S3ObjectStore store = answering(
                part(0, 8, "0-7/20", ""),
                later -> range.equals("none") ? new Fault.Answer(200, "", TEXT) : part(0, 12, range, ""));
        assertThat(error(store.get("object")))
                .hasMessageContaining("s3://bucket/object")
                .hasMessageContaining("does not answer to ranges")
                .satisfies(e -> assertThat(e.kind()).isEqualTo(Kind.UNSUPPORTED));
    }

    /** As some stores answer to a range that is the whole, or more. */
    @Test
    void theWholeIsTakenForARangeFromTheStart() {
        S3ObjectStore store = answering(new Fault.Answer(200, "", TEXT), later -> NEVER);
        assertThat(text(store.get("object"))).isEqualTo(TEXT);
        proxy.rule(request -> new Fault.Answer(200, "", TEXT));
        assertThat(text(store.get("object", ByteRange.of(0, 5), null))).isEqualTo(TEXT.substring(0, 5));
    }

    private static final Fault NEVER = new Fault.Drop(false);

    /** Whatever its size, it is not the one that the read began with. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void anObjectThatIsReplacedIsNoticedWhereTheStoreIgnoresTheCondition(int longer) {
        byte[] content = bytes(700_000);
        String bucket = TestS3.newOpenBucket();
        S3ObjectStore direct = S3ObjectStore.create(TestS3.openClient(), bucket);
        direct.put("object", Flux.just(ByteBuffer.wrap(content)), PutMode.OVERWRITE)
                .block(PATIENCE);
        proxy.strip("if-match");
        AtomicBoolean replaced = new AtomicBoolean();
        Flux<ByteBuffer> get = S3ObjectStore.create(
                        client, bucket, TestS3.spec().rangesInFlight(1))
                .get("object")
                // not on an event loop, which the put may need
                .publishOn(Schedulers.boundedElastic(), 1)
                .doOnNext(chunk -> {
                    if (replaced.compareAndSet(false, true)) {
                        direct.put("object", Flux.just(ByteBuffer.allocate(700_000 + longer)), PutMode.OVERWRITE)
                                .block(PATIENCE);
                    }
                });
        assertThat(error(get).kind()).isEqualTo(Kind.CHANGED);
    }

    @Test
    void aReadBeginsWithALittleAndAsksForMoreAsItGoesOn() {
        byte[] content = bytes(7 << 20);
        String bucket = TestS3.newOpenBucket();
        S3ObjectStore.create(TestS3.openClient(), bucket)
                .put("object", Flux.just(ByteBuffer.wrap(content)), PutMode.OVERWRITE)
                .block(PATIENCE);
        S3StoreSpec spec = TestS3.spec().rangeBytes(4 << 20).rangesInFlight(1);
        assertThat(read(S3ObjectStore.create(client, bucket, spec).get("object")))
                .isEqualTo(content);
        assertThat(proxy.requests())
                .extracting(request -> request.header("Range"))
                .startsWith("bytes=0-1048575", "bytes=1048576-2097151")
                .hasSizeLessThan(6);
    }

    /** The SDK makes a GET again from its start if the HTTP client fails behind the first bytes of the body. */
    @Test
    void whatTheSdkFetchesAgainIsNotGivenTwice() {
        byte[] content = bytes(250_000);
        String bucket = TestS3.newOpenBucket();
        S3ObjectStore.create(TestS3.openClient(), bucket)
                .put("object", Flux.just(ByteBuffer.wrap(content)), PutMode.OVERWRITE)
                .block(PATIENCE);
        AtomicInteger failures = new AtomicInteger();
        try (S3AsyncClient failing = TestS3.clientSpec(TestS3.openPort())
                .httpClient(new Wrapped(ReactorNettyAsyncHttpClient.create()) {
                    @Override
                    void body(SdkAsyncHttpResponseHandler handler, Flux<ByteBuffer> body, Runnable failed) {
                        boolean fails = failures.incrementAndGet() <= 2;
                        // the body does not say that it is over, only the request does
                        handler.onStream(
                                fails
                                        ? body.take(2)
                                                .concatWith(Flux.never()
                                                        .doOnSubscribe(s -> failed.run())
                                                        .cast(ByteBuffer.class))
                                        : body);
                    }
                })
                .client()) {
            assertThat(read(S3ObjectStore.create(failing, bucket, TestS3.spec()).get("object")))
                    .isEqualTo(content);
            assertThat(failures).hasValue(3);
        }
    }

    /** A body that nobody subscribes to keeps its connection in some clients. */
    @Test
    void aBodyThatComesAfterACancelIsSubscribedAndCancelled() {
        ConcurrentLinkedQueue<Runnable> late = new ConcurrentLinkedQueue<>();
        AtomicBoolean cancelled = new AtomicBoolean();
        SdkAsyncHttpClient slow = new SdkAsyncHttpClient() {
            @Override
            public CompletableFuture<Void> execute(AsyncExecuteRequest request) {
                late.add(() -> {
                    request.responseHandler()
                            .onHeaders(SdkHttpResponse.builder()
                                    .statusCode(206)
                                    .putHeader("Content-Length", "20")
                                    .putHeader("Content-Range", "bytes 0-19/20")
                                    .build());
                    request.responseHandler().onStream(Flux.<ByteBuffer>never().doOnCancel(() -> cancelled.set(true)));
                });
                return new CompletableFuture<>();
            }

            @Override
            public void close() {}
        };
        try (S3AsyncClient waiting = TestS3.clientSpec().httpClient(slow).client()) {
            Disposable reading = S3ObjectStore.create(waiting, "bucket", TestS3.spec())
                    .get("object")
                    .subscribe();
            eventually(() -> assertThat(late).hasSize(1));
            reading.dispose();
            late.remove().run();
            eventually(() -> assertThat(cancelled).isTrue());
        }
    }

    /** An HTTP client that changes the bodies that another one gives. */
    private abstract static class Wrapped implements SdkAsyncHttpClient {

        private final SdkAsyncHttpClient delegate;

        Wrapped(SdkAsyncHttpClient delegate) {
            this.delegate = delegate;
        }

        abstract void body(SdkAsyncHttpResponseHandler handler, Flux<ByteBuffer> body, Runnable failed);

        @Override
        public CompletableFuture<Void> execute(AsyncExecuteRequest request) {
            SdkAsyncHttpResponseHandler handler = request.responseHandler();
            CompletableFuture<Void> done = new CompletableFuture<>();
            delegate.execute(AsyncExecuteRequest.builder()
                            .request(request.request())
                            .requestContentPublisher(request.requestContentPublisher())
                            .responseHandler(new SdkAsyncHttpResponseHandler() {
                                @Override
                                public void onHeaders(SdkHttpResponse response) {
                                    handler.onHeaders(response);
                                }

                                @Override
                                public void onStream(org.reactivestreams.Publisher<ByteBuffer> stream) {
                                    body(handler, Flux.from(stream), () -> {
                                        IOException broken = new IOException("broken");
                                        handler.onError(broken);
                                        done.completeExceptionally(broken);
                                    });
                                }

                                @Override
                                public void onError(Throwable error) {
                                    handler.onError(error);
                                }
                            })
                            .build())
                    .whenComplete((nothing, error) -> {
                        if (error == null) {
                            done.complete(null);
                        }
                    });
            return done;
        }

        @Override
        public void close() {
            delegate.close();
        }
    }
}
