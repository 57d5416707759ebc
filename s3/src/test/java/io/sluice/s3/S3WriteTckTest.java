package io.sluice.s3;

import io.sluice.storage.ObjectMeta;
import io.sluice.storage.PutMode;
import io.sluice.testing.TckTests;
import java.nio.ByteBuffer;
import org.reactivestreams.Publisher;
import org.reactivestreams.tck.PublisherVerification;
import org.reactivestreams.tck.TestEnvironment;
import reactor.core.publisher.Flux;

/** A write as a Reactive Streams publisher of what was written. */
public class S3WriteTckTest extends PublisherVerification<ObjectMeta> implements TckTests {

    private final S3ObjectStore store = S3ObjectStore.create(TestS3.client(), TestS3.newBucket(), TestS3.spec());

    /** For JUnit. */
    public S3WriteTckTest() {
        super(new TestEnvironment(5000, 50));
    }

    @Override
    public Publisher<ObjectMeta> createPublisher(long elements) {
        return store.put("object", Flux.just(ByteBuffer.allocate(10)), PutMode.OVERWRITE);
    }

    @Override
    public Publisher<ObjectMeta> createFailedPublisher() {
        return store.put("a//b", Flux.just(ByteBuffer.allocate(10)), PutMode.OVERWRITE);
    }

    @Override
    public long maxElementsFromPublisher() {
        return 1;
    }
}
