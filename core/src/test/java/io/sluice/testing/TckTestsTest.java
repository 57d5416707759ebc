package io.sluice.testing;

import org.reactivestreams.Publisher;
import org.reactivestreams.tck.PublisherVerification;
import org.reactivestreams.tck.TestEnvironment;
import reactor.core.publisher.Flux;

/** The way to run the TCK here, shown on a publisher that passes it. */
class TckTestsTest extends PublisherVerification<Integer> implements TckTests {

    TckTestsTest() {
        super(new TestEnvironment(200, 50), 100);
    }

    @Override
    public Publisher<Integer> createPublisher(long elements) {
        return Flux.range(0, (int) elements);
    }

    @Override
    public Publisher<Integer> createFailedPublisher() {
        return Flux.error(new IllegalStateException("failed on purpose"));
    }
}
