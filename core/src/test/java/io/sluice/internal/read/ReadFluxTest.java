package io.sluice.internal.read;

import static io.sluice.testing.TestData.numbered;
import static io.sluice.testing.TestData.numberedLines;
import static io.sluice.testing.TestData.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.Dataset;
import io.sluice.ReadSpec;
import io.sluice.format.Jsonl;
import io.sluice.testing.ChunkedStore;
import io.sluice.testing.TestData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Subscription;
import reactor.core.Disposable;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;

@Timeout(60)
class ReadFluxTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 100, 4096, 1 << 20})
    void readsAllShardsInOrderAtEveryChunkSize(int chunk) {
        for (boolean async : new boolean[] {false, true}) {
            ChunkedStore store = new ChunkedStore(chunk, async ? Schedulers.parallel() : null)
                    .with("d/part-00000.jsonl", numbered(0, 500))
                    .with("d/part-00001.jsonl", new byte[0])
                    .with("d/part-00002.jsonl", numbered(500, 501))
                    .with("d/part-00010.jsonl", numbered(501, 1000));
            for (int parallelism : new int[] {1, 2, 5}) {
                for (long prefetch : new long[] {0, 4096, 8 << 20}) {
                    ReadSpec spec = ReadSpec.create()
                            .parallelism(parallelism)
                            .prefetchBytes(prefetch)
                            .blockBytes(1024);
                    List<String> read = Dataset.at(store, "d/", Jsonl.bytes())
                            .read(spec)
                            .map(TestData::text)
                            .collectList()
                            .block(PATIENCE);
                    assertThat(read).isEqualTo(numberedLines(1000));
                }
            }
        }
    }

    @Test
    void nothingIsOpenedBeforeDemandAndDemandIsExact() {
        ChunkedStore store = new ChunkedStore(64, Schedulers.parallel()).with("a.jsonl", numbered(0, 100));
        StepVerifier.create(Dataset.at(store, "a.jsonl", Jsonl.bytes()).read().map(TestData::text), 0)
                .expectSubscription()
                .then(() -> assertThat(store.opened).hasValue(0))
                .thenRequest(1)
                .expectNext("{\"n\":0}")
                .thenRequest(2)
                .expectNext("{\"n\":1}", "{\"n\":2}")
                .thenCancel()
                .verify(PATIENCE);
        assertThat(store.opened).hasValue(1);
    }

    @Test
    void completesWithTheLastRequestedValue() {
        ChunkedStore store = new ChunkedStore(64, null).with("a.jsonl", numbered(0, 3));
        StepVerifier.create(Dataset.at(store, "a.jsonl", Jsonl.bytes()).read().map(TestData::text), 3)
                .expectNext("{\"n\":0}", "{\"n\":1}", "{\"n\":2}")
                .expectComplete()
                .verify(PATIENCE);
    }

    @Test
    void limitStopsReading() {
        ChunkedStore store = new ChunkedStore(64, null).with("a.jsonl", numbered(0, 100_000));
        assertThat(Dataset.at(store, "a.jsonl", Jsonl.bytes())
                        .read(ReadSpec.create().limit(7))
                        .count()
                        .block(PATIENCE))
                .isEqualTo(7);
        assertThat(store.cancelled).hasValue(1);
    }

    @Test
    void survivesRandomCancelsAndRequests() throws InterruptedException {
        Random random = new Random(42);
        ChunkedStore store = new ChunkedStore(100, Schedulers.parallel());
        for (int i = 0; i < 20; i++) {
            store.with("d/part-%05d.jsonl".formatted(i), numbered(i * 100, i * 100 + 100));
        }
        for (int round = 0; round < 2000; round++) {
            int stopAfter = random.nextInt(2100);
            int batch = 1 + random.nextInt(50);
            boolean cancelElsewhere = random.nextBoolean();
            CountDownLatch over = new CountDownLatch(1);
            AtomicInteger seen = new AtomicInteger();
            AtomicInteger wrong = new AtomicInteger();
            Dataset.at(store, "d/", Jsonl.bytes())
                    .read(ReadSpec.create()
                            .parallelism(1 + random.nextInt(4))
                            .blockBytes(1024)
                            .prefetchBytes(random.nextInt(3) * 4096L))
                    .subscribe(new BaseSubscriber<>() {
                        @Override
                        protected void hookOnSubscribe(Subscription s) {
                            request(batch);
                        }

                        @Override
                        protected void hookOnNext(ByteBuffer value) {
                            int n = seen.getAndIncrement();
                            if (!text(value).equals("{\"n\":" + n + "}")) {
                                wrong.incrementAndGet();
                            }
                            if (n + 1 == stopAfter) {
                                if (cancelElsewhere) {
                                    Schedulers.parallel().schedule(() -> {
                                        cancel();
                                        over.countDown();
                                    });
                                } else {
                                    cancel();
                                    over.countDown();
                                }
                            } else if ((n + 1) % batch == 0) {
                                if ((n & 1) == 0) {
                                    request(batch);
                                } else {
                                    Schedulers.parallel().schedule(() -> request(batch));
                                }
                            }
                        }

                        @Override
                        protected void hookOnComplete() {
                            over.countDown();
                        }

                        @Override
                        protected void hookOnError(Throwable t) {
                            wrong.incrementAndGet();
                            over.countDown();
                        }
                    });
            if (stopAfter > 0 || true) {
                assertThat(over.await(20, TimeUnit.SECONDS))
                        .as("round %d, seen %d of %d", round, seen.get(), stopAfter)
                        .isTrue();
            }
            assertThat(wrong).hasValue(0);
        }
    }

    /** Waking a thread for every block would take half the time of decoding it. */
    @Test
    void severalWorkersStayAtTheirWork(@TempDir Path dir) throws IOException {
        Path file = Files.write(dir.resolve("a.jsonl"), numbered(0, 2_000_000));
        int blocks = (int) (Files.size(file) / (64 << 10));
        AtomicInteger tasks = new AtomicInteger();
        Scheduler counting = new Scheduler() {
            @Override
            public Disposable schedule(Runnable task) {
                tasks.incrementAndGet();
                return Schedulers.boundedElastic().schedule(task);
            }

            @Override
            public Worker createWorker() {
                return Schedulers.boundedElastic().createWorker();
            }
        };
        ReadSpec spec = ReadSpec.create().parallelism(2).blockBytes(64 << 10).scheduler(counting);
        assertThat(Dataset.at(file, Jsonl.maps()).read(spec).count().block(PATIENCE))
                .isEqualTo(2_000_000);
        assertThat(tasks.get()).isLessThan(blocks * 6 / 10);
    }
}
