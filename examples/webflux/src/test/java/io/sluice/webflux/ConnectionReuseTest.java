package io.sluice.webflux;

import static io.sluice.webflux.HttpSocket.head;
import static io.sluice.webflux.Service.joined;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.codec.Compressions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A connection serves one request after the other, whatever they were and however they ended. */
class ConnectionReuseTest {

    private static final List<String> LINES = Service.lines(3_000, 9);

    @TempDir
    static Path data;

    private static Service service;

    @BeforeAll
    static void start() {
        Service.write(data.resolve("events"), LINES, Compressions.zstd(), 1_000);
        service = new Service(data, "--sluice.service.max-body=50KB", "--sluice.read.max-record=10KB");
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    private record Kind(String request, int status, String body) {

        static Kind of(int status, String request) {
            return new Kind(request, status, null);
        }

        @Override
        public String toString() {
            return request.lines().findFirst().orElse("");
        }

        boolean isHead() {
            return request.startsWith("HEAD");
        }

        HttpSocket.Response exchange(HttpSocket connection) throws IOException {
            connection.send(request);
            return connection.receive(isHead());
        }
    }

    private static String post(String path, String body, String... headers) {
        String[] all = java.util.Arrays.copyOf(headers, headers.length + 2);
        all[headers.length] = "Content-Length";
        all[headers.length + 1] = "" + body.length();
        return head("POST", path, all) + body;
    }

    private static String chunked(String path, String body) {
        return head("POST", path, "Transfer-Encoding", "chunked") + Integer.toHexString(body.length()) + "\r\n" + body
                + "\r\n0\r\n\r\n";
    }

    private static final List<Kind> KINDS = List.of(
            new Kind(head("GET", "/datasets/events?limit=1"), 200, joined(LINES.subList(0, 1))),
            new Kind(head("GET", "/datasets/events"), 200, joined(LINES)),
            Kind.of(200, head("GET", "/datasets/events?limit=100", "Accept-Encoding", "gzip", "Accept", "text/csv")),
            Kind.of(200, head("GET", "/datasets/events?limit=100", "Accept", "application/json")),
            Kind.of(200, head("GET", "/datasets")),
            Kind.of(200, head("HEAD", "/datasets/events")),
            Kind.of(404, head("GET", "/elsewhere")),
            Kind.of(404, head("HEAD", "/elsewhere")),
            Kind.of(404, head("GET", "/datasets/nothing")),
            Kind.of(400, head("GET", "/datasets/events?limit=x")),
            Kind.of(406, head("GET", "/datasets/events", "Accept", "image/png")),
            Kind.of(201, post("/datasets/new", joined(LINES.subList(0, 20)).replaceAll("[^ -~\n]", ""))),
            Kind.of(201, chunked("/datasets/new", "{\"a\":1}\n")),
            Kind.of(400, post("/datasets/bad", "nonsense\n" + "{}\n".repeat(5_000))),
            Kind.of(400, post("/datasets/_bad", "{}\n".repeat(15_000))),
            Kind.of(413, post("/datasets/bad", "{}\n".repeat(30_000))),
            Kind.of(413, chunked("/datasets/bad", "{}\n".repeat(30_000))),
            Kind.of(415, post("/datasets/bad", "{}\n".repeat(15_000), "Content-Type", "image/png")),
            Kind.of(404, head("DELETE", "/datasets/nothing")),
            Kind.of(404, head("PUT", "/datasets/events")));

    /** As reactor-netty up to 1.3.7 has it, a connection was never read again after this (reactor-netty#4361). */
    @Test
    void aRequestThatDidNotWaitForTheAnswerBeforeIt() throws Exception {
        for (int round = 0; round < 20; round++) {
            try (HttpSocket connection = new HttpSocket(service.port)) {
                connection.send(head("GET", "/datasets/events?limit=1") + head("GET", "/elsewhere"));
                assertThat(connection.receive(false).status()).isEqualTo(200);
                assertThat(connection.receive(false).status()).isEqualTo(404);
                connection.send(head("GET", "/datasets"));
                assertThat(connection.receive(false).status()).isEqualTo(200);
            }
        }
    }

    @Test
    void anyRequestCanFollowAnyOther() throws Exception {
        List<Kind> sequence = new ArrayList<>();
        for (Kind first : KINDS) {
            for (Kind second : KINDS) {
                sequence.addAll(List.of(first, second));
            }
        }
        try (HttpSocket connection = new HttpSocket(service.port)) {
            Kind before = null;
            for (Kind kind : sequence) {
                HttpSocket.Response response = kind.exchange(connection);
                assertThat(response.status()).as("%s after %s", kind, before).isEqualTo(kind.status);
                if (kind.body != null) {
                    assertThat(response.body()).isEqualTo(kind.body);
                }
                before = kind;
            }
        }
    }
}
