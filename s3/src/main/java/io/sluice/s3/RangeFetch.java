package io.sluice.s3;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.scheduler.Schedulers;
import software.amazon.awssdk.core.async.AsyncResponseTransformer;
import software.amazon.awssdk.core.async.SdkPublisher;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/**
 * One range of an object on its way into memory, over as many GETs as it takes. The body is read as fast as it comes, so that
 * no connection waits for a slow consumer; it is a range, so that memory is bounded. What ends a body early, be it an error,
 * a plain end, or silence, resumes at the next byte.
 *
 * <p>Guarded by its own lock; the owner is called without it.
 */
final class RangeFetch {

    /** Aimed-at size of chunks. */
    static final int CHUNK_BYTES = 256 << 10;

    /** A consumer that waits gets less than a chunk, but not every crumb that the network brings. */
    private static final int CRUMB_BYTES = 16 << 10;

    /** Whom a fetch works for. */
    interface Owner {

        /** The first response is there. */
        void pinned(RangeFetch fetch, Pin pin);

        /** There are new chunks, or the fetch is over. */
        void progressed();

        /** Whether the consumer waits for bytes of this fetch. */
        boolean starving(RangeFetch fetch);
    }

    /** What the first response said of the object. */
    record Pin(@Nullable String etag, long size) {}

    private final S3Calls calls;
    private final String key;
    private final Owner owner;
    final long start;
    /** Bytes of read-ahead taken for this range, to be given back. */
    final long taken;

    /** Bytes of the reader's budget taken for this range and not yet given back; the owner's. */
    long budgeted;

    private final long began = System.nanoTime();
    private volatile long ended;

    private final Queue<ByteBuffer> chunks = new ConcurrentLinkedQueue<>();
    private final Disposable.Swap retry = Disposables.swap();
    private @Nullable Pin pin;
    private @Nullable String ifMatch;
    private long end;
    private long next;
    private byte @Nullable [] filling;
    private int filled;
    private int failures;
    private @Nullable Attempt attempt;
    private boolean cancelled;
    private volatile boolean over;
    private volatile @Nullable Throwable error;

    /** @param end behind the last byte; may lie behind the object's end while no pin is known */
    RangeFetch(
            S3Calls calls,
            String key,
            Owner owner,
            long start,
            long end,
            @Nullable String ifMatch,
            @Nullable Pin pin,
            long taken) {
        this.calls = calls;
        this.key = key;
        this.owner = owner;
        this.start = start;
        this.end = end;
        this.next = start;
        this.ifMatch = ifMatch;
        this.pin = pin;
        this.taken = taken;
    }

    /** The next chunk, or null if there is none now. */
    @Nullable
    ByteBuffer poll() {
        return chunks.poll();
    }

    boolean hasChunks() {
        return !chunks.isEmpty();
    }

    /** No chunk will be added any more. */
    boolean isOver() {
        return over;
    }

    /** Why it is over, if not for its end. */
    @Nullable
    Throwable error() {
        return error;
    }

    /** How fast it came, latency included. */
    double bytesPerSecond() {
        return (end - start) * 1e9 / Math.max(1, ended - began);
    }

    /** Makes the first, or the next, GET. */
    void run() {
        Attempt current;
        synchronized (this) {
            if (cancelled || over) {
                return;
            }
            current = new Attempt(next, end);
            attempt = current;
        }
        try {
            // not kept for disposal, which would interrupt it: it looks for itself whether it is still wanted
            var unused = calls.spec().scheduler.schedule(current::send);
        } catch (RejectedExecutionException disposed) {
            failed(current, disposed);
        }
    }

    /** Lets go of connection and memory. */
    void cancel() {
        Attempt current;
        synchronized (this) {
            cancelled = true;
            current = attempt;
            attempt = null;
            filling = null;
        }
        retry.dispose();
        if (current != null) {
            current.abort();
        }
        chunks.clear();
    }

    private synchronized boolean isCurrent(Attempt candidate) {
        return attempt == candidate;
    }

    /** Takes note of a response's head; gives the error if it is not what was asked for. */
    private @Nullable Throwable accept(Attempt from, GetObjectResponse response) {
        Pin first = null;
        synchronized (this) {
            if (attempt != from) {
                return null;
            }
            String etag = S3ObjectStore.etag(response.eTag());
            long size = sizeOf(response, from.from);
            if (size < 0) {
                return new StorageException(
                        Kind.UNSUPPORTED,
                        calls.shown(key),
                        "the store does not answer to ranges: " + response.contentRange(),
                        null);
            }
            if (pin == null) {
                first = new Pin(etag, size);
                pin = first;
                end = Math.min(end, size);
                if (ifMatch == null) {
                    ifMatch = etag;
                }
            }
            if (ifMatch != null && etag != null && !ifMatch.equals(etag) || size != pin.size) {
                return new StorageException(
                        Kind.CHANGED, calls.shown(key), "was replaced: its ETag is " + etag + ", not " + ifMatch, null);
            }
        }
        if (first != null) {
            owner.pinned(this, first);
        }
        return null;
    }

    /** The object's size, or -1 if the response does not begin where it should. */
    private static long sizeOf(GetObjectResponse response, long from) {
        String range = response.contentRange();
        if (range == null) {
            return from == 0 && response.contentLength() != null ? response.contentLength() : -1;
        }
        // bytes 0-99/1234
        int space = range.indexOf(' ');
        int dash = range.indexOf('-', space);
        int slash = range.indexOf('/', dash);
        try {
            boolean begins = Long.parseLong(range.substring(space + 1, dash)) == from;
            return begins ? Long.parseLong(range.substring(slash + 1)) : -1;
        } catch (IndexOutOfBoundsException | NumberFormatException malformed) {
            return -1;
        }
    }

    /**
     * Takes bytes of a body.
     *
     * @return whether the range is complete
     */
    private synchronized boolean take(Attempt from, ByteBuffer bytes, boolean starving) {
        if (attempt != from) {
            return false;
        }
        if (bytes.hasRemaining()) {
            failures = 0;
        }
        while (bytes.hasRemaining() && next < end) {
            byte[] target = filling;
            if (target == null && isWorthKeeping(bytes)) {
                next += bytes.remaining();
                chunks.add(bytes.slice());
                bytes.position(bytes.limit());
                break;
            }
            if (target == null) {
                // as long as what is still to come, which is bounded by the range and not by what the store claims
                boolean asItComes = starving && bytes.remaining() >= CRUMB_BYTES;
                target = new byte[(int) Math.min(asItComes ? bytes.remaining() : CHUNK_BYTES, end - next)];
                filling = target;
                filled = 0;
            }
            int n = Math.min(bytes.remaining(), target.length - filled);
            bytes.get(target, filled, n);
            filled += n;
            next += n;
            if (filled == target.length) {
                chunks.add(ByteBuffer.wrap(target));
                filling = null;
            }
        }
        if (starving) {
            handOver(CRUMB_BYTES);
        }
        if (next == end) {
            attempt = null;
            ended = System.nanoTime();
            over = true;
        }
        return next == end;
    }

    /** A large buffer that is filled by what it has: the SDK's clients copy what they receive, and keep nothing of it. */
    private boolean isWorthKeeping(ByteBuffer bytes) {
        return bytes.remaining() >= 2 * CRUMB_BYTES
                && bytes.remaining() <= end - next
                && bytes.hasArray()
                && bytes.arrayOffset() == 0
                && bytes.position() == 0
                && bytes.array().length < 2 * bytes.remaining();
    }

    private void handOver(int least) {
        byte[] target = filling;
        if (target != null && filled >= least) {
            chunks.add(ByteBuffer.wrap(Arrays.copyOf(target, filled)));
            filling = null;
        }
    }

    /** The consumer has nothing left of this range: what there is shall not wait for a full chunk. */
    void handOverIfStarving() {
        synchronized (this) {
            if (!over) {
                handOver(CRUMB_BYTES);
            }
        }
    }

    private void failed(Attempt from, Throwable cause) {
        Throwable mapped = S3Errors.map(cause, calls.shown(key), Kind.CHANGED);
        long pause = -1;
        synchronized (this) {
            if (attempt != from || cancelled) {
                return;
            }
            attempt = null;
            handOver(1);
            boolean again = mapped instanceof StorageException storage && storage.isTransient();
            if (again && failures < calls.spec().maxRetries) {
                pause = calls.backoff(failures).toNanos();
                failures++;
            } else {
                error = mapped;
                over = true;
            }
        }
        from.abort();
        if (pause >= 0) {
            retry.replace(Schedulers.parallel().schedule(this::run, pause, TimeUnit.NANOSECONDS));
        }
        owner.progressed();
    }

    /** One GET. The SDK may make it several times and starts over at {@link #from}: what is known already is skipped. */
    private final class Attempt implements AsyncResponseTransformer<GetObjectResponse, Void> {

        private final long from;
        private final long to;
        private final Disposable.Swap watchdog = Disposables.swap();
        private volatile long lastProgress = System.nanoTime();
        private volatile @Nullable CompletableFuture<Void> request;
        private volatile @Nullable Body body;
        private volatile boolean aborted;

        Attempt(long from, long to) {
            this.from = from;
            this.to = to;
        }

        void send() {
            if (aborted) {
                return;
            }
            watch(calls.spec().stallTimeout.toNanos());
            CompletableFuture<Void> sent;
            try {
                sent = calls.client().getObject(request(), this);
            } catch (RuntimeException e) {
                failed(this, e);
                return;
            }
            request = sent;
            if (aborted) {
                sent.cancel(true);
            }
            var unused = sent.whenComplete((nothing, e) -> {
                if (e != null) {
                    failed(this, e);
                }
            });
        }

        private GetObjectRequest request() {
            GetObjectRequest.Builder get =
                    GetObjectRequest.builder().bucket(calls.bucket()).key(key).range("bytes=" + from + "-" + (to - 1));
            synchronized (RangeFetch.this) {
                if (ifMatch != null) {
                    get.ifMatch(ifMatch);
                }
            }
            return get.requestPayer(calls.payer()).build();
        }

        private void watch(long nanos) {
            watchdog.replace(Schedulers.parallel().schedule(this::check, nanos, TimeUnit.NANOSECONDS));
        }

        private void check() {
            long limit = calls.spec().stallTimeout.toNanos();
            long left = lastProgress + limit - System.nanoTime();
            if (!isCurrent(this)) {
                return;
            }
            if (left > 0) {
                watch(left);
            } else {
                failed(
                        this,
                        new StorageException(
                                Kind.NETWORK, calls.shown(key), "no byte came for " + calls.spec().stallTimeout, null));
            }
        }

        void abort() {
            aborted = true;
            watchdog.dispose();
            CompletableFuture<Void> sent = request;
            if (sent != null) {
                sent.cancel(true);
            }
            Body open = body;
            if (open != null) {
                open.cancel();
            }
        }

        @Override
        public CompletableFuture<Void> prepare() {
            Body next = new Body(this, new CompletableFuture<>());
            body = next;
            return next.done;
        }

        @Override
        public void onResponse(GetObjectResponse response) {
            Throwable wrong = accept(this, response);
            if (wrong != null) {
                failed(this, wrong);
            }
        }

        @Override
        public void onStream(SdkPublisher<ByteBuffer> publisher) {
            Body open = body;
            if (open != null) {
                // subscribed even if it is to be cancelled: a body that nobody subscribes to keeps its connection
                publisher.subscribe(open);
            }
        }

        @Override
        public void exceptionOccurred(Throwable e) {
            Body open = body;
            if (open != null) {
                open.done.completeExceptionally(e);
            }
        }
    }

    /** The body of one response. */
    private final class Body implements Subscriber<ByteBuffer> {

        private final Attempt attempt;
        final CompletableFuture<Void> done;
        private long at;
        private boolean complete;
        private volatile @Nullable Subscription subscription;

        Body(Attempt attempt, CompletableFuture<Void> done) {
            this.attempt = attempt;
            this.done = done;
            this.at = attempt.from;
        }

        @Override
        public void onSubscribe(Subscription s) {
            subscription = s;
            if (attempt.aborted) {
                s.cancel();
            } else {
                s.request(Long.MAX_VALUE);
            }
        }

        @Override
        public void onNext(ByteBuffer bytes) {
            attempt.lastProgress = System.nanoTime();
            if (complete || !isCurrent(attempt)) {
                // more than was asked for, or too late
                cancel();
                return;
            }
            int known = (int) Math.min(bytes.remaining(), Math.max(0, position() - at));
            at += bytes.remaining();
            bytes.position(bytes.position() + known);
            complete = take(attempt, bytes, owner.starving(RangeFetch.this));
            if (complete) {
                // not waiting for the end of the body, which may get lost; it comes after this and frees the connection
                attempt.watchdog.dispose();
                if (bytes.hasRemaining()) {
                    cancel();
                }
            }
            owner.progressed();
        }

        @Override
        public void onError(Throwable e) {
            done.completeExceptionally(e);
            failed(attempt, e);
        }

        @Override
        public void onComplete() {
            if (!complete) {
                complete = take(attempt, ByteBuffer.allocate(0), false);
            }
            if (complete) {
                owner.progressed();
            } else {
                failed(
                        attempt,
                        new StorageException(
                                Kind.NETWORK,
                                calls.shown(key),
                                "the body ended at byte " + position() + ", before its length",
                                null));
            }
            done.complete(null);
        }

        void cancel() {
            Subscription s = subscription;
            if (s != null) {
                s.cancel();
            }
        }
    }

    private synchronized long position() {
        return next;
    }
}
