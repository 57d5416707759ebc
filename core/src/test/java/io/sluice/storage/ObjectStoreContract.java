package io.sluice.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import io.sluice.testing.Eventually;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.SignalType;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;
import reactor.test.publisher.TestPublisher;

/**
 * What every {@link ObjectStore} promises, as tests. A store's test class extends it and gives an empty store for every test;
 * a store that can't write or list says so and provides the objects by {@link #given} in another way.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
public abstract class ObjectStoreContract {

    /** How long a signal may take on a busy machine. */
    protected static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final byte[] SMALL = "hello, sluice\n".getBytes(UTF_8);

    /** The store under test, without objects at the start of a test; the same one throughout the test. */
    protected abstract ObjectStore store();

    /** Puts an object in place, whatever it takes. */
    protected void given(String key, byte[] content) {
        store().put(key, Flux.just(ByteBuffer.wrap(content)), PutMode.OVERWRITE).block(PATIENCE);
    }

    /** The key by which the store knows an object of this name, which may hold any characters. */
    protected String key(String name) {
        return name;
    }

    /** Whether {@code put} and {@code delete} are supported. */
    protected boolean writable() {
        return true;
    }

    /** Whether {@code list} is supported. */
    protected boolean listable() {
        return true;
    }

    /** Whether a directory can be missing. */
    protected boolean hasDirectories() {
        return false;
    }

    /** Whether metadata has a size and an ETag. */
    protected boolean hasEtags() {
        return true;
    }

    /** More bytes than one chunk of the store. */
    protected int severalChunks() {
        return 1_500_000;
    }

    /** Called where nothing may be left of a put that failed or was cancelled: looks behind the store. */
    protected void assertNoLeftovers() {}

    // ---- reading

    @Test
    void readsWhatWasWritten() {
        byte[] content = random(severalChunks());
        given(key("a/b.bin"), content);
        assertThat(read(key("a/b.bin"))).isEqualTo(content);
    }

    @Test
    void readsAnEmptyObject() {
        given(key("empty"), new byte[0]);
        assertThat(read(key("empty"))).isEmpty();
        assertThat(head(key("empty")).size()).isZero();
    }

    @Test
    void readsRanges() {
        int size = severalChunks();
        byte[] content = random(size);
        given(key("object"), content);
        long[][] ranges = {
            {0, 0},
            {0, 1},
            {1, 1},
            {5, 100_000},
            {size / 2, 3},
            {size - 1, 1},
            {size - 1, 50},
            {0, size},
            {0, size + 1L},
            {size, 0},
            {size, 10},
            {size, ByteRange.TO_END},
            {1, Long.MAX_VALUE - 1},
            {size / 3, ByteRange.TO_END}
        };
        for (long[] range : ranges) {
            byte[] expected = Arrays.copyOfRange(
                    content, (int) range[0], (int) Math.min(size, range[1] > size ? size : range[0] + range[1]));
            assertThat(read(key("object"), ByteRange.of(range[0], range[1]), null))
                    .as("range %d+%d", range[0], range[1])
                    .isEqualTo(expected);
        }
    }

    @Test
    void readsRangesOfAnEmptyObject() {
        given(key("empty"), new byte[0]);
        assertThat(read(key("empty"), ByteRange.of(0, 10), null)).isEmpty();
        expectError(store().get(key("empty"), ByteRange.from(1), null), Kind.INVALID_REQUEST);
    }

    @Test
    void refusesARangeBehindTheEnd() {
        given(key("object"), SMALL);
        expectError(store().get(key("object"), ByteRange.from(SMALL.length + 1L), null), Kind.INVALID_REQUEST);
        expectError(store().get(key("object"), ByteRange.of(1L << 40, 1), null), Kind.INVALID_REQUEST);
    }

    @Test
    void saysWhichObjectIsMissing() {
        StorageException missing = expectError(store().get(key("no/such.bin")), Kind.NOT_FOUND);
        assertThat(missing).hasMessageContaining("such.bin");
        assertThat(missing.isTransient()).isFalse();
        assertThat(expectError(store().head(key("no/such.bin")), Kind.NOT_FOUND))
                .hasMessageContaining("such.bin");
    }

    @Test
    void missesAnObjectBelowAnObject() {
        given(key("object"), SMALL);
        expectError(store().get(key("object/below")), Kind.NOT_FOUND);
        expectError(store().head(key("object/below")), Kind.NOT_FOUND);
    }

    @Test
    void missesADirectory() {
        given(key("directory/object"), SMALL);
        expectError(store().get(key("directory")), Kind.NOT_FOUND);
        expectError(store().head(key("directory")), Kind.NOT_FOUND);
    }

    @Test
    void tellsMetadata() {
        given(key("a/object"), SMALL);
        ObjectMeta meta = head(key("a/object"));
        assertThat(meta.key()).isEqualTo(key("a/object"));
        assertThat(meta.size()).isEqualTo(SMALL.length);
        if (hasEtags()) {
            assertThat(meta.etag()).isNotBlank().isEqualTo(head(key("a/object")).etag());
        }
    }

    @Test
    void readsThePinnedVersionOnly() {
        assumeTrue(hasEtags(), "this store has no ETags");
        byte[] first = random(severalChunks());
        given(key("object"), first);
        String etag = head(key("object")).etag();
        assertThat(read(key("object"), ByteRange.ALL, etag)).isEqualTo(first);
        assertThat(read(key("object"), ByteRange.of(3, 5), etag)).isEqualTo(Arrays.copyOfRange(first, 3, 8));

        byte[] second = first.clone();
        second[0]++;
        given(key("object"), second);
        assertThat(head(key("object")).etag()).isNotEqualTo(etag);
        StorageException changed = expectError(store().get(key("object"), ByteRange.ALL, etag), Kind.CHANGED);
        assertThat(changed).hasMessageContaining("object");
        assertThat(changed.isTransient()).isFalse();
        expectError(store().get(key("object"), ByteRange.of(3, 5), etag), Kind.CHANGED);
        assertThat(read(key("object"))).isEqualTo(second);
    }

    @Test
    void emitsNoMoreThanRequested() {
        byte[] content = random(severalChunks());
        given(key("object"), content);
        AtomicLong requested = new AtomicLong();
        List<byte[]> chunks = Collections.synchronizedList(new ArrayList<>());
        Random random = new Random(7);
        OneAtATime reader = new OneAtATime() {
            @Override
            protected void hookOnSubscribe(Subscription subscription) {
                requested.set(1);
                request(1);
            }

            @Override
            protected void hookOnNext(ByteBuffer chunk) {
                long owed = requested.decrementAndGet();
                if (owed < 0) {
                    tooMany.set(true);
                }
                chunks.add(bytes(chunk));
                if (owed == 0) {
                    int more = 1 + random.nextInt(3);
                    requested.set(more);
                    // from another thread, when this one has long returned
                    Schedulers.parallel().schedule(() -> request(more), 1, TimeUnit.MILLISECONDS);
                }
            }
        };
        store().get(key("object")).subscribe(reader);
        reader.awaitEnd();
        assertThat(reader.tooMany).isFalse();
        assertThat(chunks.size()).isGreaterThan(1);
        assertThat(concat(chunks)).isEqualTo(content);
    }

    @Test
    void emitsNothingBeforeARequest() {
        given(key("object"), SMALL);
        StepVerifier.create(store().get(key("object")), 0)
                .expectSubscription()
                .thenRequest(1)
                .expectNextMatches(chunk -> chunk.remaining() > 0)
                .thenRequest(1)
                .verifyComplete();
    }

    @Test
    void givesHeapBuffersThatAreTheReceiversToKeep() {
        byte[] content = random(severalChunks());
        given(key("object"), content);
        List<ByteBuffer> kept = store().get(key("object")).collectList().block(PATIENCE);
        assertThat(kept).allSatisfy(chunk -> {
            assertThat(chunk.hasArray()).isTrue();
            assertThat(chunk.isReadOnly()).isFalse();
            assertThat(chunk.hasRemaining()).isTrue();
        });
        assertThat(concat(kept.stream().map(ObjectStoreContract::bytes).toList()))
                .isEqualTo(content);
        kept.forEach(chunk -> Arrays.fill(chunk.array(), (byte) 0));
        assertThat(read(key("object")))
                .as("after the receiver wrote into its buffers")
                .isEqualTo(content);
    }

    @Test
    void isCold() {
        Flux<ByteBuffer> get = store().get(key("object"));
        Mono<ObjectMeta> head = store().head(key("object"));
        given(key("object"), SMALL);
        assertThat(collect(get)).isEqualTo(SMALL);
        assertThat(collect(get)).as("second subscription").isEqualTo(SMALL);
        assertThat(head.block(PATIENCE).size()).isEqualTo(SMALL.length);
        byte[] longer = random(100);
        given(key("object"), longer);
        assertThat(collect(get)).isEqualTo(longer);
        assertThat(head.block(PATIENCE).size()).isEqualTo(100);
    }

    @Test
    void stopsOnCancel() {
        given(key("object"), random(severalChunks()));
        for (int i = 0; i < 200; i++) {
            AtomicInteger seen = new AtomicInteger();
            int limit = i % 3;
            if (limit == 0) {
                store().get(key("object")).subscribe(new BaseSubscriber<>() {
                    @Override
                    protected void hookOnSubscribe(Subscription subscription) {
                        subscription.request(1);
                        subscription.cancel();
                    }
                });
            } else {
                store().get(key("object"))
                        .doOnNext(c -> seen.incrementAndGet())
                        .take(limit)
                        .blockLast(PATIENCE);
                assertThat(seen).hasValueLessThanOrEqualTo(limit);
            }
        }
        assertThat(read(key("object"))).hasSize(severalChunks());
    }

    @Test
    void servesManyReadersAtATime() {
        byte[] content = random(severalChunks());
        given(key("object"), content);
        List<byte[]> all = Flux.range(0, 32)
                .flatMap(
                        i -> store().get(key("object"))
                                .map(ObjectStoreContract::bytes)
                                .collectList(),
                        8)
                .map(ObjectStoreContract::concat)
                .collectList()
                .block(PATIENCE);
        assertThat(all).hasSize(32).allSatisfy(read -> assertThat(read).isEqualTo(content));
    }

    @Test
    void neverBlocksTheCallersThread() {
        byte[] content = random(severalChunks());
        given(key("a/object"), content);
        // block() on a thread of the parallel scheduler is an error, and BlockHound, where installed, sees the rest
        Mono<byte[]> reading = Mono.defer(() -> store().head(key("a/object"))
                .then(store().get(key("a/object"))
                        .map(ObjectStoreContract::bytes)
                        .publishOn(Schedulers.parallel(), 1)
                        .collectList()
                        .map(ObjectStoreContract::concat)));
        assertThat(reading.subscribeOn(Schedulers.parallel()).block(PATIENCE)).isEqualTo(content);
        if (listable()) {
            assertThat(store().list("a/")
                            .subscribeOn(Schedulers.parallel())
                            .collectList()
                            .block(PATIENCE))
                    .hasSize(1);
        }
        if (writable()) {
            Flux<ByteBuffer> source =
                    Flux.just(SMALL, SMALL).map(ByteBuffer::wrap).publishOn(Schedulers.parallel());
            store().put(key("a/other"), source, PutMode.CREATE)
                    .subscribeOn(Schedulers.parallel())
                    .block(PATIENCE);
            store().delete(key("a/other")).subscribeOn(Schedulers.parallel()).block(PATIENCE);
        }
    }

    @Test
    void refusesANonPositiveRequest() {
        given(key("object"), SMALL);
        AtomicReference<@Nullable Throwable> error = new AtomicReference<>();
        CountDownLatch ended = new CountDownLatch(1);
        store().get(key("object")).subscribe(new reactor.core.CoreSubscriber<>() {
            @Override
            public void onSubscribe(Subscription subscription) {
                try {
                    subscription.request(0);
                } catch (IllegalArgumentException thrown) {
                    onError(thrown);
                }
                subscription.request(1);
            }

            @Override
            public void onNext(ByteBuffer chunk) {}

            @Override
            public void onError(Throwable thrown) {
                error.compareAndSet(null, thrown);
                ended.countDown();
            }

            @Override
            public void onComplete() {
                ended.countDown();
            }
        });
        await(ended);
        // Reactor's own operators log it; a publisher of ours signals it
        assertThat(error.get())
                .satisfiesAnyOf(
                        none -> assertThat(none).isNull(),
                        some -> assertThat(some).isInstanceOf(IllegalArgumentException.class));
    }

    // ---- keys

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a b.jsonl",
                "grüße/ñ.txt",
                "日本/語.jsonl",
                "emoji 😀.bin",
                "100%25.txt",
                "a+b&c=d.txt",
                "x=y/part-00000.jsonl",
                "-dash",
                "~tilde",
                "star*[1]{a,b}?.txt",
                ".hidden",
                "..dots",
                "a/..b/c..",
                "trailing.",
                "quote'\"",
                "semi;colon,comma",
                "#hash",
                "deep/1/2/3/4/5/6/7/8/9/object",
                "a:b@c!$",
                "back`tick^|<>"
            })
    void takesOddNames(String name) {
        String key = key(name);
        given(key, SMALL);
        assertThat(read(key)).isEqualTo(SMALL);
        assertThat(head(key).key()).isEqualTo(key);
        if (listable()) {
            assertThat(keys(store().list(""))).containsExactly(key);
            assertThat(keys(store().list(key.substring(0, key.length() - 1)))).contains(key);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "/", "/a", "a/", "a//b", ".", "..", "./a", "a/.", "../a", "a/../b", "a/./b", "a/..", "nul\0"
            })
    void refusesInvalidKeys(String key) {
        expectError(store().get(key), Kind.INVALID_REQUEST);
        expectError(store().get(key, ByteRange.of(0, 1), "etag"), Kind.INVALID_REQUEST);
        expectError(store().head(key), Kind.INVALID_REQUEST);
        if (writable()) {
            AtomicBoolean subscribed = new AtomicBoolean();
            Flux<ByteBuffer> content = Flux.just(ByteBuffer.wrap(SMALL)).doOnSubscribe(s -> subscribed.set(true));
            expectError(store().put(key, content, PutMode.OVERWRITE), Kind.INVALID_REQUEST);
            expectError(store().delete(key), Kind.INVALID_REQUEST);
            assertThat(subscribed).isFalse();
        }
        store().displayName(key); // is for messages and must not fail
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/a", "a//", "../", "a/../b", "./", "a/./", "nul\0"})
    void refusesInvalidPrefixes(String prefix) {
        assumeTrue(listable(), "this store can't list");
        expectError(store().list(prefix), Kind.INVALID_REQUEST);
    }

    // ---- listing

    @Test
    protected void listsInTheOrderOfUtf8Bytes() {
        assumeTrue(listable(), "this store can't list");
        List<String> sorted = List.of(
                "A",
                "a",
                "a!",
                "a.b",
                "a.b/c",
                "a/b",
                "a/b.c",
                "a/b/c",
                "a/😀",
                "a0",
                "b-c/d",
                "b/d",
                "b0",
                "part-00000",
                "part-00001",
                "part-100000",
                "part-99999",
                "é",
                "日",
                "\uFF5E",
                "😀");
        List<String> shuffled = new ArrayList<>(sorted);
        shuffled.removeAll(List.of("a", "b", "a.b", "a/b")); // no object is a directory as well
        Collections.shuffle(shuffled, new Random(1));
        shuffled.forEach(name -> given(key(name), SMALL));
        List<String> expected =
                sorted.stream().filter(shuffled::contains).map(this::key).toList();
        assertThat(keys(store().list(""))).containsExactlyElementsOf(expected);
    }

    @Test
    void listsByStringPrefix() {
        assumeTrue(listable(), "this store can't list");
        List<String> all = List.of("logs/a", "logs/ab/c", "logs/b", "logs-old/a", "log", "other");
        all.forEach(name -> given(key(name), SMALL));
        for (String prefix : List.of(
                "", "l", "log", "logs", "logs/", "logs/a", "logs/ab", "logs/ab/", "logs/ab/c", "logs-", "other", "x")) {
            assertThat(keys(store().list(prefix)))
                    .as("prefix %s", prefix)
                    .containsExactlyElementsOf(all.stream()
                            .filter(k -> k.startsWith(prefix))
                            .sorted()
                            .toList());
        }
    }

    @Test
    void listsMetadata() {
        assumeTrue(listable(), "this store can't list");
        given(key("dir/a"), SMALL);
        given(key("dir/b"), new byte[0]);
        List<ObjectMeta> listed = store().list("dir/").collectList().block(PATIENCE);
        assertThat(listed)
                .extracting(ObjectMeta::key, ObjectMeta::size)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("dir/a", (long) SMALL.length),
                        org.assertj.core.groups.Tuple.tuple("dir/b", 0L));
        assertThat(listed)
                .allSatisfy(meta ->
                        assertThat(meta.etag()).isEqualTo(head(meta.key()).etag()));
    }

    @Test
    void listsOneDirectory() {
        assumeTrue(listable(), "this store can't list");
        for (String name : List.of("dir/b", "dir/a", "dir/sub/c", "dir/a.x/y", "dirt", "top")) {
            given(key(name), SMALL);
        }
        assertThat(keys(store().listDirectory("dir/"))).containsExactly("dir/a", "dir/b");
        assertThat(keys(store().listDirectory("dir"))).containsExactly("dir/a", "dir/b");
        assertThat(keys(store().listDirectory("dir/sub"))).containsExactly("dir/sub/c");
        assertThat(keys(store().listDirectory(""))).containsExactly("dirt", "top");
    }

    @Test
    void listsNothingWhereNothingIs() {
        assumeTrue(listable(), "this store can't list");
        given(key("dir/object"), SMALL);
        assertThat(keys(store().list("dir/x"))).isEmpty();
        assertThat(keys(store().list("missing"))).isEmpty();
        assertThat(keys(store().list("missing/x"))).isEmpty();
        if (hasDirectories()) {
            for (String missing : List.of("missing/", "dir/missing/", "dir/object/", "dir/object/below/")) {
                assertThat(expectError(store().list(missing), Kind.NOT_FOUND))
                        .hasMessageContaining(missing.substring(0, missing.length() - 1));
                expectError(store().listDirectory(missing), Kind.NOT_FOUND);
            }
        } else {
            assertThat(keys(store().list("missing/"))).isEmpty();
            assertThat(keys(store().listDirectory("missing"))).isEmpty();
        }
    }

    @Test
    void listsMoreThanAPage() {
        assumeTrue(listable(), "this store can't list");
        List<String> expected = IntStream.range(0, 1500)
                .mapToObj(i -> "many/part-%05d".formatted(i))
                .toList();
        Flux.fromIterable(expected)
                .flatMap(
                        key -> writable()
                                ? store().put(key, Flux.empty(), PutMode.CREATE).then()
                                : Mono.fromRunnable(() -> given(key, new byte[0])),
                        16)
                .blockLast(PATIENCE);
        assertThat(keys(store().list("many/"))).containsExactlyElementsOf(expected);
        assertThat(keys(store().listDirectory("many"))).containsExactlyElementsOf(expected);
        StepVerifier.create(store().list("many/").map(ObjectMeta::key), 0)
                .thenRequest(2)
                .expectNext(expected.get(0), expected.get(1))
                .thenRequest(1)
                .expectNext(expected.get(2))
                .thenCancel()
                .verify(PATIENCE);
    }

    @Test
    void listingIsCold() {
        assumeTrue(listable(), "this store can't list");
        given(key("dir/a"), SMALL);
        Flux<ObjectMeta> list = store().list("dir/");
        given(key("dir/b"), SMALL);
        assertThat(keys(list)).containsExactly("dir/a", "dir/b");
        given(key("dir/c"), SMALL);
        assertThat(keys(list)).containsExactly("dir/a", "dir/b", "dir/c");
    }

    // ---- writing

    @Test
    void writesAndTellsWhatItWrote() {
        assumeTrue(writable(), "this store can't write");
        for (PutMode mode : PutMode.values()) {
            String key = key("dir/" + mode);
            ObjectMeta written = put(key, SMALL, mode);
            assertThat(written.key()).isEqualTo(key);
            assertThat(written.size()).isEqualTo(SMALL.length);
            assertThat(written.etag()).isNotBlank().isEqualTo(head(key).etag());
            assertThat(read(key, ByteRange.ALL, written.etag())).isEqualTo(SMALL);
        }
    }

    @Test
    void writesNothingBeforeItIsSubscribed() {
        assumeTrue(writable(), "this store can't write");
        AtomicInteger subscriptions = new AtomicInteger();
        Flux<ByteBuffer> content =
                Flux.just(ByteBuffer.wrap(SMALL)).doOnSubscribe(s -> subscriptions.incrementAndGet());
        Mono<ObjectMeta> put = store().put(key("object"), content, PutMode.OVERWRITE);
        assertThat(subscriptions).hasValue(0);
        expectError(store().head(key("object")), Kind.NOT_FOUND);
        put.block(PATIENCE);
        put.block(PATIENCE);
        assertThat(subscriptions).hasValue(2);
        assertThat(read(key("object"))).as("the same buffer, written twice").isEqualTo(SMALL);
    }

    @Test
    void writesContentOfAllKinds() {
        assumeTrue(writable(), "this store can't write");
        byte[] content = random(3_000_001);
        ByteBuffer direct =
                ByteBuffer.allocateDirect(content.length).put(content).flip();
        ByteBuffer offset = ByteBuffer.allocate(content.length + 20)
                .position(10)
                .put(content)
                .flip()
                .position(10)
                .slice();
        List<ByteBuffer> pieces = new ArrayList<>();
        for (int at = 0, i = 0; at < content.length; i++) {
            int n = Math.min(content.length - at, new int[] {0, 1, 100_000, 7, 0, 65_536}[i % 6]);
            pieces.add(ByteBuffer.wrap(content, at, n));
            at += n;
        }
        List<Flux<ByteBuffer>> sources = List.of(
                Flux.just(ByteBuffer.wrap(content)),
                Flux.just(ByteBuffer.wrap(content).asReadOnlyBuffer()),
                Flux.just(direct),
                Flux.just(offset),
                Flux.fromIterable(pieces),
                Flux.fromIterable(pieces).publishOn(Schedulers.parallel(), 1),
                Flux.fromIterable(pieces).hide());
        for (int i = 0; i < sources.size(); i++) {
            String key = key("kind-" + i);
            ObjectMeta meta = store().put(key, sources.get(i), PutMode.CREATE).block(PATIENCE);
            assertThat(meta.size()).isEqualTo(content.length);
            assertThat(read(key)).as("source %d", i).isEqualTo(content);
        }
        store().put(key("none"), Flux.empty(), PutMode.CREATE).block(PATIENCE);
        assertThat(read(key("none"))).isEmpty();
    }

    @Test
    void doesNotKeepABufferAfterItRequestedTheNext() {
        assumeTrue(writable(), "this store can't write");
        ByteBuffer reused = ByteBuffer.allocate(10_000);
        Flux<ByteBuffer> content = Flux.generate(() -> 0, (i, sink) -> {
            Arrays.fill(reused.array(), (byte) i.intValue());
            reused.clear();
            sink.next(reused);
            if (i == 99) {
                sink.complete();
            }
            return i + 1;
        });
        store().put(key("object"), content, PutMode.CREATE).block(PATIENCE);
        byte[] read = read(key("object"));
        assertThat(read).hasSize(1_000_000);
        for (int i = 0; i < 100; i++) {
            byte[] run = new byte[10_000];
            Arrays.fill(run, (byte) i);
            assertThat(Arrays.copyOfRange(read, i * 10_000, (i + 1) * 10_000)).isEqualTo(run);
        }
    }

    @Test
    void createsOnlyWhereNothingIs() {
        assumeTrue(writable(), "this store can't write");
        put(key("object"), SMALL, PutMode.CREATE);
        StorageException taken = expectError(
                store().put(key("object"), Flux.just(ByteBuffer.wrap(random(10))), PutMode.CREATE),
                Kind.ALREADY_EXISTS);
        assertThat(taken).hasMessageContaining("object");
        assertThat(read(key("object"))).isEqualTo(SMALL);
        assertNoLeftovers();
        store().delete(key("object")).block(PATIENCE);
        put(key("object"), SMALL, PutMode.CREATE);
    }

    @Test
    void overwrites() {
        assumeTrue(writable(), "this store can't write");
        String first = put(key("object"), random(1000), PutMode.OVERWRITE).etag();
        String second = put(key("object"), SMALL, PutMode.OVERWRITE).etag();
        assertThat(second).isNotEqualTo(first);
        assertThat(read(key("object"))).isEqualTo(SMALL);
        assertNoLeftovers();
    }

    @Test
    void letsExactlyOneCreatorWin() throws Exception {
        assumeTrue(writable(), "this store can't write");
        for (int round = 0; round < 10; round++) {
            String key = key("race/" + round);
            CountDownLatch start = new CountDownLatch(1);
            List<byte[]> contents =
                    IntStream.range(0, 8).mapToObj(i -> random(1000 + i)).toList();
            List<Mono<Integer>> creators = new ArrayList<>();
            for (int i = 0; i < contents.size(); i++) {
                int me = i;
                // all have written their content before anyone may finish
                Flux<ByteBuffer> content = Flux.just(ByteBuffer.wrap(contents.get(i)))
                        .concatWith(Mono.fromRunnable(() -> await(start))
                                .subscribeOn(Schedulers.boundedElastic())
                                .cast(ByteBuffer.class));
                creators.add(store().put(key, content, PutMode.CREATE)
                        .map(meta -> me)
                        .onErrorResume(StorageException.class, error -> {
                            assertThat(error.kind()).isEqualTo(Kind.ALREADY_EXISTS);
                            return Mono.empty();
                        }));
            }
            CountDownLatch allSubscribed = new CountDownLatch(contents.size());
            List<Integer> winners = Collections.synchronizedList(new ArrayList<>());
            AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
            CountDownLatch allEnded = new CountDownLatch(contents.size());
            for (Mono<Integer> creator : creators) {
                creator.doOnSubscribe(s -> allSubscribed.countDown())
                        .doFinally(s -> allEnded.countDown())
                        .subscribe(winners::add, failure::set);
            }
            await(allSubscribed);
            start.countDown();
            await(allEnded);
            assertThat(failure.get()).isNull();
            assertThat(winners).hasSize(1);
            assertThat(read(key)).isEqualTo(contents.get(winners.get(0)));
        }
        assertNoLeftovers();
    }

    @Test
    void showsReadersOneVersionOrAnother() {
        assumeTrue(writable(), "this store can't write");
        int size = 300_000;
        put(key("object"), uniform(0, size), PutMode.OVERWRITE);
        AtomicBoolean writing = new AtomicBoolean(true);
        Mono<Void> writers = Flux.range(1, 40)
                .concatMap(i -> store().put(key("object"), chunked(uniform(i, size), 50_000), PutMode.OVERWRITE))
                .doFinally(s -> writing.set(false))
                .then();
        Mono<Long> readers = Mono.defer(() -> store().get(key("object"))
                        .map(ObjectStoreContract::bytes)
                        .collectList())
                .map(ObjectStoreContract::concat)
                .doOnNext(read -> {
                    assertThat(read).hasSize(size);
                    assertThat(read).containsOnly(read[0]);
                })
                .repeat(writing::get)
                .count()
                .subscribeOn(Schedulers.boundedElastic());
        assertThat(Mono.zip(readers, writers.thenReturn(1).subscribeOn(Schedulers.boundedElastic()))
                        .block(PATIENCE)
                        .getT1())
                .isPositive();
        assertThat(read(key("object"))).containsOnly((byte) 40);
    }

    @Test
    void showsNothingOfAnObjectBeingWritten() {
        assumeTrue(writable(), "this store can't write");
        TestPublisher<ByteBuffer> content = TestPublisher.create();
        CountDownLatch ended = new CountDownLatch(1);
        store().put(key("dir/object"), content, PutMode.CREATE)
                .doFinally(s -> ended.countDown())
                .subscribe();
        awaitRequest(content);
        content.next(ByteBuffer.wrap(random(500_000)));
        expectError(store().head(key("dir/object")), Kind.NOT_FOUND);
        expectError(store().get(key("dir/object")), Kind.NOT_FOUND);
        if (listable()) {
            assertThat(keys(store().list(""))).isEmpty();
        }
        content.complete();
        await(ended);
        assertThat(read(key("dir/object"))).hasSize(500_000);
    }

    @Test
    void leavesNothingWhenTheContentFails() {
        assumeTrue(writable(), "this store can't write");
        IllegalStateException broken = new IllegalStateException("broken source");
        for (PutMode mode : PutMode.values()) {
            Publisher<ByteBuffer> content =
                    chunked(random(severalChunks()), 100_000).concatWith(Flux.error(broken));
            StepVerifier.create(store().put(key("dir/object"), content, mode))
                    .expectErrorMatches(error -> error == broken)
                    .verify(PATIENCE);
            expectError(store().head(key("dir/object")), Kind.NOT_FOUND);
            assertNoLeftovers();
        }
        put(key("dir/object"), SMALL, PutMode.CREATE);
        StepVerifier.create(store().put(key("dir/object"), Flux.error(broken), PutMode.OVERWRITE))
                .expectErrorMatches(error -> error == broken)
                .verify(PATIENCE);
        assertThat(read(key("dir/object"))).isEqualTo(SMALL);
        assertNoLeftovers();
    }

    @Test
    void leavesNothingOnCancel() {
        assumeTrue(writable(), "this store can't write");
        put(key("dir/old"), SMALL, PutMode.CREATE);
        for (int i = 0; i < 20; i++) {
            TestPublisher<ByteBuffer> content = TestPublisher.create();
            String key = i % 2 == 0 ? key("dir/new") : key("dir/old");
            StepVerifier.create(store().put(key, content, PutMode.OVERWRITE))
                    .expectSubscription()
                    .then(() -> awaitRequest(content))
                    .then(() -> content.next(ByteBuffer.wrap(random(100_000))))
                    .thenCancel()
                    .verify(PATIENCE);
            content.assertCancelled();
        }
        eventually(this::assertNoLeftovers);
        expectError(store().head(key("dir/new")), Kind.NOT_FOUND);
        assertThat(read(key("dir/old"))).isEqualTo(SMALL);
    }

    @Test
    void commitsWhollyOrNotAtAllWhenCancelledAtTheEnd() {
        assumeTrue(writable(), "this store can't write");
        byte[] content = random(1000);
        for (int i = 0; i < 100; i++) {
            String key = key("cancelled/" + i);
            CountDownLatch completing = new CountDownLatch(1);
            CountDownLatch ended = new CountDownLatch(1);
            reactor.core.Disposable put = store().put(
                            key,
                            Flux.just(ByteBuffer.wrap(content)).doOnComplete(completing::countDown),
                            PutMode.CREATE)
                    .doFinally(s -> ended.countDown())
                    .subscribe();
            await(completing);
            put.dispose();
            await(ended);
        }
        eventually(this::assertNoLeftovers);
        if (listable()) {
            eventually(() -> assertThat(store().list("cancelled").collectList().block(PATIENCE))
                    .allSatisfy(meta -> assertThat(read(meta.key())).isEqualTo(content)));
        }
    }

    @Test
    void requestsContentOnlyAsItIsWritten() {
        assumeTrue(writable(), "this store can't write");
        TestPublisher<ByteBuffer> content = TestPublisher.create();
        CountDownLatch ended = new CountDownLatch(1);
        store().put(key("object"), content, PutMode.CREATE)
                .doFinally(s -> ended.countDown())
                .subscribe();
        for (int i = 0; i < 20; i++) {
            awaitRequest(content);
            content.next(ByteBuffer.wrap(SMALL));
        }
        content.complete();
        await(ended);
        assertThat(read(key("object"))).hasSize(20 * SMALL.length);
    }

    @Test
    void deletes() {
        assumeTrue(writable(), "this store can't write");
        put(key("dir/object"), SMALL, PutMode.CREATE);
        Mono<Void> delete = store().delete(key("dir/object"));
        assertThat(head(key("dir/object")).size())
                .as("nothing before subscribe")
                .isEqualTo(SMALL.length);
        StepVerifier.create(delete).expectComplete().verify(PATIENCE);
        expectError(store().head(key("dir/object")), Kind.NOT_FOUND);
        StepVerifier.create(delete).expectComplete().verify(PATIENCE);
        StepVerifier.create(store().delete(key("no/such/thing")))
                .expectComplete()
                .verify(PATIENCE);
    }

    @Test
    void deletesNoDirectory() {
        assumeTrue(writable(), "this store can't write");
        put(key("dir/object"), SMALL, PutMode.CREATE);
        store().delete(key("dir")).block(PATIENCE);
        assertThat(read(key("dir/object"))).isEqualTo(SMALL);
        store().delete(key("dir/object/below")).block(PATIENCE);
        assertThat(read(key("dir/object"))).isEqualTo(SMALL);
    }

    // ---- tools for this and its subclasses

    /** Content that compresses badly and differs with its size. */
    protected static byte[] random(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return bytes;
    }

    /** What a get gives. */
    protected final byte[] read(String key) {
        return read(key, ByteRange.ALL, null);
    }

    /** What a get gives. */
    protected final byte[] read(String key, ByteRange range, @Nullable String ifMatch) {
        return collect(store().get(key, range, ifMatch));
    }

    /** Expects an error and nothing before it. */
    protected static StorageException expectError(Publisher<?> publisher, Kind kind) {
        AtomicReference<@Nullable StorageException> error = new AtomicReference<>();
        StepVerifier.create(publisher)
                .consumeErrorWith(thrown -> {
                    assertThat(thrown).isInstanceOf(StorageException.class);
                    error.set((StorageException) thrown);
                })
                .verify(PATIENCE);
        assertThat(error.get().kind()).as(error.get().toString()).isEqualTo(kind);
        return error.get();
    }

    /** The keys of a listing. */
    protected static List<String> keys(Flux<ObjectMeta> listing) {
        return listing.map(ObjectMeta::key).collectList().block(PATIENCE);
    }

    /** The rest of a buffer. */
    protected static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    /** Waits, at most {@link #PATIENCE}. */
    protected static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .as("in time")
                    .isTrue();
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    /** Repeats an assertion until it holds. */
    protected static void eventually(Runnable assertion) {
        Eventually.eventually(assertion);
    }

    private static void awaitRequest(TestPublisher<?> content) {
        eventually(() -> content.assertMinRequested(1));
    }

    private static byte[] collect(Flux<ByteBuffer> content) {
        return concat(content.map(ObjectStoreContract::bytes).collectList().block(PATIENCE));
    }

    private ObjectMeta head(String key) {
        return store().head(key).block(PATIENCE);
    }

    private ObjectMeta put(String key, byte[] content, PutMode mode) {
        return store().put(key, Flux.just(ByteBuffer.wrap(content)), mode).block(PATIENCE);
    }

    private static Flux<ByteBuffer> chunked(byte[] content, int size) {
        return Flux.range(0, (content.length + size - 1) / size)
                .map(i -> ByteBuffer.wrap(content, i * size, Math.min(size, content.length - i * size)));
    }

    private static byte[] uniform(int value, int size) {
        byte[] bytes = new byte[size];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    private static byte[] concat(List<byte[]> chunks) {
        byte[] all = new byte[chunks.stream().mapToInt(c -> c.length).sum()];
        int at = 0;
        for (byte[] chunk : chunks) {
            System.arraycopy(chunk, 0, all, at, chunk.length);
            at += chunk.length;
        }
        return all;
    }

    private abstract static class OneAtATime extends BaseSubscriber<ByteBuffer> {
        final AtomicBoolean tooMany = new AtomicBoolean();
        private final CountDownLatch ended = new CountDownLatch(1);
        private volatile @Nullable Throwable failure;

        @Override
        protected void hookOnError(Throwable throwable) {
            failure = throwable;
        }

        @Override
        protected void hookFinally(SignalType type) {
            ended.countDown();
        }

        void awaitEnd() {
            await(ended);
            if (failure != null) {
                fail("failed", failure);
            }
        }
    }
}
