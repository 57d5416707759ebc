package io.sluice.internal.read;

import java.util.concurrent.atomic.AtomicLong;

/** Bytes that a read's stores have asked for, or that have come and wait to be read. */
final class FetchBudget {

    private final long capacity;
    private final AtomicLong used = new AtomicLong();

    FetchBudget(long capacity) {
        this.capacity = capacity;
    }

    long capacity() {
        return capacity;
    }

    boolean hasRoom() {
        return used.get() < capacity;
    }

    boolean tryTake(long bytes) {
        long now = used.get();
        while (now + bytes <= capacity) {
            if (used.compareAndSet(now, now + bytes)) {
                return true;
            }
            now = used.get();
        }
        return false;
    }

    /** Whether there is room or not. */
    void take(long bytes) {
        used.addAndGet(bytes);
    }

    void giveBack(long bytes) {
        used.addAndGet(-bytes);
    }
}
