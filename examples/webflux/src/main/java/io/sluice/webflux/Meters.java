package io.sluice.webflux;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import org.springframework.stereotype.Component;

/**
 * What the service counts, and how many it lets in: {@code sluice.service.records} and {@code .bytes} (uncompressed) and {@code .open}
 * by {@code direction} (read, write), {@code sluice.service.rejected} by {@code reason} (busy, rate, limit, record, stall).
 */
@Component
class Meters {

    final Direction reads;
    final Direction writes;
    private final MeterRegistry registry;

    Meters(MeterRegistry registry, Limits limits) {
        this.registry = registry;
        this.reads = new Direction("read", limits.maxReads());
        this.writes = new Direction("write", limits.maxWrites());
    }

    void rejected(String reason) {
        registry.counter("sluice.service.rejected", "reason", reason).increment();
    }

    final class Direction {
        final Counter records;
        final Counter bytes;
        private final Semaphore room;

        Direction(String name, int most) {
            records = registry.counter("sluice.service.records", "direction", name);
            bytes = registry.counter("sluice.service.bytes", "direction", name);
            room = new Semaphore(most);
            registry.gauge(
                    "sluice.service.open",
                    java.util.List.of(io.micrometer.core.instrument.Tag.of("direction", name)),
                    room,
                    free -> most - free.availablePermits());
        }

        /** Lets one more in, until the Runnable is run; answers 503 where there are too many. */
        Runnable enter() {
            if (!room.tryAcquire()) {
                rejected("busy");
                throw Problem.busy("too many at a time");
            }
            AtomicBoolean inside = new AtomicBoolean(true);
            return () -> {
                if (inside.getAndSet(false)) {
                    room.release();
                }
            };
        }
    }
}
