package io.sluice.s3;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;
import reactor.test.publisher.TestPublisher;

class PartFluxTest {

    private static Flux<ByteBuffer> pieces(byte[] content, int size) {
        return Flux.range(0, (content.length + size - 1) / size)
                .map(i -> ByteBuffer.wrap(content, i * size, Math.min(size, content.length - i * size)));
    }

    @Test
    void cutsContentOfAnySizeInPiecesOfAnySize() {
        for (int length : new int[] {0, 1, 99, 100, 101, 199, 200, 201, 1000, 1001}) {
            byte[] content = new byte[length];
            new Random(length).nextBytes(content);
            for (int piece : new int[] {1, 2, 3, 7, 100, 5000}) {
                List<PartFlux.Part> parts =
                        new PartFlux(pieces(content, piece), 100).collectList().block();
                ByteArrayOutputStream all = new ByteArrayOutputStream();
                for (PartFlux.Part part : parts) {
                    assertThat(part.number()).isEqualTo(parts.indexOf(part) + 1);
                    assertThat(part.offset()).isEqualTo(all.size());
                    assertThat(part.last()).isEqualTo(part == parts.get(parts.size() - 1));
                    assertThat(part.bytes().remaining()).isLessThanOrEqualTo(100);
                    assertThat(part.last() || part.bytes().remaining() == 100).isTrue();
                    assertThat(part.bytes().hasRemaining() || parts.size() == 1).isTrue();
                    all.write(part.bytes().array(), 0, part.bytes().limit());
                }
                assertThat(all.toByteArray()).isEqualTo(content);
            }
        }
    }

    @Test
    void asksForContentOnlyWhereAPartIsWanted() {
        TestPublisher<ByteBuffer> content = TestPublisher.create();
        StepVerifier.create(new PartFlux(content.flux(), 100), 0)
                .expectSubscription()
                .then(() -> content.assertWasNotRequested())
                .thenRequest(1)
                .then(() -> content.assertMaxRequested(1))
                .then(() -> content.next(ByteBuffer.allocate(250)))
                .expectNextMatches(part -> part.number() == 1 && !part.last())
                .then(() -> content.assertMaxRequested(1))
                .thenRequest(1)
                .expectNextMatches(part -> part.number() == 2 && !part.last())
                .thenRequest(1)
                .then(content::complete)
                .expectNextMatches(part -> part.bytes().remaining() == 50 && part.last())
                .verifyComplete();
    }

    @Test
    void passesErrorsAndCancelsOn() {
        TestPublisher<ByteBuffer> content = TestPublisher.create();
        StepVerifier.create(new PartFlux(content.flux(), 100))
                .then(() -> content.next(ByteBuffer.allocate(50)))
                .then(() -> content.error(new IllegalStateException("broken")))
                .verifyErrorMessage("broken");
        TestPublisher<ByteBuffer> cancelled = TestPublisher.create();
        StepVerifier.create(new PartFlux(cancelled.flux(), 100)).thenCancel().verify();
        cancelled.assertCancelled();
    }

    @Test
    void tenThousandPartsAreEnoughForTerabytes() {
        long all = 0;
        for (int number = 1; number <= 10_000; number++) {
            all += PartFlux.partBytes(S3StoreSpec.DEFAULT_PART_BYTES, number);
        }
        assertThat(all).isGreaterThan(400L << 30);
        assertThat(PartFlux.partBytes(S3StoreSpec.DEFAULT_PART_BYTES, 2000)).isEqualTo(8 << 20);
        assertThat(PartFlux.partBytes(Integer.MAX_VALUE, 10_000)).isEqualTo(Integer.MAX_VALUE);
    }
}
