package io.sluice.storage;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import java.net.URI;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.netty.ByteBufFlux;
import reactor.util.retry.Retry;

/**
 * One reading of a range over HTTP, in as many requests as it takes. Its state changes only as chunks and terminal signals are handed
 * on, so that whatever a request that was given up still brings changes nothing.
 */
final class HttpRead {

    private static final long UNKNOWN = Long.MAX_VALUE;

    private final HttpRequests requests;
    private final URI uri;
    private final String name;
    private final long start;
    private final boolean whole;
    private long position;
    private long end;
    private @Nullable String version;
    private Attempt attempt;
    private long progress;
    private int failures;

    HttpRead(HttpRequests requests, URI uri, String name, ByteRange range, @Nullable String ifMatch) {
        this.requests = requests;
        this.uri = uri;
        this.name = name;
        this.start = range.offset();
        this.whole = range.equals(ByteRange.ALL);
        this.position = range.offset();
        this.end = range.length() > UNKNOWN - range.offset() ? UNKNOWN : range.offset() + range.length();
        this.version = ifMatch;
        this.progress = start;
        this.attempt = new Attempt(position, end, version);
    }

    /** What one request found out. */
    private static final class Attempt {
        private final long from;
        private volatile long end;
        private volatile long promisedEnd = UNKNOWN;
        private volatile @Nullable String version;

        Attempt(long from, long end, @Nullable String version) {
            this.from = from;
            this.end = end;
            this.version = version;
        }
    }

    /** A server gave the part that it said it would, which is less than what was asked for. */
    private static final class Continue extends RuntimeException {

        private static final long serialVersionUID = 1L;

        Continue() {
            super("more to ask for", null, false, false);
        }
    }

    /** To be subscribed once. */
    Flux<ByteBuffer> chunks() {
        HttpStoreSpec spec = requests.spec();
        Flux<ByteBuffer> once = Flux.defer(() -> request(attempt));
        return Flux.defer(() -> {
                    attempt = new Attempt(position, end, version);
                    return new DemandTimeout<>(
                            once,
                            spec.readTimeout(),
                            spec.releaseAfter(),
                            () -> attempt.version != null,
                            Schedulers.parallel());
                })
                .doOnNext(chunk -> {
                    position += chunk.remaining();
                    end = attempt.end;
                    version = attempt.version;
                })
                .concatWith(Mono.defer(this::complete))
                .retryWhen(Retry.from(signals -> signals.concatMap(signal -> again(signal.failure()), 1)));
    }

    private Mono<ByteBuffer> complete() {
        end = attempt.end;
        version = attempt.version;
        if (position == attempt.promisedEnd && position != end) {
            return Mono.error(new Continue());
        }
        if (end != UNKNOWN && position < end) {
            return Mono.error(new StorageException(
                    Kind.NETWORK, name, "the body ended at byte " + position + " of " + end, null));
        }
        return Mono.empty();
    }

    /** When to ask again, or the error if not. */
    private Mono<Long> again(Throwable thrown) {
        if (thrown instanceof DemandTimeout.Released) {
            return Mono.just(0L); // the next request of the subscriber makes the next request of ours
        }
        if (thrown instanceof Continue) {
            return Mono.just(0L);
        }
        StorageException error = HttpErrors.of(thrown, name);
        if (!error.isTransient()) {
            return Mono.error(error);
        }
        if (position > start && version == null) {
            return Mono.error(new StorageException(
                    error.kind(),
                    name,
                    error.reason() + "; reading can't go on at byte " + position
                            + ", as the server gives neither an ETag nor a modification time to tell a change by",
                    error));
        }
        if (position > progress) {
            progress = position;
            failures = 0;
        }
        if (++failures > requests.spec().maxRetries()) {
            return Mono.error(
                    requests.spec().maxRetries() == 0
                            ? error
                            : new StorageException(
                                    error.kind(),
                                    name,
                                    error.reason() + " (byte " + position + "; given up after " + (failures - 1)
                                            + " retries)",
                                    error));
        }
        return Mono.delay(requests.backoff(failures, error));
    }

    private Flux<ByteBuffer> request(Attempt attempt) {
        return requests.send(
                HttpMethod.GET,
                uri,
                name,
                headers -> ask(headers, attempt),
                (reply, body) -> answer(attempt, reply, body));
    }

    private void ask(HttpHeaders headers, Attempt attempt) {
        String pinned = attempt.version;
        boolean strong = pinned != null && HttpReply.isStrongEtag(pinned);
        if (!whole || attempt.from > 0) {
            if (strong) {
                headers.set(HttpHeaderNames.IF_RANGE, pinned);
            }
            headers.set(
                    HttpHeaderNames.RANGE,
                    "bytes=" + attempt.from + "-" + (attempt.end == UNKNOWN ? "" : String.valueOf(attempt.end - 1)));
        }
        if (strong) {
            headers.set(HttpHeaderNames.IF_MATCH, pinned);
        }
    }

    private Publisher<ByteBuffer> answer(Attempt attempt, HttpReply reply, ByteBufFlux body) {
        requireVersion(attempt, reply);
        return switch (reply.status()) {
            case 206 -> part(attempt, reply, body);
            case 416 -> behindEnd(attempt, reply);
            default -> all(attempt, reply, body);
        };
    }

    /** Servers may ignore {@code If-Match}, and weak ETags can't be asked for: what came back decides. */
    private void requireVersion(Attempt attempt, HttpReply reply) {
        String pinned = attempt.version;
        String now = reply.version();
        if (pinned == null) {
            attempt.version = now;
        } else if (!pinned.equals(now) && (now != null || reply.status() != 416)) {
            throw new StorageException(
                    Kind.CHANGED,
                    name,
                    "is not the version that was pinned: its ETag is " + now + ", not " + pinned,
                    null);
        }
    }

    private Publisher<ByteBuffer> part(Attempt attempt, HttpReply reply, ByteBufFlux body) {
        if (reply.first() != attempt.from || reply.last() < reply.first() || reply.last() >= attempt.end) {
            throw new StorageException(
                    Kind.INVALID_REQUEST,
                    name,
                    "the server answered the range from byte " + attempt.from + " with Content-Range: "
                            + reply.header(HttpHeaderNames.CONTENT_RANGE),
                    null);
        }
        if (reply.rangeTotal() >= 0) {
            attempt.end = Math.min(attempt.end, reply.rangeTotal());
        }
        // may be less than was asked for; complete() then asks for the rest
        attempt.promisedEnd = reply.last() + 1;
        return copied(body, 0, reply.last() + 1 - reply.first(), reply.contentLength());
    }

    /** A server that does not know ranges sends the object from its start. */
    private Publisher<ByteBuffer> all(Attempt attempt, HttpReply reply, ByteBufFlux body) {
        long total = reply.status() == 204 ? 0 : reply.contentLength();
        if (total >= 0) {
            requireInside(attempt, total);
            attempt.end = Math.min(attempt.end, total);
            return copied(body, attempt.from, attempt.end - attempt.from, total);
        }
        long[] seen = new long[1];
        long wanted = attempt.end == UNKNOWN ? UNKNOWN : attempt.end - attempt.from;
        return copied(body.doOnNext(chunk -> seen[0] += chunk.readableBytes()), attempt.from, wanted, -1)
                .concatWith(Mono.defer(() -> {
                    // the end that the body has is the end
                    requireInside(attempt, seen[0]);
                    attempt.end = Math.min(attempt.end, Math.max(attempt.from, seen[0]));
                    return Mono.empty();
                }));
    }

    private Mono<ByteBuffer> behindEnd(Attempt attempt, HttpReply reply) {
        long total = reply.rangeTotal();
        if (total >= 0) {
            requireInside(attempt, total);
        } else if (attempt.from == start && start > 0) {
            throw outside(start, "the server says " + reply.statusLine());
        }
        attempt.end = attempt.from;
        return Mono.empty();
    }

    private void requireInside(Attempt attempt, long total) {
        if (attempt.from > total) {
            throw attempt.from == start
                    ? outside(start, "behind the end at " + total)
                    : new StorageException(
                            Kind.CHANGED, name, "was cut off while it was read: it now has " + total + " bytes", null);
        }
    }

    private StorageException outside(long offset, String why) {
        return new StorageException(
                Kind.INVALID_REQUEST, name, "the range begins at byte " + offset + ", " + why, null);
    }

    /** {@code wanted} bytes of a body, behind {@code skipped}, on the heap. */
    private static Flux<ByteBuffer> copied(Flux<ByteBuf> body, long skipped, long wanted, long bodyLength) {
        long[] left = {skipped, wanted};
        Flux<ByteBuffer> chunks = body.handle((chunk, sink) -> {
            int skip = (int) Math.min(left[0], chunk.readableBytes());
            left[0] -= skip;
            int take = (int) Math.min(left[1], chunk.readableBytes() - skip);
            if (take > 0) {
                byte[] bytes = new byte[take];
                chunk.getBytes(chunk.readerIndex() + skip, bytes);
                left[1] -= take;
                sink.next(ByteBuffer.wrap(bytes));
            }
        });
        // a body that is read to its end leaves a connection that can be used again; a longer one is cancelled
        return bodyLength >= 0 && bodyLength <= skipped + wanted ? chunks : chunks.takeUntil(chunk -> left[1] == 0);
    }
}
