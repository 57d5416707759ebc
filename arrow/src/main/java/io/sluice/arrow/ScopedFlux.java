package io.sluice.arrow;

import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Scannable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;

/**
 * What a function makes of each batch, one batch after the other. A batch is requested when there is demand and no other is
 * in use, never stands in a queue, and is closed when what was made of it has ended, or on cancel; but never while a call
 * that was made from here is still at work with it.
 */
final class ScopedFlux<R> extends Flux<R> {

    private final Publisher<RecordBatch> batches;
    private final Function<? super RecordBatch, ? extends Publisher<? extends R>> use;

    ScopedFlux(Publisher<RecordBatch> batches, Function<? super RecordBatch, ? extends Publisher<? extends R>> use) {
        this.batches = batches;
        this.use = use;
    }

    @Override
    public void subscribe(CoreSubscriber<? super R> actual) {
        batches.subscribe(new Outer<>(actual, use));
    }

    private static final class Outer<R> implements CoreSubscriber<RecordBatch>, Subscription, Scannable {

        private final CoreSubscriber<? super R> actual;
        private final Function<? super RecordBatch, ? extends Publisher<? extends R>> use;

        @SuppressWarnings("NullAway.Init") // by onSubscribe
        private Subscription upstream;

        // under this object's lock
        private long requested;
        private boolean awaited;
        private boolean done;
        private boolean over;
        private boolean cancelled;
        private @Nullable Throwable error;
        private @Nullable Scope<R> scope;

        Outer(CoreSubscriber<? super R> actual, Function<? super RecordBatch, ? extends Publisher<? extends R>> use) {
            this.actual = actual;
            this.use = use;
        }

        @Override
        public Context currentContext() {
            return actual.currentContext();
        }

        @Override
        public void onSubscribe(Subscription s) {
            if (Operators.validate(upstream, s)) {
                upstream = s;
                actual.onSubscribe(this);
            }
        }

        @Override
        public void onNext(RecordBatch batch) {
            Scope<R> next = new Scope<>(this, batch);
            synchronized (this) {
                awaited = false;
                if (cancelled || done || scope != null) {
                    next.closing = true;
                } else {
                    scope = next;
                }
            }
            if (!next.enter()) {
                batch.close();
                return;
            }
            try {
                Publisher<? extends R> made =
                        Objects.requireNonNull(use.apply(batch), "the function made no publisher of a batch");
                made.subscribe(next);
            } catch (Throwable e) {
                next.onError(Operators.onOperatorError(null, e, actual.currentContext()));
            } finally {
                next.exit();
            }
        }

        @Override
        public void onError(Throwable t) {
            boolean late;
            synchronized (this) {
                late = done || cancelled;
                if (!late) {
                    done = true;
                    error = t;
                }
            }
            if (late) {
                Operators.onErrorDropped(t, actual.currentContext());
            } else {
                proceed();
            }
        }

        @Override
        public void onComplete() {
            synchronized (this) {
                done = true;
            }
            proceed();
        }

        @Override
        public void request(long n) {
            if (!Operators.validate(n)) {
                return;
            }
            Scope<R> current;
            @Nullable Subscription inner;
            synchronized (this) {
                requested = Operators.addCap(requested, n);
                current = scope;
                // looked at with the demand: one who subscribes only now takes all of it, and must not be asked again
                inner = current == null ? null : current.subscription;
            }
            if (current == null) {
                proceed();
            } else if (inner != null) {
                current.request(inner, n);
            }
        }

        @Override
        public void cancel() {
            Scope<R> current;
            synchronized (this) {
                if (cancelled) {
                    return;
                }
                cancelled = true;
                current = scope;
            }
            upstream.cancel();
            if (current != null) {
                current.cancel();
            }
        }

        /** Between two batches: ends, or asks for the next. */
        private void proceed() {
            boolean end = false;
            synchronized (this) {
                if (cancelled || over || scope != null) {
                    return;
                }
                if (done) {
                    over = true;
                    end = true;
                } else if (requested == 0 || awaited) {
                    return;
                } else {
                    awaited = true;
                }
            }
            if (!end) {
                upstream.request(1);
            } else if (error != null) {
                actual.onError(error);
            } else {
                actual.onComplete();
            }
        }

        /** A batch has been closed. */
        private void closed(Scope<R> closed, @Nullable Throwable failure) {
            synchronized (this) {
                if (scope == closed) {
                    scope = null;
                }
                if (failure != null) {
                    error = failure;
                    done = true;
                }
            }
            proceed();
        }

        @Override
        @SuppressWarnings("rawtypes") // as declared
        public @Nullable Object scanUnsafe(Attr key) {
            if (key == Attr.PARENT) {
                return upstream;
            } else if (key == Attr.ACTUAL) {
                return actual;
            } else if (key == Attr.CANCELLED) {
                return cancelled;
            } else if (key == Attr.TERMINATED) {
                return over;
            } else if (key == Attr.RUN_STYLE) {
                return Attr.RunStyle.SYNC;
            }
            return null;
        }
    }

    /** One batch and what is made of it. */
    private static final class Scope<R> implements CoreSubscriber<R> {

        private final Outer<R> outer;
        private final RecordBatch batch;

        // under the outer lock
        private int calls;
        private boolean closing;
        private boolean closed;
        private @Nullable Subscription subscription;
        private @Nullable Throwable failure;

        Scope(Outer<R> outer, RecordBatch batch) {
            this.outer = outer;
            this.batch = batch;
        }

        /** Before a call that may look at the batch; false where it is no longer to be looked at. */
        boolean enter() {
            synchronized (outer) {
                if (closing) {
                    return false;
                }
                calls++;
                return true;
            }
        }

        void exit() {
            synchronized (outer) {
                calls--;
            }
            closeIfUnused();
        }

        private void closeIfUnused() {
            synchronized (outer) {
                if (!closing || calls > 0 || closed) {
                    return;
                }
                closed = true;
            }
            batch.close();
            outer.closed(this, failure);
        }

        private boolean end(@Nullable Throwable with) {
            synchronized (outer) {
                if (closing) {
                    return false;
                }
                closing = true;
                failure = with;
            }
            if (with != null) {
                outer.upstream.cancel();
            }
            closeIfUnused();
            return true;
        }

        void request(Subscription s, long n) {
            if (enter()) {
                try {
                    s.request(n);
                } finally {
                    exit();
                }
            }
        }

        void cancel() {
            Subscription s;
            synchronized (outer) {
                s = subscription;
                closing = true;
            }
            if (s != null) {
                s.cancel();
            }
            closeIfUnused();
        }

        @Override
        public Context currentContext() {
            return outer.actual.currentContext();
        }

        @Override
        public void onSubscribe(Subscription s) {
            long n;
            synchronized (outer) {
                if (closing || subscription != null) {
                    n = -1;
                } else {
                    subscription = s;
                    n = outer.requested;
                }
            }
            if (n < 0) {
                s.cancel();
            } else if (n > 0) {
                s.request(n);
            }
        }

        @Override
        public void onNext(R value) {
            if (!enter()) {
                Operators.onNextDropped(value, currentContext());
                return;
            }
            try {
                synchronized (outer) {
                    if (outer.requested != Long.MAX_VALUE) {
                        outer.requested--;
                    }
                }
                outer.actual.onNext(value);
            } finally {
                exit();
            }
        }

        @Override
        public void onError(Throwable t) {
            if (!end(t)) {
                Operators.onErrorDropped(t, currentContext());
            }
        }

        @Override
        public void onComplete() {
            end(null);
        }
    }
}
