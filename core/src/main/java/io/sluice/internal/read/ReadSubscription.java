package io.sluice.internal.read;

import io.sluice.Checkpoint;
import io.sluice.ReadSpec;
import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.FormatReader;
import io.sluice.format.Format;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.ObjectStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Disposable;
import reactor.core.Exceptions;
import reactor.core.Scannable;
import reactor.core.publisher.Operators;
import reactor.core.scheduler.Scheduler;
import reactor.util.context.Context;

/**
 * One subscription of a read. Three roles, taken by whichever of its worker threads is free:
 *
 * <ul>
 *   <li><b>pump</b>: cuts the next slot of blocks; one thread at a time, by {@code pumping}. A worker that finds it taken waits
 *       for it as long as that is cheaper than to park and be scheduled again.
 *   <li><b>decode</b>: up to {@code parallelism} workers, each with the slot it has cut itself, still warm in its cache. Where
 *       bytes are decompressed, cutting takes about as long as decoding: slots are kept in stock ({@code ready}), and the worker that has
 *       cut goes on cutting, with the decompressor's window in its cache. Workers would otherwise wait for each other's turn at the pump.
 *   <li><b>emit</b>: hands the decoded slots to the subscriber in order; one thread at a time, by {@code emitWip}, which works
 *       as Reactor's drain loops do. Also taken by a thread that requests, so what lies ready is emitted without a hop.
 * </ul>
 *
 * A single worker does not count as one while it emits, so a subscriber's slow processing and the reading of what comes next
 * overlap. One of several does: the others read on, and a thread in its place would have to be woken, and put to sleep again, for
 * every block, which takes as long as decoding half of it. Whoever makes work ({@code signals}) sees to it that a worker is there;
 * a worker that leaves looks for work once more after it has counted itself out, so that between the two nothing is overlooked.
 */
final class ReadSubscription<B, T, R> implements Subscription, Scannable {

    @SuppressWarnings("rawtypes")
    private static final AtomicLongFieldUpdater<ReadSubscription> REQUESTED =
            AtomicLongFieldUpdater.newUpdater(ReadSubscription.class, "requested");

    @SuppressWarnings("rawtypes")
    private static final AtomicIntegerFieldUpdater<ReadSubscription> PUMPING =
            AtomicIntegerFieldUpdater.newUpdater(ReadSubscription.class, "pumping");

    @SuppressWarnings("rawtypes")
    private static final AtomicIntegerFieldUpdater<ReadSubscription> SIGNALS =
            AtomicIntegerFieldUpdater.newUpdater(ReadSubscription.class, "signals");

    @SuppressWarnings("rawtypes")
    private static final AtomicIntegerFieldUpdater<ReadSubscription> WORKERS =
            AtomicIntegerFieldUpdater.newUpdater(ReadSubscription.class, "workers");

    @SuppressWarnings("rawtypes")
    private static final AtomicIntegerFieldUpdater<ReadSubscription> EMIT_WIP =
            AtomicIntegerFieldUpdater.newUpdater(ReadSubscription.class, "emitWip");

    @SuppressWarnings("rawtypes")
    private static final AtomicIntegerFieldUpdater<ReadSubscription> DECODING =
            AtomicIntegerFieldUpdater.newUpdater(ReadSubscription.class, "decoding");

    @SuppressWarnings("rawtypes")
    private static final AtomicIntegerFieldUpdater<ReadSubscription> STOCK =
            AtomicIntegerFieldUpdater.newUpdater(ReadSubscription.class, "stock");

    @SuppressWarnings("rawtypes")
    private static final AtomicIntegerFieldUpdater<ReadSubscription> STARTED =
            AtomicIntegerFieldUpdater.newUpdater(ReadSubscription.class, "started");

    /** How often a worker looks whether the pump is free before it gives up; not at all where nobody could let go of it meanwhile. */
    private static final int MAX_SPINS = Runtime.getRuntime().availableProcessors() > 1 ? 4000 : 0;

    /**
     * An emitting turn that takes longer is worth another thread's reading on meanwhile. Without another core there is nothing to
     * be won but the time in which a slow subscriber waits.
     */
    private static final long LONG_TURN_NANOS = Runtime.getRuntime().availableProcessors() > 1 ? 50_000 : 1_000_000;

    /** Slots cut ahead where bytes are decompressed: enough for the worker that cuts to stay at it while another decodes. */
    private static final int STOCK_SLOTS = 4;

    private final CoreSubscriber<? super R> actual;
    private final ObjectStore store;
    private final String location;
    private final Format<T> format;
    private final ReadSpec spec;
    private final Scheduler scheduler;
    private final boolean positioned;

    private final int parallelism;
    private final int maxSlots;
    private final long maxSlotBytes;

    private volatile long requested;
    /** 1 while a thread holds the pump. */
    private volatile int pumping;

    /** Goes up with everything that may give the pump something to do. */
    private volatile int signals;

    /** Threads that cut or decode, or are scheduled to. */
    private volatile int workers;

    private volatile int emitWip;
    /** Slots cut and not decoded yet. */
    private volatile int decoding;

    /** Slots in {@code ready}. */
    private volatile int stock;

    private volatile int started;
    private volatile boolean cancelled;

    /** Set when listing, opening or scheduling failed; what is already decoded is emitted first. */
    private volatile @Nullable Throwable broken;

    /** Every slot there will be is in {@code slots}. */
    private volatile boolean pumpEnded;

    private volatile boolean pumpClosed;

    /** Whether the subscriber took its time the last time round; taken to be so until it is known. */
    private volatile boolean emittingTakesTime = true;

    /** Up to how many ready slots the worker that cut last cuts another one, rather than decode; others do when there is none. */
    private volatile int wantedStock;

    /** Who cut last. */
    private volatile @Nullable Thread cutter;

    private volatile @Nullable Disposable listing;
    private volatile @Nullable ShardSequence shards;
    private final SlotWindow window = new SlotWindow();
    private final Queue<Slot<B>> slots = new ConcurrentLinkedQueue<>();
    /** Slots that nobody has begun to decode. */
    private final Queue<Slot<B>> ready = new ConcurrentLinkedQueue<>();

    private final Queue<BlockDecoder<B>> decoders = new ConcurrentLinkedQueue<>();

    // the pump's own
    private volatile @Nullable BlockPump<B> pump;
    private final List<Slot<B>> sampled = new ArrayList<>();
    private final List<Block> sample = new ArrayList<>();
    private long sampledBytes;
    private volatile @Nullable FormatReader<B, T> reader;

    // the emitting side's own
    private @Nullable SlotEmitter<B, T, R> emitter;
    private boolean terminated;

    ReadSubscription(
            CoreSubscriber<? super R> actual,
            ObjectStore store,
            String location,
            Format<T> format,
            ReadSpec spec,
            boolean positioned) {
        this.actual = actual;
        this.store = store;
        this.location = location;
        this.format = format;
        this.spec = spec;
        this.scheduler = spec.scheduler();
        this.positioned = positioned;
        this.parallelism = spec.parallelism();
        long prefetchBytes = ShardSequence.prefetchBytes(spec, store);
        this.maxSlots = 2 * parallelism; // one where no bytes may be ahead
        this.maxSlotBytes = prefetchBytes / 2;
    }

    // ---------------------------------------------------------------- the subscriber's calls

    @Override
    public void request(long n) {
        if (!Operators.validate(n)) {
            return;
        }
        if (cancelled) {
            return;
        }
        Operators.addCap(REQUESTED, this, n);
        if (started == 0 && STARTED.compareAndSet(this, 0, 1)) {
            list();
        } else {
            emit();
        }
    }

    @Override
    public void cancel() {
        if (cancelled) {
            return;
        }
        cancelled = true;
        stopReading();
        emit(); // releases what the emitting side holds, on whoever emits
    }

    private void stopReading() {
        Disposable l = listing;
        if (l != null) {
            l.dispose();
        }
        ShardSequence s = shards;
        if (s != null && !pumpClosed) {
            s.cancel();
            wake(); // a worker releases what the pump holds: closing may block
        }
    }

    private void list() {
        Context context = actual.currentContext();
        listing = ShardLister.list(store, location, format, spec)
                .contextWrite(context)
                .subscribe(this::listed, this::fail);
        if (cancelled) {
            stopReading();
        }
    }

    private void listed(List<ObjectMeta> found) {
        List<Checkpoint.Pin> pins = new ArrayList<>(found.size());
        for (ObjectMeta meta : found) {
            pins.add(new Checkpoint.Pin(meta.key(), meta.size(), meta.etag()));
        }
        emitter = new SlotEmitter<>(spec, positioned, found, List.copyOf(pins));
        ShardSequence sequence = new ShardSequence(store, found, format, spec, actual.currentContext(), this::arrived);
        pump = new BlockPump<>(sequence, spec.blockBytes(), format.maxBlockBytes(spec.limits()));
        shards = sequence;
        wake();
    }

    private void fail(Throwable t) {
        if (cancelled) {
            Operators.onErrorDropped(t, actual.currentContext());
            return;
        }
        broken = t;
        emit();
    }

    // ---------------------------------------------------------------- pump and decode

    /** Bytes have arrived from a store: on any thread, so it only leaves word. */
    private void arrived() {
        wake();
    }

    /** There may be something to do for the pump. */
    private void wake() {
        SIGNALS.incrementAndGet(this);
        engage();
    }

    /** Has another worker come, if there is work that nobody is at: who holds the pump now calls this after it. */
    private void engage() {
        if ((pumping == 0 || stock > 0) && hasWork() && enter()) {
            try {
                scheduler.schedule(this::work);
            } catch (RejectedExecutionException e) {
                WORKERS.decrementAndGet(this);
                if (PUMPING.compareAndSet(this, 0, 1)) { // a worker that holds it closes it itself
                    closePump();
                    pumping = 0;
                }
                if (!cancelled) {
                    fail(e);
                }
            }
        }
    }

    /** Counts this thread, or one to come, among the workers, if one more may be. */
    private boolean enter() {
        for (; ; ) {
            int now = workers;
            if (now >= parallelism) {
                return false;
            }
            if (WORKERS.compareAndSet(this, now, now + 1)) {
                return true;
            }
        }
    }

    private boolean hasWork() {
        return stock > 0 && !cancelled || canCut();
    }

    /** Whether there is something to cut and room for it, or the pump to be closed. */
    private boolean canCut() {
        if (cancelled || broken != null) {
            return !pumpClosed && pump != null;
        }
        if (reader == null) {
            return true;
        }
        return !pumpEnded && window.slots() < maxSlots + wantedStock && window.admits(spec.blockBytes(), maxSlotBytes);
    }

    /** A worker's stay: it is counted when it begins, and when it ends not. */
    private void work() {
        try {
            boolean stays = true;
            while (stays) {
                int seen = signals;
                boolean took = stock <= (cutter == Thread.currentThread() ? wantedStock : 0) && canCut() && takePump();
                boolean dry = false;
                Slot<B> slot = null;
                if (took) {
                    seen = signals;
                    cutter = Thread.currentThread();
                    slot = cut();
                    pumping = 0;
                    if (slot != null) {
                        if (wantedStock > 0 || stock > 0) {
                            keep(slot);
                            slot = null;
                        }
                        engage();
                        if (slot == null && stock <= wantedStock) {
                            continue;
                        }
                    } else {
                        dry = true;
                        if (stock > 1) {
                            engage();
                        }
                    }
                }
                if (slot == null) {
                    slot = fromStock();
                }
                if (slot != null) {
                    decode(slot);
                    slot.done = true;
                    DECODING.decrementAndGet(this);
                    if (parallelism == 1) {
                        WORKERS.decrementAndGet(this);
                        if (emittingTakesTime && emitWip == 0) {
                            engage(); // nobody else will read on while this thread emits
                        }
                        emit();
                    } else {
                        emit();
                        if (hasWork()) {
                            continue;
                        }
                        WORKERS.decrementAndGet(this);
                    }
                    stays = hasWork() && enter();
                } else {
                    WORKERS.decrementAndGet(this);
                    if (pumpEnded) {
                        emit();
                    }
                    stays = (stock > 0 || pumping == 0 && !(dry && seen == signals)) && hasWork() && enter();
                }
            }
        } catch (Throwable t) {
            fail(t);
        }
    }

    private void keep(Slot<B> slot) {
        ready.add(slot);
        STOCK.incrementAndGet(this);
    }

    private @Nullable Slot<B> fromStock() {
        Slot<B> slot = ready.poll();
        if (slot != null) {
            STOCK.decrementAndGet(this);
        }
        return slot;
    }

    /** One by one: with what they are counted by, for which workers look. */
    private void dropStock() {
        while (fromStock() != null) {
            // until there is none
        }
    }

    /** Takes the pump; while another worker has it, waits for as long as that is cheaper than to be scheduled again. */
    private boolean takePump() {
        for (int spins = 0; pumping != 0 || !PUMPING.compareAndSet(this, 0, 1); spins++) {
            if (spins >= MAX_SPINS || stock > 0 || !canCut()) {
                return false;
            }
            Thread.onSpinWait();
        }
        return true;
    }

    private @Nullable Slot<B> cut() {
        try {
            return nextSlot();
        } catch (Throwable t) {
            boolean unwanted = cancelled;
            if (!unwanted) {
                broken = t; // before the end is seen, which without it would pass for a good one
            }
            pumpEnded = true;
            closePump();
            if (unwanted) {
                Operators.onErrorDropped(t, actual.currentContext());
            }
            return null;
        }
    }

    /** The next slot to decode; null where there is none now, for want of bytes, room or shards. */
    private @Nullable Slot<B> nextSlot() {
        BlockPump<B> p = pump;
        if (p == null) {
            return null;
        }
        if (cancelled || broken != null) {
            pumpEnded = true;
            closePump();
            return null;
        }
        if (reader == null && !sample(p) || stock > wantedStock || pumpEnded || !canCut()) {
            return null;
        }
        Slot<B> slot = p.next(window.slots() == 0);
        if (slot == null) {
            if (p.ended()) {
                closePump();
                pumpEnded = true;
            }
            return null;
        }
        DECODING.incrementAndGet(this);
        enqueue(slot);
        int wanted = parallelism > 1 && slot.shard.input.decompresses() ? STOCK_SLOTS : 0;
        if (wanted != wantedStock) {
            wantedStock = wanted;
        }
        return slot;
    }

    private void enqueue(Slot<B> slot) {
        window.add(slot.charge);
        slots.add(slot);
        if (slot.failure != null) {
            closePump();
            pumpEnded = true;
        }
    }

    /** Makes the reader, from the first blocks where it wants to see them; false while bytes are wanting. */
    private boolean sample(BlockPump<B> p) {
        while (sampledBytes < format.sampleBytes() && !pumpEnded) {
            Slot<B> slot = p.next(true);
            if (slot == null) {
                if (!p.ended()) {
                    return false;
                }
                pumpEnded = true;
                break;
            }
            for (Part<B> part : slot.parts) {
                if (part.block != null) { // a header is nothing to infer from
                    sampledBytes += part.length;
                    sample.add(part.block);
                }
            }
            enqueue(slot);
            sampled.add(slot);
        }
        @SuppressWarnings("unchecked") // whatever B is, the reader's decoders and emitter agree on it
        FormatReader<B, T> made = (FormatReader<B, T>) format.reader(spec.limits(), List.copyOf(sample));
        sample.clear();
        reader = made;
        for (Slot<B> slot : sampled) {
            DECODING.incrementAndGet(this);
            keep(slot);
        }
        sampled.clear();
        return true;
    }

    private void closePump() {
        BlockPump<B> p = pump;
        if (p != null && !pumpClosed) {
            pumpClosed = true;
            p.close();
        }
    }

    private void decode(Slot<B> slot) {
        FormatReader<B, T> r = reader;
        if (r == null || cancelled) {
            return;
        }
        BlockDecoder<B> decoder = decoders.poll();
        if (decoder == null) {
            try {
                decoder = r.decoder();
            } catch (Throwable e) {
                slot.failure = Failures.placed(e, slot.shard.name, -1);
                abandon(slot, 0);
                return;
            }
        }
        for (int i = 0; i < slot.parts.size(); i++) {
            Part<B> part = slot.parts.get(i);
            Block block = part.block;
            if (block != null) {
                try {
                    part.decoded = decoder.decode(block);
                } catch (Throwable e) {
                    slot.failure = Failures.placed(e, slot.shard.name, part.offset);
                    abandon(slot, i);
                    break;
                }
                part.block = null;
            }
        }
        decoders.offer(decoder);
        byte[] buffer = slot.buffer;
        slot.buffer = null;
        BlockPump<B> p = pump;
        if (buffer != null && p != null && !r.keepsBytes()) {
            p.recycle(buffer);
        }
    }

    /** The shard can't be decoded from this part on: what is framed of it by now is lost. */
    private static <B> void abandon(Slot<B> slot, int part) {
        List<Part<B>> rest = slot.parts.subList(part, slot.parts.size());
        for (Part<B> lost : rest) {
            slot.bytesLost += lost.length;
        }
        rest.clear();
        slot.ends = true;
        slot.bytesIn = -1;
    }

    // ---------------------------------------------------------------- emit

    private void emit() {
        if (EMIT_WIP.getAndIncrement(this) != 0) {
            return;
        }
        int missed = 1;
        long began = System.nanoTime();
        do {
            if (!terminated) {
                try {
                    emitWhatIsReady();
                } catch (Throwable t) {
                    // Reactor throws the JVM's fatal errors on; here that would leave files open and nobody told
                    terminate(
                            Exceptions.isJvmFatal(t) ? t : Operators.onOperatorError(null, t, actual.currentContext()));
                }
            }
            boolean tookTime = System.nanoTime() - began > LONG_TURN_NANOS;
            if (tookTime != emittingTakesTime) {
                emittingTakesTime = tookTime;
            }
            missed = EMIT_WIP.addAndGet(this, -missed);
        } while (missed != 0);
    }

    private void emitWhatIsReady() {
        SlotEmitter<B, T, R> e = emitter;
        if (e == null) {
            Throwable t = broken;
            if (cancelled) {
                terminated = true;
            } else if (t != null) {
                terminate(t);
            }
            return;
        }
        long demand = requested;
        long emitted = 0;
        for (; ; ) {
            if (cancelled) {
                terminated = true;
                e.close();
                slots.clear();
                dropStock();
                break;
            }
            if (e.hasNext()) {
                if (emitted == demand) {
                    demand = requested;
                    if (emitted == demand) {
                        break;
                    }
                }
                R value = e.next();
                emitted++;
                actual.onNext(value);
            } else if (e.over()) {
                terminate(e.failure());
                break;
            } else if (e.wantsSlot()) {
                Slot<B> slot = slots.peek();
                if (slot != null && slot.done) {
                    slots.poll();
                    useLastStep(e);
                    e.take(slot);
                } else if (broken != null && (slot == null || decoding == 0)) {
                    e.end(broken); // what was not decoded by now never will be
                } else if (slot == null && pumpEnded && reader != null && slots.isEmpty()) {
                    useLastStep(e);
                    e.end(null);
                } else {
                    break;
                }
            } else {
                Slot<B> finished = e.advance();
                if (finished != null) {
                    window.remove(finished.charge);
                    wake();
                }
            }
        }
        if (emitted != 0 && demand != Long.MAX_VALUE) {
            Operators.produced(REQUESTED, this, emitted);
        }
    }

    /** Made here, on the emitting side, so that whoever ends the read closes it. */
    private void useLastStep(SlotEmitter<B, T, R> e) {
        FormatReader<B, T> r = reader;
        if (r != null && !e.hasLastStep()) {
            e.use(r.emitter());
        }
    }

    private void terminate(@Nullable Throwable t) {
        terminated = true;
        cancelled = true;
        stopReading();
        SlotEmitter<B, T, R> e = emitter;
        if (e != null) {
            e.close();
        }
        slots.clear();
        dropStock();
        if (t != null) {
            actual.onError(t);
        } else {
            actual.onComplete();
        }
    }

    @Override
    @SuppressWarnings("rawtypes") // as Scannable declares it
    public @Nullable Object scanUnsafe(Attr key) {
        if (key == Attr.ACTUAL) {
            return actual;
        }
        if (key == Attr.REQUESTED_FROM_DOWNSTREAM) {
            return requested;
        }
        if (key == Attr.CANCELLED) {
            return cancelled && !terminated;
        }
        if (key == Attr.TERMINATED) {
            return terminated;
        }
        if (key == Attr.BUFFERED) {
            return window.slots();
        }
        if (key == Attr.RUN_ON) {
            return scheduler;
        }
        if (key == Attr.RUN_STYLE) {
            return Attr.RunStyle.ASYNC;
        }
        return null;
    }
}
