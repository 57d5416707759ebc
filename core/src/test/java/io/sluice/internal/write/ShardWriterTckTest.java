package io.sluice.internal.write;

import io.sluice.RollingPolicy;
import io.sluice.ShardWriter;
import io.sluice.WriteSpec;
import io.sluice.storage.InMemoryObjectStore;
import io.sluice.testing.TckTests;
import org.junit.jupiter.api.Nested;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import org.reactivestreams.tck.SubscriberBlackboxVerification;
import org.reactivestreams.tck.SubscriberWhiteboxVerification;
import org.reactivestreams.tck.TestEnvironment;

/** A writer is a Subscriber by the rules of the Reactive Streams specification. */
class ShardWriterTckTest {

    private static final long TIMEOUT_MILLIS = 500;
    private static final long QUIET_MILLIS = 50;

    private static ShardWriter<String> writer() {
        return ShardWriters.create(
                InMemoryObjectStore.create(),
                "a/",
                new LineFormat(),
                WriteSpec.create().rolling(RollingPolicy.maxRecords(2)));
    }

    @Nested
    class Blackbox extends SubscriberBlackboxVerification<String> implements TckTests {

        Blackbox() {
            super(new TestEnvironment(TIMEOUT_MILLIS, QUIET_MILLIS));
        }

        @Override
        public Subscriber<String> createSubscriber() {
            return writer();
        }

        @Override
        public String createElement(int element) {
            return "element " + element;
        }
    }

    @Nested
    class Whitebox extends SubscriberWhiteboxVerification<String> implements TckTests {

        Whitebox() {
            super(new TestEnvironment(TIMEOUT_MILLIS, QUIET_MILLIS));
        }

        @Override
        public Subscriber<String> createSubscriber(WhiteboxSubscriberProbe<String> probe) {
            return new Probed(writer(), probe);
        }

        @Override
        public String createElement(int element) {
            return "element " + element;
        }
    }

    /** Shows the TCK what reaches the writer. */
    private record Probed(
            ShardWriter<String> writer, SubscriberWhiteboxVerification.WhiteboxSubscriberProbe<String> probe)
            implements Subscriber<String> {

        @Override
        public void onSubscribe(Subscription s) {
            writer.onSubscribe(s);
            probe.registerOnSubscribe(new SubscriberWhiteboxVerification.SubscriberPuppet() {
                @Override
                public void triggerRequest(long elements) {
                    // the writer has requested more than that by itself
                }

                @Override
                public void signalCancel() {
                    writer.dispose();
                }
            });
        }

        @Override
        public void onNext(String value) {
            writer.onNext(value);
            probe.registerOnNext(value);
        }

        @Override
        public void onError(Throwable error) {
            writer.onError(error);
            probe.registerOnError(error);
        }

        @Override
        public void onComplete() {
            writer.onComplete();
            probe.registerOnComplete();
        }
    }
}
