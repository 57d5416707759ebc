package io.sluice.s3;

import io.sluice.testing.TckTests;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReference;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import org.reactivestreams.tck.SubscriberBlackboxVerification;
import org.reactivestreams.tck.TestEnvironment;

/** What an upload subscribes to its content with, as a Reactive Streams subscriber. */
public class PartFluxSubscriberTckTest extends SubscriberBlackboxVerification<ByteBuffer> implements TckTests {

    /** For JUnit. */
    public PartFluxSubscriberTckTest() {
        super(new TestEnvironment(2000, 50));
    }

    @Override
    public Subscriber<ByteBuffer> createSubscriber() {
        AtomicReference<Subscriber<? super ByteBuffer>> subscriber = new AtomicReference<>();
        Publisher<ByteBuffer> content = subscriber::set;
        new PartFlux(content, 10).subscribe(part -> {}, error -> {});
        Subscriber<? super ByteBuffer> made = subscriber.get();
        return new Subscriber<>() {
            @Override
            public void onSubscribe(org.reactivestreams.Subscription s) {
                made.onSubscribe(s);
            }

            @Override
            public void onNext(ByteBuffer bytes) {
                made.onNext(bytes);
            }

            @Override
            public void onError(Throwable error) {
                made.onError(error);
            }

            @Override
            public void onComplete() {
                made.onComplete();
            }
        };
    }

    @Override
    public ByteBuffer createElement(int element) {
        return ByteBuffer.allocate(3);
    }
}
