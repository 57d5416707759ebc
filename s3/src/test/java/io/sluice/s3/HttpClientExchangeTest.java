package io.sluice.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.handler.codec.http.HttpHeaderNames;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.client.HttpClient;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRoutes;
import reactor.netty.resources.ConnectionProvider;
import reactor.netty.resources.LoopResources;
import reactor.test.StepVerifier;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.SdkHttpConfigurationOption;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.http.async.AsyncExecuteRequest;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.http.async.SdkAsyncHttpResponseHandler;
import software.amazon.awssdk.http.async.SdkHttpContentPublisher;
import software.amazon.awssdk.utils.AttributeMap;

/** What a request and its response go through in {@link ReactorNettyAsyncHttpClient}, beyond the SDK's own suite. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HttpClientExchangeTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int MIB = 1 << 20;

    private final ConnectionProvider pool = ConnectionProvider.create("exchange-test", 1);
    private final ReactorNettyAsyncHttpClient client = ReactorNettyAsyncHttpClient.builder()
            .connectionProvider(pool)
            .readTimeout(Duration.ofSeconds(20))
            .build();
    private DisposableServer server =
            HttpServer.create().handle((in, out) -> out).bindNow();

    @AfterEach
    void stop() {
        client.close();
        pool.dispose();
        server.disposeNow();
    }

    private void serve(java.util.function.Consumer<HttpServerRoutes> routes) {
        server.disposeNow();
        server = HttpServer.create().host("127.0.0.1").port(0).route(routes).bindNow();
    }

    private SdkHttpRequest.Builder request(SdkHttpMethod method, String path) {
        return SdkHttpRequest.builder()
                .method(method)
                .uri(URI.create("http://127.0.0.1:" + server.port() + path))
                .putHeader("Host", "127.0.0.1:" + server.port());
    }

    /** What the client told of a response. */
    private static final class Handler implements SdkAsyncHttpResponseHandler {

        final CompletableFuture<SdkHttpResponse> head = new CompletableFuture<>();
        final CompletableFuture<Flux<ByteBuffer>> body = new CompletableFuture<>();
        final AtomicInteger errors = new AtomicInteger();
        final AtomicReference<Throwable> error = new AtomicReference<>();

        @Override
        public void onHeaders(SdkHttpResponse headers) {
            head.complete(headers);
        }

        @Override
        public void onStream(Publisher<ByteBuffer> stream) {
            body.complete(Flux.from(stream));
        }

        @Override
        public void onError(Throwable thrown) {
            errors.incrementAndGet();
            error.set(thrown);
        }

        long bytes() {
            return Mono.fromFuture(body)
                    .flatMapMany(stream -> stream)
                    .map(ByteBuffer::remaining)
                    .reduce(0L, Long::sum)
                    .block(PATIENCE);
        }
    }

    private static SdkHttpContentPublisher content(Long length, Publisher<ByteBuffer> bytes) {
        return new SdkHttpContentPublisher() {
            @Override
            public Optional<Long> contentLength() {
                return Optional.ofNullable(length);
            }

            @Override
            public void subscribe(Subscriber<? super ByteBuffer> subscriber) {
                bytes.subscribe(subscriber);
            }
        };
    }

    private CompletableFuture<Void> execute(SdkHttpRequest request, SdkHttpContentPublisher content, Handler handler) {
        return client.execute(AsyncExecuteRequest.builder()
                .request(request)
                .requestContentPublisher(content)
                .responseHandler(handler)
                .build());
    }

    private CompletableFuture<Void> get(String path, Handler handler) {
        return execute(request(SdkHttpMethod.GET, path).build(), content(null, Flux.empty()), handler);
    }

    private static Flux<ByteBuffer> mebibytes(int n) {
        return Flux.range(0, n).map(i -> ByteBuffer.allocate(MIB));
    }

    private void assertNextRequestWorks() throws Exception {
        Handler handler = new Handler();
        CompletableFuture<Void> done = get("/ok", handler);
        assertThat(handler.bytes()).isEqualTo(2);
        done.get(30, TimeUnit.SECONDS);
    }

    private static void ok(HttpServerRoutes routes) {
        routes.get("/ok", (in, out) -> out.sendString(Mono.just("ok")));
    }

    private static void large(HttpServerRoutes routes) {
        ok(routes);
        routes.get("/large", (in, out) -> out.sendByteArray(Flux.range(0, 64).map(i -> new byte[MIB])));
    }

    @Test
    void givesAsManyHeapBuffersAsWereRequested() throws Exception {
        serve(HttpClientExchangeTest::large);
        Handler handler = new Handler();
        CompletableFuture<Void> done = get("/large", handler);
        AtomicLong bytes = new AtomicLong();
        StepVerifier.create(handler.body.get(30, TimeUnit.SECONDS), 0)
                .expectSubscription()
                .expectNoEvent(Duration.ofMillis(100))
                .thenRequest(1)
                .assertNext(buffer -> {
                    assertThat(buffer.hasArray()).isTrue();
                    bytes.addAndGet(buffer.remaining());
                })
                .expectNoEvent(Duration.ofMillis(100))
                .thenRequest(Long.MAX_VALUE)
                .thenConsumeWhile(buffer -> true, buffer -> bytes.addAndGet(buffer.remaining()))
                .expectComplete()
                .verify(PATIENCE);
        assertThat(bytes).hasValue(64L * MIB);
        assertThat(done).succeedsWithin(PATIENCE);
        assertThat(handler.errors).hasValue(0);
    }

    @Test
    void aCancelledBodyGivesTheConnectionBack() throws Exception {
        serve(HttpClientExchangeTest::large);
        for (int i = 0; i < 5; i++) {
            Handler handler = new Handler();
            CompletableFuture<Void> done = get("/large", handler);
            handler.body.get(30, TimeUnit.SECONDS).take(2).blockLast(PATIENCE);
            assertThat(done).failsWithin(PATIENCE).withThrowableThat().isInstanceOf(CancellationException.class);
            assertThat(handler.errors).hasValue(0);
        }
        assertNextRequestWorks(); // the pool has but one
    }

    @Test
    void aCancelledFutureGivesTheConnectionBackAndEndsTheBody() throws Exception {
        serve(HttpClientExchangeTest::large);
        Handler read = new Handler();
        CompletableFuture<Void> reading = get("/large", read);
        StepVerifier.create(read.body.get(30, TimeUnit.SECONDS), 1)
                .expectNextCount(1)
                .then(() -> reading.cancel(true))
                .thenRequest(Long.MAX_VALUE)
                .thenConsumeWhile(buffer -> true)
                .expectError(IOException.class)
                .verify(PATIENCE);
        Handler unread = new Handler();
        CompletableFuture<Void> waiting = get("/large", unread);
        Flux<ByteBuffer> body = unread.body.get(30, TimeUnit.SECONDS);
        waiting.cancel(true);
        StepVerifier.create(body).thenConsumeWhile(buffer -> true).expectError().verify(PATIENCE);
        assertNextRequestWorks();
    }

    @Test
    void sendsTheHeadersOfTheSdkAndNoOthers() throws Exception {
        AtomicReference<List<String>> names = new AtomicReference<>(List.of());
        serve(routes -> routes.put("/put", (in, out) -> {
            names.set(in.requestHeaders().names().stream()
                    .map(name ->
                            name + '=' + String.join("|", in.requestHeaders().getAll(name)))
                    .sorted()
                    .toList());
            return in.receive().then(out.status(204).send());
        }));
        Handler handler = new Handler();
        SdkHttpRequest put = request(SdkHttpMethod.PUT, "/put")
                .putHeader("Host", "bucket.example")
                .putHeader("Content-Length", "3")
                .putHeader("x-amz-a", List.of("1", "2"))
                .build();
        CompletableFuture<Void> done =
                execute(put, content(3L, Flux.just(ByteBuffer.wrap(new byte[] {1, 2, 3}))), handler);
        assertThat(handler.bytes()).isZero();
        done.get(30, TimeUnit.SECONDS);
        assertThat(names.get()).containsExactly("Content-Length=3", "Host=bucket.example", "x-amz-a=1|2");
        assertThat(handler.head.join().statusCode()).isEqualTo(204);
    }

    @Test
    void streamsTheRequestAtTheServersPace() throws Exception {
        AtomicLong received = new AtomicLong();
        CompletableFuture<Void> go = new CompletableFuture<>();
        serve(routes -> routes.put(
                "/put",
                (in, out) -> Mono.fromFuture(go)
                        .thenMany(in.receive())
                        .doOnNext(bytes -> received.addAndGet(bytes.readableBytes()))
                        .then(out.status(200).send())));
        AtomicInteger given = new AtomicInteger();
        CountDownLatch begun = new CountDownLatch(1);
        int size = 512;
        Handler handler = new Handler();
        SdkHttpRequest put = request(SdkHttpMethod.PUT, "/put").build();
        CompletableFuture<Void> done = execute(
                put,
                content(null, mebibytes(size).doOnNext(bytes -> {
                    given.incrementAndGet();
                    begun.countDown();
                })),
                handler);
        assertThat(begun.await(30, TimeUnit.SECONDS)).isTrue();
        // as much as Reactor Netty has in flight, and no more, for as long as the server does not read
        assertThat(Mono.delay(Duration.ofMillis(300)).map(tick -> given.get()).block(PATIENCE))
                .isLessThan(size / 2);
        go.complete(null);
        assertThat(handler.bytes()).isZero();
        done.get(30, TimeUnit.SECONDS);
        assertThat(received).hasValue((long) size * MIB);
    }

    @Test
    void anErrorOfTheRequestsBodyEndsTheExchangeOnce() throws Exception {
        serve(routes -> {
            ok(routes);
            routes.put("/put", (in, out) -> in.receive().then(out.status(200).send()));
        });
        Handler handler = new Handler();
        CompletableFuture<Void> done = execute(
                request(SdkHttpMethod.PUT, "/put").build(),
                content(null, mebibytes(1).concatWith(Flux.error(new IllegalStateException("torn")))),
                handler);
        assertThat(done)
                .failsWithin(PATIENCE)
                .withThrowableThat()
                .havingRootCause()
                .withMessage("torn");
        assertThat(handler.errors).hasValue(1);
        assertNextRequestWorks();
    }

    @Test
    void aConnectionThatCannotBeMadeIsAnErrorOnce() {
        server.disposeNow();
        Handler handler = new Handler();
        CompletableFuture<Void> done = get("/", handler);
        assertThat(done)
                .failsWithin(PATIENCE)
                .withThrowableOfType(ExecutionException.class)
                .withCauseInstanceOf(IOException.class);
        assertThat(handler.errors).hasValue(1);
    }

    @Test
    void neitherFollowsRedirectsNorDecompressesWhateverTheGivenClientDoes() throws Exception {
        serve(routes -> routes.get("/ok", (in, out) -> out.sendString(Mono.just("ok")))
                .get("/moved", (in, out) -> out.sendRedirect("/ok"))
                .get(
                        "/gz",
                        (in, out) -> out.header(HttpHeaderNames.CONTENT_ENCODING, "gzip")
                                .header(
                                        "asked",
                                        String.valueOf(in.requestHeaders().get(HttpHeaderNames.ACCEPT_ENCODING)))
                                .sendString(Mono.just("not really gzip"))));
        HttpClient given = HttpClient.create(pool).followRedirect(true).compress(true);
        try (SdkAsyncHttpClient on = ReactorNettyAsyncHttpClient.create(given)) {
            Handler moved = new Handler();
            on.execute(AsyncExecuteRequest.builder()
                    .request(request(SdkHttpMethod.GET, "/moved").build())
                    .requestContentPublisher(content(0L, Flux.empty()))
                    .responseHandler(moved)
                    .build());
            moved.bytes();
            assertThat(moved.head.get(30, TimeUnit.SECONDS).statusCode()).isEqualTo(302);
            Handler zipped = new Handler();
            on.execute(AsyncExecuteRequest.builder()
                    .request(request(SdkHttpMethod.GET, "/gz").build())
                    .requestContentPublisher(content(0L, Flux.empty()))
                    .responseHandler(zipped)
                    .build());
            assertThat(zipped.bytes()).isEqualTo("not really gzip".length());
            assertThat(zipped.head.join().firstMatchingHeader("asked")).contains("null");
        }
        assertThat(pool.isDisposed()).isFalse();
    }

    /** A server by hand: says what it is told to, and remembers what came. */
    private static final class Script implements AutoCloseable {

        final ServerSocket listener = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        final AtomicInteger heads = new AtomicInteger();
        final AtomicInteger bodyBytes = new AtomicInteger();
        final Thread thread;

        /** Answers to a head, then, unless empty, what it says when so many bytes of body have come; closes. */
        Script(String first, int body, String second) throws IOException {
            thread = new Thread(() -> {
                while (!listener.isClosed()) {
                    try (Socket socket = listener.accept()) {
                        head(socket);
                        heads.incrementAndGet();
                        socket.getOutputStream().write(first.getBytes(StandardCharsets.US_ASCII));
                        socket.setSoTimeout(first.isEmpty() || first.contains(" 100 ") ? 0 : 300);
                        for (int i = 0; i < body && socket.getInputStream().read() >= 0; i++) {
                            bodyBytes.incrementAndGet();
                        }
                        socket.getOutputStream().write(second.getBytes(StandardCharsets.US_ASCII));
                    } catch (IOException gone) {
                        // the next one, if there is one
                    }
                }
            });
            thread.start();
        }

        private static void head(Socket socket) throws IOException {
            int newlines = 0;
            while (newlines < 2) {
                int b = socket.getInputStream().read();
                if (b < 0) {
                    throw new IOException("gone");
                }
                newlines = b == '\n' ? newlines + 1 : b == '\r' ? newlines : 0;
            }
        }

        @Override
        public void close() throws IOException {
            listener.close();
        }
    }

    private Handler putExpecting(Script script, AtomicInteger subscribed) {
        Handler handler = new Handler();
        SdkHttpRequest put = SdkHttpRequest.builder()
                .method(SdkHttpMethod.PUT)
                .uri(URI.create("http://127.0.0.1:" + script.listener.getLocalPort() + "/x"))
                .putHeader("Content-Length", "5")
                .putHeader("Expect", "100-continue")
                .build();
        Flux<ByteBuffer> body = Flux.defer(() -> {
            subscribed.incrementAndGet();
            return Flux.just(ByteBuffer.wrap(new byte[] {1, 2, 3}), ByteBuffer.wrap(new byte[] {4, 5}));
        });
        CompletableFuture<Void> done = execute(put, content(5L, body), handler);
        handler.bytes();
        assertThat(done).succeedsWithin(PATIENCE);
        assertThat(handler.errors).hasValue(0);
        return handler;
    }

    @ParameterizedTest
    @ValueSource(strings = {"HTTP/1.1 100 Continue\r\n\r\n", ""})
    void sendsTheBodyWhenTheServerWantsItOrSaysNothing(String interim) throws IOException {
        AtomicInteger subscribed = new AtomicInteger();
        try (Script script = new Script(interim, 5, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) {
            Handler handler = putExpecting(script, subscribed);
            assertThat(handler.head.join().statusCode()).isEqualTo(200);
            assertThat(script.bodyBytes).hasValue(5);
        }
        assertThat(subscribed).hasValue(1);
    }

    @Test
    void keepsTheBodyWhereTheServerAnswersWithoutIt() throws IOException {
        AtomicInteger subscribed = new AtomicInteger();
        try (Script script = new Script("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n", 5, "")) {
            Handler handler = putExpecting(script, subscribed);
            assertThat(handler.head.join().statusCode()).isEqualTo(412);
            assertThat(script.bodyBytes).hasValue(0);
        }
        assertThat(subscribed).hasValue(0);
    }

    @Test
    void aRequestThatFailsIsNotSentAgain() throws IOException {
        try (Script script = new Script("", 0, "")) {
            Handler handler = new Handler();
            SdkHttpRequest get = SdkHttpRequest.builder()
                    .method(SdkHttpMethod.GET)
                    .uri(URI.create("http://127.0.0.1:" + script.listener.getLocalPort() + "/x"))
                    .build();
            assertThat(execute(get, content(0L, Flux.empty()), handler))
                    .failsWithin(PATIENCE)
                    .withThrowableOfType(ExecutionException.class)
                    .withCauseInstanceOf(IOException.class);
            assertThat(handler.errors).hasValue(1);
            assertThat(script.heads).hasValue(1);
        }
    }

    @Test
    void aBodyCutShortIsAnErrorOnce() throws Exception {
        try (Script script = new Script("", 0, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")) {
            Handler handler = new Handler();
            SdkHttpRequest get = SdkHttpRequest.builder()
                    .method(SdkHttpMethod.GET)
                    .uri(URI.create("http://127.0.0.1:" + script.listener.getLocalPort() + "/x"))
                    .build();
            CompletableFuture<Void> done = execute(get, content(0L, Flux.empty()), handler);
            assertThatThrownBy(handler::bytes).hasCauseInstanceOf(IOException.class);
            assertThat(done)
                    .failsWithin(PATIENCE)
                    .withThrowableOfType(ExecutionException.class)
                    .withCauseInstanceOf(IOException.class);
            assertThat(handler.errors).hasValue(1);
        }
    }

    @Test
    void takesTimeoutsAndLimitsFromTheSdk() throws Exception {
        serve(routes -> routes.get("/never", (in, out) -> Mono.never()));
        try (SdkAsyncHttpClient of = ReactorNettyAsyncHttpClient.builder()
                .buildWithDefaults(AttributeMap.builder()
                        .put(SdkHttpConfigurationOption.READ_TIMEOUT, Duration.ofMillis(100))
                        .put(SdkHttpConfigurationOption.MAX_CONNECTIONS, 1)
                        .put(SdkHttpConfigurationOption.CONNECTION_ACQUIRE_TIMEOUT, Duration.ofMillis(10))
                        .build())) {
            AsyncExecuteRequest never = AsyncExecuteRequest.builder()
                    .request(request(SdkHttpMethod.GET, "/never").build())
                    .requestContentPublisher(content(0L, Flux.empty()))
                    .responseHandler(new Handler())
                    .build();
            CompletableFuture<Void> first = of.execute(never);
            CompletableFuture<Void> second = of.execute(never);
            assertThat(second)
                    .failsWithin(PATIENCE)
                    .withThrowableOfType(ExecutionException.class)
                    .withStackTraceContaining("acquire");
            assertThat(first)
                    .failsWithin(PATIENCE)
                    .withThrowableOfType(ExecutionException.class)
                    .withCauseInstanceOf(IOException.class)
                    .withStackTraceContaining("ReadTimeoutException");
        }
    }

    @Test
    void refusesOptionsThatWouldBeIgnored() {
        assertThatThrownBy(() -> ReactorNettyAsyncHttpClient.builder()
                        .httpClient(HttpClient.create())
                        .maxConnections(2)
                        .build())
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> ReactorNettyAsyncHttpClient.builder()
                        .connectionProvider(pool)
                        .acquireTimeout(PATIENCE)
                        .build())
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> ReactorNettyAsyncHttpClient.builder()
                        .buildWithDefaults(AttributeMap.builder()
                                .put(SdkHttpConfigurationOption.PROTOCOL, Protocol.HTTP2)
                                .build()))
                .hasMessageContaining("HTTP/2");
    }

    @Test
    void runsOnGivenEventLoopsAndLeavesThem() throws Exception {
        serve(HttpClientExchangeTest::ok);
        LoopResources loops = LoopResources.create("of-the-service", 1, true);
        try (ReactorNettyAsyncHttpClient on =
                ReactorNettyAsyncHttpClient.builder().loopResources(loops).build()) {
            Handler handler = new Handler();
            on.execute(AsyncExecuteRequest.builder()
                    .request(request(SdkHttpMethod.GET, "/ok").build())
                    .requestContentPublisher(content(0L, Flux.empty()))
                    .responseHandler(handler)
                    .build());
            String thread = handler.body
                    .get(30, TimeUnit.SECONDS)
                    .map(bytes -> Thread.currentThread().getName())
                    .blockFirst(PATIENCE);
            assertThat(thread).startsWith("of-the-service");
        }
        assertThat(loops.isDisposed()).isFalse();
        loops.dispose();
    }
}
