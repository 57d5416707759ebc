package io.sluice.internal.read;

import static io.sluice.testing.TestData.numbered;

import io.sluice.Dataset;
import io.sluice.codec.Compressions;
import io.sluice.format.Jsonl;
import io.sluice.testing.ChunkedStore;
import io.sluice.testing.TckTests;
import io.sluice.testing.TestData;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Nested;
import org.reactivestreams.Publisher;
import org.reactivestreams.tck.PublisherVerification;
import org.reactivestreams.tck.TestEnvironment;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Schedulers;

/** The Reactive Streams TCK over a file, a directory, a compressed file and a failing one. */
class ReadFluxTckTest {

    private static final long MAX_ELEMENTS = 10_000;

    private abstract static class Verification extends PublisherVerification<ByteBuffer> implements TckTests {

        Verification() {
            super(new TestEnvironment(500, 50), 1000);
        }

        abstract Flux<ByteBuffer> read(int elements);

        @Override
        public Publisher<ByteBuffer> createPublisher(long elements) {
            return read((int) elements);
        }

        @Override
        public Publisher<ByteBuffer> createFailedPublisher() {
            // nothing is looked for before demand, so there is no error before it either: publishOn asks on its own
            return Dataset.at(new ChunkedStore(100, null), "missing.jsonl", Jsonl.bytes())
                    .read()
                    .publishOn(Schedulers.parallel());
        }

        @Override
        public long maxElementsFromPublisher() {
            return MAX_ELEMENTS;
        }
    }

    @Nested
    class File extends Verification {
        @Override
        Flux<ByteBuffer> read(int elements) {
            return Dataset.at(
                            new ChunkedStore(64, null).with("a.jsonl", numbered(0, elements)), "a.jsonl", Jsonl.bytes())
                    .read();
        }
    }

    @Nested
    class Directory extends Verification {
        @Override
        Flux<ByteBuffer> read(int elements) {
            ChunkedStore store = new ChunkedStore(64, Schedulers.parallel())
                    .with("d/part-00000.jsonl", numbered(0, elements / 2))
                    .with("d/part-00001.jsonl", numbered(elements / 2, elements));
            return Dataset.at(store, "d/", Jsonl.bytes()).read();
        }
    }

    @Nested
    class Compressed extends Verification {
        @Override
        Flux<ByteBuffer> read(int elements) {
            byte[] zstd = TestData.compress(Compressions.zstd(), numbered(0, elements), 100);
            return Dataset.at(new ChunkedStore(64, null).with("a.jsonl.zst", zstd), "a.jsonl.zst", Jsonl.bytes())
                    .read();
        }
    }
}
