package io.sluice.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Exceptions;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;
import reactor.core.scheduler.Scheduler;
import reactor.util.context.Context;

/**
 * Writes a publisher's buffers into a {@link LocalTarget}, one at a time, on a scheduler. The next buffer is requested when the one
 * before is written. Cancel aborts, unless the commit has begun, which then runs to its end.
 */
final class LocalPut extends Mono<ObjectMeta> {

    /** Gives a file another name, failing where the name is taken; a seam for file systems that can't. */
    interface Linker {
        void link(Path link, Path existing) throws IOException;
    }

    private final LocalTarget target;
    private final Publisher<ByteBuffer> content;
    private final Scheduler scheduler;

    LocalPut(LocalTarget target, Publisher<ByteBuffer> content, Scheduler scheduler) {
        this.target = target;
        this.content = content;
        this.scheduler = scheduler;
    }

    @Override
    public void subscribe(CoreSubscriber<? super ObjectMeta> actual) {
        actual.onSubscribe(new Writer(actual));
    }

    /** All that touches the target happens in {@link #run}, which runs at most once at a time. */
    private final class Writer implements CoreSubscriber<ByteBuffer>, Subscription, Runnable {

        private static final AtomicIntegerFieldUpdater<Writer> WAKEUPS =
                AtomicIntegerFieldUpdater.newUpdater(Writer.class, "wakeups");
        private static final AtomicIntegerFieldUpdater<Writer> STARTED =
                AtomicIntegerFieldUpdater.newUpdater(Writer.class, "started");

        private final CoreSubscriber<? super ObjectMeta> actual;
        private volatile int wakeups;

        @SuppressWarnings("UnusedVariable") // through STARTED
        private volatile int started;

        private volatile boolean cancelled;
        private volatile boolean done;
        private volatile @Nullable Throwable error;
        private volatile @Nullable ByteBuffer pending;
        private volatile @Nullable Subscription upstream;
        private boolean open;
        private boolean finished;

        Writer(CoreSubscriber<? super ObjectMeta> actual) {
            this.actual = actual;
        }

        @Override
        public void request(long n) {
            if (Operators.validate(n) && STARTED.compareAndSet(this, 0, 1)) {
                wake();
            }
        }

        @Override
        public void cancel() {
            cancelled = true;
            cancelUpstream();
            if (!STARTED.compareAndSet(this, 0, 1)) {
                wake();
            }
        }

        private void cancelUpstream() {
            Subscription subscription = upstream;
            if (subscription != null) {
                subscription.cancel();
            }
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            if (Operators.validate(upstream, subscription)) {
                upstream = subscription;
                if (cancelled) {
                    subscription.cancel();
                } else {
                    subscription.request(1);
                }
            }
        }

        @Override
        public void onNext(ByteBuffer buffer) {
            if (done) {
                Operators.onNextDropped(buffer, currentContext());
                return;
            }
            if (pending != null) {
                cancelUpstream();
                onError(Exceptions.failWithOverflow("the content emitted more than was requested"));
                return;
            }
            pending = buffer;
            wake();
        }

        @Override
        public void onError(Throwable failure) {
            if (done) {
                Operators.onErrorDropped(failure, currentContext());
                return;
            }
            error = failure;
            done = true;
            wake();
        }

        @Override
        public void onComplete() {
            done = true;
            wake();
        }

        @Override
        public Context currentContext() {
            return actual.currentContext();
        }

        private void wake() {
            if (WAKEUPS.getAndIncrement(this) == 0) {
                try {
                    scheduler.schedule(this);
                } catch (RejectedExecutionException rejected) {
                    // no thread of ours is left to do it: leave nothing behind, and say so
                    fail(Operators.onRejectedExecution(rejected, currentContext()));
                }
            }
        }

        @Override
        public void run() {
            int seen = wakeups;
            while (seen != 0) {
                if (!finished) {
                    try {
                        step();
                    } catch (Throwable thrown) {
                        fail(thrown);
                    }
                }
                seen = WAKEUPS.addAndGet(this, -seen);
            }
        }

        private void step() {
            if (cancelled) {
                finished = true;
                target.abort();
                return;
            }
            if (!open) {
                target.open();
                open = true;
                Flux.from(content).subscribe(this);
                return;
            }
            boolean last = done; // read before the buffer, which cannot follow it
            ByteBuffer buffer = pending;
            Throwable failure = error;
            if (last && failure != null) {
                fail(failure);
                return;
            }
            if (buffer != null) {
                target.write(buffer);
                pending = null;
            }
            if (last) {
                ObjectMeta written = target.commit();
                finished = true;
                if (!cancelled) {
                    actual.onNext(written);
                    actual.onComplete();
                }
            } else if (buffer != null) {
                Subscription subscription = upstream;
                if (subscription != null) {
                    subscription.request(1);
                }
            }
        }

        private void fail(Throwable failure) {
            finished = true;
            cancelUpstream();
            target.abort();
            if (cancelled) {
                Operators.onErrorDropped(failure, currentContext());
            } else {
                actual.onError(failure);
            }
        }
    }
}
