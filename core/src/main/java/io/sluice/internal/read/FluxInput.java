package io.sluice.internal.read;

import io.sluice.SluiceException;
import io.sluice.StorageException;
import io.sluice.storage.PrefetchBudget;
import java.nio.ByteBuffer;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;

/**
 * Reads {@code ObjectStore.get}: requests what the prefetch budget grants, queues what arrives, wakes the pump.
 * Requests and reads are made by the pump's current thread only, signals come from any.
 */
final class FluxInput implements RawInput, CoreSubscriber<ByteBuffer> {

    private final Function<PrefetchBudget, Flux<ByteBuffer>> source;
    private final String name;
    private final long expected;
    private final Context context;
    private final Runnable wake;
    private final ChunkSize chunkSize;
    private final Share share;

    private final Queue<ByteBuffer> queue = new ConcurrentLinkedQueue<>();
    private final AtomicLong buffered = new AtomicLong();
    private final AtomicLong outstanding = new AtomicLong();

    /** Keeps what is asked for before the store has answered: it may do so on another thread. */
    private final Operators.DeferredSubscription upstream = new Operators.DeferredSubscription();

    private final AtomicBoolean cancelled = new AtomicBoolean();
    private volatile boolean done;
    private volatile long received;
    private @Nullable Throwable error;
    private boolean subscribed;

    /** The largest chunk that a read's store has sent so far: what a request is expected to bring. */
    static final class ChunkSize {
        private volatile int max;
        private volatile long count;

        /** How many chunks have come so far. */
        long count() {
            return count;
        }

        int orElse(int unknown) {
            int known = max;
            return known == 0 ? unknown : known;
        }

        @SuppressWarnings("NonAtomicVolatileUpdate") // a lost update of racing shards only delays the estimate
        void seen(int bytes) {
            count++;
            if (bytes > max) {
                max = bytes; // lost updates of racing shards only delay the estimate
            }
        }
    }

    /** An object's part in the budget of all. */
    private final class Share implements PrefetchBudget {
        private final FetchBudget all;
        private final AtomicLong everTaken = new AtomicLong();
        private volatile boolean comesNext;

        Share(FetchBudget all) {
            this.all = all;
        }

        @Override
        public long capacity() {
            return all.capacity();
        }

        @Override
        public boolean tryTake(long bytes, boolean needed) {
            boolean granted = all.tryTake(bytes);
            if (!granted && needed && isAwaited()) {
                all.take(bytes);
                granted = true;
            }
            if (granted) {
                everTaken.addAndGet(bytes);
            }
            return granted;
        }

        @Override
        public boolean isAwaited() {
            return comesNext && buffered.get() == 0;
        }

        @Override
        public void giveBack(long bytes) {
            all.giveBack(bytes);
        }
    }

    FluxInput(
            Function<PrefetchBudget, Flux<ByteBuffer>> source,
            String name,
            long expected,
            Context context,
            Runnable wake,
            ChunkSize chunkSize,
            FetchBudget fetched) {
        this.source = source;
        this.name = name;
        this.expected = expected;
        this.context = context;
        this.wake = wake;
        this.chunkSize = chunkSize;
        this.share = new Share(fetched);
    }

    /** Asks for {@code chunks} more buffers; the first call subscribes. */
    void request(long chunks) {
        outstanding.addAndGet(chunks);
        subscribe();
        upstream.request(chunks);
    }

    private void subscribe() {
        if (!subscribed) {
            subscribed = true;
            Flux.defer(() -> source.apply(share)).subscribe(this);
        }
    }

    /** Asks for all there is, or again, from a store that keeps to the budget by itself. */
    void flow(boolean comesNext) {
        share.comesNext = comesNext;
        if (!subscribed) {
            request(Long.MAX_VALUE);
        } else if (!done) {
            upstream.request(1); // it may go on where the budget had no room
        }
    }

    /** Whether such a store has asked for all bytes. */
    boolean isAskedFor() {
        return done || expected >= 0 && share.everTaken.get() >= expected;
    }

    /** Bytes that have arrived and were not read yet. */
    long buffered() {
        return buffered.get();
    }

    /** Buffers that were requested and have not arrived. */
    long outstanding() {
        return done ? 0 : outstanding.get();
    }

    /** Whether nothing more will arrive. */
    boolean arrived() {
        return done;
    }

    /** Bytes still to arrive, {@link Long#MAX_VALUE} where the store can't say. */
    long remaining() {
        return done ? 0 : expected < 0 ? Long.MAX_VALUE : Math.max(0, expected - received);
    }

    @Override
    public int read(byte[] into, int from, int length) {
        int copied = 0;
        while (copied < length) {
            ByteBuffer head = queue.peek();
            if (head == null) {
                break;
            }
            int n = Math.min(head.remaining(), length - copied);
            head.get(into, from + copied, n);
            copied += n;
            if (!head.hasRemaining()) {
                queue.poll();
            }
        }
        if (copied > 0) {
            buffered.addAndGet(-copied);
            share.giveBack(copied);
            return copied;
        }
        if (!done || !queue.isEmpty()) {
            return PENDING;
        }
        Throwable e = error;
        if (e == null && expected >= 0 && received != expected) {
            throw new StorageException(
                    StorageException.Kind.NETWORK,
                    name,
                    "the store ended the object after " + received + " of " + expected + " bytes",
                    null);
        }
        if (e instanceof SluiceException known) {
            throw known;
        }
        if (e != null) {
            throw new StorageException(StorageException.Kind.IO, name, "reading failed: " + e, e);
        }
        return END;
    }

    @Override
    public Context currentContext() {
        return context;
    }

    @Override
    public void onSubscribe(Subscription s) {
        upstream.set(s);
    }

    @Override
    public void onNext(ByteBuffer chunk) {
        int bytes = chunk.remaining();
        chunkSize.seen(bytes);
        received += bytes; // one thread at a time by the Reactive Streams rules
        if (bytes > 0) {
            buffered.addAndGet(bytes);
            share.all.take(bytes);
            queue.add(chunk.slice());
            if (cancelled.get()) {
                release(); // nobody will read it any more
            }
        }
        outstanding.decrementAndGet();
        wake.run();
    }

    @Override
    public void onError(Throwable t) {
        if (done || cancelled.get()) {
            Operators.onErrorDropped(t, context);
            return;
        }
        error = t;
        done = true;
        wake.run();
    }

    @Override
    public void onComplete() {
        done = true;
        wake.run();
    }

    @Override
    public void cancel() {
        if (cancelled.compareAndSet(false, true)) {
            upstream.cancel();
        }
    }

    @Override
    public void close() {
        if (!done) {
            cancel();
        }
        release();
    }

    private void release() {
        queue.clear();
        share.giveBack(buffered.getAndSet(0));
    }
}
