package io.sluice.s3;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.netty.handler.timeout.TimeoutException;
import io.netty.util.AsciiString;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.Connection;
import reactor.netty.NettyOutbound;
import reactor.netty.http.Http11SslContextSpec;
import reactor.netty.http.HttpProtocol;
import reactor.netty.http.client.HttpClient;
import reactor.netty.http.client.HttpClientResponse;
import reactor.netty.resources.ConnectionProvider;
import reactor.netty.resources.LoopResources;
import software.amazon.awssdk.http.HttpMetric;
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

/**
 * An HTTP client for the AWS SDK on Reactor Netty: a service that uses Reactor Netty already has one set of event loops, one
 * kind of connection pool and one set of metrics. HTTP/1.1. Works with every asynchronous client of the SDK.
 *
 * <p>Request bodies are streamed with the server's backpressure, and with {@code Expect: 100-continue} only after the server
 * wants them. Response bodies are heap buffers, delivered on an event loop, and as many as were requested. A response that is
 * not read to its end costs its connection: cancelling the body, or the future of {@link #execute}, closes it, and completes
 * the future exceptionally. A body that nobody requests from for the read timeout fails.
 *
 * <p>Errors go to the handler once, and complete the future: those of Reactor Netty, wrapped in an {@link IOException} where
 * the SDK would not retry them otherwise. Redirects, compressed content and failed requests are left to the SDK, whatever
 * the given client does: it signs what it asks for, checks what it gets, and counts what it repeats.
 */
public final class ReactorNettyAsyncHttpClient implements SdkAsyncHttpClient {

    /** Default of {@link Builder#maxConnections}. */
    public static final int DEFAULT_MAX_CONNECTIONS = 64;

    /** Default of {@link Builder#connectTimeout}. */
    public static final Duration DEFAULT_CONNECT_TIMEOUT = Duration.ofSeconds(5);

    /** Default of {@link Builder#readTimeout}. */
    public static final Duration DEFAULT_READ_TIMEOUT = Duration.ofSeconds(30);

    /** Default of {@link Builder#acquireTimeout}. */
    public static final Duration DEFAULT_ACQUIRE_TIMEOUT = Duration.ofSeconds(60);

    private final HttpClient client;
    private final @Nullable ConnectionProvider owned;
    private volatile boolean closed;

    private ReactorNettyAsyncHttpClient(HttpClient client, @Nullable ConnectionProvider owned) {
        this.client = client.protocol(HttpProtocol.HTTP11)
                .followRedirect(false)
                .compress(false)
                // a repeated conditional write would find its own object and take it for somebody else's
                .disableRetry(true);
        this.owned = owned;
    }

    /** A client with a connection pool of its own, which {@link #close} closes, on Reactor Netty's shared event loops. */
    public static ReactorNettyAsyncHttpClient create() {
        return builder().build();
    }

    /**
     * A client on one of yours, with its pool, event loops, timeouts, proxy, TLS, headers and metrics. {@link #close} leaves
     * it as it is.
     */
    public static ReactorNettyAsyncHttpClient create(HttpClient client) {
        return builder().httpClient(client).build();
    }

    /** For {@code S3AsyncClient.builder().httpClientBuilder(…)} and for what {@link #create()} leaves to its defaults. */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    public String clientName() {
        return "ReactorNetty";
    }

    @Override
    public CompletableFuture<Void> execute(AsyncExecuteRequest request) {
        request.metricCollector().ifPresent(metrics -> metrics.reportMetric(HttpMetric.HTTP_CLIENT_NAME, clientName()));
        SdkHttpRequest head = request.request();
        Exchange exchange = new Exchange(request.responseHandler());
        try {
            if (closed) {
                // a disposed pool would make another one, which nobody closes
                throw new IllegalStateException("the HTTP client is closed");
            }
            requireSafeHeaders(head);
        } catch (IllegalArgumentException | IllegalStateException refused) {
            exchange.fail(refused);
            return exchange.done;
        }
        Disposable connected = client.headers(headers -> copyHeaders(head, headers))
                .request(HttpMethod.valueOf(head.method().name()))
                .uri(head.getUri())
                .send((sent, outbound) -> {
                    dropDefaults(head, sent.requestHeaders());
                    return send(head, request.requestContentPublisher(), outbound);
                })
                .responseConnection(exchange::respond)
                .subscribe(nothing -> {}, exchange::fail, exchange::complete);
        return exchange.untilDone(connected);
    }

    /** A line break in a header would begin another header, or another request. */
    private static void requireSafeHeaders(SdkHttpRequest head) {
        head.forEachHeader((name, values) -> {
            requireSafe(name, name);
            values.forEach(value -> requireSafe(name, value));
        });
    }

    private static void requireSafe(String name, String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\r' || c == '\n' || c == '\0') {
                // without the value, which may be a secret
                throw new IllegalArgumentException("a line break or NUL in the header "
                        + name.replace('\r', '?').replace('\n', '?').replace('\0', '?'));
            }
        }
    }

    private static void copyHeaders(SdkHttpRequest head, HttpHeaders headers) {
        head.forEachHeader(headers::set);
    }

    private static void dropDefaults(SdkHttpRequest head, HttpHeaders headers) {
        for (AsciiString name : List.of(HttpHeaderNames.USER_AGENT, HttpHeaderNames.ACCEPT)) {
            if (head.firstMatchingHeader(name.toString()).isEmpty()) {
                headers.remove(name);
            }
        }
    }

    private static Publisher<Void> send(SdkHttpRequest head, SdkHttpContentPublisher content, NettyOutbound outbound) {
        boolean usuallyWithout = head.method() == SdkHttpMethod.GET || head.method() == SdkHttpMethod.HEAD;
        long length = content.contentLength().orElse(usuallyWithout ? 0L : -1L);
        if (length == 0) {
            return outbound.send(Mono.empty());
        }
        Flux<ByteBuf> body = Flux.from(content).map(Unpooled::wrappedBuffer);
        boolean asksFirst = head.firstMatchingHeader("Expect")
                .filter(HttpHeaderValues.CONTINUE.toString()::equalsIgnoreCase)
                .isPresent();
        return asksFirst ? ExpectContinue.send(outbound, body) : outbound.send(body);
    }

    @Override
    public void close() {
        if (owned != null) {
            closed = true;
            owned.dispose();
        }
    }

    /** A request and its response. Ends once: complete, failed, or given up by one of the two who may. */
    private static final class Exchange {

        private final SdkAsyncHttpResponseHandler handler;
        private final CompletableFuture<Void> done = new CompletableFuture<>();
        private final AtomicBoolean ended = new AtomicBoolean();

        Exchange(SdkAsyncHttpResponseHandler handler) {
            this.handler = handler;
        }

        @SuppressWarnings("FutureReturnValueIgnored") // the caller cancels the one that is returned
        CompletableFuture<Void> untilDone(Disposable connected) {
            done.whenComplete((nothing, error) -> {
                if (error != null) {
                    ended.set(true);
                    connected.dispose();
                }
            });
            return done;
        }

        void complete() {
            ended.set(true);
            done.complete(null);
        }

        void fail(Throwable error) {
            if (ended.compareAndSet(false, true)) {
                Throwable retryable = retryable(error);
                try {
                    handler.onError(retryable);
                } finally {
                    done.completeExceptionally(retryable);
                }
            }
        }

        Publisher<Void> respond(HttpClientResponse response, Connection connection) {
            return Mono.create(sink -> {
                // closes the connection unless the response has been read to its end
                sink.onCancel(connection::dispose);
                Flux<ByteBuffer> body = connection
                        .inbound()
                        .receive()
                        .map(ReactorNettyAsyncHttpClient::heapCopy)
                        .onErrorMap(ReactorNettyAsyncHttpClient::retryable)
                        // to Reactor Netty a connection that we close has nothing more to say, which is no end of the
                        // body
                        .concatWith(Mono.defer(() -> ended.get()
                                ? Mono.error(new IOException("the request was cancelled before the response's end"))
                                : Mono.empty()))
                        .doOnCancel(() -> {
                            if (ended.compareAndSet(false, true)) {
                                done.completeExceptionally(
                                        new CancellationException("the response was cancelled before its end"));
                            }
                        })
                        .doOnError(error -> {
                            if (!ended.get()) {
                                sink.error(error);
                            }
                        })
                        .doOnComplete(sink::success);
                try {
                    handler.onHeaders(headers(response));
                    handler.onStream(body);
                } catch (RuntimeException | LinkageError e) {
                    // Reactor would let the latter escape, and nobody would hear of the exchange again
                    connection.dispose();
                    sink.error(e);
                }
            });
        }
    }

    private static SdkHttpResponse headers(HttpClientResponse response) {
        var headers = SdkHttpResponse.builder()
                .statusCode(response.status().code())
                .statusText(response.status().reasonPhrase());
        for (Map.Entry<String, String> header : response.responseHeaders()) {
            headers.appendHeader(header.getKey(), header.getValue());
        }
        return headers.build();
    }

    private static ByteBuffer heapCopy(ByteBuf bytes) {
        byte[] copy = new byte[bytes.readableBytes()];
        bytes.readBytes(copy);
        return ByteBuffer.wrap(copy);
    }

    private static Throwable retryable(Throwable error) {
        boolean timeout = error instanceof TimeoutException || error instanceof java.util.concurrent.TimeoutException;
        return timeout ? new IOException("timed out: " + error, error) : error;
    }

    /**
     * What a client is made of. Options that are not set come from the SDK's service client, by its defaults mode, and then
     * from the constants of {@link ReactorNettyAsyncHttpClient}. Mutable, as the SDK's builders are; not for several threads.
     */
    public static final class Builder implements SdkAsyncHttpClient.Builder<Builder> {

        /** Shorter than that of the usual servers, so that they seldom close a connection that is about to be used. */
        private static final Duration MAX_IDLE = Duration.ofSeconds(10);

        /** What one read of a socket gives at most; the decoder's default would cut it into eighths. */
        private static final int MAX_CHUNK_BYTES = 64 << 10;

        private @Nullable HttpClient httpClient;
        private @Nullable ConnectionProvider connectionProvider;
        private @Nullable LoopResources loopResources;
        private @Nullable Integer maxConnections;
        private @Nullable Duration acquireTimeout;
        private @Nullable Duration connectTimeout;
        private @Nullable Duration readTimeout;

        private Builder() {}

        /** A client of yours, as it is; no other option goes with it. Stays yours. */
        public Builder httpClient(HttpClient yours) {
            httpClient = Objects.requireNonNull(yours, "yours");
            return this;
        }

        /** A pool of yours, with its limits; neither {@link #maxConnections} nor {@link #acquireTimeout} goes with it. Stays yours to dispose. */
        public Builder connectionProvider(ConnectionProvider yours) {
            connectionProvider = Objects.requireNonNull(yours, "yours");
            return this;
        }

        /** Event loops of yours, such as a server's. Stay yours to dispose. */
        public Builder loopResources(LoopResources yours) {
            loopResources = Objects.requireNonNull(yours, "yours");
            return this;
        }

        /** Connections to one host at a time; further requests wait. */
        public Builder maxConnections(int connections) {
            if (connections < 1) {
                throw new IllegalArgumentException("maxConnections must not be " + connections);
            }
            maxConnections = connections;
            return this;
        }

        /** How long to wait for a connection of the pool to become free. */
        public Builder acquireTimeout(Duration timeout) {
            acquireTimeout = Objects.requireNonNull(timeout, "timeout");
            return this;
        }

        /** How long to wait for a connection to be made. */
        public Builder connectTimeout(Duration timeout) {
            connectTimeout = Objects.requireNonNull(timeout, "timeout");
            return this;
        }

        /** How long to wait for the next bytes of a response. */
        public Builder readTimeout(Duration timeout) {
            readTimeout = Objects.requireNonNull(timeout, "timeout");
            return this;
        }

        /** A client with these options. The JVM's proxy properties ({@code https.proxyHost}) are honoured. */
        @Override
        public ReactorNettyAsyncHttpClient build() {
            return buildWithDefaults(AttributeMap.empty());
        }

        /**
         * As {@link #build}, with defaults of the SDK: {@code MAX_CONNECTIONS}, {@code CONNECTION_ACQUIRE_TIMEOUT}, {@code
         * CONNECTION_TIMEOUT}, {@code READ_TIMEOUT}, {@code TRUST_ALL_CERTIFICATES}. Not for services that need HTTP/2.
         */
        @Override
        @SuppressWarnings("deprecation") // the chunk size has no other option
        public ReactorNettyAsyncHttpClient buildWithDefaults(AttributeMap defaults) {
            if (defaults.get(SdkHttpConfigurationOption.PROTOCOL) == Protocol.HTTP2) {
                throw new UnsupportedOperationException(
                        "the service needs HTTP/2, which this client does not speak: give it another HTTP client");
            }
            boolean poolOptions = maxConnections != null || acquireTimeout != null;
            if (httpClient != null) {
                boolean others = connectionProvider != null || loopResources != null || poolOptions;
                if (others || connectTimeout != null || readTimeout != null) {
                    throw new IllegalStateException("a client of your own goes with no other option: set them there");
                }
                return new ReactorNettyAsyncHttpClient(httpClient, null);
            }
            if (connectionProvider != null && poolOptions) {
                throw new IllegalStateException(
                        "maxConnections and acquireTimeout do not go with a pool of your own: set them there");
            }
            ConnectionProvider own = connectionProvider == null ? pool(defaults) : null;
            HttpClient made = HttpClient.create(own == null ? Objects.requireNonNull(connectionProvider) : own)
                    .proxyWithSystemProperties()
                    .option(
                            ChannelOption.CONNECT_TIMEOUT_MILLIS,
                            Math.toIntExact(choose(
                                            connectTimeout,
                                            defaults.get(SdkHttpConfigurationOption.CONNECTION_TIMEOUT),
                                            DEFAULT_CONNECT_TIMEOUT)
                                    .toMillis()))
                    .responseTimeout(choose(
                            readTimeout, defaults.get(SdkHttpConfigurationOption.READ_TIMEOUT), DEFAULT_READ_TIMEOUT))
                    .httpResponseDecoder(decoder -> decoder.maxChunkSize(MAX_CHUNK_BYTES));
            if (loopResources != null) {
                made = made.runOn(loopResources);
            }
            if (Boolean.TRUE.equals(defaults.get(SdkHttpConfigurationOption.TRUST_ALL_CERTIFICATES))) {
                Http11SslContextSpec trusting = Http11SslContextSpec.forClient()
                        .configure(context -> context.trustManager(InsecureTrustManagerFactory.INSTANCE));
                made = made.secure(tls -> tls.sslContext(trusting));
            }
            return new ReactorNettyAsyncHttpClient(made, own);
        }

        private ConnectionProvider pool(AttributeMap defaults) {
            return ConnectionProvider.builder("sluice-s3")
                    .maxConnections(choose(
                            maxConnections,
                            defaults.get(SdkHttpConfigurationOption.MAX_CONNECTIONS),
                            DEFAULT_MAX_CONNECTIONS))
                    .pendingAcquireMaxCount(-1)
                    .pendingAcquireTimeout(choose(
                            acquireTimeout,
                            defaults.get(SdkHttpConfigurationOption.CONNECTION_ACQUIRE_TIMEOUT),
                            DEFAULT_ACQUIRE_TIMEOUT))
                    .maxIdleTime(MAX_IDLE)
                    .lifo()
                    .build();
        }

        private static <T> T choose(@Nullable T set, @Nullable T ofService, T otherwise) {
            return set != null ? set : ofService != null ? ofService : otherwise;
        }
    }
}
