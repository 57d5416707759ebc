package io.sluice.internal.write;

import io.sluice.WriteSpec;
import java.lang.invoke.VarHandle;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import reactor.util.concurrent.Queues;

/**
 * The values that a writer has received and not encoded, and how many more it may request. One thread offers (the
 * upstream's), one polls (the drain's).
 *
 * <p>To keep {@code onNext} cheap, the drain is woken for every so-many-th value only. While values keep coming it looks
 * for the rest itself, after a linger; only when it has found nothing it goes idle, and the first value after that wakes it
 * at once.
 */
final class ValueQueue<T> {

    /** Demand as long as nothing is known about the size of the records. */
    private static final int FIRST_DEMAND = 32;
    /** Values between two wake-ups of the drain, at most. */
    private static final int MAX_BATCH = 64;
    /** The part of the buffered bytes that the values here may be worth, once encoded: one in so many. */
    private static final int SHARE = 4;

    private final Queue<T> queue;
    private final int capacity;
    private final long capacityBytes;

    private volatile int batch = 1;
    private volatile boolean idle = true;

    /** The upstream thread's: values since it last woke the drain. */
    private int unannounced;

    // the drain's
    private long demanded;
    private long polled;
    private long polledAtLinger;

    /** @param maxValues the most values that the format lets wait */
    ValueQueue(WriteSpec spec, int maxValues) {
        this.capacity = Math.min(spec.bufferRecords(), maxValues);
        this.capacityBytes = spec.bufferBytes() / SHARE;
        this.queue = Queues.<T>get(Math.max(2, capacity)).get();
    }

    /** False if there is no room: the upstream sent more than was requested. */
    boolean offer(T value) {
        return queue.offer(value);
    }

    /** To be asked after each {@link #offer}: whether the drain must be woken for it. */
    boolean mustWake() {
        // the drain, about to go idle, must see the value, or we must see that it is idle
        VarHandle.fullFence();
        if (idle || ++unannounced >= batch) {
            unannounced = 0;
            idle = false;
            return true;
        }
        return false;
    }

    /** From now on every value wakes the drain: it only discards them. */
    void wakeAlways() {
        batch = 1;
    }

    @Nullable
    T poll() {
        T value = queue.poll();
        if (value != null) {
            polled++;
        }
        return value;
    }

    boolean isEmpty() {
        return queue.isEmpty();
    }

    int size() {
        return queue.size();
    }

    long polled() {
        return polled;
    }

    /**
     * How many values to request now, 0 if it is not worth it yet.
     *
     * @param valueBytes mean length of a value, 0 if unknown
     */
    long demand(long valueBytes) {
        long wanted = valueBytes == 0 ? FIRST_DEMAND : Math.max(1, capacityBytes / valueBytes);
        wanted = Math.min(wanted, capacity);
        long missing = wanted - (demanded - polled);
        if (missing <= 0 || missing < wanted / 4) {
            return 0;
        }
        batch = (int) Math.max(1, Math.min(MAX_BATCH, wanted / 4));
        demanded += missing;
        return missing;
    }

    /** After a linger: false if values came meanwhile, so that it is worth to linger again; true if the queue is idle now. */
    boolean rest() {
        if (polled != polledAtLinger) {
            polledAtLinger = polled;
            return false;
        }
        idle = true;
        VarHandle.fullFence();
        if (!queue.isEmpty()) {
            idle = false;
        }
        return idle;
    }

    boolean isIdle() {
        return idle;
    }
}
