package io.sluice.s3;

import java.util.concurrent.atomic.AtomicLong;

/** The bytes that all reads of a store together may still fetch ahead. */
final class ReadAhead {

    private final AtomicLong free;

    ReadAhead(long bytes) {
        this.free = new AtomicLong(bytes);
    }

    boolean tryTake(long bytes) {
        long now = free.get();
        while (now >= bytes) {
            if (free.compareAndSet(now, now - bytes)) {
                return true;
            }
            now = free.get();
        }
        return false;
    }

    void giveBack(long bytes) {
        free.addAndGet(bytes);
    }

    long free() {
        return free.get();
    }
}
