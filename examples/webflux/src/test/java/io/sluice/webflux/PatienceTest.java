package io.sluice.webflux;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;
import reactor.test.publisher.TestPublisher;

class PatienceTest {

    private final TestPublisher<String> source = TestPublisher.create();

    private Flux<String> patient() {
        return Patience.limit(source.flux(), Duration.ofSeconds(8), () -> new IllegalStateException("stalled"));
    }

    @Test
    void whatNothingComesOfIsGivenUp() {
        StepVerifier.withVirtualTime(this::patient, 0)
                .expectSubscription()
                .thenRequest(2)
                .expectNoEvent(Duration.ofSeconds(7))
                .then(() -> source.next("a"))
                .expectNext("a")
                .expectNoEvent(Duration.ofSeconds(7))
                .thenAwait(Duration.ofSeconds(4))
                .verifyErrorMessage("stalled");
        source.assertCancelled();
    }

    @Test
    void whoIsNotAskedHasAllTheTime() {
        StepVerifier.withVirtualTime(this::patient, 1)
                .expectSubscription()
                .then(() -> source.next("a"))
                .expectNext("a")
                .expectNoEvent(Duration.ofHours(1))
                .thenRequest(1)
                .expectNoEvent(Duration.ofSeconds(7))
                .then(() -> source.next("b"))
                .expectNext("b")
                .thenRequest(1)
                .then(source::complete)
                .verifyComplete();
    }
}
