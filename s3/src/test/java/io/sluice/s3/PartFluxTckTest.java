package io.sluice.s3;

import io.sluice.testing.TckTests;
import java.nio.ByteBuffer;
import org.reactivestreams.Publisher;
import org.reactivestreams.tck.PublisherVerification;
import org.reactivestreams.tck.TestEnvironment;
import reactor.core.publisher.Flux;

/** The parts of an upload as a Reactive Streams publisher. */
public class PartFluxTckTest extends PublisherVerification<PartFlux.Part> implements TckTests {

    /** For JUnit. */
    public PartFluxTckTest() {
        super(new TestEnvironment(2000, 50));
    }

    @Override
    public Publisher<PartFlux.Part> createPublisher(long elements) {
        // there is no upload without a part; a limit ends what would otherwise have one empty part
        return new PartFlux(Flux.range(0, (int) elements).map(i -> ByteBuffer.allocate(1)), 1).take(elements);
    }

    @Override
    public Publisher<PartFlux.Part> createFailedPublisher() {
        return new PartFlux(Flux.error(new IllegalStateException("as planned")), 1);
    }

    @Override
    public long maxElementsFromPublisher() {
        return 2000;
    }
}
