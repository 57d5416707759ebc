package io.sluice.internal.read;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** How much has been framed and not been emitted yet. */
final class SlotWindow {

    private final AtomicInteger slots = new AtomicInteger();
    private final AtomicLong bytes = new AtomicLong();

    int slots() {
        return slots.get();
    }

    /** Whether another slot fits; the first always does, so that reading gets on. */
    boolean admits(long more, long max) {
        return slots.get() == 0 || bytes.get() + more <= max;
    }

    void add(long charge) {
        bytes.addAndGet(charge);
        slots.incrementAndGet();
    }

    void remove(long charge) {
        bytes.addAndGet(-charge);
        slots.decrementAndGet();
    }
}
