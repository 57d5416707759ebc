package io.sluice.s3;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.storage.PutMode;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;
import reactor.netty.http.client.HttpClient;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.http.crt.AwsCrtAsyncHttpClient;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/** Clients of all kinds: HTTP clients, options of the S3ClientSpec. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class S3ClientsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final Map<String, Supplier<SdkAsyncHttpClient>> CLIENTS = Map.of(
            "reactor-netty", ReactorNettyAsyncHttpClient::create,
            "a service's own", () -> ReactorNettyAsyncHttpClient.create(HttpClient.create()),
            "netty-nio", () -> NettyNioAsyncHttpClient.builder().build(),
            "crt", () -> AwsCrtAsyncHttpClient.builder().build());

    private final byte[] content = new byte[S3StoreSpec.MIN_PART_BYTES + 1_000_000];

    {
        new Random(1).nextBytes(content);
    }

    private byte[] read(S3ObjectStore store) {
        return store.get("object")
                .collect(ByteArrayOutputStream::new, (all, chunk) -> all.write(chunk.array(), 0, chunk.limit()))
                .map(ByteArrayOutputStream::toByteArray)
                .block(PATIENCE);
    }

    private void writeAndRead(S3AsyncClient client, String bucket) {
        S3ObjectStore store = S3ObjectStore.create(client, bucket, TestS3.spec());
        store.put("object", Flux.just(ByteBuffer.wrap(content)), PutMode.CREATE).block(PATIENCE);
        assertThat(read(store)).isEqualTo(content);
        store.put("small", Flux.just(ByteBuffer.allocate(9)), PutMode.CREATE).block(PATIENCE);
        assertThat(store.list("").collectList().block(PATIENCE)).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"reactor-netty", "a service's own", "netty-nio", "crt"})
    void everyHttpClientWorks(String name) {
        try (SdkAsyncHttpClient http = CLIENTS.get(name).get();
                S3AsyncClient client = TestS3.clientSpec().httpClient(http).client()) {
            writeAndRead(client, TestS3.newBucket());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"reactor-netty", "netty-nio", "crt"})
    void everyHttpClientResumes(String name) {
        try (FaultProxy proxy = new FaultProxy(TestS3.port());
                SdkAsyncHttpClient http = CLIENTS.get(name).get();
                S3AsyncClient client =
                        TestS3.clientSpec(proxy.port()).httpClient(http).client()) {
            String bucket = TestS3.newBucket();
            S3ObjectStore.create(TestS3.client(), bucket, TestS3.spec())
                    .put("object", Flux.just(ByteBuffer.wrap(content)), PutMode.CREATE)
                    .block(PATIENCE);
            proxy.rule(request -> request.number() % 3 == 1 ? new FaultProxy.Fault.Cut(100_000) : FaultProxy.NONE);
            assertThat(read(S3ObjectStore.create(client, bucket, TestS3.spec())))
                    .isEqualTo(content);
            assertThat(proxy.requests().size()).isGreaterThan(21);
        }
    }

    @Test
    void checksumsCanBeLeftToWhereTheyAreRequired() {
        try (FaultProxy proxy = new FaultProxy(TestS3.port());
                S3AsyncClient client =
                        TestS3.clientSpec(proxy.port()).checksumsWhenRequired().client()) {
            writeAndRead(client, TestS3.newBucket());
            assertThat(proxy.requests())
                    .filteredOn(request -> request.method().equals("PUT"))
                    .isNotEmpty()
                    .allMatch(request -> request.header("x-amz-trailer") == null)
                    .allMatch(request -> request.header("Expect") == null);
        }
    }

    @Test
    void anonymousRequestsAreNotSigned() {
        try (FaultProxy proxy = new FaultProxy(TestS3.openPort());
                S3AsyncClient client =
                        TestS3.clientSpec(proxy.port()).anonymous().client()) {
            writeAndRead(client, TestS3.newOpenBucket());
            assertThat(proxy.requests()).allMatch(request -> request.header("Authorization") == null);
        }
    }

    @Test
    void sessionTokensAreSent() {
        try (FaultProxy proxy = new FaultProxy(TestS3.openPort());
                S3AsyncClient client = TestS3.clientSpec(proxy.port())
                        .credentials(StaticCredentialsProvider.create(
                                AwsSessionCredentials.create("key", "secret", "a-session-token")))
                        .client()) {
            writeAndRead(client, TestS3.newOpenBucket());
            assertThat(proxy.requests())
                    .allMatch(request -> "a-session-token".equals(request.header("X-Amz-Security-Token")));
        }
    }

    @Test
    void theBucketIsInThePathOfAnEndpointUnlessItShallNotBe() {
        try (FaultProxy proxy = new FaultProxy(TestS3.port());
                S3AsyncClient path = TestS3.clientSpec(proxy.port()).client()) {
            TestS3.done(path.listObjectsV2(list -> list.bucket(TestS3.newBucket())));
            assertThat(proxy.requests()).allMatch(request -> request.target().startsWith("/test-"));
        }
        S3ClientSpec inHost = TestS3.clientSpec().pathStyle(false);
        try (S3AsyncClient host = inHost.endpoint(java.net.URI.create("http://s3.invalid"))
                .maxRetries(0)
                .client()) {
            assertThat(host.headBucket(head -> head.bucket("my-bucket")))
                    .failsWithin(PATIENCE)
                    .withThrowableOfType(java.util.concurrent.ExecutionException.class)
                    .withStackTraceContaining("my-bucket.s3.invalid");
        }
    }
}
