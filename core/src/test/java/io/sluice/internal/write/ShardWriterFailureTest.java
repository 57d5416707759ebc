package io.sluice.internal.write;

import static io.sluice.testing.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.sluice.ErrorPolicy;
import io.sluice.RecordException;
import io.sluice.RollingPolicy;
import io.sluice.Shard;
import io.sluice.ShardWriter;
import io.sluice.StorageException;
import io.sluice.WriteAbortedException;
import io.sluice.WriteResult;
import io.sluice.WriteSpec;
import io.sluice.codec.Compressions;
import io.sluice.codec.Encoder;
import io.sluice.codec.Output;
import io.sluice.storage.LocalObjectStore;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.ObjectStore;
import io.sluice.storage.PutMode;
import io.sluice.testing.Folders;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;
import reactor.test.publisher.TestPublisher;

/** What is left when something goes wrong: the committed shards, whole, and nothing else. */
class ShardWriterFailureTest {

    private final GatedStore store = new GatedStore();
    private final LineFormat format = new LineFormat();

    private static Flux<String> records(int n) {
        return Flux.range(0, n).map(i -> "record " + i);
    }

    private static WriteSpec spec() {
        return WriteSpec.create().rolling(RollingPolicy.maxRecords(5));
    }

    private Throwable failure(Flux<String> values, String location, WriteSpec spec) {
        Throwable error = catchThrowable(
                () -> ShardWriters.write(values, store, location, format, spec).block(Duration.ofSeconds(30)));
        assertThat(error).as("failure").isNotNull();
        return error;
    }

    @Test
    void anUpstreamErrorKeepsTheFullShards_andOnlyThose() {
        IllegalStateException why = new IllegalStateException("upstream");

        Throwable error = failure(records(12).concatWith(Mono.error(why)), "a/", spec());

        assertThat(error).isSameAs(why);
        assertThat(WriteAbortedException.committedBefore(error))
                .extracting(Shard::key)
                .containsExactly("a/part-00000.txt", "a/part-00001.txt");
        assertThat(Stored.keys(store)).containsExactly("a/part-00000.txt", "a/part-00001.txt");
        assertThat(Stored.lines(store, "a/part-00001.txt")).hasSize(5);
        assertThat(format.released).hasValue(12);
        assertThat(format.openEncoders).hasValue(0);
    }

    @Test
    void valuesThatAreNotWrittenAnyMoreAreDiscarded() throws InterruptedException {
        Scheduler one = Schedulers.newBoundedElastic(1, 1000, "one");
        try {
            CountDownLatch allSent = new CountDownLatch(1);
            one.schedule(() -> {
                try {
                    allSent.await(30, TimeUnit.SECONDS); // all of them are queued before the writer looks
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            List<String> discarded = Collections.synchronizedList(new ArrayList<>());

            StepVerifier.create(ShardWriters.write(
                                    Flux.just("a", "!refused", "b", "c").doOnComplete(allSent::countDown),
                                    store,
                                    "a/",
                                    format,
                                    spec().scheduler(one))
                            .doOnDiscard(String.class, discarded::add))
                    .expectError(io.sluice.RecordException.class)
                    .verify(Duration.ofSeconds(30));

            assertThat(discarded).containsExactly("b", "c");
            assertThat(format.released).hasValue(4);
        } finally {
            one.dispose();
        }
    }

    @Test
    void anUpstreamErrorLeavesNothingOfAFile() {
        failure(
                records(50_000).concatWith(Mono.error(new IllegalStateException())),
                "a.txt",
                WriteSpec.create().flushBytes(1000));
        assertThat(Stored.keys(store)).isEmpty();
        // it had begun to write
        assertThat(store.calls).contains("put a.txt");
    }

    @Test
    void committedFailsWithTheResult() {
        ShardWriter<String> writer = ShardWriters.create(store, "a/", format, spec());
        records(7).concatWith(Mono.error(new IllegalStateException("upstream"))).subscribe(writer);

        List<Shard> seen = new ArrayList<>();
        Throwable error =
                catchThrowable(() -> writer.committed().doOnNext(seen::add).blockLast());
        assertThat(error).hasMessage("upstream");
        assertThat(seen).hasSize(1).isEqualTo(WriteAbortedException.committedBefore(error));
    }

    @Test
    void aShardThatIsFullWhenTheUpstreamFailsIsStillCommitted() {
        Sinks.One<ObjectMeta> gate = Sinks.one();
        AtomicBoolean failed = new AtomicBoolean();
        store.put = (key, result) -> result.delayUntil(meta -> gate.asMono());
        ShardWriter<String> writer = ShardWriters.create(store, "a/", format, spec());
        writer.result().subscribe(r -> {}, e -> failed.set(true));
        records(7).concatWith(Mono.error(new IllegalStateException("upstream"))).subscribe(writer);
        gate.tryEmitEmpty();

        assertThat(catchThrowable(() -> writer.result().block())).hasMessage("upstream");
        assertThat(Stored.keys(store)).containsExactly("a/part-00000.txt");
    }

    @Test
    void aShardThatIsFullWhenAValueIsRefusedIsStillCommitted() {
        Sinks.One<ObjectMeta> gate = Sinks.one();
        store.put = (key, result) -> result.delayUntil(meta -> gate.asMono());
        ShardWriter<String> writer = ShardWriters.create(store, "a/", format, spec());
        records(5).concatWith(Flux.just("!refused", "more")).subscribe(writer);
        gate.tryEmitEmpty();

        Throwable error = catchThrowable(() -> writer.result().block(Duration.ofSeconds(30)));
        assertThat(error).isInstanceOf(RecordException.class).hasMessageContaining("part-00001");
        assertThat(WriteAbortedException.committedBefore(error)).hasSize(1);
        assertThat(Stored.keys(store)).containsExactly("a/part-00000.txt");
    }

    @Test
    void aStoreThatThrowsIsAnErrorAndNoHang() {
        store.content = (key, bytes) -> Flux.from(subscriber -> bytes.subscribe(new CoreSubscriber<>() {
            @Override
            public void onSubscribe(Subscription s) {
                subscriber.onSubscribe(s);
            }

            @Override
            public void onNext(ByteBuffer buffer) {
                throw new IllegalStateException("thrown by the store");
            }

            @Override
            public void onError(Throwable e) {
                subscriber.onError(e);
            }

            @Override
            public void onComplete() {
                subscriber.onComplete();
            }
        }));
        assertThat(failure(records(3), "a/", spec())).hasMessage("thrown by the store");
        assertThat(Stored.keys(store)).isEmpty();
    }

    @Test
    void aFailedPutEndsTheWritingAndCancelsTheUpstream() {
        store.put = (key, result) -> key.endsWith("2.txt")
                ? Mono.error(new StorageException(StorageException.Kind.NETWORK, key, "reset", null))
                : result;
        TestPublisher<String> source = TestPublisher.create();
        ShardWriter<String> writer = ShardWriters.create(store, "a/", format, spec());
        source.subscribe(writer);
        for (int i = 0; i < 17; i++) {
            source.next("record " + i);
        }

        Throwable error = catchThrowable(() -> writer.result().block(Duration.ofSeconds(30)));
        assertThat(error)
                .isInstanceOf(StorageException.class)
                .hasMessageContaining("part-00002")
                .hasMessageContaining("reset");
        assertThat(WriteAbortedException.committedBefore(error)).hasSize(2);
        source.assertCancelled();
        assertThat(Stored.keys(store)).containsExactly("a/part-00000.txt", "a/part-00001.txt");
    }

    @Test
    void aShardAfterALostOneIsNotCommitted() {
        Sinks.One<ObjectMeta> gate = Sinks.one();
        store.put = (key, result) ->
                key.endsWith("0.txt") ? result.then(gate.asMono()).then(Mono.error(new IOException("disk"))) : result;
        ShardWriter<String> writer = ShardWriters.create(store, "a/", format, spec());
        TestPublisher<String> source = TestPublisher.create();
        source.subscribe(writer);
        for (int i = 0; i < 10; i++) {
            source.next("record " + i);
        }
        source.complete();
        gate.tryEmitEmpty();

        assertThat(catchThrowable(() -> writer.result().block(Duration.ofSeconds(30))))
                .hasRootCauseMessage("disk");
        assertThat(Stored.keys(store)).doesNotContain("a/part-00001.txt");
    }

    @Test
    void aPutThatEndsWithoutTheContentIsAnError() {
        store.put = (key, result) -> Mono.just(new ObjectMeta(key, 0, null, null));

        assertThat(failure(records(3), "a/", spec())).isInstanceOf(StorageException.class);
    }

    @Test
    void aStoreThatHasLostBytesIsNotBelieved() {
        store.put = (key, result) -> key.endsWith("part-00001.txt")
                ? result.map(meta -> new ObjectMeta(key, meta.size() - 1, meta.etag(), null))
                : result;

        Throwable failure = failure(records(9), "a/", spec());

        assertThat(failure)
                .isInstanceOf(StorageException.class)
                .hasMessageContaining("part-00001.txt")
                .hasMessageContaining("that it was given");
        assertThat(WriteAbortedException.committedBefore(failure)).hasSize(1);
        assertThat(Stored.keys(store)).doesNotContain("a/part-00002.txt");
    }

    @Test
    void aClaimThatCantBeMadeEndsTheWriting() {
        store.other = (call, result) -> call.startsWith("put a/_claims")
                ? Mono.error(new StorageException(StorageException.Kind.ACCESS_DENIED, "a/", "no", null))
                : result;

        assertThat(failure(records(3), "a/", spec())).hasMessageContaining("no");
        assertThat(Stored.keys(store)).isEmpty();
    }

    @Test
    void aDirectoryThatCantBeListedEndsTheWriting() {
        store.other = (call, result) -> call.startsWith("list")
                ? Mono.error(new StorageException(StorageException.Kind.ACCESS_DENIED, "a/", "no", null))
                : result;

        assertThat(failure(Flux.empty(), "a/", spec())).hasMessageContaining("no");
        assertThat(failure(records(3), "a/", spec())).hasMessageContaining("no");
    }

    @Test
    void aClaimThatStaysIsNoError() {
        store.other = (call, result) -> call.startsWith("delete") ? Mono.error(new IOException("no")) : result;

        WriteResult result =
                ShardWriters.write(records(7), store, "a/", format, spec()).block();

        assertThat(result.shards()).hasSize(2);
        assertThat(Stored.keys(store))
                .containsExactly(
                        "a/_claims/part-00000", "a/_claims/part-00001", "a/part-00000.txt", "a/part-00001.txt");
    }

    @Test
    void anEncoderThatBreaksInTheEndIsAnError() {
        LineFormat broken = new LineFormat() {
            @Override
            public Encoder<String> encoder() {
                return new LineEncoder() {
                    @Override
                    public void finish(Output out) {
                        throw new IllegalStateException("footer");
                    }
                };
            }
        };
        assertThat(catchThrowable(() -> ShardWriters.write(records(3), store, "a/", broken, spec())
                        .block(Duration.ofSeconds(30))))
                .hasMessage("footer");
        assertThat(Stored.keys(store)).isEmpty();
        assertThat(broken.openEncoders).hasValue(0);
    }

    @Test
    void aCancelledWriteCancelsItsSource_andLeavesNothing() {
        TestPublisher<String> source = TestPublisher.create();
        Disposable write = ShardWriters.write(source.flux(), store, "a.txt", format, WriteSpec.create())
                .subscribe();
        source.next("a", "b");
        write.dispose();

        source.assertCancelled();
        assertThat(Stored.keys(store)).isEmpty();
    }

    @Test
    void aDisposedWriterSaysSo() {
        ShardWriter<String> writer = ShardWriters.create(store, "a/", format, spec());
        records(7).concatWith(Flux.never()).subscribe(writer);
        writer.committed().blockFirst();
        writer.dispose();

        Throwable error = catchThrowable(() -> writer.result().block(Duration.ofSeconds(30)));
        assertThat(error).isInstanceOf(CancellationException.class);
        assertThat(WriteAbortedException.committedBefore(error)).hasSize(1);
        assertThat(Stored.keys(store)).containsExactly("a/part-00000.txt");
        assertThat(format.openEncoders).hasValue(0);
    }

    @Test
    void disposedBeforeItIsSubscribed() {
        ShardWriter<String> writer = ShardWriters.create(store, "a/", format, spec());
        writer.dispose();
        TestPublisher<String> source = TestPublisher.create();
        source.subscribe(writer);

        source.assertCancelled();
        assertThat(catchThrowable(() -> writer.result().block(Duration.ofSeconds(30))))
                .isInstanceOf(CancellationException.class);
        assertThat(store.calls).isEmpty();
    }

    @Test
    void aShardWhoseCommitFailedKeepsItsNumber() {
        // the store had the whole shard: it may have committed it, so nobody else may take that number
        store.put = (key, result) ->
                result.then(Mono.error(new StorageException(StorageException.Kind.NETWORK, key, "reset", null)));
        failure(records(5), "a/", spec());

        assertThat(Stored.keys(store)).contains("a/_claims/part-00000");
    }

    @Test
    void aCommitUnderWayIsLetFinishWhenTheWriterIsDisposedOf() {
        Sinks.One<ObjectMeta> gate = Sinks.one();
        Sinks.One<String> committing = Sinks.one();
        store.put = (key, result) -> result.delayUntil(meta -> {
            committing.tryEmitValue(key);
            return gate.asMono();
        });
        ShardWriter<String> writer = ShardWriters.create(store, "a/", format, spec());
        records(12).concatWith(Flux.never()).subscribe(writer);
        assertThat(committing.asMono().block(Duration.ofSeconds(30))).isEqualTo("a/part-00000.txt");
        writer.dispose();
        gate.tryEmitEmpty();

        Throwable error = catchThrowable(() -> writer.result().block(Duration.ofSeconds(30)));
        assertThat(WriteAbortedException.committedBefore(error))
                .extracting(Shard::key)
                .containsExactly("a/part-00000.txt");
        assertThat(Stored.keys(store)).containsExactly("a/part-00000.txt");
    }

    @Test
    void aDisposedSchedulerIsAnErrorAndNoHang() {
        Scheduler scheduler = Schedulers.newBoundedElastic(2, 10, "gone");
        ShardWriter<String> writer = ShardWriters.create(store, "a/", format, spec().scheduler(scheduler));
        scheduler.dispose();
        records(7).subscribe(writer);

        assertThat(catchThrowable(() -> writer.result().block(Duration.ofSeconds(30))))
                .isNotNull();
        assertThat(format.released.get()).isPositive();
    }

    @Test
    void aFileThatExistsIsFoundBeforeAnythingIsWritten() {
        store.inner
                .put("out.txt", Flux.just(ByteBuffer.wrap(new byte[] {'x'})), PutMode.CREATE)
                .block();

        assertThat(failure(records(10), "out.txt", WriteSpec.create()))
                .isInstanceOfSatisfying(
                        StorageException.class,
                        e -> assertThat(e.kind()).isEqualTo(StorageException.Kind.ALREADY_EXISTS));
        assertThat(store.calls).doesNotContain("put out.txt");
    }

    @Test
    void aFileThatAppearsMeanwhileIsNotReplaced() {
        store.inner
                .put("out.txt", Flux.just(ByteBuffer.wrap(new byte[] {'x'})), PutMode.CREATE)
                .block();
        store.other = (call, result) -> call.startsWith("head ") ? Mono.empty() : result;

        assertThat(failure(records(10), "out.txt", WriteSpec.create()))
                .isInstanceOfSatisfying(
                        StorageException.class,
                        e -> assertThat(e.kind()).isEqualTo(StorageException.Kind.ALREADY_EXISTS));
        assertThat(Stored.bytes(store, "out.txt")).containsExactly('x');
    }

    @Test
    void theContextReachesTheStore() {
        List<Object> seen = java.util.Collections.synchronizedList(new ArrayList<>());
        store.put = (key, result) -> Mono.deferContextual(context -> {
            seen.add(context.get("who") + " put");
            return result;
        });
        store.other = (call, result) -> Mono.deferContextual(context -> {
            seen.add(context.get("who") + " " + call.substring(0, 3));
            return result;
        });
        ShardWriters.write(records(3), store, "a/", format, WriteSpec.create())
                .contextWrite(context -> context.put("who", "me"))
                .block(Duration.ofSeconds(30));

        assertThat(seen)
                .contains("me put", "me lis", "me del")
                .allMatch(s -> s.toString().startsWith("me "));
    }

    @Test
    void everyValueIsReleased_whateverOfTheUsersThrows() {
        Supplier<RuntimeException> no = () -> new IllegalStateException("no");
        List<WriteSpec> specs = List.of(
                spec().rolling(RollingPolicy.when((shard, next) -> {
                    throw no.get();
                })),
                spec().onError(ErrorPolicy.deadLetter(r -> {
                    throw no.get();
                })),
                spec().onError(ErrorPolicy.replace(r -> {
                    throw no.get();
                })),
                spec().onError(ErrorPolicy.replace(r -> "!again")),
                spec());
        for (WriteSpec spec : specs) {
            LineFormat counting = new LineFormat();
            AtomicLong given = new AtomicLong();
            Flux<String> values = Flux.just("a", "b", "!refused", "c", "d").doOnNext(v -> given.incrementAndGet());
            assertThat(catchThrowable(() -> ShardWriters.write(values, store, "a/", counting, spec)
                            .block(Duration.ofSeconds(30))))
                    .isNotNull();
            // a replacement that was made is a value too
            long replacements =
                    spec.onError().replacement() == null || spec.onError().limit() == 0 ? 0 : 1;
            eventually(() -> assertThat(counting.released.get()).isBetween(given.get(), given.get() + replacements));
            assertThat(counting.openEncoders).hasValue(0);
        }
    }

    @Test
    void aValueIsReleasedWhoseShardCantBeOpened() {
        AtomicInteger encoders = new AtomicInteger();
        LineFormat second = new LineFormat() {
            @Override
            public Encoder<String> encoder() {
                if (encoders.incrementAndGet() > 2) { // the first is made, and closed, when the writer is
                    throw new IllegalStateException("no second one");
                }
                return super.encoder();
            }
        };
        AtomicLong given = new AtomicLong();
        Flux<String> values = records(10).doOnNext(v -> given.incrementAndGet());
        Throwable error = catchThrowable(
                () -> ShardWriters.write(values, store, "a/", second, spec().rolling(RollingPolicy.maxRecords(3)))
                        .block(Duration.ofSeconds(30)));

        assertThat(error).hasMessage("no second one");
        eventually(() -> assertThat(second.released.get()).isEqualTo(given.get()));
        assertThat(second.openEncoders).hasValue(0);
    }

    @Test
    void cancelledOrFailedAtAnyMoment_onlyWholeShardsAreLeft(@TempDir Path directory) throws Exception {
        LocalObjectStore local = LocalObjectStore.at(directory);
        Random random = new Random(20261120);
        for (int round = 0; round < 60; round++) {
            String location = "round" + round + "/";
            boolean zstd = random.nextBoolean();
            boolean cancel = random.nextBoolean();
            int recordsPerShard = 1 + random.nextInt(400);
            int stopAfter = random.nextInt(2000);
            WriteSpec spec = WriteSpec.create()
                    .rolling(RollingPolicy.maxRecords(recordsPerShard))
                    .flushBytes(1 + random.nextInt(2000))
                    .frameBytes(1024)
                    .compression(zstd ? Compressions.zstd() : Compressions.none());
            CountDownLatch reached = new CountDownLatch(1);
            Flux<String> values = records(2000).doOnNext(value -> {
                if (value.equals("record " + stopAfter)) {
                    reached.countDown();
                    if (!cancel) {
                        throw new IllegalStateException("upstream");
                    }
                }
            });
            ShardWriter<String> writer = ShardWriters.create(local, location, format, spec);
            values.subscribe(writer);
            if (cancel) {
                assertThat(reached.await(30, TimeUnit.SECONDS)).isTrue();
                spin(random.nextInt(300_000));
                writer.dispose();
            }
            // up to 2,000 shards, each of which is forced to the disk
            Throwable error = catchThrowable(() -> writer.result().block(Duration.ofSeconds(120)));
            List<Shard> committed = error == null
                    ? writer.committed().collectList().block()
                    : WriteAbortedException.committedBefore(error);
            if (!cancel) {
                assertThat(committed).as("round %s", round).hasSize(stopAfter / recordsPerShard);
            }
            verify(local, directory.resolve(location), location, committed, recordsPerShard);
        }
        assertThat(format.openEncoders).hasValue(0);
    }

    /** All that was committed is there and whole, in order, and nothing else. */
    private static void verify(ObjectStore local, Path directory, String location, List<Shard> committed, int perShard)
            throws IOException {
        List<String> names = new ArrayList<>();
        // a cancelled put removes its temporary file, and the claim, in its own time
        eventually(() -> {
            names.clear();
            names.addAll(Files.exists(directory) ? Folders.fileNames(directory) : List.of());
            assertThat(names).hasSameSizeAs(committed).allMatch(n -> n.startsWith("part-"));
        });
        long next = 0;
        for (String name : names) {
            for (String line : Stored.lines(local, location + name)) {
                assertThat(line).isEqualTo("record " + next);
                next++;
            }
            assertThat(next % perShard == 0 || next == 2000).isTrue();
        }
        for (int i = 0; i < committed.size(); i++) {
            assertThat(committed.get(i).key()).isEqualTo(location + names.get(i));
            assertThat(committed.get(i).writtenBytes()).isEqualTo(Files.size(directory.resolve(names.get(i))));
        }
    }

    /** Lets a random time pass, so that the cancel hits any moment. */
    private static void spin(int nanos) {
        long until = System.nanoTime() + nanos;
        while (System.nanoTime() < until) {
            Thread.onSpinWait();
        }
    }
}
