package io.sluice.storage;

import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.ByteBufFlux;
import reactor.netty.http.client.HttpClient;

/** Sends requests with the user's headers, follows redirects, and turns a refusal into a typed error. */
final class HttpRequests {

    /** Fewer and larger chunks than the decoder's default of 8 KiB gives. */
    private static final int MAX_CHUNK_BYTES = 64 << 10;

    private final URI base;
    private final HttpStoreSpec spec;
    private final HttpClient client;

    /**
     * The size of chunks is deprecated only since there will be none to set in a later Netty.
     *
     * @param base whose scheme, host and port the user's headers are for
     */
    @SuppressWarnings("deprecation")
    HttpRequests(URI base, HttpStoreSpec spec) {
        this.base = base;
        this.spec = spec;
        HttpClient own = spec.client();
        HttpClient connected = own != null
                ? own.compress(false).followRedirect(false)
                : HttpClient.create()
                        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) Math.min(
                                Integer.MAX_VALUE, spec.connectTimeout().toMillis()))
                        .httpResponseDecoder(decoder -> decoder.maxChunkSize(MAX_CHUNK_BYTES));
        this.client = connected.headers(headers -> {
            // ranges, lengths and ETags are of what is stored
            headers.set(HttpHeaderNames.ACCEPT_ENCODING, "identity");
            headers.set(HttpHeaderNames.USER_AGENT, "sluice");
        });
    }

    /** What a redirect raises to leave its connection before the next one is made. */
    private static final class Redirect extends RuntimeException {

        private static final long serialVersionUID = 1L;

        private final transient URI target;

        Redirect(URI target) {
            super("redirect", null, false, false);
            this.target = target;
        }
    }

    /**
     * Sends a request and hands on a response that is a success or a 416, once its head has arrived. Cancel closes the connection.
     *
     * @param headers of this request
     * @param name for errors
     */
    <V> Flux<V> send(
            HttpMethod method,
            URI uri,
            String name,
            Consumer<HttpHeaders> headers,
            BiFunction<HttpReply, ByteBufFlux, ? extends Publisher<V>> handler) {
        return send(method, uri, name, headers, handler, spec.maxRedirects());
    }

    private <V> Flux<V> send(
            HttpMethod method,
            URI uri,
            String name,
            Consumer<HttpHeaders> headers,
            BiFunction<HttpReply, ByteBufFlux, ? extends Publisher<V>> handler,
            int redirectsLeft) {
        return users(uri, name)
                .flatMapMany(users -> client.headers(all -> {
                            users.forEach(all::set);
                            headers.accept(all);
                        })
                        .request(method)
                        .uri(uri)
                        // what is thrown within the publisher releases the connection, what is thrown here would not
                        .response((response, body) -> Flux.defer(() -> {
                            HttpReply reply = new HttpReply(response);
                            URI target = redirect(reply, uri, name);
                            if (target != null) {
                                return Flux.error(new Redirect(target));
                            }
                            if (reply.status() >= 300 && reply.status() != 416) {
                                return Flux.error(HttpErrors.of(reply, name));
                            }
                            return handler.apply(reply, body);
                        })))
                .onErrorResume(
                        Redirect.class,
                        redirect -> redirectsLeft > 0
                                ? send(method, redirect.target, name, headers, handler, redirectsLeft - 1)
                                : Flux.error(new StorageException(
                                        Kind.INVALID_REQUEST,
                                        name,
                                        "more than " + spec.maxRedirects() + " redirects",
                                        null)));
    }

    /** The user's headers, for the user's server only. */
    private Mono<Map<String, String>> users(URI uri, String name) {
        if (!isOwn(uri)) {
            return Mono.just(Map.of());
        }
        return spec.headers(uri)
                .onErrorMap(error -> error instanceof StorageException
                        ? error
                        : new StorageException(
                                Kind.ACCESS_DENIED,
                                name,
                                "the function that gives the headers failed: " + error,
                                error));
    }

    private boolean isOwn(URI uri) {
        return base.getScheme().equalsIgnoreCase(uri.getScheme())
                && base.getHost().equalsIgnoreCase(uri.getHost())
                && port(base) == port(uri);
    }

    private static int port(URI uri) {
        return uri.getPort() >= 0 ? uri.getPort() : "https".equalsIgnoreCase(uri.getScheme()) ? 443 : 80;
    }

    private static @Nullable URI redirect(HttpReply reply, URI from, String name) {
        switch (reply.status()) {
            case 301, 302, 303, 307, 308 -> {
                String location = reply.header(HttpHeaderNames.LOCATION);
                URI target;
                try {
                    target = from.resolve(HttpObjectStore.escape(
                            Objects.requireNonNullElse(location, "").trim()));
                } catch (IllegalArgumentException malformed) {
                    target = null;
                }
                if (location == null || target == null || target.getHost() == null) {
                    throw new StorageException(
                            Kind.INVALID_REQUEST, name, "a redirect without a location: " + reply.statusLine(), null);
                }
                String scheme = target.getScheme();
                boolean secure = "https".equalsIgnoreCase(scheme);
                if (!secure && ("https".equalsIgnoreCase(from.getScheme()) || !"http".equalsIgnoreCase(scheme))) {
                    throw new StorageException(
                            Kind.INVALID_REQUEST, name, "a redirect from " + from.getScheme() + " to " + scheme, null);
                }
                return target;
            }
            default -> {
                return null;
            }
        }
    }

    /** How long to wait before the n-th retry in a row, counted from 1, after an error. */
    Duration backoff(int n, Throwable error) {
        double longest = spec.maxBackoff().toNanos();
        double nanos = Math.min(longest, spec.firstBackoff().toNanos() * Math.pow(2, Math.min(n - 1, 40)));
        nanos *= 1 - ThreadLocalRandom.current().nextDouble() / 2;
        if (error instanceof HttpErrors.Busy busy && busy.retryAfter != null && !busy.retryAfter.isNegative()) {
            nanos = Math.max(nanos, Math.min(longest, (double) busy.retryAfter.toMillis() * 1_000_000));
        }
        return Duration.ofNanos((long) nanos);
    }

    HttpStoreSpec spec() {
        return spec;
    }
}
