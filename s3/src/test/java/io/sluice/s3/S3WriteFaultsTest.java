package io.sluice.s3;

import static io.sluice.s3.TestS3.bytes;
import static io.sluice.s3.TestS3.error;
import static io.sluice.testing.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import io.sluice.s3.FaultProxy.Fault;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.PutMode;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;
import reactor.test.publisher.TestPublisher;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ServerSideEncryption;

/** Writing through everything that can go wrong on the way. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class S3WriteFaultsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int PART = S3StoreSpec.MIN_PART_BYTES;

    private final FaultProxy proxy = new FaultProxy(TestS3.port());
    private final S3AsyncClient client = TestS3.clientSpec(proxy.port()).client();
    private final String bucket = TestS3.newBucket();
    private final S3ObjectStore store = S3ObjectStore.create(client, bucket, TestS3.spec());
    private final S3ObjectStore direct = S3ObjectStore.create(TestS3.client(), bucket, TestS3.spec());
    private final byte[] small = bytes(1000);
    private final byte[] large = bytes(2 * PART + 1_234_567);

    @AfterEach
    void close() {
        client.close();
        proxy.close();
    }

    private static Flux<ByteBuffer> chunked(byte[] content) {
        int size = 100_000;
        return Flux.range(0, (content.length + size - 1) / size)
                .map(i -> ByteBuffer.wrap(content, i * size, Math.min(size, content.length - i * size)));
    }

    private byte[] read(String key) {
        return direct.get(key)
                .collect(ByteArrayOutputStream::new, (all, chunk) -> all.write(chunk.array(), 0, chunk.limit()))
                .map(ByteArrayOutputStream::toByteArray)
                .block(PATIENCE);
    }

    private void assertNoUploads() {
        assertThat(TestS3.done(TestS3.client().listMultipartUploads(list -> list.bucket(bucket)))
                        .uploads())
                .isEmpty();
    }

    /** Once. */
    private static Predicate<FaultProxy.Request> first(Predicate<FaultProxy.Request> which) {
        AtomicBoolean done = new AtomicBoolean();
        return request -> which.test(request) && done.compareAndSet(false, true);
    }

    private static boolean isPut(FaultProxy.Request request) {
        return request.method().equals("PUT")
                && !request.target().contains("uploadId")
                && !request.target().contains("probe");
    }

    private static boolean isComplete(FaultProxy.Request request) {
        return request.is("POST", "uploadId") && !request.target().contains("probe");
    }

    @ParameterizedTest
    @EnumSource
    void writesInParts(PutMode mode) {
        ObjectMeta meta = store.put("dir/object", chunked(large), mode).block(PATIENCE);
        assertThat(read("dir/object")).isEqualTo(large);
        assertThat(meta.size()).isEqualTo(large.length);
        assertThat(meta.etag())
                .isEqualTo(direct.head("dir/object").block(PATIENCE).etag());
        assertThat(proxy.requests().stream()
                        .filter(r -> r.is("PUT", "partNumber") && !r.target().contains("probe")))
                .hasSize(3);
        assertNoUploads();
    }

    @Test
    void exactlyOnePartIsWrittenWhole() {
        byte[] content = bytes(PART);
        store.put("object", chunked(content), PutMode.CREATE).block(PATIENCE);
        assertThat(proxy.requests()).noneMatch(r -> r.target().contains("object?"));
        assertThat(read("object")).isEqualTo(content);
    }

    @Test
    void holdsNoMoreThanTheParts() {
        CountDownLatch hold = new CountDownLatch(1);
        proxy.rule(request -> request.is("PUT", "partNumber") ? new Fault.Hold(hold) : FaultProxy.NONE);
        AtomicLong given = new AtomicLong();
        Flux<ByteBuffer> endless = Flux.<ByteBuffer>generate(sink -> sink.next(ByteBuffer.wrap(small)))
                .doOnNext(chunk -> given.addAndGet(chunk.remaining()));
        Disposable put = S3ObjectStore.create(client, bucket, TestS3.spec().partsInFlight(2))
                .put("object", endless, PutMode.OVERWRITE)
                .subscribe();
        eventually(() -> assertThat(proxy.requests().stream().filter(r -> r.is("PUT", "partNumber")))
                .hasSize(2));
        long then = given.get();
        assertThat(then).isBetween(2L * PART, 2L * PART + 2 * small.length);
        put.dispose();
        hold.countDown();
        eventually(this::assertNoUploads);
        assertThat(given).hasValue(then);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aLostReplyToAPutIsRecognised(boolean clientRetries) {
        try (S3AsyncClient other = TestS3.clientSpec(proxy.port())
                .maxRetries(clientRetries ? 3 : 0)
                .client()) {
            Predicate<FaultProxy.Request> once = first(S3WriteFaultsTest::isPut);
            proxy.rule(request -> once.test(request) ? new Fault.Drop(true) : FaultProxy.NONE);
            ObjectMeta meta = S3ObjectStore.create(other, bucket, TestS3.spec())
                    .put("object", chunked(small), PutMode.CREATE)
                    .block(PATIENCE);
            assertThat(meta.size()).isEqualTo(small.length);
            assertThat(read("object")).isEqualTo(small);
            assertThat(proxy.requests().stream().filter(S3WriteFaultsTest::isPut))
                    .hasSize(2);
        }
    }

    @Test
    void anAnswerThatNeverComesIsAskedForWithoutIt() {
        try (S3AsyncClient single =
                TestS3.clientSpec(proxy.port()).maxRetries(0).client()) {
            proxy.rule(request -> isPut(request) ? new Fault.Drop(true) : FaultProxy.NONE);
            ObjectMeta meta = S3ObjectStore.create(single, bucket, TestS3.spec().maxRetries(0))
                    .put("object", chunked(small), PutMode.CREATE)
                    .block(PATIENCE);
            assertThat(meta.etag())
                    .isEqualTo(direct.head("object").block(PATIENCE).etag());
        }
    }

    @Test
    void aLostReplyToACompleteIsRecognised() {
        Predicate<FaultProxy.Request> once = first(S3WriteFaultsTest::isComplete);
        proxy.rule(request -> once.test(request) ? new Fault.Drop(true) : FaultProxy.NONE);
        ObjectMeta meta = store.put("object", chunked(large), PutMode.CREATE).block(PATIENCE);
        assertThat(meta.size()).isEqualTo(large.length);
        assertThat(read("object")).isEqualTo(large);
        assertNoUploads();
    }

    @Test
    void anothersObjectIsNotTakenForOnesOwn() {
        Predicate<FaultProxy.Request> once = first(S3WriteFaultsTest::isPut);
        proxy.rule(request -> {
            if (once.test(request)) {
                direct.put("object", chunked(bytes(77)), PutMode.CREATE).block(PATIENCE);
                return new Fault.Drop(false);
            }
            return FaultProxy.NONE;
        });
        assertThat(error(store.put("object", chunked(small), PutMode.CREATE)).kind())
                .isEqualTo(Kind.ALREADY_EXISTS);
        assertThat(read("object")).isEqualTo(bytes(77));
    }

    @Test
    void aRaceLostAtTheEndOfAnUploadLeavesNothing() {
        Predicate<FaultProxy.Request> once = first(S3WriteFaultsTest::isComplete);
        proxy.rule(request -> {
            if (once.test(request)) {
                direct.put("object", chunked(bytes(77)), PutMode.CREATE).block(PATIENCE);
            }
            return FaultProxy.NONE;
        });
        assertThat(error(store.put("object", chunked(large), PutMode.CREATE)).kind())
                .isEqualTo(Kind.ALREADY_EXISTS);
        assertThat(read("object")).isEqualTo(bytes(77));
        assertNoUploads();
    }

    @Test
    void aTakenKeyIsSeenBeforeALongUpload() {
        direct.put("object", chunked(small), PutMode.CREATE).block(PATIENCE);
        assertThat(error(store.put("object", chunked(large), PutMode.CREATE)).kind())
                .isEqualTo(Kind.ALREADY_EXISTS);
        assertThat(proxy.requests())
                .noneMatch(r -> r.target().contains("object") && r.target().contains("uploads"));
    }

    @Test
    void overloadAndResetsAreRetried() {
        AtomicInteger count = new AtomicInteger();
        proxy.rule(request -> switch (count.incrementAndGet() % 5) {
            case 1 -> FaultProxy.slowDown();
            case 3 -> new Fault.Drop(false);
            default -> FaultProxy.NONE;
        });
        store.put("object", chunked(large), PutMode.CREATE).block(PATIENCE);
        assertThat(read("object")).isEqualTo(large);
        assertNoUploads();
    }

    @Test
    void anUploadThatFailsForGoodIsAborted() {
        proxy.rule(request -> request.is("PUT", "partNumber=2") ? FaultProxy.slowDown() : FaultProxy.NONE);
        try (S3AsyncClient single =
                TestS3.clientSpec(proxy.port()).maxRetries(0).client()) {
            StorageException error =
                    error(S3ObjectStore.create(single, bucket, TestS3.spec().maxRetries(1))
                            .put("object", chunked(large), PutMode.CREATE));
            assertThat(error.kind()).isEqualTo(Kind.THROTTLED);
        }
        assertNoUploads();
        assertThat(error(direct.head("object")).kind()).isEqualTo(Kind.NOT_FOUND);
    }

    @Test
    void contentThatFailsInMidUploadLeavesNothing() {
        IllegalStateException broken = new IllegalStateException("broken");
        StepVerifier.create(store.put("object", chunked(large).concatWith(Flux.error(broken)), PutMode.CREATE))
                .expectErrorMatches(error -> error == broken)
                .verify(PATIENCE);
        assertNoUploads();
        assertThat(proxy.requests()).as("there was an upload").anyMatch(r -> r.is("DELETE", "uploadId"));
    }

    @Test
    void cancelInMidUploadLeavesNothing() {
        CountDownLatch hold = new CountDownLatch(1);
        proxy.rule(request -> request.is("PUT", "partNumber=2") ? new Fault.Hold(hold) : FaultProxy.NONE);
        Disposable put = store.put("object", chunked(large).concatWith(Flux.never()), PutMode.CREATE)
                .subscribe();
        eventually(() -> assertThat(proxy.requests()).anyMatch(r -> r.is("PUT", "partNumber=2")));
        put.dispose();
        hold.countDown();
        eventually(() -> assertThat(proxy.requests()).anyMatch(r -> r.is("GET", "uploadId")));
        eventually(this::assertNoUploads);
        assertThat(error(direct.head("object")).kind()).isEqualTo(Kind.NOT_FOUND);
    }

    @Test
    void cancelWhileAnUploadBeginsLeavesNothing() {
        CountDownLatch hold = new CountDownLatch(1);
        proxy.rule(request -> request.is("POST", "uploads") && !request.target().contains("probe")
                ? new Fault.Hold(hold)
                : FaultProxy.NONE);
        TestPublisher<ByteBuffer> content = TestPublisher.create();
        Disposable put = store.put("object", content, PutMode.OVERWRITE).subscribe();
        content.next(ByteBuffer.wrap(bytes(PART)));
        content.next(ByteBuffer.wrap(small));
        eventually(() -> assertThat(proxy.requests()).anyMatch(r -> r.is("POST", "uploads")));
        put.dispose();
        content.assertCancelled();
        hold.countDown();
        eventually(() -> assertThat(proxy.requests()).anyMatch(r -> r.is("DELETE", "uploadId")));
        eventually(this::assertNoUploads);
    }

    @Test
    void cancelWhileTheStoreIsProbedLeavesNoProbe() {
        CountDownLatch hold = new CountDownLatch(1);
        proxy.rule(request -> request.is("PUT", "probe") ? new Fault.Hold(hold) : FaultProxy.NONE);
        Disposable put = store.put("object", chunked(small), PutMode.CREATE).subscribe();
        eventually(() -> assertThat(proxy.requests()).anyMatch(r -> r.is("PUT", "probe")));
        put.dispose();
        hold.countDown();
        eventually(() -> assertThat(proxy.requests()).anyMatch(r -> r.is("DELETE", "probe")));
        eventually(() -> assertThat(TestS3.done(TestS3.client().listObjectsV2(list -> list.bucket(bucket)))
                        .contents())
                .isEmpty());
    }

    @ParameterizedTest
    @ValueSource(ints = {1000, 6_000_000})
    void aStoreThatIgnoresConditionsIsNamed(int length) {
        byte[] content = bytes(length);
        String open = TestS3.newOpenBucket();
        S3ObjectStore honest = S3ObjectStore.create(TestS3.openClient(), open, TestS3.spec());
        try (FaultProxy forgetful = new FaultProxy(TestS3.openPort()).strip("if-none-match");
                S3AsyncClient careless = TestS3.clientSpec(forgetful.port()).client()) {
            S3ObjectStore probing = S3ObjectStore.create(careless, open, TestS3.spec());
            StorageException error = error(probing.put("dir/object", chunked(content), PutMode.CREATE));
            assertThat(error.kind()).isEqualTo(Kind.UNSUPPORTED);
            assertThat(error).hasMessageContaining("If-None-Match").hasMessageContaining("CHECK_BEFORE");
            assertThat(honest.list("").collectList().block(PATIENCE)).isEmpty();
            assertThat(TestS3.done(TestS3.openClient().listObjectsV2(list -> list.bucket(open)))
                            .contents())
                    .as("the probe is gone")
                    .isEmpty();
            int before = forgetful.requests().size();
            error(probing.put("dir/object", chunked(content), PutMode.CREATE));
            assertThat(forgetful.requests()).as("probed once").hasSize(before);

            S3ObjectStore checking = S3ObjectStore.create(
                    careless, open, TestS3.spec().conditionalWrites(ConditionalWrites.CHECK_BEFORE));
            checking.put("dir/object", chunked(content), PutMode.CREATE).block(PATIENCE);
            assertThat(error(checking.put("dir/object", chunked(bytes(5)), PutMode.CREATE))
                            .kind())
                    .isEqualTo(Kind.ALREADY_EXISTS);
            assertThat(honest.head("dir/object").block(PATIENCE).size()).isEqualTo(length);
            probing.put("dir/object", chunked(bytes(5)), PutMode.OVERWRITE).block(PATIENCE);
        }
    }

    @Test
    void aStoreIsProbedOnceAndNotForOverwriting() {
        store.put("a", chunked(small), PutMode.OVERWRITE).block(PATIENCE);
        assertThat(proxy.requests()).noneMatch(r -> r.target().contains("probe"));
        store.put("b", chunked(small), PutMode.CREATE).block(PATIENCE);
        assertThat(proxy.requests()).anyMatch(r -> r.target().contains("probe"));
        int before = proxy.requests().size();
        store.put("c", chunked(small), PutMode.CREATE).block(PATIENCE);
        assertThat(proxy.requests()).hasSize(before + 1);
    }

    @Test
    void whatIsWrittenCarriesWhatTheSpecSays() {
        S3StoreSpec spec = TestS3.spec()
                .metadata("origin", "test")
                .encryption(ServerSideEncryption.AES256)
                .requesterPays();
        S3ObjectStore described = S3ObjectStore.create(client, bucket, spec);
        for (byte[] content : new byte[][] {small, large}) {
            described.put("object", chunked(content), PutMode.OVERWRITE).block(PATIENCE);
            HeadObjectResponse head = TestS3.done(
                    TestS3.client().headObject(request -> request.bucket(bucket).key("object")));
            assertThat(head.metadata()).containsEntry("origin", "test").containsKey(S3Put.WRITER);
            assertThat(head.serverSideEncryption()).isEqualTo(ServerSideEncryption.AES256);
        }
        assertThat(proxy.requests())
                .filteredOn(r -> r.target().contains("object"))
                .allMatch(r -> "requester".equals(r.header("x-amz-request-payer")));
        Mono<?> tagged = S3ObjectStore.create(client, bucket, TestS3.spec().tag("a", "b c"))
                .put("tagged", chunked(small), PutMode.OVERWRITE)
                .onErrorResume(StorageException.class, unsupportedByTheServer -> Mono.empty());
        tagged.block(PATIENCE);
        assertThat(proxy.requests())
                .filteredOn(r -> r.is("PUT", "tagged"))
                .allMatch(
                        r -> "a=b%20c".equals(r.header("x-amz-tagging")) || "a=b+c".equals(r.header("x-amz-tagging")));
    }
}
