package io.sluice.s3;

import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.netty.http.Http11SslContextSpec;
import reactor.netty.http.client.HttpClient;
import reactor.netty.resources.ConnectionProvider;
import software.amazon.awssdk.http.SdkAsyncHttpClientH1TestSuite;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;

/** The SDK's own acceptance suite for asynchronous clients, which is written for an older JUnit. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ReactorNettyAsyncHttpClientTest extends SdkAsyncHttpClientH1TestSuite {

    private final ConnectionProvider pool = ConnectionProvider.create("test", 10);

    @Override
    @SuppressWarnings("deprecation") // what replaces it is not in all versions
    protected SdkAsyncHttpClient setupClient() {
        Http11SslContextSpec trusting = Http11SslContextSpec.forClient()
                .configure(builder -> builder.trustManager(InsecureTrustManagerFactory.INSTANCE));
        return ReactorNettyAsyncHttpClient.create(HttpClient.create(pool).secure(ssl -> ssl.sslContext(trusting)));
    }

    @Override
    @BeforeEach
    public void setup() throws Exception {
        super.setup();
    }

    @Override
    @AfterEach
    public void teardown() throws InterruptedException {
        super.teardown();
        pool.dispose();
    }

    @Override
    @Test
    public void connectionReceiveServerErrorStatusShouldReuseConnection() throws InterruptedException {
        super.connectionReceiveServerErrorStatusShouldReuseConnection();
    }

    @Override
    @Test
    public void connectionReceiveOkStatusShouldReuseConnection() throws Exception {
        super.connectionReceiveOkStatusShouldReuseConnection();
    }

    @Override
    @Test
    public void connectionReceiveCloseHeaderShouldNotReuseConnection() throws InterruptedException {
        super.connectionReceiveCloseHeaderShouldNotReuseConnection();
    }

    @Override
    @Test
    public void headRequestResponsesHaveNoPayload() {
        super.headRequestResponsesHaveNoPayload();
    }

    @Override
    @Test
    public void naughtyHeaderCharactersDoNotGetToServer() {
        super.naughtyHeaderCharactersDoNotGetToServer();
    }

    @Override
    @Test
    public void connectionsArePooledByHostAndPort() throws InterruptedException {
        super.connectionsArePooledByHostAndPort();
    }

    @Override
    @Test
    public void doesNotRetryOn429StatusCode() throws InterruptedException {
        super.doesNotRetryOn429StatusCode();
    }
}
