package io.sluice.storage;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.retry.Retry;

/**
 * Reads what a web server has (RFC 9110). It can neither list nor write. Needs {@code reactor-netty-http} on the class path.
 *
 * <p>A key is the rest of a URL behind the base: a path, as it is escaped in URLs, and perhaps a query. Characters that have no
 * place in a URL are escaped. User and password of the base are sent as basic authentication; neither they nor parameters that look
 * like secrets are shown in messages.
 *
 * <p>{@link #get} asks for ranges and reads on at the next byte after a reset, a stall, a body cut short, a 429 or 5xx, with the
 * bounds of the {@link HttpStoreSpec}. Where a server does not know ranges, it reads from the start again and skips. It never mixes
 * versions: every answer must have the ETag of the first one, or its modification time where there is no ETag (exact to the second);
 * where a server gives neither, reading does not go on after an interruption. A body that ends with the connection, without a length
 * or chunks, can't be told from one cut short.
 *
 * <p>Bytes are those of the stored object: no encoding is asked for, and where a server sends a {@code Content-Encoding} all the
 * same, its bytes are handed on as they are, so that offsets, lengths and ETags agree. A file {@code x.jsonl.gz} that is served as
 * gzip-encoded JSONL is thus read by its name; one whose name does not say so needs the compression named in the
 * {@link io.sluice.ReadSpec}.
 *
 * <p>Chunks are emitted on event loop threads, at most 64 KiB each (with a client of your own, as its decoder is set up). They arrive as the server
 * sends them. A request of the subscriber may make the client read ahead what is in one network buffer.
 */
public final class HttpObjectStore implements ObjectStore {

    private final String base;
    private final HttpRequests requests;

    private HttpObjectStore(String base, HttpStoreSpec spec) {
        URI uri = URI.create(base);
        String user = uri.getUserInfo();
        this.base = user == null ? base : base.replaceFirst("://[^/]*@", "://");
        this.requests = new HttpRequests(URI.create(this.base), user == null ? spec : spec.basicAuthentication(user));
    }

    /** {@link #create(String, HttpStoreSpec)} with all defaults. */
    public static HttpObjectStore create(String base) {
        return create(base, HttpStoreSpec.create());
    }

    /**
     * The objects below a URL.
     *
     * @param base {@code https://host/path/}: what all keys are appended to, without a query; a trailing {@code /} is added where it is missing
     * @throws StorageException {@code INVALID_REQUEST} if it is no such URL
     */
    public static HttpObjectStore create(String base, HttpStoreSpec spec) {
        Objects.requireNonNull(spec, "spec");
        String slashed = base.endsWith("/") ? base : base + "/";
        URI uri;
        try {
            uri = URI.create(slashed);
        } catch (IllegalArgumentException malformed) {
            uri = null;
        }
        boolean http =
                uri != null && ("http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme()));
        if (uri == null || !http || uri.getHost() == null || uri.getQuery() != null || uri.getFragment() != null) {
            // not the cause: its message has the user and password
            throw new StorageException(
                    Kind.INVALID_REQUEST, HttpErrors.displayName(base), "is no base URL: http(s)://host/path/", null);
        }
        return new HttpObjectStore(slashed, spec);
    }

    @Override
    public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(range, "range");
        return Flux.defer(() -> range.length() == 0
                ? nothing(key, range, ifMatch)
                : new HttpRead(requests, uri(key), displayName(key), range, ifMatch).chunks());
    }

    /** There is no asking for an empty range. */
    private Flux<ByteBuffer> nothing(String key, ByteRange range, @Nullable String ifMatch) {
        return head(key).flatMapMany(meta -> {
            if (ifMatch != null && !ifMatch.equals(meta.etag())) {
                return Flux.error(new StorageException(
                        Kind.CHANGED,
                        displayName(key),
                        "is not the version that was pinned: its ETag is " + meta.etag() + ", not " + ifMatch,
                        null));
            }
            if (meta.size() >= 0 && range.offset() > meta.size()) {
                return Flux.error(new StorageException(
                        Kind.INVALID_REQUEST,
                        displayName(key),
                        "the range begins at byte " + range.offset() + ", behind the end at " + meta.size(),
                        null));
            }
            return Flux.empty();
        });
    }

    /** Asks by HEAD, and where that is refused, as it is for URLs signed for reading, by a GET of one byte. */
    @Override
    public Mono<ObjectMeta> head(String key) {
        Objects.requireNonNull(key, "key");
        return Mono.defer(() -> {
            URI uri = uri(key);
            String name = displayName(key);
            Mono<ObjectMeta> byHead = ask(HttpMethod.HEAD, key, uri, name);
            return byHead.onErrorResume(
                    error -> !HttpErrors.of(error, name).isTransient(), refused -> ask(HttpMethod.GET, key, uri, name));
        });
    }

    private Mono<ObjectMeta> ask(HttpMethod method, String key, URI uri, String name) {
        AtomicInteger failures = new AtomicInteger();
        boolean get = method.equals(HttpMethod.GET);
        return requests.send(
                        method,
                        uri,
                        name,
                        headers -> {
                            if (get) {
                                headers.set(HttpHeaderNames.RANGE, "bytes=0-0");
                            }
                        },
                        (reply, body) -> {
                            Mono<ObjectMeta> meta = Mono.just(meta(key, reply));
                            // a body that is known to be short is read, so that the connection can be used again
                            return !get || reply.status() == 206 ? body.then(meta) : meta;
                        })
                .next()
                .timeout(requests.spec().readTimeout(), Mono.error(() -> new TimeoutException("no answer")))
                .onErrorMap(error -> HttpErrors.of(error, name))
                .retryWhen(Retry.from(signals -> signals.concatMap(
                        signal -> {
                            StorageException error = HttpErrors.of(signal.failure(), name);
                            int n = failures.incrementAndGet();
                            return error.isTransient() && n <= requests.spec().maxRetries()
                                    ? Mono.delay(requests.backoff(n, error))
                                    : Mono.error(error);
                        },
                        1)));
    }

    private static ObjectMeta meta(String key, HttpReply reply) {
        boolean ranged = reply.status() == 206 || reply.status() == 416;
        long size = ranged ? reply.rangeTotal() : reply.contentLength();
        return new ObjectMeta(key, size, reply.version(), reply.lastModified());
    }

    /** {@code UNSUPPORTED}: HTTP has no listings. */
    @Override
    public Flux<ObjectMeta> list(String prefix) {
        return Flux.error(
                () -> unsupported(prefix, "HTTP has no listing: name each file by its URL, not a directory or a glob"));
    }

    /** {@code UNSUPPORTED}: this store reads only. */
    @Override
    public Mono<ObjectMeta> put(String key, Publisher<ByteBuffer> content, PutMode mode) {
        return Mono.error(() -> unsupported(key, "files can be read over HTTP, not written"));
    }

    /** {@code UNSUPPORTED}: this store reads only. */
    @Override
    public Mono<Void> delete(String key) {
        return Mono.error(() -> unsupported(key, "files can be read over HTTP, not deleted"));
    }

    private StorageException unsupported(String key, String reason) {
        return new StorageException(Kind.UNSUPPORTED, displayName(key), reason, null);
    }

    /** The path without the query. */
    @Override
    public String path(String key) {
        int query = key.indexOf('?');
        return query < 0 ? key : key.substring(0, query);
    }

    /** The URL without user, password and the values of parameters that look like secrets. */
    @Override
    public String displayName(String key) {
        return HttpErrors.displayName(base + key);
    }

    @Override
    public String toString() {
        return "HttpObjectStore[" + displayName("") + "]";
    }

    private URI uri(String key) {
        ObjectKeys.requireKey(path(key));
        try {
            return URI.create(base + escape(key));
        } catch (IllegalArgumentException malformed) {
            throw new StorageException(
                    Kind.INVALID_REQUEST, displayName(key), "is no URL: " + malformed.getMessage(), null);
        }
    }

    /** Escapes what can't stand in a URL, and leaves what is escaped already. */
    static String escape(String text) {
        StringBuilder escaped = new StringBuilder();
        boolean query = false;
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xFF);
            boolean allowed = c > ' ' && c < 0x7F && "\"<>\\^`{|}#".indexOf(c) < 0 && (query || (c != '[' && c != ']'));
            query |= c == '?';
            if (allowed) {
                escaped.append(c);
            } else {
                escaped.append('%')
                        .append(Character.toUpperCase(Character.forDigit(c >> 4, 16)))
                        .append(Character.toUpperCase(Character.forDigit(c & 15, 16)));
            }
        }
        return escaped.toString();
    }
}
