package io.sluice.s3;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.SignalType;
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
                    assertThat(part.length()).isLessThanOrEqualTo(100);
                    assertThat(part.last() || part.length() == 100).isTrue();
                    assertThat(part.length() > 0 || parts.size() == 1).isTrue();
                    int before = all.size();
                    for (ByteBuffer bytes : part.pieces()) {
                        all.write(bytes.array(), 0, bytes.limit());
                    }
                    assertThat(all.size() - before).isEqualTo(part.length());
                }
                assertThat(all.toByteArray()).isEqualTo(content);
            }
        }
    }

    @Test
    void piecesGrowWithThePartAndAreNotMuchLonger() {
        byte[] content = new byte[5_000_000];
        new Random(1).nextBytes(content);
        for (int piece : new int[] {1000, 100_000, 4_000_000}) {
            PartFlux.Part part = new PartFlux(pieces(content, piece), 8_000_000).blockLast();
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            int held = 0;
            for (ByteBuffer bytes : part.pieces()) {
                held += bytes.capacity();
                all.write(bytes.array(), 0, bytes.limit());
            }
            assertThat(all.toByteArray()).isEqualTo(content);
            assertThat(held).isBetween(content.length, content.length + (1 << 20));
            assertThat(part.pieces()).hasSizeBetween(5, 12);
        }
        PartFlux.Part small = new PartFlux(pieces(content, 100).take(2), 8_000_000).blockLast();
        assertThat(small.pieces().get(0).capacity()).isEqualTo(32 << 10);
    }

    /** The caller may use it again: content is read, not kept, after the next was requested. */
    @Test
    void keepsNothingOfWhatItIsGiven() {
        ByteBuffer used = ByteBuffer.allocate(10);
        Flux<ByteBuffer> content = Flux.range(1, 5).map(i -> {
            used.clear();
            while (used.hasRemaining()) {
                used.put((byte) (int) i);
            }
            return used.flip();
        });
        PartFlux.Part part = new PartFlux(content, 100).blockLast();
        byte[] all = part.pieces().get(0).array();
        for (int i = 0; i < 50; i++) {
            assertThat(all[i]).isEqualTo((byte) (i / 10 + 1));
        }
    }

    /** As uploads do: a part that is stored asks for another while the writer emits. */
    @Test
    void demandThatComesWhileContentComesLosesNothing() throws Exception {
        int buffers = 2_000_000;
        AtomicInteger outstanding = new AtomicInteger();
        AtomicBoolean over = new AtomicBoolean();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        AtomicReference<Subscriber<? super ByteBuffer>> to = new AtomicReference<>();
        AtomicInteger received = new AtomicInteger();
        AtomicInteger misplaced = new AtomicInteger();
        BaseSubscriber<PartFlux.Part> parts = new BaseSubscriber<>() {
            @Override
            protected void hookOnSubscribe(Subscription subscription) {
                subscription.request(1);
            }

            @Override
            protected void hookOnNext(PartFlux.Part part) {
                part.pieces().forEach(piece -> {
                    while (piece.hasRemaining()) {
                        if (piece.getInt() != received.getAndIncrement()) {
                            misplaced.incrementAndGet();
                        }
                    }
                });
            }

            @Override
            protected void hookOnError(Throwable error) {
                failure.set(error);
            }

            @Override
            protected void hookFinally(SignalType type) {
                over.set(true);
            }
        };
        new PartFlux(
                        subscriber -> {
                            to.set(subscriber);
                            subscriber.onSubscribe(new Subscription() {
                                @Override
                                public void request(long n) {
                                    outstanding.addAndGet((int) n);
                                }

                                @Override
                                public void cancel() {}
                            });
                        },
                        1000)
                .subscribe(parts);
        Thread writer = new Thread(() -> {
            for (int i = 0; i < buffers; i++) {
                while (outstanding.get() == 0) {
                    Thread.yield();
                }
                outstanding.decrementAndGet();
                to.get().onNext(ByteBuffer.allocate(4).putInt(0, i));
            }
            to.get().onComplete();
        });
        writer.setDaemon(true);
        writer.start();
        while (!over.get()) {
            parts.request(1);
        }
        writer.join();
        assertThat(failure.get()).isNull();
        assertThat(received).hasValue(buffers);
        assertThat(misplaced).hasValue(0);
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
                .expectNextMatches(part -> part.length() == 50 && part.last())
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
