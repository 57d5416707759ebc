package io.sluice.storage;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.netty.http.client.HttpClient;

/** How an {@link HttpObjectStore} asks. Immutable: every method returns a changed copy. */
public final class HttpStoreSpec {

    /** Default of {@link #connectTimeout}: 10 seconds. */
    public static final Duration DEFAULT_CONNECT_TIMEOUT = Duration.ofSeconds(10);

    /** Default of {@link #readTimeout}: 30 seconds. */
    public static final Duration DEFAULT_READ_TIMEOUT = Duration.ofSeconds(30);

    /** Default of {@link #releaseAfter}: 10 seconds. */
    public static final Duration DEFAULT_RELEASE_AFTER = Duration.ofSeconds(10);

    /** Default of {@link #maxRetries}: 5. */
    public static final int DEFAULT_MAX_RETRIES = 5;

    /** Default of {@link #backoff}, first: 200 milliseconds. */
    public static final Duration DEFAULT_FIRST_BACKOFF = Duration.ofMillis(200);

    /** Default of {@link #backoff}, longest: 20 seconds. */
    public static final Duration DEFAULT_MAX_BACKOFF = Duration.ofSeconds(20);

    /** Default of {@link #maxRedirects}: 5. */
    public static final int DEFAULT_MAX_REDIRECTS = 5;

    private static final HttpStoreSpec DEFAULT = new HttpStoreSpec(new Builder());

    private final Function<? super URI, ? extends Mono<Map<String, String>>> headers;
    private final Duration connectTimeout;
    private final Duration readTimeout;
    private final Duration releaseAfter;
    private final int maxRetries;
    private final Duration firstBackoff;
    private final Duration maxBackoff;
    private final int maxRedirects;
    private final @Nullable HttpClient client;

    private HttpStoreSpec(Builder b) {
        this.headers = b.headers;
        this.connectTimeout = b.connectTimeout;
        this.readTimeout = b.readTimeout;
        this.releaseAfter = b.releaseAfter;
        this.maxRetries = b.maxRetries;
        this.firstBackoff = b.firstBackoff;
        this.maxBackoff = b.maxBackoff;
        this.maxRedirects = b.maxRedirects;
        this.client = b.client;
    }

    /** All defaults. */
    public static HttpStoreSpec create() {
        return DEFAULT;
    }

    /**
     * Headers of every request, such as an {@code Authorization} that has to be fetched or renewed. The function is asked before each
     * request and each retry, with the URI that is about to be requested, and never for a redirect to another scheme,
     * host or port: what it returns may be secret. Its headers add to those given before and replace those of the same name.
     */
    public HttpStoreSpec headers(Function<? super URI, ? extends Mono<Map<String, String>>> headers) {
        Objects.requireNonNull(headers, "headers");
        return with(b -> b.headers = merged(this.headers, headers));
    }

    /** With the credentials {@code user:password}, unless the headers that were given say otherwise. */
    HttpStoreSpec basicAuthentication(String credentials) {
        Map<String, String> basic = Map.of(
                "authorization",
                "Basic " + Base64.getEncoder().encodeToString(credentials.getBytes(StandardCharsets.UTF_8)));
        return with(b -> b.headers = merged(uri -> Mono.just(basic), this.headers));
    }

    private static Function<URI, Mono<Map<String, String>>> merged(
            Function<? super URI, ? extends Mono<Map<String, String>>> first,
            Function<? super URI, ? extends Mono<Map<String, String>>> second) {
        return uri -> Mono.zip(asked(first, uri), asked(second, uri), (a, b) -> {
            Map<String, String> all = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            all.putAll(a);
            all.putAll(b);
            return all;
        });
    }

    private static Mono<Map<String, String>> asked(
            Function<? super URI, ? extends Mono<Map<String, String>>> headers, URI uri) {
        return Mono.<Map<String, String>>defer(() -> headers.apply(uri)).defaultIfEmpty(Map.of());
    }

    /** A header of every request; not sent after a redirect to another scheme, host or port. */
    public HttpStoreSpec header(String name, String value) {
        Map<String, String> header = Map.of(name, value);
        return headers(uri -> Mono.just(header));
    }

    /** How long to wait for a connection; not used with a {@link #client} of your own. */
    public HttpStoreSpec connectTimeout(Duration connectTimeout) {
        requirePositive(connectTimeout, "connectTimeout");
        return with(b -> b.connectTimeout = connectTimeout);
    }

    /**
     * How long the server may be silent while something is requested of it; then the request is made again, from the next byte on. A
     * time in which the subscriber requests nothing does not count.
     */
    public HttpStoreSpec readTimeout(Duration readTimeout) {
        requirePositive(readTimeout, "readTimeout");
        return with(b -> b.readTimeout = readTimeout);
    }

    /**
     * When a subscriber has requested nothing for so long, its connection is let go; reading goes on at the next byte with its next
     * request. An object without ETag and modification time can't be read on, and keeps its connection.
     */
    public HttpStoreSpec releaseAfter(Duration releaseAfter) {
        requirePositive(releaseAfter, "releaseAfter");
        return with(b -> b.releaseAfter = releaseAfter);
    }

    /** How many times in a row a request may fail for a passing reason, without a byte in between, and be made again; 0 for never. */
    public HttpStoreSpec maxRetries(int maxRetries) {
        requireNotNegative(maxRetries, "maxRetries");
        return with(b -> b.maxRetries = maxRetries);
    }

    /**
     * How long to wait before a retry: {@code first}, then twice as long each time up to {@code longest}, each shortened at random
     * by up to a half. A server's {@code Retry-After} is heeded up to {@code longest}.
     */
    public HttpStoreSpec backoff(Duration first, Duration longest) {
        requirePositive(first, "first");
        requirePositive(longest, "longest");
        return with(b -> {
            b.firstBackoff = first;
            b.maxBackoff = longest;
        });
    }

    /** How many redirects to follow for one request; 0 for none. From https to http, none is followed. */
    public HttpStoreSpec maxRedirects(int maxRedirects) {
        requireNotNegative(maxRedirects, "maxRedirects");
        return with(b -> b.maxRedirects = maxRedirects);
    }

    /**
     * A client of your own: its connections, event loops, proxy, TLS. Its redirects, compression and response timeout are
     * switched off, as this store does that itself. It is not closed.
     */
    public HttpStoreSpec client(HttpClient client) {
        Objects.requireNonNull(client, "client");
        return with(b -> b.client = client);
    }

    private HttpStoreSpec with(Consumer<Builder> change) {
        Builder b = new Builder(this);
        change.accept(b);
        return new HttpStoreSpec(b);
    }

    Mono<Map<String, String>> headers(URI uri) {
        return asked(headers, uri);
    }

    /** @see #connectTimeout(Duration) */
    public Duration connectTimeout() {
        return connectTimeout;
    }

    /** @see #readTimeout(Duration) */
    public Duration readTimeout() {
        return readTimeout;
    }

    /** @see #releaseAfter(Duration) */
    public Duration releaseAfter() {
        return releaseAfter;
    }

    /** @see #maxRetries(int) */
    public int maxRetries() {
        return maxRetries;
    }

    /** @see #backoff */
    public Duration firstBackoff() {
        return firstBackoff;
    }

    /** @see #backoff */
    public Duration maxBackoff() {
        return maxBackoff;
    }

    /** @see #maxRedirects(int) */
    public int maxRedirects() {
        return maxRedirects;
    }

    /** @see #client(HttpClient) */
    public @Nullable HttpClient client() {
        return client;
    }

    private static void requirePositive(Duration duration, String name) {
        if (duration.isNegative() || duration.isZero()) {
            throw new IllegalArgumentException(name + " must be positive: " + duration);
        }
    }

    private static void requireNotNegative(int number, String name) {
        if (number < 0) {
            throw new IllegalArgumentException(name + " must not be negative: " + number);
        }
    }

    private static final class Builder {
        private Function<? super URI, ? extends Mono<Map<String, String>>> headers = uri -> Mono.empty();
        private Duration connectTimeout = DEFAULT_CONNECT_TIMEOUT;
        private Duration readTimeout = DEFAULT_READ_TIMEOUT;
        private Duration releaseAfter = DEFAULT_RELEASE_AFTER;
        private int maxRetries = DEFAULT_MAX_RETRIES;
        private Duration firstBackoff = DEFAULT_FIRST_BACKOFF;
        private Duration maxBackoff = DEFAULT_MAX_BACKOFF;
        private int maxRedirects = DEFAULT_MAX_REDIRECTS;
        private @Nullable HttpClient client;

        Builder() {}

        Builder(HttpStoreSpec s) {
            headers = s.headers;
            connectTimeout = s.connectTimeout;
            readTimeout = s.readTimeout;
            releaseAfter = s.releaseAfter;
            maxRetries = s.maxRetries;
            firstBackoff = s.firstBackoff;
            maxBackoff = s.maxBackoff;
            maxRedirects = s.maxRedirects;
            client = s.client;
        }
    }
}
