package io.sluice.s3;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import io.sluice.storage.ByteRange;
import io.sluice.storage.ObjectKeys;
import io.sluice.storage.ObjectMeta;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;

/**
 * An object's bytes, fetched range by range. The first request sends the first GET, whose answer pins ETag and size; as long
 * as the consumer keeps up, more and more ranges are fetched at a time, up to the spec's number, and given in order. Nothing
 * new is fetched while nothing is requested.
 */
final class RangedGet extends Flux<ByteBuffer> {

    private final S3Calls calls;
    private final ReadAhead readAhead;
    private final String key;
    private final ByteRange range;
    private final @Nullable String ifMatch;
    private final Function<String, Mono<ObjectMeta>> head;

    RangedGet(
            S3Calls calls,
            ReadAhead readAhead,
            String key,
            ByteRange range,
            @Nullable String ifMatch,
            Function<String, Mono<ObjectMeta>> head) {
        this.calls = calls;
        this.readAhead = readAhead;
        this.key = key;
        this.range = range;
        this.ifMatch = ifMatch;
        this.head = head;
    }

    @Override
    public void subscribe(CoreSubscriber<? super ByteBuffer> actual) {
        try {
            ObjectKeys.requireKey(key);
        } catch (StorageException invalid) {
            Operators.error(actual, invalid);
            return;
        }
        actual.onSubscribe(new Reading(actual));
    }

    private final class Reading implements Subscription, RangeFetch.Owner {

        private final CoreSubscriber<? super ByteBuffer> actual;
        private final AtomicLong requested = new AtomicLong();
        private final AtomicInteger draining = new AtomicInteger();
        private final Disposable.Swap asking = Disposables.swap();
        private volatile boolean cancelled;
        /** The range that is given out, for {@link #starving}. */
        private volatile @Nullable RangeFetch current;

        private volatile RangeFetch.@Nullable Pin pin;
        /** The store was asked for metadata instead: there may be no bytes to fetch. */
        private volatile boolean asked;

        private volatile @Nullable Throwable refused;

        // what follows is touched while draining only
        private final ArrayDeque<RangeFetch> ranges = new ArrayDeque<>();
        private long next = range.offset();
        private int window = 1;
        private boolean started;
        private boolean finished;

        Reading(CoreSubscriber<? super ByteBuffer> actual) {
            this.actual = actual;
        }

        @Override
        public void request(long n) {
            if (n <= 0) {
                refused = new IllegalArgumentException("a request must be positive (Reactive Streams 3.9), not " + n);
            } else {
                requested.accumulateAndGet(n, Operators::addCap);
            }
            drain();
        }

        @Override
        public void cancel() {
            cancelled = true;
            asking.dispose();
            drain();
        }

        @Override
        public void progressed() {
            drain();
        }

        @Override
        public void pinned(RangeFetch fetch, RangeFetch.Pin first) {
            pin = first;
            drain();
        }

        @Override
        public boolean starving(RangeFetch fetch) {
            return fetch == current && requested.get() > 0 && !fetch.hasChunks();
        }

        private void drain() {
            if (draining.getAndIncrement() != 0) {
                return;
            }
            int missed = 1;
            do {
                if (!finished) {
                    step();
                }
                missed = draining.addAndGet(-missed);
            } while (missed != 0);
        }

        private void step() {
            if (cancelled) {
                release();
                return;
            }
            Throwable wrong = refused;
            if (wrong != null) {
                finish(wrong);
                return;
            }
            start();
            while (!cancelled) {
                RangeFetch first = ranges.peek();
                if (first == null) {
                    if (started && isAtEnd()) {
                        finish(null);
                    } else {
                        more();
                    }
                    break;
                }
                boolean over = first.isOver();
                boolean wanted = requested.get() > 0;
                ByteBuffer chunk = wanted ? first.poll() : null;
                if (chunk != null) {
                    if (requested.get() != Long.MAX_VALUE) {
                        requested.decrementAndGet();
                    }
                    actual.onNext(chunk);
                    more();
                } else if (over && !first.hasChunks()) {
                    if (!endOf(first)) {
                        break;
                    }
                } else {
                    if (wanted) {
                        first.handOverIfStarving();
                        if (first.hasChunks()) {
                            continue;
                        }
                    }
                    break;
                }
            }
            if (!finished && !cancelled) {
                more();
            }
        }

        private void start() {
            if (started || requested.get() == 0) {
                return;
            }
            started = true;
            if (range.length() == 0) {
                ask();
                return;
            }
            fetch(0);
        }

        /**
         * Takes a range that is over off the queue.
         *
         * @return whether to go on
         */
        private boolean endOf(RangeFetch first) {
            Throwable error = first.error();
            if (error != null) {
                if (first.start == range.offset() && pin == null && S3Errors.isRangeBehindEnd(error)) {
                    ranges.clear();
                    current = null;
                    readAhead.giveBack(first.taken);
                    ask();
                    return false;
                }
                finish(error);
                return false;
            }
            ranges.poll();
            readAhead.giveBack(first.taken);
            current = ranges.peek();
            if (window < calls.spec().rangesInFlight) {
                // a reader that takes one range after the other is worth reading ahead for
                window = Math.min(2 * window, calls.spec().rangesInFlight);
            }
            more();
            return true;
        }

        /** Fetches further ranges, as far as demand, window and budget allow. */
        private void more() {
            RangeFetch.Pin known = pin;
            if (known == null || asked) {
                return;
            }
            while (requested.get() > 0 && ranges.size() < window && next < end(known)) {
                long bytes = Math.min(calls.spec().rangeBytes, end(known) - next);
                boolean first = ranges.isEmpty();
                if (!first && !readAhead.tryTake(bytes)) {
                    return;
                }
                fetch(first ? 0 : bytes);
            }
        }

        private void fetch(long taken) {
            RangeFetch.Pin known = pin;
            long last = known == null ? saturatedEnd() : end(known);
            long to = next + Math.min(calls.spec().rangeBytes, last - next);
            RangeFetch fetch = new RangeFetch(
                    calls,
                    key,
                    this,
                    next,
                    to,
                    ifMatch != null || known == null ? ifMatch : known.etag(),
                    known,
                    taken);
            next = to;
            ranges.add(fetch);
            current = ranges.peek();
            fetch.run();
        }

        private long saturatedEnd() {
            return range.length() > Long.MAX_VALUE - range.offset() ? Long.MAX_VALUE : range.offset() + range.length();
        }

        private long end(RangeFetch.Pin known) {
            return Math.min(saturatedEnd(), known.size());
        }

        private boolean isAtEnd() {
            RangeFetch.Pin known = pin;
            return known != null && (asked || next >= end(known));
        }

        /** For ranges without bytes: whether the object is there, is the right one, and reaches that far. */
        private void ask() {
            asked = true;
            asking.update(head.apply(key)
                    .subscribe(
                            meta -> {
                                String etag = meta.etag();
                                if (ifMatch != null && !ifMatch.equals(etag)) {
                                    refused = new StorageException(
                                            Kind.CHANGED,
                                            calls.shown(key),
                                            "was replaced: its ETag is " + etag + ", not " + ifMatch,
                                            null);
                                } else if (range.offset() > meta.size()) {
                                    refused = S3Errors.invalid(
                                            calls.shown(key),
                                            "the range begins at byte " + range.offset() + ", behind the end at "
                                                    + meta.size(),
                                            null);
                                } else if (range.offset() < meta.size() && range.length() > 0) {
                                    refused = new StorageException(
                                            Kind.CHANGED, calls.shown(key), "was replaced while it was opened", null);
                                } else {
                                    pin = new RangeFetch.Pin(etag, meta.size());
                                }
                                drain();
                            },
                            error -> {
                                refused = error;
                                drain();
                            }));
        }

        private void finish(@Nullable Throwable error) {
            finished = true;
            release();
            if (error == null) {
                actual.onComplete();
            } else {
                actual.onError(error);
            }
        }

        private void release() {
            finished = true;
            current = null;
            for (RangeFetch fetch : ranges) {
                fetch.cancel();
                readAhead.giveBack(fetch.taken);
            }
            ranges.clear();
        }
    }
}
