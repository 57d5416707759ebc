package io.sluice;

import static io.sluice.testing.TestData.numbered;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.format.Jsonl;
import io.sluice.storage.ByteRange;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.ObjectStore;
import io.sluice.storage.PutMode;
import io.sluice.testing.ChunkedStore;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** What is read ahead, and what is not: shown by who waits for whom, not by the clock. */
@Timeout(60)
class PrefetchTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int CHUNK = 1000;

    /** Tells which objects were subscribed to, and how many bytes were sent in all. */
    private static final class Watched implements ObjectStore {
        final ChunkedStore objects = new ChunkedStore(CHUNK, Schedulers.parallel());
        final Set<String> opened = ConcurrentHashMap.newKeySet();
        final CountDownLatch secondOpened = new CountDownLatch(1);
        final AtomicLong sent = new AtomicLong();
        final AtomicLong cancels = new AtomicLong();

        @Override
        public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
            return objects.get(key, range, ifMatch)
                    .doOnSubscribe(s -> {
                        opened.add(key);
                        if (key.endsWith("1.jsonl")) {
                            secondOpened.countDown();
                        }
                    })
                    .doOnNext(b -> sent.addAndGet(b.remaining()))
                    .doOnCancel(cancels::incrementAndGet);
        }

        @Override
        public Mono<ObjectMeta> head(String key) {
            return objects.head(key);
        }

        @Override
        public Flux<ObjectMeta> list(String prefix) {
            return objects.list(prefix);
        }

        @Override
        public Mono<ObjectMeta> put(String key, Publisher<ByteBuffer> content, PutMode mode) {
            return objects.put(key, content, mode);
        }

        @Override
        public Mono<Void> delete(String key) {
            return objects.delete(key);
        }
    }

    private static Watched shards(int count) {
        Watched store = new Watched();
        for (int i = 0; i < count; i++) {
            store.objects.with("d/part-0000" + i + ".jsonl", numbered(i * 1000, i * 1000 + 1000));
        }
        return store;
    }

    /** The first record's processing does not end before the second shard's I/O has begun. */
    private static boolean secondShardIsFetchedWhileTheFirstIsProcessed(ReadSpec spec, Watched store, long waitSeconds)
            throws InterruptedException {
        CountDownLatch firstValue = new CountDownLatch(1);
        boolean[] overlapped = new boolean[1];
        Long count = Dataset.at(store, "d/", Jsonl.bytes())
                .read(spec)
                .doOnNext(v -> {
                    if (firstValue.getCount() == 1) {
                        firstValue.countDown();
                        try {
                            overlapped[0] = store.secondOpened.await(waitSeconds, TimeUnit.SECONDS);
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                        }
                    }
                })
                .count()
                .block(PATIENCE);
        assertThat(count).isEqualTo(3000);
        return overlapped[0];
    }

    @Test
    void theNextShardIsFetchedWhileThisOneIsProcessed() throws InterruptedException {
        assertThat(secondShardIsFetchedWhileTheFirstIsProcessed(
                        ReadSpec.create().parallelism(1), shards(3), 20))
                .isTrue();
    }

    @Test
    void withoutPrefetchItIsNot() throws InterruptedException {
        assertThat(secondShardIsFetchedWhileTheFirstIsProcessed(
                        ReadSpec.create().parallelism(1).prefetchBytes(0), shards(3), 1))
                .isFalse();
    }

    @Test
    void theByteBudgetIsNeverExceeded() throws InterruptedException {
        for (int budget : new int[] {10 * CHUNK, 30 * CHUNK}) {
            Watched store = shards(9);
            AtomicLong consumed = new AtomicLong();
            AtomicLong worst = new AtomicLong();
            CountDownLatch over = new CountDownLatch(1);
            Dataset.at(store, "d/", Jsonl.bytes())
                    .read(ReadSpec.create().parallelism(4).blockBytes(1024).prefetchBytes(budget))
                    .subscribe(new BaseSubscriber<>() {
                        @Override
                        protected void hookOnSubscribe(Subscription s) {
                            request(1);
                        }

                        @Override
                        protected void hookOnNext(ByteBuffer line) {
                            long ahead = store.sent.get() - consumed.get();
                            worst.accumulateAndGet(ahead, Math::max);
                            consumed.addAndGet(line.remaining() + 1);
                            // a slow subscriber: asks for more from elsewhere, when the reader has had its chance
                            Schedulers.parallel().schedule(() -> request(1));
                        }

                        @Override
                        protected void hookFinally(reactor.core.publisher.SignalType type) {
                            over.countDown();
                        }
                    });
            assertThat(over.await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(consumed.get()).isEqualTo(store.sent.get());
            assertThat(worst.get()).as("most bytes ahead of the subscriber").isLessThanOrEqualTo(budget);
            assertThat(worst.get()).as("reads ahead at all").isGreaterThan(2 * CHUNK);
        }
    }

    @Test
    void cancelStopsEverythingThatWasOpened() {
        Watched store = shards(9);
        Dataset.at(store, "d/", Jsonl.bytes())
                .read(ReadSpec.create().prefetchBytes(2 * 20 * CHUNK))
                .take(1)
                .blockLast(PATIENCE);
        long sent = store.sent.get();
        assertThat(store.opened.size()).isLessThan(9);
        assertThat(store.cancels.get()).as("cancelled of %s", store.opened).isGreaterThan(0);
        assertThat(store.sent.get()).as("nothing more is sent").isLessThanOrEqualTo(sent + CHUNK);
    }

    @Test
    void nothingIsListedOrOpenedBeforeDemand() {
        Watched store = shards(2);
        Dataset.at(store, "d/", Jsonl.bytes()).read().subscribe(new BaseSubscriber<>() {
            @Override
            protected void hookOnSubscribe(Subscription s) {
                assertThat(store.opened).isEmpty();
                s.cancel();
            }
        });
        assertThat(store.opened).isEmpty();
    }
}
