package io.sluice.s3;

import io.sluice.storage.PutMode;
import io.sluice.testing.TckTests;
import java.nio.ByteBuffer;
import org.reactivestreams.Publisher;
import org.reactivestreams.tck.PublisherVerification;
import org.reactivestreams.tck.TestEnvironment;
import reactor.core.publisher.Flux;

/** The chunks of an object as a Reactive Streams publisher: one for each range, as ranges are shorter than a chunk. */
public class S3ReadTckTest extends PublisherVerification<ByteBuffer> implements TckTests {

    private static final int RANGE = 1000;

    private final S3ObjectStore store = S3ObjectStore.create(
            TestS3.client(), TestS3.newBucket(), TestS3.spec().rangeBytes(RANGE).rangesInFlight(4));

    /** For JUnit. */
    public S3ReadTckTest() {
        super(new TestEnvironment(5000, 50));
    }

    @Override
    public Publisher<ByteBuffer> createPublisher(long elements) {
        ByteBuffer content = ByteBuffer.allocate((int) elements * RANGE);
        store.put("object", Flux.just(content), PutMode.OVERWRITE).block();
        return store.get("object");
    }

    @Override
    public Publisher<ByteBuffer> createFailedPublisher() {
        return store.get("a//b");
    }

    @Override
    public long maxElementsFromPublisher() {
        return 500;
    }
}
