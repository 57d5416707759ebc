package io.sluice.internal.write;

import io.sluice.Shard;
import io.sluice.ShardWriter;
import io.sluice.WriteAbortedException;
import io.sluice.WriteResult;
import io.sluice.WriteSpec;
import io.sluice.codec.Compression;
import io.sluice.format.Format;
import io.sluice.storage.ObjectStore;
import io.sluice.storage.PutMode;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.Exceptions;
import reactor.core.Scannable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Scheduler;
import reactor.util.context.Context;

/**
 * The writer: takes values into a bounded queue and does everything else in one drain, which runs on one worker of the
 * scheduler and never blocks. Signals from elsewhere (the upstream, the store, a finished compression, a timer) leave
 * their news where the drain finds them and wake it.
 */
final class RollingSubscriber<T> implements ShardWriter<T>, Scannable {

    private static final long LINGER_MILLIS = 5;

    /** Values encoded between two looks at the store's demand and at finished compressions. */
    private static final int VALUES_PER_ROUND = 256;

    private final Format<T> format;
    private final WriteTarget target;
    private final Context context;
    private final Scheduler scheduler;
    private final ValueQueue<T> queue;
    private final long firstDemand;
    private final WriterResources resources;
    private final ShardSequence<T> sequence;
    private final Sinks.One<WriteResult> result = Sinks.one();
    private final Sinks.Many<Shard> committed = Sinks.many().replay().all();

    private final AtomicInteger wip = new AtomicInteger();
    private final AtomicReference<@Nullable Subscription> upstream = new AtomicReference<>();
    private volatile @Nullable Throwable upstreamError;
    private volatile boolean upstreamDone;
    private volatile @Nullable Throwable prepareError;
    private volatile boolean prepared;
    private volatile boolean lingerOver;
    private volatile boolean disposed;
    private volatile boolean terminated;

    // the drain's
    private Scheduler.@Nullable Worker worker;
    private boolean preparing;
    private boolean lingering;
    private boolean ended;
    private boolean abortedAll;
    private @Nullable Throwable failure;

    RollingSubscriber(
            ObjectStore store,
            WriteTarget target,
            Format<T> format,
            Compression compression,
            WriteSpec spec,
            Context context) {
        this.format = format;
        this.target = target;
        this.context = context;
        this.scheduler = spec.scheduler();
        this.queue = new ValueQueue<>(spec, format.maxBufferedValues());
        this.firstDemand = queue.demand(0);
        PutMode mode = target.single() ? spec.mode() : PutMode.CREATE;
        this.resources = new WriterResources(store, mode, compression, spec, scheduler, context, this::wake);
        this.sequence = new ShardSequence<>(resources, target, format, spec, this::worker, committed::tryEmitNext);
    }

    // --- the upstream's side

    @Override
    public void onSubscribe(Subscription s) {
        Objects.requireNonNull(s, "s");
        if (!upstream.compareAndSet(null, s)) {
            s.cancel();
            return;
        }
        if (disposed) {
            s.cancel();
        } else {
            s.request(firstDemand);
        }
        wake();
    }

    @Override
    public void onNext(T value) {
        Objects.requireNonNull(value, "value");
        if (upstreamDone || terminated) {
            discard(value);
            return;
        }
        if (!queue.offer(value)) {
            discard(value);
            onError(Exceptions.failWithOverflow("more values came than were requested"));
            return;
        }
        if (queue.mustWake()) {
            wake();
        }
    }

    @Override
    public void onError(Throwable error) {
        Objects.requireNonNull(error, "error");
        if (upstreamDone || terminated) {
            Operators.onErrorDropped(error, context);
            return;
        }
        upstreamError = error;
        upstreamDone = true;
        wake();
    }

    @Override
    public void onComplete() {
        upstreamDone = true;
        wake();
    }

    @Override
    public Context currentContext() {
        return context;
    }

    // --- the user's side

    @Override
    public Mono<WriteResult> result() {
        return result.asMono();
    }

    @Override
    public Flux<Shard> committed() {
        return committed.asFlux();
    }

    @Override
    public void dispose() {
        disposed = true;
        resources.cancel();
        cancelUpstream();
        wake();
    }

    @Override
    public boolean isDisposed() {
        return disposed || terminated;
    }

    @Override
    @SuppressWarnings("rawtypes") // as declared
    public @Nullable Object scanUnsafe(Attr key) {
        if (key == Attr.PARENT) {
            return upstream.get();
        } else if (key == Attr.NAME) {
            return "write(" + target.name() + ")";
        } else if (key == Attr.RUN_ON) {
            return scheduler;
        } else if (key == Attr.RUN_STYLE) {
            return Attr.RunStyle.ASYNC;
        } else if (key == Attr.BUFFERED) {
            return queue.size();
        } else if (key == Attr.TERMINATED) {
            return terminated;
        } else if (key == Attr.CANCELLED) {
            return disposed;
        } else if (key == Attr.ERROR) {
            return upstreamError;
        }
        return null;
    }

    // --- the drain

    private void wake() {
        if (wip.getAndIncrement() != 0) {
            return;
        }
        try {
            worker().schedule(this::drain);
        } catch (RejectedExecutionException e) {
            // nobody else will: clean up on this thread; nothing is encoded any more
            if (!terminated) {
                fail(e);
            }
            drain();
        }
    }

    /** Made with the first signal, so that a writer that is never subscribed holds nothing; called by who holds the drain only. */
    private Scheduler.Worker worker() {
        Scheduler.Worker known = worker;
        if (known == null) {
            known = scheduler.createWorker();
            worker = known;
        }
        return known;
    }

    private void drain() {
        int missed = wip.get();
        do {
            try {
                round();
            } catch (Throwable e) {
                recover(e);
            }
            missed = wip.addAndGet(-missed);
        } while (missed != 0);
    }

    /** Something threw that should not: ends with an error, at once if even that fails. */
    private void recover(Throwable e) {
        try {
            if (failure == null) {
                fail(e);
                sequence.abortAll(e);
                wip.incrementAndGet();
                return;
            }
        } catch (Throwable again) {
            e.addSuppressed(again);
        }
        terminate(failure == null ? e : failure);
    }

    private void round() {
        if (terminated) {
            discardQueue();
            return;
        }
        prepare();
        boolean more;
        do {
            more = failure == null && prepared && !disposed && encodeSome();
            advance();
        } while (more && sequence.hasRoom());
        if (failure == null) {
            sequence.cutIdle(!queue.isEmpty());
            end();
            advance();
        }
        if (failure == null) {
            request();
            linger();
        } else {
            discardQueue();
        }
        if (sequence.isSettled() && (ended || failure != null)) {
            terminate(failure);
        }
    }

    private void prepare() {
        Throwable error = prepareError;
        if (error != null) {
            fail(error);
        }
        if (preparing || failure != null || disposed || upstream.get() == null && !upstreamDone) {
            return;
        }
        preparing = true;
        target.prepare()
                .subscribe(
                        nothing -> {},
                        e -> {
                            prepareError = e;
                            wake();
                        },
                        () -> {
                            prepared = true;
                            wake();
                        },
                        context);
    }

    private void advance() {
        if (disposed && !abortedAll) {
            abortedAll = true;
            Throwable why = failure == null ? new CancellationException("the writer was disposed of") : failure;
            fail(why);
            sequence.abortAll(why);
        }
        Throwable error = sequence.advance();
        if (error != null) {
            fail(error);
        }
    }

    /** Encodes what has arrived and there is room for; true if there may be more. */
    private boolean encodeSome() {
        long before = queue.polled();
        try {
            for (int i = 0; i < VALUES_PER_ROUND; i++) {
                sequence.cutOverdue();
                if (!sequence.hasRoom()) {
                    return true; // the store may take some at once, and nothing else would wake us then
                }
                T value = sequence.takeHeld();
                if (value == null) {
                    value = queue.poll();
                }
                if (value == null) {
                    return false;
                }
                sequence.write(value);
            }
            return true;
        } catch (Throwable e) {
            // a refused value, something of the user's, an encoder: the shards before the open one are none of its
            // business
            fail(e);
            return false;
        } finally {
            if (queue.polled() != before) {
                sequence.arrived();
            }
        }
    }

    private void end() {
        if (ended || !prepared || !upstreamDone || sequence.holdsValue() || !queue.isEmpty()) {
            return;
        }
        Throwable error = upstreamError;
        if (error != null) {
            fail(error);
            return;
        }
        ended = true;
        try {
            sequence.end();
        } catch (Throwable e) {
            fail(e);
        }
    }

    private void request() {
        Subscription s = upstream.get();
        if (s == null || upstreamDone || !prepared || !sequence.hasRoom()) {
            return;
        }
        long n = queue.demand(sequence.valueBytes());
        if (n > 0) {
            s.request(n);
        }
    }

    private void linger() {
        if (lingerOver) {
            lingerOver = false;
            lingering = false;
            if (queue.rest()) {
                return;
            }
        }
        if (!lingering && !upstreamDone && !queue.isIdle()) {
            lingering = true;
            worker().schedule(
                            () -> {
                                lingerOver = true;
                                wake();
                            },
                            LINGER_MILLIS,
                            TimeUnit.MILLISECONDS);
        }
    }

    // --- the end

    private void fail(Throwable why) {
        if (failure == null) {
            failure = why;
            cancelUpstream();
            queue.wakeAlways();
            sequence.abortOpen(why);
        }
    }

    private void cancelUpstream() {
        Subscription s = upstream.get();
        if (s != null) {
            s.cancel();
        }
    }

    private void terminate(@Nullable Throwable error) {
        if (terminated) {
            return;
        }
        terminated = true;
        try {
            discardQueue();
            resources.close();
            if (error == null) {
                committed.tryEmitComplete();
                result.tryEmitValue(new WriteResult(sequence.shards(), sequence.rejected()));
            } else {
                if (!sequence.shards().isEmpty()) {
                    error.addSuppressed(new WriteAbortedException(sequence.shards()));
                }
                committed.tryEmitError(error);
                result.tryEmitError(error);
            }
        } finally {
            Scheduler.Worker used = worker;
            if (used != null) {
                used.dispose();
            }
        }
    }

    private void discardQueue() {
        T value = sequence.takeHeld();
        if (value != null) {
            discard(value);
        }
        for (value = queue.poll(); value != null; value = queue.poll()) {
            discard(value);
        }
    }

    private void discard(T value) {
        Operators.onDiscard(value, context);
        format.release(value);
    }
}
