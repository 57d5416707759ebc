package io.sluice.s3;

import static io.sluice.s3.TestS3.bytes;
import static io.sluice.s3.TestS3.error;
import static io.sluice.s3.TestS3.read;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.StorageException.Kind;
import io.sluice.s3.FaultProxy.Fault;
import io.sluice.s3.FaultProxy.Request;
import io.sluice.storage.PutMode;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.CompleteMultipartUploadRequest;
import software.amazon.awssdk.services.s3.model.CompletedPart;

/** Create-only writes against stores that know only some of the conditions, and the ends of uploads that are told badly. */
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class S3ConditionsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int PART = S3StoreSpec.MIN_PART_BYTES;
    private static final String XML = "Content-Type: application/xml\r\n";

    private final FaultProxy proxy = new FaultProxy(TestS3.openPort());
    private final S3AsyncClient client =
            TestS3.clientSpec(proxy.port()).maxRetries(0).client();
    private final String bucket = TestS3.newOpenBucket();
    private final S3ObjectStore direct = S3ObjectStore.create(TestS3.openClient(), bucket, TestS3.spec());

    @AfterEach
    void close() {
        client.close();
        proxy.close();
    }

    private S3ObjectStore store(ConditionalWrites writes) {
        return S3ObjectStore.create(client, bucket, TestS3.spec().conditionalWrites(writes));
    }

    private static Flux<ByteBuffer> content(int length) {
        return Flux.just(ByteBuffer.wrap(bytes(length)));
    }

    private static boolean isComplete(Request request) {
        return request.is("POST", "uploadId");
    }

    private static Fault notImplemented() {
        return new Fault.Answer(501, XML, "<Error><Code>NotImplemented</Code><Message>no</Message></Error>");
    }

    @Test
    void aStoreThatKnowsTheConditionForPutsOnlyIsNamedForUploads() {
        proxy.rule(request -> isComplete(request) && request.target().contains("probe")
                ? new Fault.Answer(
                        200, XML, "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>")
                : FaultProxy.NONE);
        S3ObjectStore store = store(ConditionalWrites.PROBE);
        store.put("small", content(10), PutMode.CREATE).block(PATIENCE);
        assertThat(error(store.put("large", content(PART + 1), PutMode.CREATE)))
                .hasMessageContaining("If-None-Match")
                .satisfies(error -> assertThat(error.kind()).isEqualTo(Kind.UNSUPPORTED));
        assertThat(direct.list("").map(meta -> meta.key()).collectList().block(PATIENCE))
                .containsExactly("small");
    }

    @ParameterizedTest
    @ValueSource(ints = {10, PART + 1})
    void aStoreThatRefusesTheHeaderIsNamed(int length) {
        proxy.rule(request -> request.header("If-None-Match") != null ? notImplemented() : FaultProxy.NONE);
        assertThat(error(store(ConditionalWrites.PROBE).put("object", content(length), PutMode.CREATE)))
                .hasMessageContaining("CHECK_BEFORE")
                .satisfies(error -> assertThat(error.kind()).isEqualTo(Kind.UNSUPPORTED));
        // and can be written to where that is accepted, which sends no such header
        store(ConditionalWrites.CHECK_BEFORE)
                .put("object", content(length), PutMode.CREATE)
                .block(PATIENCE);
        assertThat(read(direct.get("object"))).isEqualTo(bytes(length));
    }

    /** What a crash leaves of them is nobody's shard. */
    @Test
    void probesAreNotListed() {
        for (String key : new String[] {"dir/a", "dir/" + ConditionCheck.PROBE + "1", ConditionCheck.PROBE + "2"}) {
            direct.put(key, content(1), PutMode.OVERWRITE).block(PATIENCE);
        }
        assertThat(direct.list("").map(meta -> meta.key()).collectList().block(PATIENCE))
                .containsExactly("dir/a");
    }

    @Test
    void whereTheStoreIsTrustedNothingIsProbedAndTheConditionSent() {
        S3ObjectStore trusting = store(ConditionalWrites.TRUST);
        trusting.put("small", content(10), PutMode.CREATE).block(PATIENCE);
        trusting.put("large", content(PART + 1), PutMode.CREATE).block(PATIENCE);
        assertThat(proxy.requests())
                .noneMatch(request -> request.target().contains("probe"))
                .filteredOn(request -> request.header("If-None-Match") != null)
                .hasSize(2);
    }

    /** What was free when a long upload began need not be at its end. */
    @Test
    void whatIsCheckedBeforeIsCheckedAgainAtTheEndOfAnUpload() {
        proxy.rule(request -> {
            if (request.is("PUT", "partNumber=1")) {
                direct.put("object", content(77), PutMode.OVERWRITE).block(PATIENCE);
            }
            return FaultProxy.NONE;
        });
        assertThat(error(store(ConditionalWrites.CHECK_BEFORE).put("object", content(PART + 1), PutMode.CREATE))
                        .kind())
                .isEqualTo(Kind.ALREADY_EXISTS);
        assertThat(read(direct.get("object"))).isEqualTo(bytes(77));
    }

    /** The first try was heard, its answer was not, and the upload is gone when it is asked for again. */
    @Test
    void anUploadThatIsGoneMayHaveBeenCompleted() {
        AtomicInteger completes = new AtomicInteger();
        proxy.rule(request -> !isComplete(request)
                ? FaultProxy.NONE
                : completes.incrementAndGet() == 1
                        ? new Fault.Drop(true)
                        : new Fault.Answer(
                                404, XML, "<Error><Code>NoSuchUpload</Code><Message>gone</Message></Error>"));
        assertThat(store(ConditionalWrites.TRUST)
                        .put("object", content(PART + 1), PutMode.CREATE)
                        .block(PATIENCE)
                        .size())
                .isEqualTo(PART + 1);
        assertThat(completes).hasValue(2);
    }

    /** A part that was under way may arrive behind the abort. */
    @Test
    void anUploadIsAbortedAgainWhileItHasParts() {
        AtomicInteger lists = new AtomicInteger();
        proxy.rule(request -> request.is("PUT", "partNumber=1")
                ? new Fault.Answer(403, XML, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
                : request.is("GET", "uploadId") && lists.incrementAndGet() < 3
                        ? new Fault.Answer(
                                200,
                                XML,
                                "<ListPartsResult><Part><PartNumber>2</PartNumber><ETag>e</ETag><Size>1</Size></Part></ListPartsResult>")
                        : FaultProxy.NONE);
        assertThat(error(S3ObjectStore.create(client, bucket, TestS3.spec().partsInFlight(1))
                                .put("object", content(PART + 1), PutMode.OVERWRITE))
                        .kind())
                .isEqualTo(Kind.ACCESS_DENIED);
        assertThat(lists).hasValue(3);
        assertThat(proxy.requests())
                .filteredOn(request -> request.is("DELETE", "uploadId"))
                .hasSize(3);
    }

    @Test
    void partsMayBeDoneInAnyOrder() {
        CountDownLatch third = new CountDownLatch(1);
        proxy.rule(request -> {
            if (request.is("PUT", "partNumber=3")) {
                third.countDown();
            }
            return request.is("PUT", "partNumber=1") ? new Fault.Hold(third) : FaultProxy.NONE;
        });
        S3ObjectStore.create(client, bucket, TestS3.spec().partsInFlight(2))
                .put("object", content(2 * PART + 1), PutMode.OVERWRITE)
                .block(PATIENCE);
        assertThat(read(direct.get("object"))).isEqualTo(bytes(2 * PART + 1));
    }

    /** Without them S3 does not complete an upload whose parts have them. */
    @Test
    void theChecksumsOfThePartsAreSaidAtTheEnd() {
        Queue<CompletedPart> completed = new ConcurrentLinkedQueue<>();
        proxy.rule(request -> request.is("PUT", "partNumber")
                ? new Fault.Answer(200, "ETag: \"e\"\r\nx-amz-checksum-crc32: AAAAAA==\r\n", "")
                : isComplete(request)
                        ? new Fault.Answer(
                                200,
                                XML,
                                "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>")
                        : FaultProxy.NONE);
        ExecutionInterceptor listening = new ExecutionInterceptor() {
            @Override
            public void beforeExecution(Context.BeforeExecution context, ExecutionAttributes attributes) {
                if (context.request() instanceof CompleteMultipartUploadRequest complete) {
                    completed.addAll(complete.multipartUpload().parts());
                }
            }
        };
        try (ReactorNettyAsyncHttpClient http = ReactorNettyAsyncHttpClient.create();
                S3AsyncClient heard = S3AsyncClient.builder()
                        .endpointOverride(URI.create("http://127.0.0.1:" + proxy.port()))
                        .forcePathStyle(true)
                        .region(Region.US_EAST_1)
                        .credentialsProvider(AnonymousCredentialsProvider.create())
                        .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
                        .httpClient(http)
                        .overrideConfiguration(override -> override.addExecutionInterceptor(listening))
                        .build()) {
            S3ObjectStore.create(heard, bucket, TestS3.spec())
                    .put("object", content(PART + 1), PutMode.OVERWRITE)
                    .block(PATIENCE);
        }
        assertThat(completed).extracting(CompletedPart::partNumber).containsExactly(1, 2);
        assertThat(completed).extracting(CompletedPart::checksumCRC32).containsOnly("AAAAAA==");
    }
}
