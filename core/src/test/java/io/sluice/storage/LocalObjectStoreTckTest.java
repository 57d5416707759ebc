package io.sluice.storage;

import io.sluice.testing.TckTests;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.reactivestreams.Publisher;
import org.reactivestreams.tck.PublisherVerification;
import org.reactivestreams.tck.TestEnvironment;

/** The chunks of a file as a Reactive Streams publisher. */
public class LocalObjectStoreTckTest extends PublisherVerification<ByteBuffer> implements TckTests {

    @TempDir
    Path root;

    /** For JUnit. */
    public LocalObjectStoreTckTest() {
        super(new TestEnvironment(2000, 50));
    }

    @Override
    public Publisher<ByteBuffer> createPublisher(long elements) {
        try (RandomAccessFile file = new RandomAccessFile(root.resolve("file").toFile(), "rw")) {
            file.setLength(elements * LocalObjectStore.CHUNK_BYTES); // sparse
        } catch (IOException error) {
            throw new AssertionError(error);
        }
        return LocalObjectStore.at(root).get("file");
    }

    @Override
    public Publisher<ByteBuffer> createFailedPublisher() {
        return LocalObjectStore.at(root).get("a//b");
    }

    @Override
    public long maxElementsFromPublisher() {
        return 100_000;
    }
}
