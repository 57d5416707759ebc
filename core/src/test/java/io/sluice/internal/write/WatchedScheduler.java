package io.sluice.internal.write;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.scheduler.Scheduler;

/** Counts the workers that were made of it, and the tasks delayed by a second or more that nobody has let go of. */
final class WatchedScheduler implements Scheduler {

    final AtomicInteger workers = new AtomicInteger();
    final AtomicInteger workersDisposed = new AtomicInteger();
    final AtomicInteger timersHeld = new AtomicInteger();

    private final Scheduler inner;

    WatchedScheduler(Scheduler inner) {
        this.inner = inner;
    }

    @Override
    public Disposable schedule(Runnable task) {
        return inner.schedule(task);
    }

    @Override
    public long now(TimeUnit unit) {
        return inner.now(unit);
    }

    @Override
    public Worker createWorker() {
        workers.incrementAndGet();
        Worker worker = inner.createWorker();
        return new Worker() {
            @Override
            public Disposable schedule(Runnable task) {
                return worker.schedule(task);
            }

            @Override
            public Disposable schedule(Runnable task, long delay, TimeUnit unit) {
                Disposable timer = worker.schedule(task, delay, unit);
                if (unit.toMillis(delay) < 1000) {
                    return timer;
                }
                timersHeld.incrementAndGet();
                Disposable letGo = () -> timersHeld.decrementAndGet();
                return Disposables.composite(timer, letGo);
            }

            @Override
            public void dispose() {
                workersDisposed.incrementAndGet();
                worker.dispose();
            }
        };
    }
}
