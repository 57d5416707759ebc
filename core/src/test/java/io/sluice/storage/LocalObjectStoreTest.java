package io.sluice.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import io.sluice.testing.Folders;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;

/** What is special about files; the rest is in {@link LocalObjectStoreContractTest}. */
class LocalObjectStoreTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    Path root;

    private Scheduler scheduler;
    private LocalObjectStore store;

    @BeforeEach
    void setUp() {
        scheduler = Schedulers.newBoundedElastic(4, 1000, "test-io");
        store = LocalObjectStore.at(root, scheduler);
    }

    @AfterEach
    void tearDown() {
        scheduler.disposeGracefully().block(PATIENCE);
    }

    // ---- reading

    @Test
    void readsInChunksOnItsScheduler() throws IOException {
        write("file", 3 * LocalObjectStore.CHUNK_BYTES + 5);
        StepVerifier.create(
                        store.get("file")
                                .doOnNext(c -> assertThat(Thread.currentThread().getName())
                                        .startsWith("test-io")),
                        0)
                .thenRequest(1)
                .assertNext(chunk -> assertThat(chunk.remaining()).isEqualTo(LocalObjectStore.CHUNK_BYTES))
                .thenRequest(2)
                .expectNextCount(2)
                .thenRequest(1)
                .assertNext(chunk -> assertThat(chunk.array()).hasSize(5))
                .expectComplete()
                .verify(PATIENCE);
    }

    @Test
    void closesTheFileOnCancelAndAtTheEnd() throws IOException {
        assumeTrue(Files.isDirectory(Path.of("/proc/self/fd")), "no /proc to see open files in");
        write("file", 10 * LocalObjectStore.CHUNK_BYTES);
        CountDownLatch first = new CountDownLatch(1);
        BaseSubscriber<ByteBuffer> paused = new BaseSubscriber<>() {
            @Override
            protected void hookOnSubscribe(Subscription subscription) {}

            @Override
            protected void hookOnNext(ByteBuffer chunk) {
                first.countDown();
            }
        };
        store.get("file").subscribe(paused);
        assertThat(openFiles("file")).as("before the first request").isZero();
        paused.request(1);
        ObjectStoreContract.await(first);
        assertThat(openFiles("file")).isEqualTo(1);
        assertThat(store.get("file").take(2).count().block(PATIENCE)).isEqualTo(2);
        assertThat(store.get("file").count().block(PATIENCE)).isEqualTo(10);
        ObjectStoreContract.eventually(() -> assertThat(openFiles("file")).isEqualTo(1));
        paused.cancel();
        ObjectStoreContract.eventually(() -> assertThat(openFiles("file")).isZero());
    }

    @Test
    void closesTheFileWhenCancelledWithoutDemand() throws IOException {
        assumeTrue(Files.isDirectory(Path.of("/proc/self/fd")), "no /proc to see open files in");
        write("file", 10 * LocalObjectStore.CHUNK_BYTES);
        StepVerifier.create(store.get("file"), 0)
                .thenRequest(1)
                .expectNextCount(1)
                .thenCancel()
                .verify(PATIENCE);
        ObjectStoreContract.eventually(() -> assertThat(openFiles("file")).isZero());
    }

    @Test
    void raisesWhenTheFileIsCutOffWhileItIsRead() throws IOException {
        Path file = write("file", 3 * LocalObjectStore.CHUNK_BYTES);
        StepVerifier.create(store.get("file"), 0)
                .thenRequest(1)
                .expectNextCount(1)
                .then(() -> truncate(file, LocalObjectStore.CHUNK_BYTES + 10))
                .thenRequest(10)
                .consumeErrorWith(error -> {
                    assertThat(((StorageException) error).kind()).isEqualTo(Kind.CHANGED);
                    assertThat(error).hasMessageContaining(file.toString()).hasMessageContaining("cut off");
                })
                .verify(PATIENCE);
    }

    @Test
    void readsAGrowingFileUpToWhereItEndedAtOpen() throws IOException {
        Path file = write("file", 2 * LocalObjectStore.CHUNK_BYTES);
        String etag = store.head("file").block(PATIENCE).etag();
        StepVerifier.create(store.get("file", ByteRange.ALL, etag), 0)
                .thenRequest(1)
                .expectNextCount(1)
                .then(() -> append(file))
                .thenRequest(10)
                .assertNext(chunk -> assertThat(chunk.remaining()).isEqualTo(LocalObjectStore.CHUNK_BYTES))
                .expectComplete()
                .verify(PATIENCE);
    }

    @Test
    void raisesWhenAPinnedFileIsRewrittenInPlace() throws IOException {
        Path file = write("file", 2 * LocalObjectStore.CHUNK_BYTES);
        String etag = store.head("file").block(PATIENCE).etag();
        StepVerifier.create(store.get("file", ByteRange.ALL, etag), 0)
                .thenRequest(1)
                .expectNextCount(1)
                .then(() -> {
                    try {
                        Files.setLastModifiedTime(file, FileTime.from(Instant.EPOCH));
                    } catch (IOException error) {
                        throw new AssertionError(error);
                    }
                })
                .thenRequest(10)
                .expectErrorMatches(error -> ((StorageException) error).kind() == Kind.CHANGED)
                .verify(PATIENCE);
    }

    @Test
    void readsAReplacedFileToItsEnd() throws IOException {
        write("file", 2 * LocalObjectStore.CHUNK_BYTES);
        byte[] old = Files.readAllBytes(root.resolve("file"));
        String etag = store.head("file").block(PATIENCE).etag();
        AtomicReference<ByteBuffer> first = new AtomicReference<>();
        StepVerifier.create(store.get("file", ByteRange.ALL, etag), 0)
                .thenRequest(1)
                .consumeNextWith(first::set)
                .then(() -> store.put("file", Flux.empty(), PutMode.OVERWRITE).block(PATIENCE))
                .thenRequest(10)
                .assertNext(
                        second -> assertThat(second).isEqualTo(ByteBuffer.wrap(old, old.length / 2, old.length / 2)))
                .expectComplete()
                .verify(PATIENCE);
    }

    @Test
    void opensForBlockingReads() throws IOException {
        byte[] content = Files.readAllBytes(write("file", 3_000_000));
        ByteBuffer target = ByteBuffer.allocate(4_000_000).position(10);
        try (ReadableByteChannel channel = store.open("file", ByteRange.of(5, 2_500_000), null)) {
            while (channel.read(target) >= 0) {
                assertThat(target.limit()).isEqualTo(target.capacity());
            }
            assertThat(target.position()).isEqualTo(2_500_010);
            assertThat(target.flip().position(10)).isEqualTo(ByteBuffer.wrap(content, 5, 2_500_000));
        }
        assertThatExceptionOfType(StorageException.class)
                .isThrownBy(() -> store.open("missing", ByteRange.ALL, null))
                .satisfies(error -> assertThat(error.kind()).isEqualTo(Kind.NOT_FOUND))
                .withMessageContaining(root.resolve("missing").toString());
        assertThatExceptionOfType(StorageException.class)
                .isThrownBy(() -> store.open("file", ByteRange.ALL, "other"))
                .satisfies(error -> assertThat(error.kind()).isEqualTo(Kind.CHANGED));
        assertThatExceptionOfType(StorageException.class)
                .isThrownBy(() -> store.open("file", ByteRange.from(3_000_001), null))
                .satisfies(error -> assertThat(error.kind()).isEqualTo(Kind.INVALID_REQUEST));
    }

    @Test
    void blockingReadRaisesWhenTheFileIsCutOff() throws IOException {
        Path file = write("file", 1000);
        try (ReadableByteChannel channel = store.open("file", ByteRange.ALL, null)) {
            channel.read(ByteBuffer.allocate(10));
            truncate(file, 10);
            assertThatExceptionOfType(StorageException.class)
                    .isThrownBy(() -> channel.read(ByteBuffer.allocate(10)))
                    .satisfies(error -> assertThat(error.kind()).isEqualTo(Kind.CHANGED));
        }
    }

    @Test
    void readsAPipe() throws Exception {
        Path pipe = root.resolve("pipe");
        assumeTrue(makePipe(pipe), "no mkfifo on this system");
        assertThat(store.head("pipe").block(PATIENCE)).isEqualTo(new ObjectMeta("pipe", -1, null, null));
        assertThat(store.list("").collectList().block(PATIENCE)).isEmpty();
        CountDownLatch written = new CountDownLatch(1);
        Thread writer = new Thread(() -> {
            try {
                Files.write(pipe, "0123456789".getBytes(UTF_8));
            } catch (IOException error) {
                throw new AssertionError(error);
            } finally {
                written.countDown();
            }
        });
        writer.setDaemon(true);
        writer.start();
        String read = store.get("pipe", ByteRange.from(3), null)
                .map(chunk -> UTF_8.decode(chunk).toString())
                .reduce("", String::concat)
                .block(PATIENCE);
        ObjectStoreContract.await(written);
        assertThat(read).isEqualTo("3456789");
    }

    @Test
    void pausesWithoutHoldingAThread() throws IOException {
        write("file", 4 * LocalObjectStore.CHUNK_BYTES);
        Scheduler one = Schedulers.newBoundedElastic(1, 1000, "one-thread");
        try {
            LocalObjectStore single = LocalObjectStore.at(root, one);
            StepVerifier.create(single.get("file"), 0)
                    .thenRequest(1)
                    .expectNextCount(1)
                    .then(() -> assertThat(single.get("file").count().block(PATIENCE))
                            .isEqualTo(4))
                    .thenRequest(3)
                    .expectNextCount(3)
                    .expectComplete()
                    .verify(PATIENCE);
        } finally {
            one.dispose();
        }
    }

    @Test
    void reportsADisposedScheduler() throws IOException {
        write("file", 10);
        scheduler.dispose();
        StepVerifier.create(store.get("file")).expectError().verify(PATIENCE);
        StepVerifier.create(store.put("other", Flux.empty(), PutMode.CREATE))
                .expectError()
                .verify(PATIENCE);
    }

    // ---- listing

    @Test
    void listsNoTemporaryFiles() throws IOException {
        write("dir/.sluice-123.tmp", 10);
        write("dir/.sluice-lock", 10);
        write("dir/.other", 10);
        assertThat(ObjectStoreContract.keys(store.list(""))).containsExactly("dir/.other");
        ObjectStoreContract.expectError(
                store.put("dir/.sluice-mine", Flux.empty(), PutMode.CREATE), Kind.INVALID_REQUEST);
    }

    @Test
    void saysWhichDirectoryCantBeRead() throws IOException {
        write("dir/closed/file", 10);
        Path closed = root.resolve("dir/closed");
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("---------"));
        try {
            assumeTrue(!Files.isReadable(closed), "this user reads everything");
            assertThat(ObjectStoreContract.expectError(store.list("dir/"), Kind.ACCESS_DENIED))
                    .hasMessageContaining(closed.toString());
            ObjectStoreContract.expectError(store.get("dir/closed/file"), Kind.ACCESS_DENIED);
            assertThat(ObjectStoreContract.keys(store.list("dir/x"))).isEmpty();
            assertThat(ObjectStoreContract.keys(store.listDirectory("dir"))).isEmpty();
        } finally {
            Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
        }
    }

    @Test
    void mapsWhatTheSystemRefuses() {
        Path file = root.resolve("file");
        assertThat(LocalErrors.of(new AccessDeniedException("x"), file, "name"))
                .hasMessageStartingWith("[name]")
                .extracting(StorageException::kind)
                .isEqualTo(Kind.ACCESS_DENIED);
        assertThat(LocalErrors.of(new FileSystemException("x", null, "Input/output error"), file, "name"))
                .hasMessageContaining("Input/output error")
                .extracting(StorageException::kind)
                .isEqualTo(Kind.IO);
        assertThat(LocalErrors.of(new IOException("No space left on device"), file, "name"))
                .hasMessageContaining("disk is full")
                .extracting(StorageException::kind)
                .isEqualTo(Kind.IO);
    }

    @Test
    void followsLinksButNotInCircles() throws IOException {
        write("real/file", 10);
        write("real/sub/deep", 10);
        Files.createSymbolicLink(root.resolve("linked"), Path.of("real"));
        Files.createSymbolicLink(root.resolve("real/sub/up"), root.resolve("real"));
        Files.createSymbolicLink(root.resolve("real/self"), Path.of("self"));
        Files.createSymbolicLink(root.resolve("real/nowhere"), Path.of("no-such-file"));
        Files.createSymbolicLink(root.resolve("to-file"), Path.of("real/file"));
        assertThat(ObjectStoreContract.keys(store.list("")))
                .containsExactly("linked/file", "linked/sub/deep", "real/file", "real/sub/deep", "to-file");
        assertThat(store.get("to-file").count().block(PATIENCE)).isEqualTo(1);
    }

    @Test
    void descendsOnlyIntoDirectoriesThatCanMatch() throws IOException {
        write("a/1", 1);
        write("b/1", 1);
        Path closed = root.resolve("b");
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("---------"));
        try {
            assumeTrue(!Files.isReadable(closed), "this user reads everything");
            assertThat(ObjectStoreContract.keys(store.list("a"))).containsExactly("a/1");
        } finally {
            Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
        }
    }

    @Test
    void missingRootIsNotFound() {
        LocalObjectStore nowhere = LocalObjectStore.at(root.resolve("nowhere"));
        assertThat(ObjectStoreContract.expectError(nowhere.list(""), Kind.NOT_FOUND))
                .hasMessageContaining("nowhere");
        nowhere.put("a", Flux.empty(), PutMode.CREATE).block(PATIENCE);
        assertThat(ObjectStoreContract.keys(nowhere.list(""))).containsExactly("a");
    }

    // ---- writing

    @Test
    void writesBelowTheWorkingDirectory() {
        LocalObjectStore working = LocalObjectStore.at(Path.of(""));
        assertThat(working.displayName("events/a.jsonl"))
                .isEqualTo(Path.of("events", "a.jsonl").toString());
        assertThat(working.displayName("")).isEqualTo(".");
        String key = "target/local-store-test/" + root.getFileName() + ".bin";
        working.put(key, Flux.just(ByteBuffer.wrap(new byte[10])), PutMode.CREATE)
                .block(PATIENCE);
        assertThat(Path.of(key)).hasSize(10);
        assertThat(ObjectStoreContract.keys(working.list("target/local-store-test/")))
                .contains(key);
        working.delete(key).block(PATIENCE);
        assertThat(Path.of(key)).doesNotExist();
    }

    @Test
    void overwritesTheFileBehindALink() throws IOException {
        write("data/v1", 10);
        Files.createSymbolicLink(root.resolve("current"), Path.of("data/v1"));
        store.put("current", Flux.just(ByteBuffer.wrap(new byte[20])), PutMode.OVERWRITE)
                .block(PATIENCE);
        assertThat(root.resolve("current")).isSymbolicLink();
        assertThat(root.resolve("data/v1")).hasSize(20);
    }

    @Test
    void saysWhatStandsInTheWay() throws IOException {
        write("file", 1);
        write("dir/file", 1);
        ObjectStoreContract.expectError(store.put("file/below", Flux.empty(), PutMode.CREATE), Kind.INVALID_REQUEST);
        ObjectStoreContract.expectError(store.put("dir", Flux.empty(), PutMode.OVERWRITE), Kind.INVALID_REQUEST);
        ObjectStoreContract.expectError(store.put("dir", Flux.empty(), PutMode.CREATE), Kind.ALREADY_EXISTS);
        ObjectStoreContract.expectError(
                store.put("x".repeat(1000), Flux.empty(), PutMode.CREATE), Kind.INVALID_REQUEST);
        assertThat(Folders.files(root)).hasSize(2);
    }

    @Test
    void triesWhetherLinksWorkBeforeItDoesWithoutThem() throws IOException {
        LocalObjectStore full = new LocalObjectStore(root, scheduler, (link, existing) -> {
            throw new FileSystemException(link.toString(), null, "No space left on device");
        });
        assertThat(ObjectStoreContract.expectError(full.put("a", Flux.empty(), PutMode.CREATE), Kind.IO))
                .hasMessageContaining("disk is full");
        boolean[] failed = new boolean[1];
        LocalObjectStore passing = new LocalObjectStore(root, scheduler, (link, existing) -> {
            if (!failed[0]) {
                failed[0] = true;
                throw new FileSystemException(link.toString(), null, "a passing error");
            }
            Files.createLink(link, existing);
        });
        assertThat(ObjectStoreContract.expectError(passing.put("a", Flux.empty(), PutMode.CREATE), Kind.IO))
                .hasMessageContaining("a passing error");
        LocalObjectStore never = new LocalObjectStore(root, scheduler, (link, existing) -> {
            throw new FileSystemException(link.toString(), existing.toString(), "Operation not permitted");
        });
        never.put("a", Flux.empty(), PutMode.CREATE).block(PATIENCE);
        ObjectStoreContract.expectError(never.put("a", Flux.empty(), PutMode.CREATE), Kind.ALREADY_EXISTS);
        assertThat(ObjectStoreContract.keys(store.list(""))).containsExactly("a");
    }

    @Test
    void refusesContentThatIgnoresDemand() {
        StepVerifier.create(store.put(
                        "file",
                        subscriber -> subscriber.onSubscribe(new Subscription() {
                            @Override
                            public void request(long n) {
                                for (int i = 0; i < 3; i++) {
                                    subscriber.onNext(ByteBuffer.allocate(10));
                                }
                                subscriber.onComplete();
                            }

                            @Override
                            public void cancel() {}
                        }),
                        PutMode.CREATE))
                .expectErrorMatches(error -> reactor.core.Exceptions.isOverflow(error))
                .verify(PATIENCE);
        assertThat(root).isEmptyDirectory();
    }

    @Test
    void passesTheContextToTheContent() {
        Flux<ByteBuffer> content = Flux.deferContextual(context ->
                Flux.just(ByteBuffer.wrap(context.get("who").toString().getBytes(UTF_8))));
        store.put("file", content, PutMode.CREATE)
                .contextWrite(context -> context.put("who", "me"))
                .block(PATIENCE);
        assertThat(root.resolve("file")).hasContent("me");
    }

    // ---- tools

    private Path write(String key, int size) throws IOException {
        Path file = root.resolve(key);
        Files.createDirectories(file.getParent());
        return Files.write(file, ObjectStoreContract.random(size));
    }

    private static void truncate(Path file, int size) {
        try (var channel = java.nio.channels.FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(size);
        } catch (IOException error) {
            throw new AssertionError(error);
        }
    }

    private static void append(Path file) {
        try {
            Files.write(file, new byte[1000], StandardOpenOption.APPEND);
        } catch (IOException error) {
            throw new AssertionError(error);
        }
    }

    private long openFiles(String name) {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return open.filter(fd -> {
                        try {
                            return Files.readSymbolicLink(fd)
                                    .equals(root.toRealPath().resolve(name));
                        } catch (IOException closed) {
                            return false;
                        }
                    })
                    .count();
        } catch (IOException error) {
            throw new AssertionError(error);
        }
    }

    private static boolean makePipe(Path path) throws InterruptedException {
        try {
            return new ProcessBuilder("mkfifo", path.toString()).start().waitFor(10, TimeUnit.SECONDS)
                    && Files.exists(path);
        } catch (IOException none) {
            return false;
        }
    }
}
