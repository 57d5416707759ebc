package io.sluice.s3;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import io.sluice.storage.ByteRange;
import io.sluice.storage.ObjectKeys;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.PrefetchBudget;
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
 * An object's bytes, fetched range by range. The first request sends the first GET, whose answer pins ETag and size; as the
 * consumer takes what comes, ranges get longer, and as many are fetched at a time as hide the latency, up to the spec's number;
 * where that takes fewer, they are as much longer, since requests take processors. They are given in order. Nothing new is
 * fetched while nothing is requested, nor what has no room in the budgets: the reader's, for all bytes that are not emitted
 * yet, and the store's, for those beyond one range of each read.
 */
final class RangedGet extends Flux<ByteBuffer> {

    /** The first range, after which ranges are as long as what was given before: little is fetched for who wants little. */
    static final int FIRST_BYTES = 1 << 20;

    private final S3Calls calls;
    private final ReadAhead readAhead;
    private final @Nullable PrefetchBudget budget;
    private final String key;
    private final ByteRange range;
    private final @Nullable String ifMatch;
    private final Function<String, Mono<ObjectMeta>> head;

    RangedGet(
            S3Calls calls,
            ReadAhead readAhead,
            @Nullable PrefetchBudget budget,
            String key,
            ByteRange range,
            @Nullable String ifMatch,
            Function<String, Mono<ObjectMeta>> head) {
        this.calls = calls;
        this.readAhead = readAhead;
        this.budget = budget;
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
        private long given;
        private int window = 1;
        /** Of all ranges; what a connection can give, whatever others do meanwhile. */
        private double fastest;

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
                    int bytes = chunk.remaining();
                    given += bytes;
                    actual.onNext(chunk);
                    if (budget != null) {
                        budget.giveBack(bytes);
                        first.budgeted -= bytes;
                    }
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
            if (range.length() == 0) {
                started = true;
                ask();
                return;
            }
            long bytes = Math.min(rangeBytes(), saturatedEnd() - next);
            if (hasRoom(bytes, true)) {
                started = true;
                fetch(bytes, 0);
            }
        }

        private long rangeBytes() {
            return bounded(calls.spec().rangeBytes, calls.spec().rangesInFlight);
        }

        /** Of all that may be fetched at a time, the part of one of the few that are. */
        private long longerBytes() {
            S3StoreSpec spec = calls.spec();
            // who sets less than what a read begins with means it
            return spec.rangeBytes < FIRST_BYTES
                    ? spec.rangeBytes
                    : bounded((long) spec.rangeBytes * spec.rangesInFlight / window, window);
        }

        private long bounded(long longest, int atATime) {
            long most = longest;
            if (budget != null) {
                // all of them at a time shall fit, unless that made them so short that requests would cost more than
                // bytes
                most = Math.min(most, Math.max(FIRST_BYTES, budget.capacity() / atATime));
            }
            return Math.min(most, Math.max(FIRST_BYTES, given));
        }

        private boolean hasRoom(long bytes, boolean needed) {
            return budget == null || budget.tryTake(bytes, needed);
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
                    giveBack(first);
                    ask();
                    return false;
                }
                finish(error);
                return false;
            }
            ranges.poll();
            giveBack(first);
            current = ranges.peek();
            double bytesPerSecond = first.bytesPerSecond();
            if (bytesPerSecond > fastest) {
                fastest = bytesPerSecond;
            }
            // the next one is always asked for before this one is at its end
            window = (int) Math.max(
                    Math.min(2, calls.spec().rangesInFlight),
                    Math.min(calls.spec().rangesInFlight, calls.spec().enoughBytesPerSecond / fastest));
            more();
            return true;
        }

        private void giveBack(RangeFetch fetch) {
            readAhead.giveBack(fetch.taken);
            if (budget != null) {
                // the object may have ended before the range did
                budget.giveBack(fetch.budgeted);
            }
        }

        /** Fetches further ranges, as far as demand, window and budgets allow. */
        private void more() {
            RangeFetch.Pin known = pin;
            if (known == null || asked) {
                return;
            }
            boolean goesOn = true;
            while (goesOn && requested.get() > 0 && ranges.size() < window && next < end(known)) {
                goesOn = fetchNext(end(known) - next);
            }
        }

        /**
         * Fetches a range.
         *
         * @return whether there was room
         */
        private boolean fetchNext(long left) {
            long longer = Math.min(longerBytes(), left);
            long bytes = Math.min(rangeBytes(), left);
            boolean first = ranges.isEmpty();
            if (longer > bytes) {
                if (hasRoom(longer, false)) {
                    if (fetched(longer, first)) {
                        return true;
                    }
                } else if (budget != null && !budget.isAwaited()) {
                    // there will be room, while the reader has enough
                    return false;
                }
            }
            return hasRoom(bytes, first) && fetched(bytes, first);
        }

        /** Fetches a range that has its room in the reader's budget, or gives that back if the store's has none. */
        private boolean fetched(long bytes, boolean first) {
            // one range of each read is its own
            long shared = first ? Math.max(0, bytes - calls.spec().rangeBytes) : bytes;
            if (readAhead.tryTake(shared)) {
                fetch(bytes, shared);
                return true;
            }
            if (budget != null) {
                budget.giveBack(bytes);
            }
            return false;
        }

        private void fetch(long bytes, long taken) {
            RangeFetch.Pin known = pin;
            long to = next + bytes;
            RangeFetch fetch = new RangeFetch(
                    calls,
                    key,
                    this,
                    next,
                    to,
                    ifMatch != null || known == null ? ifMatch : known.etag(),
                    known,
                    taken);
            fetch.budgeted = bytes;
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
                giveBack(fetch);
            }
            ranges.clear();
        }
    }
}
