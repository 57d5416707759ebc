package io.sluice.storage;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;
import reactor.core.scheduler.Scheduler;

/**
 * Pulls values out of a source that blocks, on a scheduler, one per requested value. Nothing is pulled before the first
 * request. Cancel closes the source at once, on the scheduler; no thread is held while there is no demand, and no thread is
 * interrupted, as that would close a file channel under the reader.
 */
final class BlockingFlux<T> extends Flux<T> {

    /** A source of one subscription. It opens what it needs on the first {@link #next}. */
    interface Source<T> {

        /** The next value, or null at the end. */
        @Nullable
        T next();

        /** Whether the end is known to be reached, so that the sequence completes without another request. */
        boolean exhausted();

        /** Releases everything. May be called twice, and by another thread in the middle of {@link #next}. */
        void close();
    }

    private final Supplier<? extends Source<T>> sources;
    private final Scheduler scheduler;

    BlockingFlux(Supplier<? extends Source<T>> sources, Scheduler scheduler) {
        this.sources = sources;
        this.scheduler = scheduler;
    }

    @Override
    public void subscribe(CoreSubscriber<? super T> actual) {
        Source<T> source;
        try {
            source = sources.get();
        } catch (Throwable error) {
            Operators.error(actual, Operators.onOperatorError(error, actual.currentContext()));
            return;
        }
        actual.onSubscribe(new Pull<>(actual, source, scheduler));
    }

    private static final class Pull<T> implements Subscription, Runnable {

        @SuppressWarnings("rawtypes")
        private static final AtomicLongFieldUpdater<Pull> REQUESTED =
                AtomicLongFieldUpdater.newUpdater(Pull.class, "requested");

        private final CoreSubscriber<? super T> actual;
        private final Source<T> source;
        private final Scheduler scheduler;
        private volatile long requested;
        private volatile boolean stopped;
        private volatile @Nullable Throwable badRequest;

        Pull(CoreSubscriber<? super T> actual, Source<T> source, Scheduler scheduler) {
            this.actual = actual;
            this.source = source;
            this.scheduler = scheduler;
        }

        @Override
        public void request(long n) {
            if (n <= 0) {
                badRequest = new IllegalArgumentException("§3.9: a request must be positive, not " + n);
            }
            // demand is at zero only while nobody pulls; once stopped it never returns to zero
            if (Operators.addCap(REQUESTED, this, Math.max(1, n)) == 0) {
                try {
                    scheduler.schedule(this);
                } catch (RejectedExecutionException rejected) {
                    if (!stopped) {
                        stopped = true;
                        source.close();
                        actual.onError(Operators.onRejectedExecution(rejected, actual.currentContext()));
                    }
                }
            }
        }

        @Override
        public void cancel() {
            if (stopped) {
                return;
            }
            stopped = true;
            try {
                scheduler.schedule(source::close);
            } catch (RejectedExecutionException rejected) {
                source.close();
            }
        }

        @Override
        public void run() {
            try {
                pull();
            } catch (Throwable thrownBySubscriber) {
                stopped = true;
                source.close();
                throw thrownBySubscriber;
            }
        }

        private void pull() {
            long demand = requested;
            long emitted = 0;
            while (true) {
                while (emitted != demand) {
                    if (!emitNext()) {
                        return;
                    }
                    emitted++;
                }
                demand = requested;
                if (emitted == demand) {
                    demand = Operators.produced(REQUESTED, this, emitted);
                    emitted = 0;
                    if (demand == 0) {
                        return;
                    }
                }
            }
        }

        /** @return whether to go on */
        private boolean emitNext() {
            T value = null;
            Throwable error = badRequest;
            if (error == null && !stopped) {
                try {
                    value = source.next();
                } catch (Throwable thrown) {
                    error = thrown;
                }
            }
            if (stopped) {
                source.close();
                return false;
            }
            if (value == null) {
                terminate(error);
                return false;
            }
            actual.onNext(value);
            if (stopped) {
                source.close();
                return false;
            }
            boolean end = false;
            try {
                end = source.exhausted();
            } catch (Throwable thrown) {
                error = thrown;
            }
            if (end || error != null) {
                terminate(error);
                return false;
            }
            return true;
        }

        private void terminate(@Nullable Throwable error) {
            boolean cancelled = stopped;
            stopped = true;
            source.close();
            if (cancelled) {
                return;
            }
            if (error == null) {
                actual.onComplete();
            } else {
                actual.onError(Operators.onOperatorError(null, error, actual.currentContext()));
            }
        }
    }
}
