package io.sluice.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import reactor.test.StepVerifier;
import reactor.test.publisher.TestPublisher;
import reactor.test.scheduler.VirtualTimeScheduler;

class DemandTimeoutTest {

    private static final Duration SILENCE = Duration.ofSeconds(30);
    private static final Duration PAUSE = Duration.ofSeconds(10);

    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final TestPublisher<Integer> source = TestPublisher.create();
    private final AtomicBoolean releasable = new AtomicBoolean(true);
    private final DemandTimeout<Integer> guarded = new DemandTimeout<>(source, SILENCE, PAUSE, releasable::get, time);

    @Test
    void subscribesOnTheFirstRequestOnly() {
        StepVerifier.create(guarded, 0)
                .then(() -> time.advanceTimeBy(Duration.ofDays(1)))
                .then(source::assertNoSubscribers)
                .thenRequest(3)
                .then(() -> source.assertSubscribers(1).assertMinRequested(3).assertMaxRequested(3))
                .then(() -> source.next(1, 2).complete())
                .expectNext(1, 2)
                .verifyComplete();
        assertThat(time.getScheduledTaskCount()).as("alarms").isLessThan(5);
    }

    @Test
    void raisesWhenTheSourceIsSilent() {
        StepVerifier.create(guarded, 5)
                .then(() -> time.advanceTimeBy(SILENCE.minusMillis(1)))
                .then(() -> source.next(1))
                .expectNext(1)
                .then(() -> time.advanceTimeBy(SILENCE.minusMillis(1)))
                .then(source::assertNotCancelled)
                .then(() -> time.advanceTimeBy(Duration.ofMillis(1)))
                .verifyError(TimeoutException.class);
        source.assertCancelled();
    }

    @Test
    void doesNotBlameTheSourceForAPause() {
        releasable.set(false);
        StepVerifier.create(guarded, 1)
                .then(() -> source.next(1))
                .expectNext(1)
                .then(() -> time.advanceTimeBy(Duration.ofDays(1)))
                .then(source::assertNotCancelled)
                .thenRequest(1)
                .then(() -> time.advanceTimeBy(SILENCE.minusMillis(1)))
                .then(source::assertNotCancelled)
                .then(() -> time.advanceTimeBy(Duration.ofMillis(1)))
                .verifyError(TimeoutException.class);
    }

    @Test
    void releasesTheSourceInAPause() {
        StepVerifier.create(guarded, 1)
                .then(() -> source.next(1))
                .expectNext(1)
                .then(() -> time.advanceTimeBy(PAUSE.minusMillis(1)))
                .then(source::assertNotCancelled)
                .then(() -> time.advanceTimeBy(Duration.ofMillis(1)))
                .verifyError(DemandTimeout.Released.class);
        source.assertCancelled();
    }

    @Test
    void ringsNoMoreAfterTheEnd() {
        StepVerifier.create(guarded, 1).then(() -> source.complete()).verifyComplete();
        StepVerifier.create(guarded, 1).thenCancel().verify();
        source.assertCancelled();
        time.advanceTimeBy(Duration.ofDays(1));
    }
}
