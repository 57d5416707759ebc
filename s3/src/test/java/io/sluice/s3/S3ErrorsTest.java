package io.sluice.s3;

import static io.sluice.s3.TestS3.error;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import io.sluice.s3.FaultProxy.Fault;
import io.sluice.storage.ByteRange;
import io.sluice.storage.PutMode;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.util.List;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/** What goes wrong is told by kind, with bucket and key, and without secrets. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class S3ErrorsTest {

    private static final S3StoreSpec IMPATIENT = TestS3.spec().maxRetries(0);

    private static List<Publisher<?>> everything(S3ObjectStore store) {
        return List.of(
                store.get("dir/object"),
                store.get("dir/object", ByteRange.of(5, 0), null),
                store.head("dir/object"),
                store.list("dir/object"),
                store.put("dir/object", Flux.just(ByteBuffer.allocate(9)), PutMode.OVERWRITE),
                store.put("dir/object", Flux.just(ByteBuffer.allocate(6_000_000)), PutMode.CREATE),
                store.delete("dir/object"));
    }

    private static void assertAll(S3ObjectStore store, Kind kind, boolean isTransient, String... said) {
        int i = 0;
        for (Publisher<?> operation : everything(store)) {
            StorageException error = error(operation);
            assertThat(error.kind()).as("operation %d: %s", i++, error).isEqualTo(kind);
            assertThat(error.isTransient()).isEqualTo(isTransient);
            assertThat(error)
                    .hasMessageContaining(store.displayName("dir/object"))
                    .hasMessageContainingAll(said);
            for (Throwable at = error; at != null; at = at.getCause()) {
                assertThat(at.toString()).doesNotContain("secret", "Signature=");
            }
        }
    }

    @Test
    void wrongCredentials() {
        S3ClientSpec spec = TestS3.clientSpec();
        for (AwsBasicCredentials wrong : List.of(
                AwsBasicCredentials.create(TestS3.ACCESS_KEY, "a wrong secret"),
                AwsBasicCredentials.create("nobody", "a wrong secret"))) {
            try (S3AsyncClient client =
                    spec.credentials(StaticCredentialsProvider.create(wrong)).client()) {
                assertAll(
                        S3ObjectStore.create(client, TestS3.newBucket(), IMPATIENT),
                        Kind.ACCESS_DENIED,
                        false,
                        "credentials");
            }
        }
    }

    @Test
    void noCredentials() {
        AwsCredentialsProvider none = () -> {
            throw SdkClientException.create("Unable to load credentials from any of the providers in the chain");
        };
        try (S3AsyncClient client = TestS3.clientSpec().credentials(none).client()) {
            assertAll(S3ObjectStore.create(client, "bucket", IMPATIENT), Kind.ACCESS_DENIED, false, "credentials");
        }
    }

    @Test
    void noSuchBucket() {
        S3ObjectStore store = S3ObjectStore.create(TestS3.client(), "no-such-bucket", IMPATIENT);
        for (Publisher<?> operation : everything(store)) {
            assertThat(error(operation).kind()).isEqualTo(Kind.NOT_FOUND);
        }
        assertThat(error(store.list(""))).hasMessageContaining("no such bucket");
    }

    @Test
    void nobodyListens() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        try (S3AsyncClient client = TestS3.clientSpec(port).maxRetries(0).client()) {
            assertAll(S3ObjectStore.create(client, "bucket", IMPATIENT), Kind.NETWORK, true, "connection");
        }
    }

    @Test
    void noSuchHost() {
        try (S3AsyncClient client = TestS3.clientSpec()
                .endpoint(URI.create("http://no-such-host.invalid"))
                .maxRetries(0)
                .client()) {
            assertAll(S3ObjectStore.create(client, "bucket", IMPATIENT), Kind.NOT_FOUND, false, "no-such-host.invalid");
        }
    }

    /** The SDK's own words are a thousand letters and name each of its classes. */
    @Test
    void noCredentialsAnywhere() {
        AwsCredentialsProvider none = () -> {
            throw SdkClientException.create("Unable to load credentials from any of the providers in the chain "
                    + "AwsCredentialsProviderChain(credentialsProviders=[SystemPropertyCredentialsProvider(), …])");
        };
        try (S3AsyncClient client = TestS3.clientSpec().credentials(none).client()) {
            assertThat(error(S3ObjectStore.create(client, "bucket", IMPATIENT).head("object")))
                    .hasMessageContaining("AWS_ACCESS_KEY_ID")
                    .hasMessageNotContaining("Provider");
        }
    }

    @Test
    void whatIsMissingIsNamedWhereTheServerSaysSo() {
        S3ObjectStore empty = S3ObjectStore.create(TestS3.client(), TestS3.newBucket(), IMPATIENT);
        assertThat(error(empty.get("object"))).hasMessageEndingWith("there is no such object");
        assertThat(error(empty.head("object"))).hasMessageEndingWith("there is no such object, or no such bucket");
        S3ObjectStore nowhere = S3ObjectStore.create(TestS3.client(), "no-such-bucket", IMPATIENT);
        assertThat(error(nowhere.get("object"))).hasMessageEndingWith("there is no such bucket");
        assertThat(error(nowhere.head("object"))).hasMessageEndingWith("there is no such object, or no such bucket");
    }

    /** S3 says nothing of it; other stores do. */
    @Test
    void whatIsDeletedMayBeMissing() {
        try (FaultProxy proxy = new FaultProxy(TestS3.port())
                        .rule(request -> new Fault.Answer(
                                404,
                                "Content-Type: application/xml\r\n",
                                "<Error><Code>NoSuchKey</Code><Message>not there</Message></Error>"));
                S3AsyncClient client = TestS3.clientSpec(proxy.port()).client()) {
            S3ObjectStore.create(client, "my-bucket", IMPATIENT)
                    .delete("object")
                    .block(Duration.ofSeconds(30));
        }
    }

    @Test
    void aServerThatDoesNotSpeakTls() {
        try (S3AsyncClient client = TestS3.clientSpec()
                .endpoint(URI.create("https://127.0.0.1:" + TestS3.port()))
                .maxRetries(0)
                .client()) {
            StorageException error =
                    error(S3ObjectStore.create(client, "bucket", TestS3.spec()).head("object"));
            assertThat(error.kind()).isEqualTo(Kind.IO);
            assertThat(error.isTransient()).isFalse();
            assertThat(error).hasMessageEndingWith("no TLS connection: the server does not speak TLS");
        }
    }

    @Test
    void aCertificateThatIsNotTrustedIsNotTriedAgain() {
        Throwable refused = new SSLHandshakeException("PKIX path building failed");
        refused.initCause(new CertificateException("unable to find valid certification path"));
        assertThat(S3Errors.map(SdkClientException.create("failed", refused), "s3://bucket/object", Kind.CHANGED))
                .isInstanceOfSatisfying(StorageException.class, error -> {
                    assertThat(error.kind()).isEqualTo(Kind.IO);
                    assertThat(error.isTransient()).isFalse();
                })
                .hasMessageContaining("TLS")
                .hasMessageContaining("unable to find valid certification path");
        Throwable broken = new SSLHandshakeException("Connection closed while SSL/TLS handshake was in progress");
        assertThat(S3Errors.map(SdkClientException.create("failed", broken), "s3://bucket/object", Kind.CHANGED))
                .isInstanceOfSatisfying(
                        StorageException.class,
                        error -> assertThat(error.isTransient()).isTrue());
    }

    @ParameterizedTest
    @CsvSource({
        "503, SlowDown, THROTTLED, true",
        "429, TooManyRequests, THROTTLED, true",
        "400, RequestLimitExceeded, THROTTLED, true",
        "500, InternalError, NETWORK, true",
        "502, '', NETWORK, true",
        "400, RequestTimeout, NETWORK, true",
        "408, '', NETWORK, true",
        "409, OperationAborted, NETWORK, true",
        "403, AccessDenied, ACCESS_DENIED, false",
        "403, '', ACCESS_DENIED, false",
        "401, '', ACCESS_DENIED, false",
        "400, ExpiredToken, ACCESS_DENIED, false",
        "301, PermanentRedirect, INVALID_REQUEST, false",
        "301, '', INVALID_REQUEST, false",
        "403, AuthorizationHeaderMalformed, INVALID_REQUEST, false",
        "400, AuthorizationHeaderMalformed, INVALID_REQUEST, false",
        "400, InvalidArgument, INVALID_REQUEST, false",
        "501, NotImplemented, UNSUPPORTED, false",
        "405, MethodNotAllowed, UNSUPPORTED, false"
    })
    void whatTheServerSays(int status, String code, Kind kind, boolean isTransient) {
        String body = "<Error><Code>" + code + "</Code><Message>what it says</Message></Error>";
        try (FaultProxy proxy = new FaultProxy(TestS3.port())
                        .rule(request -> new Fault.Answer(
                                status,
                                "x-amz-bucket-region: eu-north-1\r\nContent-Type: application/xml\r\n",
                                code.isEmpty() ? "" : body));
                S3AsyncClient client =
                        TestS3.clientSpec(proxy.port()).maxRetries(0).client()) {
            S3ObjectStore store = S3ObjectStore.create(client, "bucket", IMPATIENT);
            for (Publisher<?> operation : List.<Publisher<?>>of(
                    store.get("object"),
                    store.list("object"),
                    store.put("object", Flux.just(ByteBuffer.allocate(9)), PutMode.OVERWRITE),
                    store.delete("object"))) {
                StorageException error = error(operation);
                assertThat(error.kind()).as(error.toString()).isEqualTo(kind);
                assertThat(error.isTransient()).isEqualTo(isTransient);
                assertThat(error).hasMessageContaining("[s3://bucket/object]");
                if (!code.isEmpty()) {
                    assertThat(error).hasMessageContaining("what it says").hasMessageContaining(code);
                }
                if (status == 301 || code.startsWith("Authorization")) {
                    assertThat(error).hasMessageContaining("eu-north-1");
                }
            }
        }
    }
}
