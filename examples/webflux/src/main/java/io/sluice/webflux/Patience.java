package io.sluice.webflux;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Gives up on a source from which nothing comes for too long. Unlike {@link Flux#timeout(Duration)}, time runs only while something is
 * asked for: a source that has to wait for its subscriber has done nothing wrong.
 */
final class Patience {

    /** In which time is counted: a source is given up between its time and a quarter more. */
    private static final int TICKS = 4;

    private Patience() {}

    static <T> Flux<T> limit(Flux<T> source, Duration time, Supplier<RuntimeException> error) {
        return Flux.defer(() -> {
            AtomicLong asked = new AtomicLong();
            AtomicInteger quiet = new AtomicInteger();
            AtomicBoolean stalled = new AtomicBoolean();
            Flux<Long> tooLong = Flux.interval(time.dividedBy(TICKS)).filter(tick -> {
                if (asked.get() == 0) {
                    quiet.set(0);
                } else if (quiet.getAndIncrement() == TICKS) {
                    stalled.set(true);
                }
                return stalled.get();
            });
            return source.doOnNext(value -> {
                        asked.decrementAndGet();
                        quiet.set(0);
                    })
                    .doOnRequest(more -> asked.accumulateAndGet(more, (a, b) -> a + b < 0 ? Long.MAX_VALUE : a + b))
                    .takeUntilOther(tooLong) // which cancels the source when this emits, and not when it fails
                    .concatWith(Mono.defer(() -> stalled.get() ? Mono.error(error.get()) : Mono.empty()));
        });
    }
}
