package io.sluice.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.sluice.Dataset;
import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import io.sluice.format.Jsonl;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Mono;
import reactor.netty.http.client.HttpClient;

/** Over TLS, with a certificate that only the client of a test trusts. */
class HttpTlsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final char[] PASSWORD = "changeit".toCharArray();
    private static final byte[] CONTENT = "{\"n\":1}\n{\"n\":2}\n".getBytes(UTF_8);

    @TempDir
    private Path dir;

    private final Queue<String> authorizations = new ConcurrentLinkedQueue<>();
    private HttpsServer server;
    private X509Certificate certificate;

    @BeforeEach
    void start() throws Exception {
        Path keys = dir.resolve("keys.p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-keyalg",
                        "EC",
                        "-alias",
                        "server",
                        "-dname",
                        "CN=127.0.0.1",
                        "-ext",
                        "SAN=ip:127.0.0.1",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        keys.toString(),
                        "-storepass",
                        new String(PASSWORD))
                .redirectErrorStream(true)
                .start();
        String said = new String(keytool.getInputStream().readAllBytes(), UTF_8);
        assertThat(keytool.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(keytool.exitValue()).as(said).isZero();
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(keys)) {
            store.load(in, PASSWORD);
        }
        certificate = (X509Certificate) store.getCertificate("server");
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(store, PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(context));
        server.createContext("/", this::answer);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            authorizations.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
            exchange.getResponseHeaders().set("ETag", "\"v1\"");
            if (exchange.getRequestURI().getPath().equals("/insecure.jsonl")) {
                exchange.getResponseHeaders().set("Location", "http://127.0.0.1:1/a.jsonl");
                exchange.sendResponseHeaders(302, -1);
            } else if (exchange.getRequestMethod().equals("HEAD")) {
                exchange.getResponseHeaders().set("Content-Length", Integer.toString(CONTENT.length));
                exchange.sendResponseHeaders(200, -1);
            } else {
                exchange.sendResponseHeaders(200, CONTENT.length);
                exchange.getResponseBody().write(CONTENT);
            }
        }
    }

    private String base() {
        return "https://127.0.0.1:" + server.getAddress().getPort() + "/";
    }

    private HttpStoreSpec trusting() throws IOException {
        SslContext context =
                SslContextBuilder.forClient().trustManager(certificate).build();
        return HttpStoreSpec.create()
                .client(HttpClient.create().secure(tls -> tls.sslContext(context)))
                .headers(uri -> Mono.just(Map.of("Authorization", "Bearer for " + uri.getPath())));
    }

    private static StorageException error(HttpObjectStore store, String key) {
        return assertThatExceptionOfType(StorageException.class)
                .isThrownBy(() ->
                        Dataset.at(store, key, Jsonl.maps()).read().count().block(PATIENCE))
                .actual();
    }

    @Test
    void readsWithTheUsersTrustAndHeaders() throws IOException {
        HttpObjectStore store = HttpObjectStore.create(base(), trusting());
        assertThat(Dataset.at(store, "a.jsonl", Jsonl.maps()).read().count().block(PATIENCE))
                .isEqualTo(2);
        assertThat(authorizations).isNotEmpty().allMatch("Bearer for /a.jsonl"::equals);
    }

    @Test
    void trustsNobodyElse() {
        StorageException error = error(HttpObjectStore.create(base()), "a.jsonl");
        assertThat(error.kind()).isEqualTo(Kind.IO);
        assertThat(error.isTransient()).isFalse();
        assertThat(error).hasMessageContaining("TLS").hasMessageContaining(base() + "a.jsonl");
        assertThat(authorizations).isEmpty();
    }

    @Test
    void saysThatAServerDoesNotSpeakTls() throws Exception {
        try (ServerSocket plain = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            Thread answering = new Thread(() -> {
                try (Socket accepted = plain.accept()) {
                    accepted.getOutputStream().write("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(UTF_8));
                    // until the client has gone
                    accepted.getInputStream().readAllBytes();
                } catch (IOException closed) {
                    return;
                }
            });
            answering.setDaemon(true);
            answering.start();
            HttpObjectStore store = HttpObjectStore.create("https://127.0.0.1:" + plain.getLocalPort());
            assertThatExceptionOfType(StorageException.class)
                    .isThrownBy(() -> store.get("a.jsonl").blockLast(PATIENCE))
                    .satisfies(error -> assertThat(error.kind()).isEqualTo(Kind.IO))
                    .withMessageEndingWith("no TLS connection: the server does not speak TLS");
        }
    }

    @Test
    void followsNoRedirectOutOfTls() throws IOException {
        StorageException error = error(HttpObjectStore.create(base(), trusting()), "insecure.jsonl");
        assertThat(error.kind()).isEqualTo(Kind.INVALID_REQUEST);
    }

    @Test
    void aConnectionThatBreaksInTheHandshakeMayBeTriedAgain() throws Exception {
        try (ServerSocket rude = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            Thread closing = new Thread(() -> {
                while (!rude.isClosed()) {
                    try (Socket accepted = rude.accept()) {
                        accepted.getInputStream().read();
                    } catch (IOException closed) {
                        return;
                    }
                }
            });
            closing.setDaemon(true);
            closing.start();
            HttpObjectStore store = HttpObjectStore.create(
                    "https://127.0.0.1:" + rude.getLocalPort(), trusting().maxRetries(0));
            StorageException error = error(store, "a.jsonl");
            assertThat(error.kind()).isEqualTo(Kind.NETWORK);
            assertThat(error.isTransient()).isTrue();
        }
    }
}
