package io.sluice.internal.write;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;

/**
 * A shard's stored bytes as the store subscribes to them, once. The store's signals come on any thread and only wake the
 * writer's drain, which alone emits.
 */
final class ShardContent extends Flux<ByteBuffer> implements Subscription {

    private final Runnable wake;
    private final AtomicBoolean subscribed = new AtomicBoolean();
    private final AtomicLong requested = new AtomicLong();
    private volatile @Nullable CoreSubscriber<? super ByteBuffer> subscriber;
    private volatile boolean cancelled;
    private boolean terminated;
    private boolean completed;
    private @Nullable Throwable broken;

    ShardContent(Runnable wake) {
        this.wake = wake;
    }

    @Override
    public void subscribe(CoreSubscriber<? super ByteBuffer> actual) {
        if (!subscribed.compareAndSet(false, true)) {
            Operators.error(actual, new IllegalStateException("a shard's content can be subscribed to only once"));
            return;
        }
        actual.onSubscribe(this);
        subscriber = actual;
        wake.run();
    }

    @Override
    public void request(long n) {
        if (Operators.validate(n)) {
            requested.accumulateAndGet(n, Operators::addCap);
            wake.run();
        }
    }

    @Override
    public void cancel() {
        cancelled = true;
        wake.run();
    }

    /** Whether a buffer may be emitted now. */
    boolean wantsMore() {
        return subscriber != null && !cancelled && !terminated && requested.get() > 0;
    }

    void emit(ByteBuffer bytes) {
        CoreSubscriber<? super ByteBuffer> to = subscriber;
        if (to != null) {
            if (requested.get() != Long.MAX_VALUE) {
                requested.decrementAndGet();
            }
            try {
                to.onNext(bytes);
            } catch (Throwable e) {
                broken = e;
                terminated = true;
            }
        }
    }

    /** What the store threw from its signals, which it must not; nothing more can be expected of it. */
    @Nullable
    Throwable broken() {
        return broken;
    }

    /** Whether the store has got the whole content, so that it may have committed. */
    boolean isCompleted() {
        return completed;
    }

    /** Completes, or fails with the error; to no effect as long as the store has not subscribed. */
    void terminate(@Nullable Throwable error) {
        CoreSubscriber<? super ByteBuffer> to = subscriber;
        if (to == null || terminated) {
            return;
        }
        terminated = true;
        if (cancelled) {
            return;
        }
        try {
            if (error == null) {
                completed = true;
                to.onComplete();
            } else {
                to.onError(error);
            }
        } catch (Throwable e) {
            broken = e;
        }
    }
}
