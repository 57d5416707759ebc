package io.sluice.arrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.Dataset;
import io.sluice.ReadSpec;
import io.sluice.SluiceException;
import io.sluice.testing.ChunkedStore;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.SignalType;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;

/** Who closes a batch, and that somebody always does. */
class OwnershipTest {

    private static final int CHAINS = Integer.getInteger("sluice.arrow.chains", 2000);
    private static final int ROWS = 400;

    private BufferAllocator allocator;
    private byte[] jsonl;
    private byte[] ipc;

    @BeforeEach
    void open() {
        allocator = new RootAllocator();
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < ROWS; i++) {
            text.append("{\"n\":").append(i).append(",\"s\":\"value ").append(i).append("\"}\n");
        }
        jsonl = text.toString().getBytes(StandardCharsets.UTF_8);
        var bytes = new java.io.ByteArrayOutputStream();
        Arrow.ipcBytes(source(0, ReadSpec.create()))
                .doOnNext(b -> bytes.write(b.array(), b.arrayOffset() + b.position(), b.remaining()))
                .blockLast();
        ipc = bytes.toByteArray();
    }

    @AfterEach
    void nothingIsLeft() {
        Batches.awaitEmpty(allocator);
        allocator.close();
    }

    private Flux<RecordBatch> source(int kind, ReadSpec spec) {
        ArrowSpec columns = ArrowSpec.create().batchRows(7);
        return switch (kind) {
            case 0 ->
                Dataset.at(
                                new ChunkedStore(900, null).with("a.jsonl", jsonl),
                                "a.jsonl",
                                Arrow.jsonl(allocator, columns))
                        .read(spec);
            case 1 ->
                Dataset.at(new ChunkedStore(900, null).with("a.arrows", ipc), "a.arrows", Arrow.ipcStream(allocator))
                        .read(spec);
            default -> Flux.range(0, 30).map(i -> Batches.random(allocator, Batches.schema(), i, 3, 2));
        };
    }

    private static long sum(RecordBatch batch) {
        if (!(batch.root().getVector("n") instanceof BigIntVector numbers)) {
            return batch.rowCount();
        }
        long sum = 0;
        for (int i = 0; i < batch.rowCount(); i++) {
            sum += numbers.get(i);
        }
        return sum;
    }

    // ---- random chains ----------------------------------------------------------------------------------------------

    private static final RuntimeException THROWN = new IllegalStateException("thrown by the test");

    /** What a user may do within the scope. */
    private static Flux<Long> use(RecordBatch batch, SplittableRandom random, Scheduler scheduler) {
        long sum = sum(batch);
        return switch (random.nextInt(8)) {
            case 0 -> Flux.just(sum);
            case 1 -> Flux.range(0, batch.rowCount()).map(i -> sum(batch) + i);
            case 2 -> Flux.empty();
            case 3 -> Flux.just(sum).publishOn(scheduler);
            case 4 -> Flux.defer(() -> Flux.just(sum(batch)));
            case 5 -> Mono.just(sum).repeat(3);
            case 6 -> random.nextInt(20) == 0 ? Flux.error(THROWN) : Flux.just(sum, sum);
            default -> {
                if (random.nextInt(30) == 0) {
                    throw THROWN;
                }
                yield Flux.just(sum).hide();
            }
        };
    }

    /** What may follow, as long as no batch gets there. */
    private static Flux<Long> operator(Flux<Long> flux, SplittableRandom random, Scheduler scheduler) {
        int n = random.nextInt(40);
        return switch (random.nextInt(16)) {
            case 0 -> flux.filter(v -> (v & 1) == 0);
            case 1 -> flux.publishOn(scheduler, 1 + random.nextInt(4));
            case 2 -> flux.flatMap(v -> Mono.just(v).publishOn(scheduler), 1 + random.nextInt(3), 1);
            case 3 -> flux.concatMap(v -> Flux.just(v, v), random.nextInt(3));
            case 4 -> flux.timeout(Duration.ofNanos(1 + random.nextInt(3_000_000)));
            case 5 -> flux.take(n);
            case 6 ->
                flux.map(v -> {
                    if (v % 97 == n) {
                        throw THROWN;
                    }
                    return v;
                });
            case 7 -> flux.subscribeOn(scheduler);
            case 8 -> flux.takeUntilOther(Mono.delay(Duration.ofNanos(1 + random.nextInt(2_000_000))));
            case 9 -> flux.onErrorResume(e -> Flux.just(-1L));
            case 10 -> flux.buffer(3).concatMapIterable(list -> list);
            case 11 -> flux.switchMap(v -> Mono.just(v).publishOn(scheduler));
            case 12 -> flux.takeWhile(v -> v < 2000);
            case 13 -> flux.retry(1);
            case 14 -> flux.onBackpressureBuffer(8).limitRate(2);
            default -> flux.mergeWith(Flux.just(5L));
        };
    }

    @Test
    void theScopedFormLosesNoBatchWhateverFollows() throws Exception {
        Scheduler scheduler = Schedulers.newParallel("chains", 2);
        reactor.core.publisher.Hooks.onErrorDropped(e -> {});
        try {
            for (int seed = 0; seed < CHAINS; seed++) {
                SplittableRandom random = new SplittableRandom(seed);
                ReadSpec spec = ReadSpec.create()
                        .blockBytes(1024)
                        .parallelism(1 + random.nextInt(3))
                        .prefetchBytes(random.nextInt(3) * 4096);
                SplittableRandom inside = random.split();
                Flux<Long> chain = Arrow.using(source(random.nextInt(3), spec), batch -> use(batch, inside, scheduler));
                for (int n = random.nextInt(4); n > 0; n--) {
                    chain = operator(chain, random, scheduler);
                }
                run(chain, random);
                Batches.awaitEmpty(allocator);
            }
        } finally {
            reactor.core.publisher.Hooks.resetOnErrorDropped();
            scheduler.dispose();
        }
    }

    /** Demand in bits, and cancel after so many values, from here or from there, or not at all. */
    private static void run(Flux<Long> chain, SplittableRandom random) throws InterruptedException {
        int cancelAfter = random.nextInt(3) == 0 ? Integer.MAX_VALUE : random.nextInt(60);
        boolean cancelHere = random.nextBoolean();
        int demand = 1 + random.nextInt(9);
        CountDownLatch over = new CountDownLatch(1);
        AtomicInteger count = new AtomicInteger();
        BaseSubscriber<Long> subscriber = new BaseSubscriber<>() {
            @Override
            protected void hookOnSubscribe(Subscription subscription) {
                request(demand);
            }

            @Override
            protected void hookOnNext(Long value) {
                int n = count.incrementAndGet();
                if (n == cancelAfter) {
                    if (cancelHere) {
                        cancel();
                    }
                    over.countDown();
                } else if (n % demand == 0) {
                    request(demand);
                }
            }

            @Override
            protected void hookOnError(Throwable e) {}

            @Override
            protected void hookFinally(SignalType type) {
                over.countDown();
            }
        };
        chain.subscribe(subscriber);
        if (cancelAfter == 0) {
            subscriber.cancel();
        }
        assertThat(over.await(20, TimeUnit.SECONDS)).isTrue();
        subscriber.cancel();
    }

    /** Operators that keep their hands on one element at a time, and pass what they drop to the discard hook. */
    private static Flux<RecordBatch> batchOperator(Flux<RecordBatch> flux, SplittableRandom random) {
        int n = random.nextInt(40);
        return switch (random.nextInt(8)) {
            case 0 -> flux.filter(batch -> batch.rowCount() != 7 || n % 2 == 0);
            case 1 -> flux.take(n);
            case 2 -> flux.skip(n % 5);
            case 3 -> flux.hide();
            case 4 -> flux.doOnNext(batch -> assertThat(batch.rowCount()).isPositive());
            case 5 -> flux.concatWith(Flux.error(THROWN));
            case 6 -> flux.onErrorResume(e -> Flux.empty());
            default -> flux.handle((batch, sink) -> sink.next(batch));
        };
    }

    @Test
    void ownersWhoCloseInTheNextStepLoseNothingWithOperatorsThatDiscard() throws Exception {
        Scheduler scheduler = Schedulers.newParallel("chains", 2);
        reactor.core.publisher.Hooks.onErrorDropped(e -> {});
        try {
            for (int seed = 0; seed < CHAINS / 2; seed++) {
                SplittableRandom random = new SplittableRandom(seed);
                ReadSpec spec = ReadSpec.create()
                        .blockBytes(1024)
                        .parallelism(1 + random.nextInt(3))
                        .prefetchBytes(random.nextInt(3) * 4096);
                Flux<RecordBatch> batches = source(random.nextInt(2), spec);
                for (int n = random.nextInt(4); n > 0; n--) {
                    batches = batchOperator(batches, random);
                }
                Flux<Long> chain = batches.map(batch -> {
                            try (batch) {
                                return sum(batch);
                            }
                        })
                        .doOnDiscard(RecordBatch.class, RecordBatch::close);
                for (int n = random.nextInt(4); n > 0; n--) {
                    chain = operator(chain, random, scheduler);
                }
                run(chain, random);
                Batches.awaitEmpty(allocator);
            }
        } finally {
            reactor.core.publisher.Hooks.resetOnErrorDropped();
            scheduler.dispose();
        }
    }

    /** Why the documentation recommends the scope: a batch that ends {@code takeWhile} is handed to nobody. */
    @Test
    void someOfReactorsOperatorsLoseBatchesAndTheScopeDoesNot() {
        List<RecordBatch> made = new ArrayList<>();
        source(2, ReadSpec.create())
                .doOnNext(made::add)
                .takeWhile(batch -> made.size() < 3)
                .doOnNext(RecordBatch::close)
                .doOnDiscard(RecordBatch.class, RecordBatch::close)
                .blockLast();
        assertThat(allocator.getAllocatedMemory()).as("lost by takeWhile").isPositive();
        assertThat(made.get(2).isClosed()).isFalse();
        made.get(2).close();
        assertThat(allocator.getAllocatedMemory()).isZero();

        List<Integer> counts = Arrow.using(source(2, ReadSpec.create()), batch -> Mono.just(batch.rowCount()))
                .index()
                .takeWhile(indexed -> indexed.getT1() < 2)
                .map(indexed -> indexed.getT2())
                .collectList()
                .block();
        assertThat(counts).containsExactly(3, 3);
        assertThat(allocator.getAllocatedMemory()).isZero();
    }

    // ---- the scope --------------------------------------------------------------------------------------------------

    @Test
    void batchesAreClosedBeforeTheNextIsAskedFor() {
        List<RecordBatch> seen = new ArrayList<>();
        StepVerifier.create(
                        Arrow.using(source(2, ReadSpec.create()), batch -> {
                            assertThat(seen).allMatch(RecordBatch::isClosed);
                            seen.add(batch);
                            return Flux.just(1, 2);
                        }),
                        0)
                .expectSubscription()
                .then(() -> assertThat(seen).isEmpty())
                .thenRequest(1)
                .expectNext(1)
                .then(() -> assertThat(seen).hasSize(1).noneMatch(RecordBatch::isClosed))
                .thenRequest(2)
                .expectNext(2, 1)
                .then(() -> assertThat(seen).hasSize(2).first().matches(RecordBatch::isClosed))
                .thenRequest(Long.MAX_VALUE)
                .expectNextCount(57)
                .verifyComplete();
        assertThat(seen).hasSize(30).allMatch(RecordBatch::isClosed);
        assertThat(allocator.getAllocatedMemory()).isZero();
    }

    @Test
    void cancelClosesTheBatchThatWaitsAndNotOneThatIsLookedAt() throws Exception {
        // waits: the inner publisher has not answered
        AtomicReference<RecordBatch> held = new AtomicReference<>();
        Sinks.One<Integer> never = Sinks.one();
        StepVerifier.create(Arrow.using(source(2, ReadSpec.create()), batch -> {
                    held.set(batch);
                    return never.asMono();
                }))
                .expectSubscription()
                .then(() -> assertThat(held.get().isClosed()).isFalse())
                .thenCancel()
                .verify();
        assertThat(held.get().isClosed()).isTrue();
        // is looked at: cancel comes from another thread while the function is at work
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch cancelled = new CountDownLatch(1);
        AtomicReference<Boolean> open = new AtomicReference<>();
        var disposable = Arrow.using(source(2, ReadSpec.create()), batch -> {
                    inside.countDown();
                    try {
                        cancelled.await(20, TimeUnit.SECONDS);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    open.set(!batch.isClosed());
                    return Mono.just(1);
                })
                .subscribeOn(Schedulers.boundedElastic())
                .subscribe();
        assertThat(inside.await(20, TimeUnit.SECONDS)).isTrue();
        Thread canceller = new Thread(disposable::dispose);
        canceller.start();
        canceller.join();
        cancelled.countDown();
        Batches.awaitEmpty(allocator);
        // an interrupt may have let it go on early; closed under its hands it must not have been
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (open.get() == null && System.nanoTime() < deadline) {
            Thread.yield();
        }
        assertThat(open.get()).isTrue();
    }

    @Test
    void demandThatComesWhileTheFunctionsPublisherSubscribesCountsOnce() throws Exception {
        int rounds = 10_000;
        RecordBatch batch = Batches.random(allocator, Batches.schema(), 1, 3, 2);
        // two threads spin for each other, so that both calls are made within some nanoseconds
        AtomicReference<Subscription> inside = new AtomicReference<>();
        Thread more = new Thread(() -> {
            for (int round = 0; round < rounds; round++) {
                Subscription subscription = inside.getAndSet(null);
                for (int spins = 1; subscription == null; spins++) {
                    pause(spins);
                    subscription = inside.getAndSet(null);
                }
                subscription.request(1);
            }
        });
        more.setDaemon(true);
        more.start();
        for (int round = 0; round < rounds; round++) {
            int delay = round % 16;
            AtomicLong asked = new AtomicLong();
            AtomicReference<Subscription> downstream = new AtomicReference<>();
            Publisher<Long> made = subscriber -> {
                inside.set(downstream.get());
                for (int i = 0; i < delay; i++) {
                    Thread.onSpinWait();
                }
                subscriber.onSubscribe(new Subscription() {
                    @Override
                    public void request(long n) {
                        asked.addAndGet(n);
                    }

                    @Override
                    public void cancel() {}
                });
            };
            Arrow.using(Flux.just(batch), b -> made).subscribe(new BaseSubscriber<>() {
                @Override
                protected void hookOnSubscribe(Subscription subscription) {
                    downstream.set(subscription);
                    subscription.request(1);
                }
            });
            for (int spins = 1; inside.get() != null || asked.get() < 2; spins++) {
                pause(spins);
            }
            assertThat(asked.get()).isEqualTo(2);
        }
        more.join();
        assertThat(batch.isClosed()).isFalse();
        batch.close();
    }

    private static void pause(int spins) {
        if (spins % 1000 == 0) {
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
    }

    @Test
    void errorsEndAllAndComeAfterWhatWasMadeBefore() {
        Flux<RecordBatch> failing = source(2, ReadSpec.create()).take(2).concatWith(Flux.error(THROWN));
        StepVerifier.create(Arrow.using(failing, batch -> Mono.just(batch.rowCount())))
                .expectNext(3, 3)
                .verifyErrorMessage(THROWN.getMessage());
        StepVerifier.create(Arrow.using(
                        source(2, ReadSpec.create()), batch -> Flux.just(1).concatWith(Mono.error(THROWN))))
                .expectNext(1)
                .verifyErrorMessage(THROWN.getMessage());
        StepVerifier.create(Arrow.using(source(2, ReadSpec.create()), batch -> {
                    throw THROWN;
                }))
                .verifyErrorMessage(THROWN.getMessage());
    }

    @Test
    void fusedAndEmptyAndAsynchronousInnersGiveTheSame() {
        List<Long> expected = Arrow.using(source(0, ReadSpec.create()), batch -> Mono.just(sum(batch)))
                .collectList()
                .block();
        assertThat(expected).hasSize((ROWS + 6) / 7);
        assertThat(expected.stream().mapToLong(v -> v).sum()).isEqualTo((long) ROWS * (ROWS - 1) / 2);
        assertThat(Arrow.using(
                                source(0, ReadSpec.create()),
                                batch -> Flux.just(sum(batch)).publishOn(Schedulers.parallel()))
                        .collectList()
                        .block())
                .isEqualTo(expected);
        assertThat(Arrow.using(source(0, ReadSpec.create()), batch -> Mono.empty())
                        .collectList()
                        .block())
                .isEmpty();
        Batches.awaitEmpty(allocator);
    }

    // ---- a full allocator -------------------------------------------------------------------------------------------

    @Test
    void aFullAllocatorIsAnErrorThatSaysWhatToDo() {
        for (long limit = 512; limit <= 1 << 20; limit *= 2) {
            try (BufferAllocator small = new RootAllocator(limit)) {
                Flux<Long> sums = Arrow.using(
                        Dataset.at(new ChunkedStore(900, null).with("a.jsonl", jsonl), "a.jsonl", Arrow.jsonl(small))
                                .read(),
                        batch -> Mono.just(sum(batch)));
                try {
                    assertThat(sums.blockLast()).isEqualTo((long) ROWS * (ROWS - 1) / 2);
                } catch (SluiceException e) {
                    assertThat(e).hasMessageContaining("limit " + limit).hasMessageContaining("raise its limit");
                }
                Batches.awaitEmpty(small);
            }
        }
        // batches that nobody closes fill it, and the error comes instead of the batch that no longer fits
        try (BufferAllocator small = new RootAllocator(5_000)) {
            List<RecordBatch> kept = new ArrayList<>();
            assertThatThrownBy(() -> Dataset.at(
                                    new ChunkedStore(900, null).with("a.jsonl", jsonl),
                                    "a.jsonl",
                                    Arrow.jsonl(small, ArrowSpec.create().batchRows(2)))
                            .read()
                            .doOnNext(kept::add)
                            .blockLast())
                    .isInstanceOf(SluiceException.class)
                    .hasMessageContaining("close");
            assertThat(kept).isNotEmpty();
            kept.forEach(RecordBatch::close);
            Batches.awaitEmpty(small);
        }
    }
}
