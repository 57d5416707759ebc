package io.sluice.storage;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.storage.TestHttpServer.Resource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.test.StepVerifier;

/** When, where and from which byte a server is asked again. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HttpRetriesTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final byte[] CONTENT = ObjectStoreContract.random(100_000);

    private TestHttpServer server;

    @BeforeEach
    void setUp() throws IOException {
        server = new TestHttpServer(new Resource(CONTENT, "\"v1\""));
    }

    @AfterEach
    void tearDown() throws IOException {
        server.close();
    }

    private byte[] read(HttpStoreSpec spec, ByteRange range) {
        List<ByteBuffer> chunks = HttpObjectStore.create(server.url(), spec)
                .get("file", range, null)
                .collectList()
                .block(PATIENCE);
        ByteBuffer all = ByteBuffer.allocate(
                chunks.stream().mapToInt(ByteBuffer::remaining).sum());
        chunks.forEach(all::put);
        return all.array();
    }

    private void assertAskedOnce(HttpStoreSpec spec) {
        StepVerifier.create(HttpObjectStore.create(server.url(), spec).get("file"))
                .expectSubscription()
                .then(() -> ObjectStoreContract.eventually(
                        () -> assertThat(server.requests()).hasSize(1)))
                // as long as retries take that do not wait
                .expectNoEvent(Duration.ofSeconds(1))
                .thenCancel()
                .verify(PATIENCE);
        assertThat(server.requests()).hasSize(1);
    }

    @Test
    void notBeforeThePauseIsOver() {
        server.handler((request, response) -> response.status(503));
        assertAskedOnce(HttpStoreSpec.create().backoff(Duration.ofHours(1), Duration.ofHours(1)));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void notBeforeTheServerWantsToBeAsked(boolean date) {
        String inAnHour = ZonedDateTime.now(ZoneOffset.UTC).plusHours(1).format(DateTimeFormatter.RFC_1123_DATE_TIME);
        server.handler((request, response) ->
                response.header("Retry-After", date ? inAnHour : "3600").status(date ? 429 : 503));
        assertAskedOnce(HttpStoreSpec.create().backoff(Duration.ofMillis(1), Duration.ofHours(2)));
    }

    @ParameterizedTest
    @ValueSource(ints = {301, 302, 303, 307, 308})
    void whereARedirectSays(int status) {
        Resource there = new Resource(CONTENT, "\"v1\"");
        server.handler((request, response) -> {
            if (request.target().equals("/file")) {
                response.header("Location", "/there").status(status);
            } else {
                there.handle(request, response);
            }
        });
        assertThat(read(HttpStoreSpec.create(), ByteRange.ALL)).isEqualTo(CONTENT);
    }

    /** An answer that is whole by its own length, which is not that of the range that it says it has. */
    @Test
    void fromWhereABodyEndsThatIsShorterThanItsRange() {
        Resource resource = new Resource(CONTENT, "\"v1\"");
        server.handler((request, response) -> {
            if (server.requests().size() == 1) {
                response.header("ETag", "\"v1\"")
                        .header("Content-Range", "bytes 10-99999/100000")
                        .head(206, 50)
                        .body(CONTENT, 10, 60);
            } else {
                resource.handle(request, response);
            }
        });
        HttpStoreSpec quick = HttpStoreSpec.create().backoff(Duration.ofMillis(1), Duration.ofMillis(1));
        assertThat(read(quick, ByteRange.from(10))).isEqualTo(Arrays.copyOfRange(CONTENT, 10, CONTENT.length));
        assertThat(server.requests().get(1).header("range")).startsWith("bytes=60-");
    }
}
