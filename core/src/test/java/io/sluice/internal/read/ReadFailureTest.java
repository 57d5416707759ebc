package io.sluice.internal.read;

import static io.sluice.testing.TestData.numbered;
import static io.sluice.testing.TestData.numberedLines;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.Dataset;
import io.sluice.ErrorPolicy;
import io.sluice.ReadSpec;
import io.sluice.SluiceException;
import io.sluice.StorageException;
import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.BlockEmitter;
import io.sluice.codec.BlockOrigin;
import io.sluice.codec.FormatReader;
import io.sluice.storage.ByteRange;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.ObjectStore;
import io.sluice.testing.ChunkedStore;
import io.sluice.testing.LinesWrapper;
import io.sluice.testing.StoreWrapper;
import io.sluice.testing.TestData;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;

/** Stores and formats that misbehave, or behave as few do: the stream ends, with the right error, and nothing is kept. */
@Timeout(60)
class ReadFailureTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final ChunkedStore store = new ChunkedStore(64, null);

    private static List<String> lines(Flux<ByteBuffer> read) {
        return read.map(TestData::text).collectList().block(PATIENCE);
    }

    // ---- formats

    @Test
    void aDecoderThatCannotBeMadeEndsTheRead() {
        store.with("a.jsonl", numbered(0, 10));
        LinesWrapper format = new LinesWrapper() {
            @Override
            protected FormatReader<Object[], ByteBuffer> reader(
                    FormatReader<Object[], ByteBuffer> lines, List<Block> sample) {
                return new Reader(lines) {
                    @Override
                    public BlockDecoder<Object[]> decoder() {
                        throw new SluiceException(null, -1, -1, "no decoder", null);
                    }
                };
            }
        };
        for (int parallelism : new int[] {1, 3}) {
            assertThatThrownBy(() -> Dataset.at(store, "a.jsonl", format)
                            .read(ReadSpec.create().parallelism(parallelism))
                            .blockLast(PATIENCE))
                    .isInstanceOfSatisfying(
                            SluiceException.class, e -> assertThat(e.key()).isEqualTo("a.jsonl"))
                    .hasMessageContaining("no decoder");
        }
    }

    @Test
    void aReaderThatCannotBeMadeEndsTheRead() {
        store.with("a.jsonl", numbered(0, 10));
        LinesWrapper format = new LinesWrapper() {
            @Override
            protected FormatReader<Object[], ByteBuffer> reader(
                    FormatReader<Object[], ByteBuffer> lines, List<Block> sample) {
                throw new IllegalStateException("no reader");
            }
        };
        StepVerifier.create(Dataset.at(store, "a.jsonl", format).read())
                .expectErrorMessage("no reader")
                .verify(PATIENCE);
    }

    /** Counts last steps made and closed. */
    private static final class Counting extends LinesWrapper {
        final AtomicInteger made = new AtomicInteger();
        final AtomicInteger closed = new AtomicInteger();
        Runnable whenReaderIsMade = () -> {};

        @Override
        protected FormatReader<Object[], ByteBuffer> reader(
                FormatReader<Object[], ByteBuffer> lines, List<Block> sample) {
            whenReaderIsMade.run();
            return new Reader(lines) {
                @Override
                public BlockEmitter<Object[], ByteBuffer> emitter() {
                    made.incrementAndGet();
                    return new Emitter(super.emitter()) {
                        private boolean over;

                        @Override
                        public void close() {
                            if (!over) {
                                over = true;
                                closed.incrementAndGet();
                            }
                        }
                    };
                }
            };
        }
    }

    @Test
    void theLastStepIsClosedHoweverTheReadEnds() {
        store.with("a.jsonl", numbered(0, 10))
                .with("bad.jsonl.gz", "x".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        Counting format = new Counting();
        lines(Dataset.at(store, "a.jsonl", format).read());
        lines(Dataset.at(store, "a.jsonl", format).read().take(2));
        lines(Dataset.at(store, "bad.jsonl.gz", format).read().onErrorComplete());
        assertThat(format.made).hasValue(3);
        assertThat(format.closed).hasValue(3);
    }

    @Test
    void aCancelWhileTheReaderIsMadeLeavesNoLastStepOpen() {
        store.with("a.jsonl", numbered(0, 10));
        Counting format = new Counting();
        AtomicReference<Subscription> subscription = new AtomicReference<>();
        format.whenReaderIsMade = () -> subscription.get().cancel();
        Dataset.at(store, "a.jsonl", format)
                .read(ReadSpec.create().scheduler(Schedulers.immediate()))
                .subscribe(new BaseSubscriber<>() {
                    @Override
                    protected void hookOnSubscribe(Subscription s) {
                        subscription.set(s);
                        s.request(1);
                    }
                });
        assertThat(format.closed.get()).isEqualTo(format.made.get());
    }

    @Test
    void aReplacementIsRefusedWhereValuesAreHeldBack() {
        store.with("a.jsonl", numbered(0, 10));
        AtomicInteger closed = new AtomicInteger();
        LinesWrapper batches = new LinesWrapper() {
            @Override
            protected FormatReader<Object[], ByteBuffer> reader(
                    FormatReader<Object[], ByteBuffer> lines, List<Block> sample) {
                return new Reader(lines) {
                    @Override
                    public BlockEmitter<Object[], ByteBuffer> emitter() {
                        return new Emitter(super.emitter()) {
                            @Override
                            public boolean holdsBack() {
                                return true;
                            }

                            @Override
                            public void close() {
                                closed.incrementAndGet();
                            }
                        };
                    }
                };
            }
        };
        Dataset<ByteBuffer> dataset = Dataset.at(store, "a.jsonl", batches);
        assertThatThrownBy(() -> dataset.read(ReadSpec.create().onError(ErrorPolicy.replace(r -> null)))
                        .blockLast(PATIENCE))
                .isInstanceOf(SluiceException.class)
                .hasMessageContaining("ErrorPolicy.replace");
        assertThat(closed.get()).isPositive();
        assertThat(lines(dataset.read(ReadSpec.create().onError(ErrorPolicy.skip()))))
                .hasSize(10);
    }

    @Test
    void aFatalErrorOnTheEmittingSideEndsTheRead() {
        store.with("a.jsonl", numbered(0, 1000));
        LinesWrapper format = new LinesWrapper() {
            @Override
            protected FormatReader<Object[], ByteBuffer> reader(
                    FormatReader<Object[], ByteBuffer> lines, List<Block> sample) {
                return new Reader(lines) {
                    @Override
                    public BlockEmitter<Object[], ByteBuffer> emitter() {
                        return new Emitter(super.emitter()) {
                            @Override
                            public void accept(BlockOrigin origin, Object[] values, int from, int to) {
                                throw new NoClassDefFoundError("gone");
                            }
                        };
                    }
                };
            }
        };
        StepVerifier.create(Dataset.at(store, "a.jsonl", format)
                        .read(ReadSpec.create().blockBytes(1024)))
                .expectErrorSatisfies(e ->
                        assertThat(e).isInstanceOf(NoClassDefFoundError.class).hasMessage("gone"))
                .verify(PATIENCE);
        assertThat(store.cancelled).as("the store's stream").hasValue(1);
    }

    // ---- stores

    @Test
    void aStoreMayAnswerLate() {
        store.with("a.jsonl", numbered(0, 100));
        ObjectStore late = new StoreWrapper(store) {
            @Override
            public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
                Flux<ByteBuffer> content = inner.get(key, range, ifMatch);
                // the subscription itself comes from another thread, after the first request
                Publisher<ByteBuffer> onSubscribeLater =
                        subscriber -> Schedulers.parallel().schedule(() -> content.subscribe(subscriber));
                return Flux.from(onSubscribeLater);
            }
        };
        for (int round = 0; round < 50; round++) {
            assertThat(lines(Dataset.at(late, "a.jsonl", new LinesWrapper()).read()))
                    .isEqualTo(numberedLines(100));
        }
    }

    @Test
    void aStoreWithoutMetadataIsAnErrorNotAnEmptyDataSet() {
        ObjectStore silent = new StoreWrapper(store.with("a.jsonl", numbered(0, 10))) {
            @Override
            public Mono<ObjectMeta> head(String key) {
                return Mono.empty();
            }
        };
        assertThatThrownBy(() ->
                        Dataset.at(silent, "a.jsonl", new LinesWrapper()).read().blockLast(PATIENCE))
                .isInstanceOfSatisfying(StorageException.class, e -> {
                    assertThat(e.kind()).isEqualTo(StorageException.Kind.NOT_FOUND);
                    assertThat(e.key()).isEqualTo("a.jsonl");
                });
    }

    @Test
    void aStoreThatThrowsIsAnErrorOfItsShardAfterTheOnesBefore() {
        store.with("d/part-00000.jsonl", numbered(0, 500)).with("d/part-00001.jsonl", numbered(500, 600));
        ObjectStore throwing = new StoreWrapper(store) {
            @Override
            public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
                if (key.endsWith("1.jsonl")) {
                    throw new IllegalArgumentException("no such region");
                }
                return inner.get(key, range, ifMatch);
            }
        };
        List<String> seen = new ArrayList<>();
        assertThatThrownBy(() -> Dataset.at(throwing, "d/", new LinesWrapper())
                        .read(ReadSpec.create().blockBytes(1024))
                        .doOnNext(line -> seen.add(TestData.text(line)))
                        .blockLast(PATIENCE))
                .isInstanceOfSatisfying(
                        StorageException.class, e -> assertThat(e.key()).isEqualTo("d/part-00001.jsonl"))
                .hasMessageContaining("no such region");
        assertThat(seen).isEqualTo(numberedLines(500));
    }

    @Test
    void aRequestAfterACancelStartsNothing() {
        AtomicInteger asked = new AtomicInteger();
        ObjectStore watched = new StoreWrapper(store.with("a.jsonl", numbered(0, 10))) {
            @Override
            public Mono<ObjectMeta> head(String key) {
                return inner.head(key).doOnSubscribe(s -> asked.incrementAndGet());
            }
        };
        Dataset.at(watched, "a.jsonl", new LinesWrapper()).read().subscribe(new BaseSubscriber<>() {
            @Override
            protected void hookOnSubscribe(Subscription s) {
                s.cancel();
                s.request(1);
            }
        });
        assertThat(asked).hasValue(0);
    }
}
