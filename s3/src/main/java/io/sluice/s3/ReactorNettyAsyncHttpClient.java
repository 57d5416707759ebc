package io.sluice.s3;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.timeout.TimeoutException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.Connection;
import reactor.netty.http.client.HttpClient;
import reactor.netty.http.client.HttpClientResponse;
import reactor.netty.resources.ConnectionProvider;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.http.async.AsyncExecuteRequest;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.http.async.SdkAsyncHttpResponseHandler;
import software.amazon.awssdk.http.async.SdkHttpContentPublisher;

/**
 * An HTTP client for the AWS SDK on Reactor Netty: a service that uses Reactor Netty already has one set of event loops, one
 * kind of connection pool and one set of metrics. HTTP/1.1. Works with every asynchronous client of the SDK.
 *
 * <p>Response bodies are heap buffers, delivered on an event loop, and as many as were requested. A response that is not read
 * to its end costs its connection: cancelling the body, or the future of {@link #execute}, closes it. Errors are those of
 * Reactor Netty, wrapped in an {@link IOException} where the SDK would not retry them otherwise.
 *
 * <p>{@code Expect: 100-continue} is not sent, since the body follows without waiting for an answer.
 */
public final class ReactorNettyAsyncHttpClient implements SdkAsyncHttpClient {

    /** Connections of {@link #create()} to one host. */
    public static final int DEFAULT_MAX_CONNECTIONS = 64;

    /** How long {@link #create()} waits for a connection to be made. */
    public static final Duration DEFAULT_CONNECT_TIMEOUT = Duration.ofSeconds(5);

    /** How long {@link #create()} waits for the next bytes of a response. */
    public static final Duration DEFAULT_READ_TIMEOUT = Duration.ofSeconds(30);

    /** How long {@link #create()} waits for a connection of the pool to become free. */
    public static final Duration DEFAULT_ACQUIRE_TIMEOUT = Duration.ofSeconds(60);

    /** Shorter than that of the usual servers, so that they seldom close a connection that is about to be used. */
    private static final Duration MAX_IDLE = Duration.ofSeconds(10);

    /** What one read of a socket gives at most; the decoder's default would cut it into eighths. */
    private static final int MAX_CHUNK_BYTES = 64 << 10;

    private final HttpClient client;
    private final @Nullable ConnectionProvider owned;

    private ReactorNettyAsyncHttpClient(HttpClient client, @Nullable ConnectionProvider owned) {
        this.client = client;
        this.owned = owned;
    }

    /** A client with a connection pool of its own, which {@link #close} closes, on Reactor Netty's shared event loops. */
    public static ReactorNettyAsyncHttpClient create() {
        return create(DEFAULT_MAX_CONNECTIONS, DEFAULT_CONNECT_TIMEOUT, DEFAULT_READ_TIMEOUT, DEFAULT_ACQUIRE_TIMEOUT);
    }

    /** As {@link #create()}. The JVM's proxy properties ({@code https.proxyHost}) are honoured. */
    public static ReactorNettyAsyncHttpClient create(
            int maxConnections, Duration connectTimeout, Duration readTimeout, Duration acquireTimeout) {
        ConnectionProvider pool = ConnectionProvider.builder("sluice-s3")
                .maxConnections(maxConnections)
                .pendingAcquireMaxCount(-1)
                .pendingAcquireTimeout(acquireTimeout)
                .maxIdleTime(MAX_IDLE)
                .lifo()
                .build();
        HttpClient client = HttpClient.create(pool)
                .proxyWithSystemProperties()
                .option(
                        io.netty.channel.ChannelOption.CONNECT_TIMEOUT_MILLIS,
                        Math.toIntExact(connectTimeout.toMillis()))
                .responseTimeout(readTimeout)
                .httpResponseDecoder(decoder -> decoder.maxChunkSize(MAX_CHUNK_BYTES));
        return new ReactorNettyAsyncHttpClient(client, pool);
    }

    /**
     * A client on one of yours, with its pool, event loops, timeouts, proxy, TLS and metrics. {@link #close} leaves it as it
     * is. It should neither follow redirects nor decompress: the SDK signs what it asks for and checks what it gets.
     */
    public static ReactorNettyAsyncHttpClient create(HttpClient client) {
        return new ReactorNettyAsyncHttpClient(client, null);
    }

    @Override
    public String clientName() {
        return "ReactorNetty";
    }

    @Override
    public CompletableFuture<Void> execute(AsyncExecuteRequest request) {
        SdkHttpRequest head = request.request();
        SdkAsyncHttpResponseHandler handler = request.responseHandler();
        CompletableFuture<Void> done = new CompletableFuture<>();
        try {
            requireSafeHeaders(head);
        } catch (IllegalArgumentException unsafe) {
            fail(unsafe, handler, done);
            return done;
        }
        Disposable exchange = client.headers(headers -> copyHeaders(head, headers))
                .request(HttpMethod.valueOf(head.method().name()))
                .uri(head.getUri())
                .send(content(head, request.requestContentPublisher()))
                .responseConnection((response, connection) -> respond(response, connection, handler))
                .subscribe(nothing -> {}, error -> fail(error, handler, done), () -> done.complete(null));
        done.whenComplete((nothing, error) -> {
            if (error != null) {
                exchange.dispose();
            }
        });
        return done;
    }

    private static void fail(Throwable error, SdkAsyncHttpResponseHandler handler, CompletableFuture<Void> done) {
        Throwable retryable = retryable(error);
        if (!done.isDone()) {
            handler.onError(retryable);
            done.completeExceptionally(retryable);
        }
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
        headers.remove("User-Agent").remove("Accept");
        head.forEachHeader((name, values) -> {
            if (!name.equalsIgnoreCase("Expect")) {
                headers.set(name, values);
            }
        });
    }

    private static Publisher<? extends ByteBuf> content(SdkHttpRequest head, SdkHttpContentPublisher content) {
        boolean usuallyWithout = head.method() == SdkHttpMethod.GET || head.method() == SdkHttpMethod.HEAD;
        long length = content.contentLength().orElse(usuallyWithout ? 0L : -1L);
        return length == 0 ? Mono.empty() : Flux.from(content).map(Unpooled::wrappedBuffer);
    }

    private static Publisher<Void> respond(
            HttpClientResponse response, Connection connection, SdkAsyncHttpResponseHandler handler) {
        return Mono.create(sink -> {
            // closes the connection unless the response has been read to its end
            sink.onCancel(connection::dispose);
            Flux<ByteBuffer> body = connection
                    .inbound()
                    .receive()
                    .map(ReactorNettyAsyncHttpClient::heapCopy)
                    .onErrorMap(ReactorNettyAsyncHttpClient::retryable)
                    .doOnCancel(() -> {
                        connection.dispose();
                        sink.success();
                    })
                    .doOnError(sink::error)
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

    @Override
    public void close() {
        if (owned != null) {
            owned.dispose();
        }
    }
}
