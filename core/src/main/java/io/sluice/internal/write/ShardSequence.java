package io.sluice.internal.write;

import io.sluice.OpenShard;
import io.sluice.RollingPolicy;
import io.sluice.Shard;
import io.sluice.WriteSpec;
import io.sluice.format.Format;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import reactor.core.scheduler.Scheduler;

/**
 * Cuts values into shards and sees to their commits in order. Used on the writer's drain only.
 *
 * <p>Two shards can be under way: one that is being filled, and the one before it that is being committed. A shard's
 * content is not completed before its predecessor is committed, so the committed shards always are a prefix of the stream.
 */
final class ShardSequence<T> {

    private static final int MAX_UNDER_WAY = 2;

    private final WriterResources resources;
    private final WriteTarget target;
    private final Format<T> format;
    private final Supplier<Scheduler.Worker> timer;
    private final Consumer<Shard> onCommit;
    private final RollingPolicy rolling;
    private final @Nullable BiPredicate<? super OpenShard, Object> condition;
    private final long bufferBytes;
    private final long byteLimit;
    private final long estimateLimit;
    private final RefusedValues refused;

    private final ArrayDeque<ShardUpload<T>> underWay = new ArrayDeque<>();
    private final List<Shard> shards = new ArrayList<>();
    private final AtomicInteger releasing = new AtomicInteger();
    private @Nullable ShardUpload<T> current;
    /** A value that was polled and has to wait. */
    private @Nullable T held;

    private boolean heldIsReplacement;
    /** A refused value has to wait until it is known which shard it is refused from. */
    private boolean awaitsKey;

    private long pastBytes;
    private long encoded;
    private long lastArrivalMillis;
    private volatile boolean idleCheckDue;

    ShardSequence(
            WriterResources resources,
            WriteTarget target,
            Format<T> format,
            WriteSpec spec,
            Supplier<Scheduler.Worker> timer,
            Consumer<Shard> onCommit) {
        this.resources = resources;
        this.target = target;
        this.format = format;
        this.timer = timer;
        this.onCommit = onCommit;
        this.rolling = spec.rolling();
        this.condition = rolling.condition();
        this.bufferBytes = spec.bufferBytes();
        boolean exact = !resources.compresses();
        this.byteLimit = exact ? Math.min(rolling.byteLimit(), rolling.writtenByteLimit()) : rolling.byteLimit();
        this.estimateLimit = exact ? RollingPolicy.UNLIMITED : rolling.writtenByteLimit();
        this.refused = new RefusedValues(spec.onError());
    }

    // --- values

    /** Whether a value can be taken now. */
    boolean hasRoom() {
        if (resources.buffered() >= bufferBytes) {
            return false;
        }
        ShardUpload<T> shard = current;
        return shard == null ? underWay.size() < MAX_UNDER_WAY : !awaitsKey || shard.displayName() != null;
    }

    /** The value that had to wait, to be written before any other. */
    @Nullable
    T takeHeld() {
        T value = held;
        held = null;
        return value;
    }

    boolean holdsValue() {
        return held != null;
    }

    /** Commits the open shard if its time has come. To be called before each value. */
    void cutOverdue() {
        ShardUpload<T> shard = current;
        if (shard != null && shard.isOverdue()) {
            commit(shard);
        }
    }

    /**
     * Writes a value, or holds it until it can be written.
     *
     * @throws RuntimeException where the writing must end
     */
    void write(T value) {
        awaitsKey = false;
        held = value; // so that it is released, whatever the user's code below throws
        ShardUpload<T> shard = current == null ? open() : current;
        if (condition != null && shard.records() > 0 && condition.test(shard.progress(), value)) {
            commit(shard);
            return;
        }
        boolean first = shard.records() == 0;
        try {
            if (!shard.encode(value, rolling.recordLimit(), byteLimit)) {
                held = value;
                commit(shard);
                return;
            }
        } catch (RuntimeException | StackOverflowError e) {
            held = null;
            refuse(value, e, shard);
            return;
        }
        held = null;
        heldIsReplacement = false;
        format.release(value);
        encoded++;
        if (first && shard.records() > 0) {
            startTimers(shard);
        }
        if (isFull(shard)) {
            commit(shard);
        }
    }

    private boolean isFull(ShardUpload<T> shard) {
        return shard.records() >= rolling.recordLimit()
                || byteLimit != RollingPolicy.UNLIMITED && shard.bytes() >= byteLimit
                || estimateLimit != RollingPolicy.UNLIMITED && shard.estimatedWrittenBytes() >= estimateLimit;
    }

    private void refuse(T value, Throwable why, ShardUpload<T> shard) {
        String name = shard.displayName();
        if (name == null) {
            awaitsKey = true;
            held = value;
            return;
        }
        long record = shard.records() + 1;
        try {
            if (heldIsReplacement) {
                throw RefusedValues.place(why, name, record, shard.bytes());
            }
            @SuppressWarnings("unchecked")
            T replacement = (T) refused.refuse(value, why, name, record, shard.bytes());
            held = replacement;
            heldIsReplacement = replacement != null;
        } finally {
            if (held != value) {
                format.release(value);
            }
        }
    }

    /** No values will come any more. */
    void end() {
        if (current != null) {
            commit(current);
        } else if (target.single()) {
            commit(open());
        }
    }

    private ShardUpload<T> open() {
        ShardUpload<T> shard = new ShardUpload<>(resources, target, format.encoder());
        underWay.add(shard);
        current = shard;
        shard.start();
        return shard;
    }

    private void commit(ShardUpload<T> shard) {
        pastBytes += shard.bytes();
        current = null;
        shard.close();
    }

    /** Mean length of a value, 0 if unknown. */
    long valueBytes() {
        return encoded == 0 ? 0 : Math.max(1, (pastBytes + (current == null ? 0 : current.bytes())) / encoded);
    }

    // --- time

    private void startTimers(ShardUpload<T> shard) {
        shard.startedNow();
        Duration age = rolling.ageLimit();
        if (age != null) {
            shard.ageTimer(timer.get().schedule(shard::setOverdue, age.toNanos(), TimeUnit.NANOSECONDS));
        }
        Duration idle = rolling.idleLimit();
        if (idle != null) {
            lastArrivalMillis = resources.nowMillis();
            checkIdleIn(idle.toMillis(), shard);
        }
    }

    private void checkIdleIn(long millis, ShardUpload<T> shard) {
        Runnable due = () -> {
            idleCheckDue = true;
            resources.wake();
        };
        shard.idleTimer(timer.get().schedule(due, Math.max(1, millis), TimeUnit.MILLISECONDS));
    }

    /** Notes that values have arrived. */
    void arrived() {
        if (rolling.idleLimit() != null) {
            lastArrivalMillis = resources.nowMillis();
        }
    }

    /** Commits the open shard if nothing has arrived for long enough. */
    void cutIdle(boolean valuesWait) {
        Duration idle = rolling.idleLimit();
        if (!idleCheckDue || idle == null) {
            return;
        }
        idleCheckDue = false;
        ShardUpload<T> shard = current;
        if (shard == null || shard.records() == 0) {
            return;
        }
        long left = valuesWait ? idle.toMillis() : lastArrivalMillis + idle.toMillis() - resources.nowMillis();
        if (left <= 0) {
            commit(shard);
        } else {
            checkIdleIn(left, shard);
        }
    }

    // --- commits

    /** Moves every shard on; what went wrong with one, if anything. */
    @Nullable
    Throwable advance() {
        Throwable error = null;
        boolean first = true;
        boolean numbered = true;
        for (Iterator<ShardUpload<T>> all = underWay.iterator(); all.hasNext(); ) {
            ShardUpload<T> shard = all.next();
            if (error != null) {
                // its predecessor is lost, so it must not be committed
                abort(shard, error);
            }
            shard.advance(first, numbered);
            // asked before the error: what the store says in between would end the shard without one
            boolean over = shard.isOver();
            Throwable own = shard.error();
            if (own != null) {
                error = error == null ? own : error;
                abort(shard, own);
                shard.advance(first, numbered);
                over = shard.isOver();
            }
            numbered = shard.displayName() != null;
            if (over) {
                all.remove();
                settle(shard);
            } else {
                first = false;
            }
        }
        ShardUpload<T> shard = current;
        if (error == null
                && shard != null
                && estimateLimit != RollingPolicy.UNLIMITED
                && shard.records() > 0
                && isFull(shard)) {
            commit(shard);
        }
        return error;
    }

    private void settle(ShardUpload<T> shard) {
        Shard done = shard.committed();
        if (done != null) {
            shards.add(done);
            onCommit.accept(done);
        }
        releasing.incrementAndGet();
        shard.release().subscribe(nothing -> {}, e -> released(), this::released, resources.context());
    }

    private void released() {
        releasing.decrementAndGet();
        resources.wake();
    }

    /** Aborts the shard that is open; a full one before it may still be committed. */
    void abortOpen(Throwable why) {
        for (ShardUpload<T> shard : underWay) {
            if (!shard.isClosed()) {
                abort(shard, why);
            }
        }
    }

    void abortAll(Throwable why) {
        underWay.forEach(shard -> abort(shard, why));
    }

    private void abort(ShardUpload<T> shard, Throwable why) {
        if (shard == current) {
            current = null;
        }
        shard.abort(why);
    }

    /** Whether no shard is under way any more. */
    boolean isSettled() {
        return underWay.isEmpty() && releasing.get() == 0;
    }

    List<Shard> shards() {
        return shards;
    }

    long rejected() {
        return refused.count();
    }
}
