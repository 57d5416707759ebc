package io.sluice.storage;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;
import reactor.core.scheduler.Scheduler;
import reactor.util.context.Context;

/**
 * Guards a source that may fall silent. It is subscribed on the first request. While something is requested, it may be silent for so
 * long, else a {@link TimeoutException} ends it. While nothing is requested, it may be kept waiting for so long, else a
 * {@link Released} ends it, provided that it can be taken up again.
 */
final class DemandTimeout<T> extends Flux<T> {

    /** The subscriber paused and the source was let go. */
    static final class Released extends RuntimeException {

        private static final long serialVersionUID = 1L;

        Released() {
            super("released while nothing was requested", null, false, false);
        }
    }

    private final Publisher<T> source;
    private final long silenceNanos;
    private final long pauseNanos;
    private final BooleanSupplier releasable;
    private final Scheduler timer;

    /** @param timer its time is what counts */
    DemandTimeout(Publisher<T> source, Duration silence, Duration pause, BooleanSupplier releasable, Scheduler timer) {
        this.source = source;
        this.silenceNanos = silence.toNanos();
        this.pauseNanos = pause.toNanos();
        this.releasable = releasable;
        this.timer = timer;
    }

    @Override
    public void subscribe(CoreSubscriber<? super T> actual) {
        // the timer and the source may signal at the same time
        CoreSubscriber<T> serialized = Operators.serialize(actual);
        serialized.onSubscribe(new Guard(serialized));
    }

    private final class Guard implements CoreSubscriber<T>, Subscription {

        private final CoreSubscriber<T> actual;
        private final AtomicBoolean started = new AtomicBoolean();
        private final AtomicBoolean ended = new AtomicBoolean();
        private final AtomicReference<@Nullable Subscription> upstream = new AtomicReference<>();
        private final AtomicLong early = new AtomicLong();
        private final AtomicLong demand = new AtomicLong();
        private volatile long lastChange;
        private volatile @Nullable Disposable alarm;

        Guard(CoreSubscriber<T> actual) {
            this.actual = actual;
        }

        @Override
        public void request(long n) {
            if (!Operators.validate(n)) {
                return;
            }
            if (demand.get() == 0) {
                lastChange = now(); // before there is demand, or the alarm might see an old time
            }
            demand.getAndUpdate(d -> Operators.addCap(d, n));
            early.getAndUpdate(d -> Operators.addCap(d, n));
            if (!started.get() && started.compareAndSet(false, true)) {
                setAlarm(Math.min(silenceNanos, pauseNanos));
                source.subscribe(this);
            } else {
                requestEarly();
            }
        }

        /** What was requested before there was anyone to ask; or just now. */
        private void requestEarly() {
            Subscription subscription = upstream.get();
            if (subscription != null) {
                long n = early.getAndSet(0);
                if (n > 0) {
                    subscription.request(n);
                }
            }
        }

        @Override
        public void cancel() {
            ended.set(true);
            cancelUpstream();
            cancelAlarm();
        }

        private void cancelUpstream() {
            Subscription subscription = upstream.getAndSet(Operators.cancelledSubscription());
            if (subscription != null) {
                subscription.cancel();
            }
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            if (upstream.compareAndSet(null, subscription)) {
                requestEarly();
            } else {
                subscription.cancel();
            }
        }

        @Override
        public void onNext(T value) {
            if (ended.get()) {
                Operators.onNextDropped(value, currentContext());
                return;
            }
            demand.getAndUpdate(d -> d == Long.MAX_VALUE ? d : Math.max(0, d - 1));
            lastChange = now();
            actual.onNext(value);
        }

        @Override
        public void onError(Throwable error) {
            if (ended.compareAndSet(false, true)) {
                cancelAlarm();
                actual.onError(error);
            } else {
                Operators.onErrorDropped(error, currentContext());
            }
        }

        @Override
        public void onComplete() {
            if (ended.compareAndSet(false, true)) {
                cancelAlarm();
                actual.onComplete();
            }
        }

        @Override
        public Context currentContext() {
            return actual.currentContext();
        }

        private long now() {
            return timer.now(TimeUnit.NANOSECONDS);
        }

        private void setAlarm(long delayNanos) {
            if (ended.get()) {
                return;
            }
            // one alarm at a time, which looks at the time of the last change: nothing is scheduled per value
            alarm = timer.schedule(this::check, delayNanos, TimeUnit.NANOSECONDS);
            if (ended.get()) {
                cancelAlarm();
            }
        }

        private void cancelAlarm() {
            Disposable set = alarm;
            if (set != null) {
                set.dispose();
            }
        }

        private void check() {
            long idle = now() - lastChange;
            boolean waiting = demand.get() > 0;
            long left = (waiting ? silenceNanos : pauseNanos) - idle;
            if (left > 0) {
                setAlarm(Math.min(left, Math.min(silenceNanos, pauseNanos)));
            } else if (!waiting && !releasable.getAsBoolean()) {
                setAlarm(Math.min(pauseNanos, silenceNanos));
            } else if (ended.compareAndSet(false, true)) {
                cancelUpstream();
                actual.onError(
                        waiting
                                ? new TimeoutException("nothing came for "
                                        + Duration.ofNanos(silenceNanos).toMillis() + " ms")
                                : new Released());
            }
        }
    }
}
