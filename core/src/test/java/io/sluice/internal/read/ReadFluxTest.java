package io.sluice.internal.read;

import static io.sluice.testing.TestData.numbered;
import static io.sluice.testing.TestData.numberedLines;
import static io.sluice.testing.TestData.text;
import static org.assertj.core.api.Assertions.assertThat;

import com.github.luben.zstd.Zstd;
import io.sluice.Dataset;
import io.sluice.ReadSpec;
import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.BlockEmitter;
import io.sluice.codec.FormatReader;
import io.sluice.format.Jsonl;
import io.sluice.storage.ByteRange;
import io.sluice.storage.ObjectMeta;
import io.sluice.testing.ChunkedStore;
import io.sluice.testing.LinesWrapper;
import io.sluice.testing.StoreWrapper;
import io.sluice.testing.TestData;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Subscription;
import reactor.core.Scannable;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
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
            assertThat(over.await(20, TimeUnit.SECONDS))
                    .as("round %d, seen %d of %d", round, seen.get(), stopAfter)
                    .isTrue();
            assertThat(wrong).hasValue(0);
        }
    }

    /** Waking a thread for every block would take half the time of decoding it. */
    @Test
    void severalWorkersStayAtTheirWork() {
        AtomicInteger tasks = new AtomicInteger();
        Queue<Runnable> waiting = new ArrayDeque<>();
        ChunkedStore store = new ChunkedStore(4096, null).with("a.jsonl", numbered(0, 20_000));
        AtomicInteger values = new AtomicInteger();
        Dataset.at(store, "a.jsonl", Jsonl.bytes())
                .read(byHand(waiting, tasks).parallelism(2).blockBytes(4096))
                .doOnNext(value -> {
                    if (values.getAndIncrement() % 300 == 0) {
                        takeLongerThanIsWorthAnotherThread();
                    }
                })
                .subscribe();
        runAll(waiting);
        assertThat(values).hasValue(20_000);
        assertThat(tasks.get()).as("tasks for some 50 blocks").isLessThan(15);
    }

    @Test
    void framesNoMoreThanTwoBlocksForEachWorkerAhead() {
        Queue<Runnable> waiting = new ArrayDeque<>();
        ChunkedStore store = new ChunkedStore(4096, null).with("a.jsonl", numbered(0, 20_000));
        AtomicReference<Subscription> reading = new AtomicReference<>();
        Dataset.at(store, "a.jsonl", Jsonl.bytes())
                .read(byHand(waiting, new AtomicInteger()).parallelism(3).blockBytes(1024))
                .subscribe(holding(reading));
        runAll(waiting);
        assertThat(framed(reading.get())).isEqualTo(6);
    }

    private static Object framed(Subscription reading) {
        return Scannable.from(reading)
                .parents()
                .filter(parent -> parent instanceof ReadSubscription)
                .findFirst()
                .orElseThrow()
                .scan(Scannable.Attr.BUFFERED);
    }

    /** Else, each would wait until the other has decompressed its block. */
    @Test
    void theWorkerThatDecompressesGoesOnWhileOthersHaveWork() {
        Queue<Runnable> waiting = new ArrayDeque<>();
        ChunkedStore store = new ChunkedStore(4096, null)
                .with("d/part-00000.jsonl.zst", Zstd.compress(numbered(0, 20_000)))
                .with("d/part-00001.jsonl", numbered(20_000, 40_000));
        AtomicReference<Subscription> reading = new AtomicReference<>();
        List<Object> framedWhenDecoding = new ArrayList<>();
        LinesWrapper watched = new LinesWrapper() {
            @Override
            protected FormatReader<Object[], ByteBuffer> reader(
                    FormatReader<Object[], ByteBuffer> lines, List<Block> sample) {
                return new Reader(lines) {
                    @Override
                    public BlockDecoder<Object[]> decoder() {
                        BlockDecoder<Object[]> decoder = super.decoder();
                        return block -> {
                            framedWhenDecoding.add(framed(reading.get()));
                            return decoder.decode(block);
                        };
                    }
                };
            }
        };
        Dataset.at(store, "d/", watched)
                .read(byHand(waiting, new AtomicInteger()).parallelism(2).blockBytes(4096))
                .subscribe(holding(reading));
        runAll(waiting);
        assertThat(framedWhenDecoding.get(0)).isEqualTo(5);
        assertThat(framed(reading.get())).isEqualTo(8);

        reading.get().request(Long.MAX_VALUE);
        runAll(waiting);
        assertThat(framedWhenDecoding.get(framedWhenDecoding.size() - 1))
                .isEqualTo(1); // of a file that is not compressed
    }

    @Test
    @Timeout(value = 20, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void cancelWithBlocksInStockEndsAllWorkers() {
        for (int parallelism = 1; parallelism <= 3; parallelism++) {
            Queue<Runnable> waiting = new ArrayDeque<>();
            AtomicInteger closed = new AtomicInteger();
            StoreWrapper store =
                    new StoreWrapper(new ChunkedStore(4096, null)
                            .with("a.jsonl.zst", Zstd.compress(numbered(0, 20_000)))
                            .with("a.jsonl", numbered(0, 20_000))) {
                        @Override
                        public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
                            return super.get(key, range, ifMatch).doFinally(end -> closed.incrementAndGet());
                        }
                    };
            AtomicReference<Subscription> reading = new AtomicReference<>();
            AtomicInteger decoded = new AtomicInteger();
            LinesWrapper cancelling = new LinesWrapper() {
                @Override
                public int sampleBytes() {
                    return 50_000;
                }

                @Override
                protected FormatReader<Object[], ByteBuffer> reader(
                        FormatReader<Object[], ByteBuffer> lines, List<Block> sample) {
                    return new Reader(lines) {
                        @Override
                        public BlockDecoder<Object[]> decoder() {
                            BlockDecoder<Object[]> decoder = super.decoder();
                            return block -> {
                                if (decoded.incrementAndGet() == 2) {
                                    reading.get().cancel();
                                }
                                return decoder.decode(block);
                            };
                        }
                    };
                }
            };
            for (String key : List.of("a.jsonl", "a.jsonl.zst")) {
                decoded.set(0);
                Dataset.at(store, key, cancelling)
                        .read(byHand(waiting, new AtomicInteger())
                                .parallelism(parallelism)
                                .blockBytes(4096))
                        .subscribe(holding(reading));
                runAll(waiting);
                assertThat(decoded).as("%s, %s workers", key, parallelism).hasValue(2);
            }
            assertThat(closed).hasValue(2);
        }
    }

    @Test
    void cancelStopsAReadThatWaitsForItsStore() {
        AtomicInteger stopped = new AtomicInteger();
        StoreWrapper silent = new StoreWrapper(new ChunkedStore(64, null).with("a.jsonl", numbered(0, 1))) {
            @Override
            public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
                return Flux.<ByteBuffer>never().doOnCancel(stopped::incrementAndGet);
            }
        };
        Queue<Runnable> waiting = new ArrayDeque<>();
        AtomicReference<Subscription> reading = new AtomicReference<>();
        Dataset.at(silent, "a.jsonl", Jsonl.bytes())
                .read(byHand(waiting, new AtomicInteger()))
                .subscribe(holding(reading));
        runAll(waiting);
        reading.get().cancel();
        runAll(waiting);
        assertThat(stopped).hasValue(1);
    }

    @Test
    void cancelStopsAListing() {
        AtomicInteger stopped = new AtomicInteger();
        StoreWrapper silent = new StoreWrapper(new ChunkedStore(64, null)) {
            @Override
            public Flux<ObjectMeta> list(String prefix) {
                return Flux.<ObjectMeta>never().doOnCancel(stopped::incrementAndGet);
            }
        };
        AtomicReference<Subscription> reading = new AtomicReference<>();
        Dataset.at(silent, "d/", Jsonl.bytes()).read().subscribe(holding(reading));
        reading.get().cancel();
        assertThat(stopped).hasValue(1);
    }

    /** A last step may hold what is not the garbage collector's to free. */
    @Test
    void cancelClosesTheLastStepOfAReadThatIsIdle() {
        AtomicInteger closed = new AtomicInteger();
        LinesWrapper watched = new LinesWrapper() {
            @Override
            protected FormatReader<Object[], ByteBuffer> reader(
                    FormatReader<Object[], ByteBuffer> lines, List<Block> sample) {
                return new Reader(lines) {
                    @Override
                    public BlockEmitter<Object[], ByteBuffer> emitter() {
                        return new Emitter(lines.emitter()) {
                            @Override
                            public void close() {
                                closed.incrementAndGet();
                                super.close();
                            }
                        };
                    }
                };
            }
        };
        Queue<Runnable> waiting = new ArrayDeque<>();
        AtomicReference<Subscription> reading = new AtomicReference<>();
        Dataset.at(new ChunkedStore(4096, null).with("a.jsonl", numbered(0, 1000)), "a.jsonl", watched)
                .read(byHand(waiting, new AtomicInteger()))
                .subscribe(holding(reading));
        runAll(waiting);
        assertThat(closed).hasValue(0);
        reading.get().cancel();
        assertThat(closed).hasValue(1);
    }

    /** Every task waits until the test runs it: what happens is the same every time. */
    private static ReadSpec byHand(Queue<Runnable> waiting, AtomicInteger tasks) {
        return ReadSpec.create().scheduler(Schedulers.fromExecutor(task -> {
            tasks.incrementAndGet();
            waiting.add(task);
        }));
    }

    private static void runAll(Queue<Runnable> waiting) {
        for (Runnable task = waiting.poll(); task != null; task = waiting.poll()) {
            task.run();
        }
    }

    /** Requests one value, and no more. */
    private static BaseSubscriber<ByteBuffer> holding(AtomicReference<Subscription> reading) {
        return new BaseSubscriber<>() {
            @Override
            protected void hookOnSubscribe(Subscription subscription) {
                reading.set(subscription);
                request(1);
            }
        };
    }

    private static void takeLongerThanIsWorthAnotherThread() {
        long until = System.nanoTime() + 2_000_000;
        while (System.nanoTime() < until) {
            Thread.onSpinWait();
        }
    }
}
