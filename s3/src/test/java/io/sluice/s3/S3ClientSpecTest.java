package io.sluice.s3;

import static io.sluice.s3.TestS3.error;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import io.sluice.s3.FaultProxy.Fault;
import io.sluice.storage.PutMode;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.async.AsyncExecuteRequest;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.ServerSideEncryption;
import software.amazon.awssdk.services.s3.model.StorageClass;

/** What the options of clients and stores do to requests. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class S3ClientSpecTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final FaultProxy proxy = new FaultProxy(TestS3.openPort());
    private final String bucket = TestS3.newOpenBucket();

    @AfterEach
    void close() {
        proxy.close();
    }

    private S3ClientSpec spec() {
        return TestS3.clientSpec(proxy.port());
    }

    private static Flux<ByteBuffer> bytes(int length) {
        return Flux.just(ByteBuffer.allocate(length));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void theClientRetriesAsOftenAsItIsTold(int retries) {
        proxy.rule(request -> FaultProxy.slowDown());
        try (S3AsyncClient client = spec().maxRetries(retries).client()) {
            S3ObjectStore store =
                    S3ObjectStore.create(client, bucket, TestS3.spec().maxRetries(0));
            assertThat(error(store.head("a")).isTransient()).isTrue();
        }
        assertThat(proxy.requests()).hasSize(1 + retries);
    }

    @Test
    void silenceIsTimedOut() {
        CountDownLatch never = new CountDownLatch(1);
        proxy.rule(request -> new Fault.Hold(never));
        try (S3AsyncClient client =
                spec().timeouts(PATIENCE, Duration.ofMillis(50)).maxRetries(0).client()) {
            S3ObjectStore store =
                    S3ObjectStore.create(client, bucket, TestS3.spec().maxRetries(0));
            assertThat(error(store.head("a")).kind()).isEqualTo(Kind.NETWORK);
        }
        never.countDown();
    }

    @ParameterizedTest
    @ValueSource(ints = {10, S3StoreSpec.MIN_PART_BYTES + 1})
    void whatIsWrittenIsDescribedAsTheSpecSays(int length) {
        // the server knows neither keys of KMS nor tags
        proxy.rule(request -> new Fault.Answer(
                200,
                "Content-Type: application/xml\r\nETag: \"e\"\r\n",
                request.is("POST", "uploads")
                        ? "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
                        : request.is("POST", "uploadId")
                                ? "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"
                                : ""));
        S3StoreSpec described = TestS3.spec()
                .encryption(ServerSideEncryption.AWS_KMS, "a-key")
                .storageClass(StorageClass.STANDARD_IA)
                .metadata("origin", "test")
                .tag("a", "b c")
                .tag("d", "é")
                .requesterPays();
        try (S3AsyncClient client = spec().client()) {
            S3ObjectStore.create(client, bucket, described)
                    .put("object", bytes(length), PutMode.OVERWRITE)
                    .block(PATIENCE);
        }
        assertThat(proxy.requests())
                .allSatisfy(request ->
                        assertThat(request.header("x-amz-request-payer")).isEqualTo("requester"));
        assertThat(proxy.requests().get(0)).satisfies(request -> {
            assertThat(request.target()).contains(length > 10 ? "object?uploads" : "object");
            assertThat(request.header("x-amz-server-side-encryption")).isEqualTo("aws:kms");
            assertThat(request.header("x-amz-server-side-encryption-aws-kms-key-id"))
                    .isEqualTo("a-key");
            assertThat(request.header("x-amz-storage-class")).isEqualTo("STANDARD_IA");
            assertThat(request.header("x-amz-meta-origin")).isEqualTo("test");
            assertThat(request.header("x-amz-tagging")).contains("a=b%20c", "&", "d=%C3%A9");
        });
    }

    @Test
    void checksumsAreSentUnlessOnlyTheRequiredOnesShallBe() {
        try (S3AsyncClient client = spec().client()) {
            S3ObjectStore.create(client, bucket, TestS3.spec())
                    .put("a", bytes(10), PutMode.OVERWRITE)
                    .block(PATIENCE);
        }
        assertThat(proxy.requests().get(0).header("x-amz-sdk-checksum-algorithm"))
                .isEqualTo("CRC32");
        try (S3AsyncClient client = spec().checksumsWhenRequired().client()) {
            S3ObjectStore.create(client, bucket, TestS3.spec())
                    .put("a", bytes(10), PutMode.OVERWRITE)
                    .block(PATIENCE);
        }
        assertThat(proxy.requests()).hasSize(2);
        assertThat(proxy.requests().get(1).header("x-amz-sdk-checksum-algorithm"))
                .isNull();
    }

    @Test
    void aBucketOfAnotherRegionIsFollowedWhereThatIsAllowed() {
        proxy.rule(request -> String.valueOf(request.header("Authorization")).contains("/us-east-1/")
                ? new Fault.Answer(
                        301,
                        "x-amz-bucket-region: eu-north-1\r\nContent-Type: application/xml\r\n",
                        "<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>")
                : FaultProxy.NONE);
        try (S3AsyncClient client = spec().client()) {
            StorageException error =
                    error(S3ObjectStore.create(client, bucket, TestS3.spec()).put("a", bytes(10), PutMode.OVERWRITE));
            assertThat(error.kind()).isEqualTo(Kind.INVALID_REQUEST);
            assertThat(error.isTransient()).isFalse();
            assertThat(error).hasMessageContaining("eu-north-1").hasMessageContaining("crossRegion()");
        }
        try (S3AsyncClient client = spec().crossRegion().client()) {
            S3ObjectStore store = S3ObjectStore.create(client, bucket, TestS3.spec());
            store.put("a", bytes(10), PutMode.OVERWRITE).block(PATIENCE);
            assertThat(store.head("a").block(PATIENCE).size()).isEqualTo(10);
        }
    }

    @Test
    void clientsOfTheUsersAreNeverClosed() {
        AtomicBoolean closed = new AtomicBoolean();
        try (ReactorNettyAsyncHttpClient http = ReactorNettyAsyncHttpClient.create()) {
            SdkAsyncHttpClient yours = new SdkAsyncHttpClient() {
                @Override
                public CompletableFuture<Void> execute(AsyncExecuteRequest request) {
                    return http.execute(request);
                }

                @Override
                public void close() {
                    closed.set(true);
                }
            };
            for (int i = 0; i < 2; i++) {
                try (S3AsyncClient client = spec().httpClient(yours).client()) {
                    S3ObjectStore store = S3ObjectStore.create(client, bucket, TestS3.spec());
                    store.put("a" + i, bytes(10), PutMode.CREATE).block(PATIENCE);
                    // neither an error nor a cancel of a store's is a reason to close its client
                    error(store.head("nothing"));
                    store.get("a" + i).take(0).blockLast(PATIENCE);
                    assertThat(store.get("a" + i).blockLast(PATIENCE).remaining())
                            .isEqualTo(10);
                }
                assertThat(closed).isFalse();
            }
        }
    }

    @Test
    void theClientsOwnHttpClientIsClosedWithIt() {
        S3AsyncClient client = spec().client();
        S3ObjectStore store = S3ObjectStore.create(client, bucket, TestS3.spec());
        store.put("a", bytes(10), PutMode.CREATE).block(PATIENCE);
        client.close();
        assertThat(error(store.head("a"))).isNotNull();
    }

    @Test
    void noSecretIsLoggedOrSaid() {
        String secret = "a-Secret-Access-Key";
        String token = "a-Session-Token";
        Queue<String> logged = new ConcurrentLinkedQueue<>();
        Handler collector = new Handler() {
            @Override
            public void publish(LogRecord entry) {
                StringWriter text = new StringWriter();
                text.append(entry.getLoggerName())
                        .append(' ')
                        .append(new java.util.logging.SimpleFormatter().formatMessage(entry));
                if (entry.getThrown() != null) {
                    entry.getThrown().printStackTrace(new PrintWriter(text));
                }
                logged.add(text.toString());
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        collector.setLevel(Level.ALL);
        Logger root = Logger.getLogger("");
        Logger ours = Logger.getLogger("io.sluice");
        root.addHandler(collector);
        ours.setLevel(Level.ALL);
        try (S3AsyncClient client = spec().credentials(
                        StaticCredentialsProvider.create(AwsSessionCredentials.create("an-access-key", secret, token)))
                .maxRetries(1)
                .client()) {
            S3ObjectStore store =
                    S3ObjectStore.create(client, bucket, TestS3.spec().maxRetries(1));
            // an upload that can be neither finished nor aborted makes the store say so
            proxy.rule(
                    request -> request.is("POST", "uploads") || request.method().equals("HEAD")
                            ? FaultProxy.NONE
                            : new Fault.Answer(
                                    403,
                                    "Content-Type: application/xml\r\n",
                                    "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"));
            for (Publisher<?> operation : new Publisher<?>[] {
                store.put("large", bytes(S3StoreSpec.MIN_PART_BYTES + 1), PutMode.OVERWRITE),
                store.put("a", bytes(10), PutMode.CREATE),
                store.get("a"),
                store.head("a"),
                store.list("")
            }) {
                StringWriter stack = new StringWriter();
                error(operation).printStackTrace(new PrintWriter(stack));
                assertThat(stack.toString()).doesNotContain(secret, token);
            }
        } finally {
            root.removeHandler(collector);
            ours.setLevel(null);
        }
        assertThat(logged)
                .anyMatch(text -> text.contains("could not abort"))
                .noneMatch(text -> text.contains(secret) || text.contains(token));
    }

    @Test
    void aProfileThatIsNotThereIsNamed() {
        assertThatThrownBy(() -> spec().profile("no-such-profile").client()).hasMessageContaining("no-such-profile");
    }

    @Test
    void anEndpointIsWhereRequestsGo() {
        byte[] body = "<ListBucketResult></ListBucketResult>".getBytes(UTF_8);
        proxy.rule(request -> new Fault.Answer(200, "Content-Type: application/xml\r\n", new String(body, UTF_8)));
        try (S3AsyncClient client = S3ClientSpec.create()
                .endpoint(URI.create("http://localhost:" + proxy.port() + "/base"))
                .region("eu-west-3")
                .anonymous()
                .client()) {
            S3ObjectStore.create(client, bucket).list("").blockLast(PATIENCE);
        }
        assertThat(proxy.requests())
                .singleElement()
                .satisfies(request -> assertThat(request.target()).startsWith("/base/" + bucket + "?"));
    }
}
