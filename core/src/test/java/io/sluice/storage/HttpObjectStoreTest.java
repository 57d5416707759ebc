package io.sluice.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import io.sluice.storage.TestHttpServer.Request;
import io.sluice.storage.TestHttpServer.Resource;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.http.client.HttpClient;
import reactor.netty.resources.ConnectionProvider;
import reactor.test.StepVerifier;

/** What servers do to a reader, and what becomes of it. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HttpObjectStoreTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final byte[] CONTENT = ObjectStoreContract.random(1_000_000);
    private static final HttpStoreSpec QUICK = HttpStoreSpec.create()
            .backoff(Duration.ofMillis(1), Duration.ofMillis(10))
            .readTimeout(Duration.ofSeconds(20));

    private TestHttpServer server;

    @BeforeEach
    void setUp() throws IOException {
        server = new TestHttpServer(new Resource(CONTENT, "\"v1\""));
    }

    @AfterEach
    void tearDown() throws IOException {
        server.close();
    }

    // ---- interruptions

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void goesOnAtTheNextByteWhenTheBodyIsCutOff(boolean ranges) {
        Resource resource = new Resource(CONTENT, "\"v1\"");
        resource.ranges = ranges;
        int[] reach = {0};
        server.handler((request, response) -> {
            int[] span = resource.head(request, response);
            reach[0] += 150_000;
            response.body(CONTENT, span[0], Math.min(span[1], reach[0]));
            response.close();
        });
        assertThat(read(store(QUICK), ByteRange.ALL)).isEqualTo(CONTENT);
        List<Request> requests = server.requests();
        assertThat(requests).hasSizeGreaterThanOrEqualTo(7);
        assertThat(requests.get(0).header("range")).isNull();
        assertThat(requests.subList(1, requests.size())).allSatisfy(request -> {
            assertThat(request.header("if-match")).isEqualTo("\"v1\"");
            assertThat(request.header("if-range")).isEqualTo("\"v1\"");
            assertThat(request.from(CONTENT.length)).isPositive();
        });
        // the bytes of a range that is cut off as well
        reach[0] = 0;
        assertThat(read(store(QUICK), ByteRange.of(100_001, 700_000)))
                .isEqualTo(Arrays.copyOfRange(CONTENT, 100_001, 800_001));
    }

    @Test
    void goesOnWhenTheServerStalls() {
        Resource resource = new Resource(CONTENT, "\"v1\"");
        AtomicInteger stalls = new AtomicInteger();
        server.handler((request, response) -> {
            int[] span = resource.head(request, response);
            if (stalls.getAndIncrement() < 3) {
                response.body(CONTENT, span[0], span[0] + 100_000);
                server.stall(response);
            } else {
                response.body(CONTENT, span[0], span[1]);
            }
        });
        assertThat(read(store(QUICK.readTimeout(Duration.ofMillis(100))), ByteRange.ALL))
                .isEqualTo(CONTENT);
        assertThat(stalls).hasValue(4);
    }

    @Test
    void goesOnWhenTheServerNeverAnswers() {
        AtomicInteger asked = new AtomicInteger();
        Resource resource = new Resource(CONTENT, "\"v1\"");
        server.handler((request, response) -> {
            if (asked.getAndIncrement() == 0) {
                server.stall(response);
            } else {
                resource.handle(request, response);
            }
        });
        assertThat(read(store(QUICK.readTimeout(Duration.ofMillis(100))), ByteRange.ALL))
                .isEqualTo(CONTENT);
        asked.set(0);
        assertThat(store(QUICK.readTimeout(Duration.ofMillis(100)))
                        .head("file")
                        .block(PATIENCE)
                        .size())
                .isEqualTo(CONTENT.length);
    }

    @Test
    void noticesAChunkedBodyCutShort() {
        AtomicInteger cuts = new AtomicInteger();
        server.handler((request, response) -> {
            int from = request.from(CONTENT.length);
            response.header("ETag", "\"v1\"").header("Transfer-Encoding", "chunked");
            if (request.header("range") != null) {
                response.header("Content-Range", "bytes " + from + "-" + (CONTENT.length - 1) + "/" + CONTENT.length);
            }
            response.head(request.header("range") == null ? 200 : 206, -1);
            boolean cut = cuts.getAndIncrement() < 2;
            response.chunk(Arrays.copyOfRange(CONTENT, from, cut ? from + 1000 : CONTENT.length));
            if (!cut) {
                response.chunk(new byte[0]);
            }
            response.close();
        });
        assertThat(read(store(QUICK), ByteRange.ALL)).isEqualTo(CONTENT);
        assertThat(cuts).hasValue(3);
    }

    @Test
    void raisesWhereItCantTellWhetherTheObjectChanged() {
        Resource unversioned = new Resource(CONTENT, null);
        server.handler((request, response) -> {
            int[] span = unversioned.head(request, response);
            response.body(CONTENT, span[0], span[0] + 5000);
            response.close();
        });
        byte[][] seen = {new byte[0]};
        StepVerifier.create(store(QUICK).get("file").doOnNext(chunk -> seen[0] = append(seen[0], chunk)))
                .thenConsumeWhile(chunk -> true)
                .consumeErrorWith(error -> {
                    assertThat(((StorageException) error).kind()).isEqualTo(Kind.NETWORK);
                    assertThat(error).hasMessageContaining("can't go on at byte 5000");
                })
                .verify(PATIENCE);
        assertThat(seen[0]).isEqualTo(Arrays.copyOf(CONTENT, 5000));
        assertThat(server.requests()).hasSize(1);
    }

    @Test
    void givesUpWhenNothingComesAtAll() {
        Resource resource = new Resource(CONTENT, "\"v1\"");
        server.handler((request, response) -> {
            int[] span = resource.head(request, response);
            response.body(CONTENT, span[0], Math.min(7000, span[1]));
            response.close();
        });
        StepVerifier.create(store(QUICK.maxRetries(3))
                        .get("file")
                        .map(ByteBuffer::remaining)
                        .reduce(0, Integer::sum))
                .consumeErrorWith(error -> {
                    assertThat(((StorageException) error).kind()).isEqualTo(Kind.NETWORK);
                    assertThat(((StorageException) error).isTransient()).isTrue();
                    assertThat(error).hasMessageContaining("byte 7000").hasMessageContaining("3 retries");
                })
                .verify(PATIENCE);
        assertThat(server.requests()).hasSize(4);
    }

    @Test
    void reportsARefusedConnection() throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        HttpObjectStore store = HttpObjectStore.create("http://127.0.0.1:" + port, QUICK.maxRetries(2));
        assertThat(ObjectStoreContract.expectError(store.get("file"), Kind.NETWORK))
                .hasMessageContaining("127.0.0.1:" + port + "/file")
                .hasMessageContaining("2 retries");
        ObjectStoreContract.expectError(store.head("file"), Kind.NETWORK);
    }

    @Test
    void mapsWhatBreaksOnTheWay() {
        assertThat(HttpErrors.of(new UnknownHostException("nowhere"), "name").kind())
                .isEqualTo(Kind.NOT_FOUND);
        assertThat(HttpErrors.of(new SSLHandshakeException("bad certificate"), "name"))
                .hasMessageContaining("bad certificate")
                .satisfies(error -> assertThat(error.isTransient()).isFalse());
        assertThat(HttpErrors.of(new IOException("reset"), "name").kind()).isEqualTo(Kind.NETWORK);
        SSLException torn = new SSLException("Connection closed while SSL/TLS handshake was in progress");
        assertThat(HttpErrors.of(torn, "name").kind()).isEqualTo(Kind.NETWORK);
        SSLException reset = new SSLException("failed", new IOException("reset"));
        assertThat(HttpErrors.of(reset, "name").kind()).isEqualTo(Kind.NETWORK);
    }

    // ---- versions

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void neverMixesVersions(boolean serverChecks) {
        Resource resource = new Resource(CONTENT, "\"v1\"");
        resource.checksIfMatch = serverChecks;
        server.handler((request, response) -> {
            int[] span = resource.head(request, response);
            response.body(CONTENT, span[0], Math.min(span[1], span[0] + 5000));
            resource.etag = "\"v2\"";
            response.close();
        });
        StepVerifier.create(store(QUICK).get("file").map(ByteBuffer::remaining).reduce(0, Integer::sum))
                .expectErrorMatches(error -> ((StorageException) error).kind() == Kind.CHANGED)
                .verify(PATIENCE);
        assertThat(server.requests()).hasSize(2);
    }

    @Test
    void pinsWeakEtagsAndDatesWithoutIfMatch() {
        Resource resource = new Resource(CONTENT, "W/\"v1\"");
        server.handler(resource);
        HttpObjectStore store = store(QUICK);
        String weak = store.head("file").block(PATIENCE).etag();
        assertThat(weak).isEqualTo("W/\"v1\"");
        assertThat(store.get("file", ByteRange.ALL, weak).count().block(PATIENCE))
                .isPositive();
        resource.etag = null;
        resource.lastModified = "Wed, 21 Oct 2015 07:28:00 GMT";
        ObjectMeta dated = store.head("file").block(PATIENCE);
        assertThat(dated.lastModified()).isEqualTo(Instant.parse("2015-10-21T07:28:00Z"));
        assertThat(store.get("file", ByteRange.ALL, dated.etag()).count().block(PATIENCE))
                .isPositive();
        ObjectStoreContract.expectError(store.get("file", ByteRange.ALL, weak), Kind.CHANGED);
        resource.lastModified = "Wed, 21 Oct 2015 07:28:01 GMT";
        ObjectStoreContract.expectError(store.get("file", ByteRange.from(5), dated.etag()), Kind.CHANGED);
        assertThat(server.requests())
                .allSatisfy(request -> assertThat(request.headers()).doesNotContainKeys("if-match", "if-range"));
    }

    @Test
    void noticesAnObjectThatShrank() {
        Resource resource = new Resource(CONTENT, "W/\"same\"");
        AtomicInteger asked = new AtomicInteger();
        server.handler((request, response) -> {
            if (asked.getAndIncrement() == 0) {
                int[] span = resource.head(request, response);
                response.body(CONTENT, span[0], 5000);
                response.close();
            } else {
                response.header("ETag", "W/\"same\"")
                        .header("Content-Range", "bytes */10")
                        .status(416);
            }
        });
        StepVerifier.create(store(QUICK).get("file").map(ByteBuffer::remaining).reduce(0, Integer::sum))
                .expectErrorMatches(error -> ((StorageException) error).kind() == Kind.CHANGED)
                .verify(PATIENCE);
    }

    // ---- pauses and cancel

    @Test
    void letsTheConnectionGoWhileNothingIsRequested() {
        HttpObjectStore store = store(QUICK.releaseAfter(Duration.ofMillis(50)));
        byte[][] seen = {new byte[0]};
        StepVerifier.create(store.get("file").doOnNext(chunk -> seen[0] = append(seen[0], chunk)), 0)
                .thenRequest(1)
                .expectNextCount(1)
                .then(this::awaitNoConnection)
                .thenRequest(2)
                .expectNextCount(2)
                .then(this::awaitNoConnection)
                .thenRequest(Long.MAX_VALUE)
                .thenConsumeWhile(chunk -> true)
                .expectComplete()
                .verify(PATIENCE);
        assertThat(seen[0]).isEqualTo(CONTENT);
        assertThat(server.requests()).hasSize(3);
    }

    @Test
    void losesNothingWhenTheServerLosesPatience() {
        Resource resource = new Resource(CONTENT, "\"v1\"");
        CountDownLatch closed = new CountDownLatch(1);
        server.handler((request, response) -> {
            int[] span = resource.head(request, response);
            if (span[0] == 0) {
                response.body(CONTENT, 0, 200_000);
                response.close();
                closed.countDown();
            } else {
                response.body(CONTENT, span[0], span[1]);
            }
        });
        byte[][] seen = {new byte[0]};
        StepVerifier.create(store(QUICK).get("file").doOnNext(chunk -> seen[0] = append(seen[0], chunk)), 0)
                .thenRequest(1)
                .expectNextCount(1)
                .then(() -> ObjectStoreContract.await(closed))
                .thenRequest(Long.MAX_VALUE)
                .thenConsumeWhile(chunk -> true)
                .expectComplete()
                .verify(PATIENCE);
        assertThat(seen[0]).isEqualTo(CONTENT);
    }

    @Test
    void closesTheConnectionOnCancel() {
        Resource resource = new Resource(CONTENT, "\"v1\"");
        server.handler((request, response) -> {
            int[] span = resource.head(request, response);
            response.body(CONTENT, span[0], 100_000);
            server.stall(response);
        });
        StepVerifier.create(store(QUICK).get("file"), 1)
                .expectNextCount(1)
                .thenCancel()
                .verify(PATIENCE);
        awaitNoConnection();
        // before the head
        CountDownLatch asked = new CountDownLatch(1);
        server.handler((request, response) -> {
            asked.countDown();
            server.stall(response);
        });
        Disposable reading = store(QUICK).get("file").subscribe();
        ObjectStoreContract.await(asked);
        reading.dispose();
        awaitNoConnection();
        assertThat(server.requests()).hasSize(2);
    }

    @Test
    void neverExhaustsAPoolByCancelling() {
        ConnectionProvider pool = ConnectionProvider.builder("small")
                .maxConnections(4)
                .pendingAcquireMaxCount(1000)
                .build();
        try {
            HttpObjectStore store = store(QUICK.client(HttpClient.create(pool)));
            Random random = new Random(11);
            for (int round = 0; round < 500; round++) {
                int chunks = random.nextInt(5);
                if (chunks == 4) {
                    store.head("file").block(PATIENCE);
                } else if (chunks == 0) {
                    Disposable reading = store.get("file").subscribe();
                    if (random.nextBoolean()) {
                        Thread.onSpinWait();
                    }
                    reading.dispose();
                } else {
                    store.get("file", ByteRange.from(random.nextInt(CONTENT.length)), null)
                            .take(chunks)
                            .blockLast(PATIENCE);
                }
            }
            assertThat(Flux.range(0, 20)
                            .flatMap(
                                    i -> store.get("file")
                                            .map(ByteBuffer::remaining)
                                            .reduce(0, Integer::sum),
                                    20)
                            .collectList()
                            .block(PATIENCE))
                    .hasSize(20)
                    .containsOnly(CONTENT.length);
        } finally {
            pool.disposeLater().block(PATIENCE);
        }
    }

    @Test
    void usesAConnectionAgain() {
        ConnectionProvider pool = ConnectionProvider.create("one", 1);
        try {
            HttpObjectStore store = store(QUICK.client(HttpClient.create(pool)));
            for (int i = 0; i < 10; i++) {
                store.head("file").block(PATIENCE);
                assertThat(read(store, ByteRange.ALL)).isEqualTo(CONTENT);
                assertThat(read(store, ByteRange.of(i, 100_000)))
                        .isEqualTo(Arrays.copyOfRange(CONTENT, i, i + 100_000));
            }
            assertThat(server.acceptedConnections()).isEqualTo(1);
        } finally {
            pool.disposeLater().block(PATIENCE);
        }
    }

    @Test
    void readsNoFurtherThanRequested() {
        Resource resource = new Resource(new byte[64 << 20], "\"v1\"");
        AtomicInteger written = new AtomicInteger();
        server.handler((request, response) -> {
            resource.head(request, response);
            for (int i = 0; i < 64; i++) {
                response.body(resource.content, i << 20, (i + 1) << 20);
                written.incrementAndGet();
            }
        });
        StepVerifier.create(store(QUICK).get("file"), 0)
                .thenRequest(3)
                .expectNextCount(3)
                .then(() -> assertThat(written).hasValueLessThan(32)) // what the sockets' buffers hold
                .thenCancel()
                .verify(PATIENCE);
    }

    // ---- redirects

    @Test
    void followsRedirectsWithoutTakingSecretsAlong() throws IOException {
        try (TestHttpServer other = new TestHttpServer(new Resource(CONTENT, "\"v1\""))) {
            server.handler((request, response) -> {
                if (request.target().equals("/file")) {
                    response.header("Location", "moved/again?x=1").status(302);
                } else {
                    response.header("Location", other.url() + "there").status(307);
                }
            });
            HttpObjectStore store = store(QUICK.header("Authorization", "secret"));
            assertThat(read(store, ByteRange.of(10, 1000))).isEqualTo(Arrays.copyOfRange(CONTENT, 10, 1010));
            assertThat(store.head("file").block(PATIENCE))
                    .isEqualTo(new ObjectMeta("file", CONTENT.length, "\"v1\"", null));
            assertThat(server.requests())
                    .extracting(Request::target)
                    .containsExactly("/file", "/moved/again?x=1", "/file", "/moved/again?x=1");
            assertThat(server.requests())
                    .allSatisfy(request ->
                            assertThat(request.header("authorization")).isEqualTo("secret"));
            assertThat(other.requests()).hasSize(2).allSatisfy(request -> {
                assertThat(request.header("authorization")).isNull();
                assertThat(request.target()).isEqualTo("/there");
            });
            assertThat(other.requests().get(0).header("range")).isEqualTo("bytes=10-1009");
        }
    }

    @Test
    void doesNotGoInCircles() {
        server.handler(
                (request, response) -> response.header("Location", "/file").status(301));
        assertThat(ObjectStoreContract.expectError(store(QUICK).get("file"), Kind.INVALID_REQUEST))
                .hasMessageContaining("more than 5 redirects");
        assertThat(server.requests()).hasSize(6);
        ObjectStoreContract.expectError(store(QUICK.maxRedirects(0)).get("file"), Kind.INVALID_REQUEST);
        server.handler((request, response) ->
                response.header("Location", "ftp://127.0.0.1/file").status(301));
        ObjectStoreContract.expectError(store(QUICK).get("file"), Kind.INVALID_REQUEST);
        server.handler((request, response) -> response.status(301));
        assertThat(ObjectStoreContract.expectError(store(QUICK).get("file"), Kind.INVALID_REQUEST))
                .hasMessageContaining("without a location");
    }

    // ---- statuses

    @ParameterizedTest
    @CsvSource({
        "400,INVALID_REQUEST",
        "401,ACCESS_DENIED",
        "403,ACCESS_DENIED",
        "407,ACCESS_DENIED",
        "404,NOT_FOUND",
        "410,NOT_FOUND",
        "405,UNSUPPORTED",
        "412,CHANGED",
        "429,THROTTLED",
        "500,NETWORK",
        "501,UNSUPPORTED",
        "502,NETWORK",
        "503,NETWORK",
        "504,NETWORK",
        "408,NETWORK",
        "304,INVALID_REQUEST",
        "300,INVALID_REQUEST"
    })
    void typesWhatTheServerSays(int status, Kind kind) {
        server.handler((request, response) -> response.status(status));
        HttpObjectStore store = store(QUICK.maxRetries(0));
        assertThat(ObjectStoreContract.expectError(store.get("file"), kind))
                .hasMessageContaining(server.url() + "file")
                .hasMessageContaining(String.valueOf(status));
        ObjectStoreContract.expectError(store.head("file"), kind);
    }

    @ParameterizedTest
    @ValueSource(ints = {429, 500, 502, 503, 504})
    void triesAgainWhenTheServerIsBusy(int status) {
        Resource resource = new Resource(CONTENT, "\"v1\"");
        AtomicInteger asked = new AtomicInteger();
        server.handler((request, response) -> {
            if (asked.getAndIncrement() % 3 < 2) {
                response.header("Retry-After", "1").status(status);
            } else {
                resource.handle(request, response);
            }
        });
        assertThat(read(store(QUICK), ByteRange.ALL)).isEqualTo(CONTENT);
        assertThat(store(QUICK).head("file").block(PATIENCE).size()).isEqualTo(CONTENT.length);
        assertThat(server.requests()).hasSize(6);
    }

    @Test
    void waitsAsLongAsTheServerSaysButNotForever() {
        HttpRequests requests = new HttpRequests(
                java.net.URI.create("http://h/"),
                HttpStoreSpec.create().backoff(Duration.ofMillis(100), Duration.ofSeconds(5)));
        IOException any = new IOException();
        assertThat(requests.backoff(1, any)).isBetween(Duration.ofMillis(50), Duration.ofMillis(100));
        assertThat(requests.backoff(3, any)).isBetween(Duration.ofMillis(200), Duration.ofMillis(400));
        assertThat(requests.backoff(60, any)).isBetween(Duration.ofMillis(2500), Duration.ofSeconds(5));
        assertThat(requests.backoff(1, new HttpErrors.Busy(Kind.THROTTLED, "n", "r", Duration.ofSeconds(2))))
                .isEqualTo(Duration.ofSeconds(2));
        assertThat(requests.backoff(1, new HttpErrors.Busy(Kind.THROTTLED, "n", "r", Duration.ofDays(2))))
                .isEqualTo(Duration.ofSeconds(5));
    }

    // ---- servers with their own ideas of ranges and lengths

    @Test
    void asksForTheRestWhenAServerGivesLess() {
        Resource resource = new Resource(CONTENT, "\"v1\"");
        server.handler((request, response) -> {
            int from = request.from(CONTENT.length);
            int to = Math.min(request.to(CONTENT.length), from + 100_000);
            response.header("ETag", "\"v1\"")
                    .header(
                            "Content-Range",
                            "bytes " + from + "-" + (to - 1) + "/" + (from % 200_000 == 1 ? "*" : "1000000"))
                    .head(206, to - from)
                    .body(resource.content, from, to);
        });
        HttpStoreSpec slowToRetry = QUICK.backoff(Duration.ofHours(1), Duration.ofHours(1));
        assertThat(read(store(slowToRetry), ByteRange.from(1))).isEqualTo(Arrays.copyOfRange(CONTENT, 1, 1_000_000));
        assertThat(server.requests()).hasSize(10);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "bytes 0-99/1000000",
                "bytes 200-199/1000000",
                "bytes 100-2000/1000000",
                "nonsense",
                "bytes */5",
                ""
            })
    void refusesAnotherRangeThanItAskedFor(String contentRange) {
        server.handler((request, response) -> {
            if (!contentRange.isEmpty()) {
                response.header("Content-Range", contentRange);
            }
            response.head(206, 100).body(CONTENT, 0, 100);
        });
        ObjectStoreContract.expectError(store(QUICK).get("file", ByteRange.of(100, 100), null), Kind.INVALID_REQUEST);
    }

    @Test
    void readsABodyThatEndsWithTheConnection() {
        server.handler((request, response) -> {
            response.head(200, -1).body(CONTENT, 0, CONTENT.length);
            response.close();
        });
        HttpObjectStore store = store(QUICK);
        assertThat(read(store, ByteRange.ALL)).isEqualTo(CONTENT);
        assertThat(read(store, ByteRange.of(999_990, 100))).isEqualTo(Arrays.copyOfRange(CONTENT, 999_990, 1_000_000));
        assertThat(read(store, ByteRange.from(1_000_000))).isEmpty();
        ObjectStoreContract.expectError(store.get("file", ByteRange.from(1_000_001), null), Kind.INVALID_REQUEST);
        assertThat(store.head("file").block(PATIENCE)).isEqualTo(new ObjectMeta("file", -1, null, null));
    }

    @Test
    void handsOnEncodedContentAsItIs() {
        Resource resource = new Resource(CONTENT, "\"v1\"");
        server.handler((request, response) -> {
            response.header("Content-Encoding", "gzip");
            resource.handle(request, response);
        });
        for (HttpStoreSpec spec :
                List.of(QUICK, QUICK.client(HttpClient.create().compress(true)))) {
            assertThat(read(store(spec), ByteRange.ALL)).isEqualTo(CONTENT);
        }
        assertThat(server.requests())
                .allSatisfy(
                        request -> assertThat(request.header("accept-encoding")).isEqualTo("identity"));
    }

    @Test
    void handsOnLinesAsTheyCome() {
        Semaphore mayWrite = new Semaphore(0);
        server.handler((request, response) -> {
            response.header("Transfer-Encoding", "chunked").head(200, -1);
            for (int i = 0; i < 5; i++) {
                if (!mayWrite.tryAcquire(30, TimeUnit.SECONDS)) {
                    throw new IOException("the line before did not arrive");
                }
                response.chunk(("{\"n\":" + i + "}\n").getBytes(UTF_8));
            }
            response.chunk(new byte[0]);
        });
        mayWrite.release();
        List<String> lines = store(QUICK)
                .get("file")
                .map(chunk -> UTF_8.decode(chunk).toString())
                .doOnNext(line -> mayWrite.release())
                .collectList()
                .block(PATIENCE);
        assertThat(lines).containsExactly("{\"n\":0}\n", "{\"n\":1}\n", "{\"n\":2}\n", "{\"n\":3}\n", "{\"n\":4}\n");
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 403, 404, 405, 501})
    void asksByGetWhereHeadIsRefused(int status) {
        Resource resource = new Resource(CONTENT, "\"v1\"");
        server.handler((request, response) -> {
            if (request.method().equals("HEAD")) {
                response.status(status);
            } else {
                resource.handle(request, response);
            }
        });
        ObjectMeta expected = new ObjectMeta("file", CONTENT.length, "\"v1\"", null);
        assertThat(store(QUICK).head("file").block(PATIENCE)).isEqualTo(expected);
        assertThat(server.requests().get(1).header("range")).isEqualTo("bytes=0-0");
        resource.ranges = false;
        assertThat(store(QUICK).head("file").block(PATIENCE)).isEqualTo(expected);
    }

    // ---- headers, names, locations

    @Test
    void asksForHeadersBeforeEveryRequest() {
        AtomicInteger tokens = new AtomicInteger();
        Resource resource = new Resource(CONTENT, "\"v1\"");
        server.handler((request, response) -> {
            int[] span = resource.head(request, response);
            response.body(CONTENT, span[0], Math.min(span[1], span[0] + 400_000));
            response.close();
        });
        HttpObjectStore store = store(QUICK.header("X-Static", "s")
                .header("Authorization", "none")
                .headers(uri -> Mono.fromSupplier(
                        () -> Map.of("authorization", uri.getPath() + " " + tokens.incrementAndGet()))));
        assertThat(read(store, ByteRange.ALL)).isEqualTo(CONTENT);
        assertThat(server.requests())
                .extracting(request -> request.header("authorization"))
                .containsExactly("/file 1", "/file 2", "/file 3");
        assertThat(server.requests())
                .extracting(request -> request.header("x-static"))
                .containsOnly("s");
        HttpObjectStore failing = store(QUICK.headers(uri -> Mono.error(new IllegalStateException("no token"))));
        assertThat(ObjectStoreContract.expectError(failing.get("file"), Kind.ACCESS_DENIED))
                .hasMessageContaining("no token");
        HttpObjectStore throwing = store(QUICK.headers(uri -> {
            throw new IllegalStateException("no token");
        }));
        ObjectStoreContract.expectError(throwing.head("file"), Kind.ACCESS_DENIED);
    }

    @Test
    void sendsUserAndPasswordAndShowsThemNowhere() {
        server.handler((request, response) -> response.status(403));
        String url = server.url().replace("://", "://me:geheim@");
        HttpObjectStore store = HttpObjectStore.create(url, QUICK);
        StorageException error = ObjectStoreContract.expectError(
                store.get("dir/file.jsonl?X-Amz-Signature=abc123&page=2&token=xyz"), Kind.ACCESS_DENIED);
        assertThat(error)
                .hasMessageContaining(server.url() + "dir/file.jsonl?X-Amz-Signature=***&page=2&token=***")
                .hasMessageNotContainingAny("geheim", "abc123", "xyz");
        assertThat(store.toString()).doesNotContain("geheim");
        assertThat(server.requests().get(0).header("authorization")).isEqualTo("Basic bWU6Z2VoZWlt");
        assertThat(server.requests().get(0).target())
                .isEqualTo("/dir/file.jsonl?X-Amz-Signature=abc123&page=2&token=xyz");
        assertThatExceptionOfType(StorageException.class)
                .isThrownBy(() -> HttpObjectStore.create("http://me:geheim@/"))
                .withMessageNotContaining("geheim")
                .satisfies(thrown -> assertThat(thrown.getCause()).isNull());
    }

    @Test
    void escapesWhatAUrlCantHold() {
        read(store(QUICK), "a b/ü%20[1].jsonl?q=[ä b]", ByteRange.ALL);
        assertThat(server.requests().get(0).target()).isEqualTo("/a%20b/%C3%BC%20%5B1%5D.jsonl?q=[%C3%A4%20b]");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"ftp://host/", "host/path", "http:///path", "http://host/?query", "http://host/#x", "http://a b/"
            })
    void refusesWhatIsNoBase(String base) {
        assertThatExceptionOfType(StorageException.class)
                .isThrownBy(() -> HttpObjectStore.create(base))
                .satisfies(error -> assertThat(error.kind()).isEqualTo(Kind.INVALID_REQUEST));
    }

    @Test
    void isFoundByScheme() {
        StoreProvider.Location location = Stores.resolve(server.url() + "a/b.jsonl.zst?x=1#part");
        assertThat(location.key()).isEqualTo("a/b.jsonl.zst?x=1");
        assertThat(location.store()).isInstanceOf(HttpObjectStore.class);
        assertThat(location.store().path(location.key())).isEqualTo("a/b.jsonl.zst");
        assertThat(location.store().displayName(location.key())).isEqualTo(server.url() + "a/b.jsonl.zst?x=1");
        assertThat(Stores.resolve(server.url() + "other").store()).isSameAs(location.store());
        assertThat(Stores.resolve("https://host?x").key()).isEqualTo("?x");
        assertThat(Stores.resolve("https://host").key()).isEmpty();
        assertThat(read((HttpObjectStore) location.store(), location.key(), ByteRange.ALL))
                .isEqualTo(CONTENT);
    }

    @Test
    void saysWhatItCantDo() {
        HttpObjectStore store = store(QUICK);
        assertThat(ObjectStoreContract.expectError(store.list("dir/"), Kind.UNSUPPORTED))
                .hasMessageContaining(server.url() + "dir/")
                .hasMessageContaining("no listing");
        ObjectStoreContract.expectError(store.listDirectory("dir"), Kind.UNSUPPORTED);
        ObjectStoreContract.expectError(store.put("a", Flux.empty(), PutMode.CREATE), Kind.UNSUPPORTED);
        ObjectStoreContract.expectError(store.delete("a"), Kind.UNSUPPORTED);
        assertThat(server.requests()).isEmpty();
    }

    // ---- tools

    private HttpObjectStore store(HttpStoreSpec spec) {
        return HttpObjectStore.create(server.url(), spec);
    }

    private static byte[] read(HttpObjectStore store, ByteRange range) {
        return read(store, "file", range);
    }

    private static byte[] read(HttpObjectStore store, String key, ByteRange range) {
        List<ByteBuffer> chunks = store.get(key, range, null).collectList().block(PATIENCE);
        ByteBuffer all = ByteBuffer.allocate(
                chunks.stream().mapToInt(ByteBuffer::remaining).sum());
        chunks.forEach(all::put);
        return all.array();
    }

    private static byte[] append(byte[] bytes, ByteBuffer chunk) {
        byte[] longer = Arrays.copyOf(bytes, bytes.length + chunk.remaining());
        chunk.get(longer, bytes.length, chunk.remaining());
        return longer;
    }

    private void awaitNoConnection() {
        ObjectStoreContract.eventually(
                () -> assertThat(server.openConnections()).isZero());
    }
}
