package io.sluice.s3;

import static io.sluice.s3.TestS3.error;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.s3.FaultProxy.Fault;
import io.sluice.storage.PutMode;
import io.sluice.storage.StoreProvider.Location;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/** Which headers and which addresses the options of clients and stores give to requests, whatever they ask for. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class S3RequestsTest {

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

    @Test
    void requesterPaysForEveryRequest() {
        try (S3AsyncClient client = spec().client()) {
            S3ObjectStore store =
                    S3ObjectStore.create(client, bucket, TestS3.spec().requesterPays());
            store.put("small", bytes(10), PutMode.CREATE).block(PATIENCE);
            store.put("large", bytes(S3StoreSpec.MIN_PART_BYTES + 1), PutMode.CREATE)
                    .block(PATIENCE);
            store.get("large").blockLast(PATIENCE);
            store.head("small").block(PATIENCE);
            store.list("").blockLast(PATIENCE);
            store.delete("small").block(PATIENCE);
            proxy.rule(request -> request.is("PUT", "partNumber=2")
                    ? new Fault.Answer(
                            403,
                            "Content-Type: application/xml\r\n",
                            "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
                    : FaultProxy.NONE);
            error(store.put("other", bytes(S3StoreSpec.MIN_PART_BYTES + 1), PutMode.OVERWRITE));
        }
        assertThat(proxy.requests())
                .anyMatch(request -> request.is("DELETE", "uploadId"))
                .anyMatch(request -> request.is("GET", "uploadId"))
                .anyMatch(request -> request.is("PUT", "probe"))
                .allSatisfy(request ->
                        assertThat(request.header("x-amz-request-payer")).isEqualTo("requester"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void answersAreCheckedUnlessOnlyRequiredChecksumsShallBe(boolean whenRequired) {
        S3ClientSpec checked = spec();
        try (S3AsyncClient client = (whenRequired ? checked.checksumsWhenRequired() : checked).client()) {
            S3ObjectStore store = S3ObjectStore.create(client, bucket, TestS3.spec());
            store.put("a", bytes(10), PutMode.OVERWRITE).block(PATIENCE);
            store.get("a").blockLast(PATIENCE);
        }
        // what the SDK has the store append for it to check
        assertThat(proxy.requests().get(1).header("x-amz-te")).isEqualTo(whenRequired ? null : "append-md5");
    }

    @Test
    void noMoreConnectionsAreMadeThanAllowed() {
        proxy.slow(Duration.ofMillis(20), Long.MAX_VALUE);
        try (S3AsyncClient client = spec().maxConnections(2).client()) {
            S3ObjectStore store = S3ObjectStore.create(client, bucket, TestS3.spec());
            Flux.range(0, 12).flatMap(n -> store.list("dir" + n + "/"), 12).blockLast(PATIENCE);
        }
        assertThat(proxy.requests()).hasSize(12);
        assertThat(proxy.mostBusy()).isEqualTo(2);
    }

    @Test
    void requestsAreSignedForTheRegion() {
        try (S3AsyncClient client = spec().region("eu-north-1").client()) {
            S3ObjectStore.create(client, bucket).list("").blockLast(PATIENCE);
        }
        assertThat(proxy.requests().get(0).header("Authorization")).contains("/eu-north-1/s3/");
    }

    /** A question before every upload would cost a round trip. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void bodiesAreAskedForOnlyWhereAnotherRegionMayAnswer(boolean crossRegion) {
        S3ClientSpec here = spec();
        try (S3AsyncClient client = (crossRegion ? here.crossRegion() : here).client()) {
            S3ObjectStore.create(client, bucket, TestS3.spec())
                    .put("a", bytes(10), PutMode.OVERWRITE)
                    .block(PATIENCE);
        }
        assertThat(proxy.requests())
                .filteredOn(request -> request.is("PUT", "/a"))
                .isNotEmpty()
                .allSatisfy(
                        request -> assertThat(request.header("Expect")).isEqualTo(crossRegion ? "100-continue" : null));
    }

    /** There are others on the class path of these tests. */
    @Test
    void reactorNettyIsTheClientWhereNoneIsNamed() {
        try (S3AsyncClient client = spec().client()) {
            S3ObjectStore store = S3ObjectStore.create(client, bucket, TestS3.spec());
            store.put("a", bytes(10), PutMode.OVERWRITE).block(PATIENCE);
            assertThat(store.get("a")
                            .map(chunk -> Thread.currentThread().getName())
                            .blockLast(PATIENCE))
                    .startsWith("reactor-http");
        }
    }

    private static SdkHttpRequest toAmazon(UnaryOperator<S3ClientSpec> options) {
        RecordingHttpClient http = new RecordingHttpClient();
        S3ClientSpec amazon =
                S3ClientSpec.create().region("eu-west-3").anonymous().httpClient(http);
        try (S3AsyncClient client = options.apply(amazon).client()) {
            S3ObjectStore.create(client, "my-bucket")
                    .put("dir/object", bytes(10), PutMode.CREATE)
                    .block(PATIENCE);
        }
        // a store that keeps its word is not tried out first
        assertThat(http.requests()).hasSize(1);
        return http.requests().get(0);
    }

    @Test
    void amazonIsAskedByHostUnlessByPath() {
        SdkHttpRequest byHost = toAmazon(spec -> spec);
        assertThat(byHost.host()).isEqualTo("my-bucket.s3.eu-west-3.amazonaws.com");
        assertThat(byHost.encodedPath()).isEqualTo("/dir/object");
        SdkHttpRequest byPath = toAmazon(spec -> spec.pathStyle(true));
        assertThat(byPath.host()).isEqualTo("s3.eu-west-3.amazonaws.com");
        assertThat(byPath.encodedPath()).isEqualTo("/my-bucket/dir/object");
    }

    @Test
    void aProvidersStoresHaveItsSpec() {
        Location location =
                new S3StoreProvider(spec(), TestS3.spec().readAheadBytes(12_345)).resolve("s3://bucket/key");
        assertThat(((S3ObjectStore) location.store()).readAheadFree()).isEqualTo(12_345);
    }
}
