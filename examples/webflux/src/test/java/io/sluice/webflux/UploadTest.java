package io.sluice.webflux;

import static io.sluice.webflux.Service.joined;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.MeterRegistry;
import io.sluice.codec.Compression;
import io.sluice.codec.Compressions;
import io.sluice.codec.Compressor;
import io.sluice.codec.Output;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.web.reactive.function.BodyInserters;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code POST} and {@code DELETE}, over sockets. */
class UploadTest {

    private static final List<String> LINES = Service.lines(20_000, 2);
    private static final JsonMapper JSON = new JsonMapper();

    @TempDir
    static Path data;

    private static Service service;

    @BeforeAll
    static void start() {
        service = new Service(
                data,
                "--sluice.write.shard=300KB",
                "--sluice.write.frame=64KB",
                "--sluice.read.max-record=10KB",
                "--sluice.service.max-body=3MB",
                "--sluice.service.max-content=4MB",
                "--sluice.service.max-writes=2",
                "--sluice.service.stall=1s");
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    private static byte[] body(List<String> lines) {
        return joined(lines).getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] compressed(byte[] bytes, Compression compression) {
        Output out = new Output(1024);
        try (Compressor compressor = compression.compressor()) {
            compressor.compress(bytes, 0, bytes.length, out);
            compressor.finish(out);
        }
        return Arrays.copyOf(out.array(), out.position());
    }

    @Test
    void recordsBecomeShardsAndTheAnswerIsTheSummary() throws Exception {
        HttpResponse<String> response =
                service.post("/datasets/plain", body(LINES), "Content-Type", "application/x-ndjson");
        assertThat(response.statusCode()).isEqualTo(201);
        assertThat(response.headers().firstValue("location")).contains("/datasets/plain");
        JsonNode summary = JSON.readTree(response.body());
        assertThat(summary.get("records").asInt()).isEqualTo(LINES.size());
        assertThat(summary.get("bytes").asInt()).isEqualTo(body(LINES).length);
        assertThat(summary.get("shards").size()).isGreaterThan(5);
        assertThat(summary.at("/shards/0/name").asString()).isEqualTo("part-00000.jsonl.zst");
        assertThat(summary.at("/shards/0/checksum").asString()).startsWith("crc32c:");
        assertThat(service.text("/datasets/plain")).isEqualTo(joined(LINES));

        service.post("/datasets/plain", body(LINES.subList(0, 3)));
        assertThat(service.text("/datasets/plain")).isEqualTo(joined(LINES) + joined(LINES.subList(0, 3)));
    }

    @Test
    void gzipAndZstd() throws Exception {
        for (String name : List.of("gzip", "zstd")) {
            byte[] packed = compressed(body(LINES), name.equals("gzip") ? Compressions.gzip() : Compressions.zstd());
            HttpResponse<String> response = service.post(
                    "/datasets/" + name, packed, "Content-Encoding", name, "Content-Type", "application/x-ndjson");
            assertThat(response.statusCode()).isEqualTo(201);
            assertThat(service.text("/datasets/" + name)).isEqualTo(joined(LINES));
            HttpResponse<String> cut =
                    service.post("/datasets/cut", Arrays.copyOf(packed, packed.length - 20), "Content-Encoding", name);
            assertThat(cut.statusCode()).isEqualTo(400);
            assertThat(cut.body()).contains("cut off");
            assertNothingOf("cut");
        }
    }

    @Test
    void webClientSendsRecords() {
        Map<?, ?> summary = service.web
                .post()
                .uri("/datasets/web")
                .contentType(MediaType.APPLICATION_NDJSON)
                .body(Flux.range(0, 5_000).map(i -> Map.of("i", i)), Map.class)
                .retrieve()
                .bodyToMono(Map.class)
                .block();
        assertThat(summary.get("records")).isEqualTo(5_000);
        assertThat(service.web
                        .get()
                        .uri("/datasets/web?skip=4999")
                        .retrieve()
                        .bodyToMono(String.class)
                        .block())
                .isEqualTo("{\"i\":4999}\n");
    }

    @Test
    void aBadRecordIsRefusedWithItsPlaceAndNothingIsLeft() throws Exception {
        String good = joined(LINES.subList(0, 15_000));
        byte[] body =
                (good + "{\"id\":1,,}\n" + joined(LINES.subList(15_000, 20_000))).getBytes(StandardCharsets.UTF_8);
        HttpResponse<String> response = service.post("/datasets/bad", body);
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(response.headers().firstValue("content-type")).contains("application/problem+json");
        JsonNode problem = JSON.readTree(response.body());
        assertThat(problem.get("line").asInt()).isEqualTo(15_001);
        assertThat(problem.get("offset").asInt())
                .isBetween(
                        good.getBytes(StandardCharsets.UTF_8).length,
                        good.getBytes(StandardCharsets.UTF_8).length + 10);
        assertThat(problem.get("kind").asString()).isEqualTo("MALFORMED");
        assertNothingOf("bad");

        ProblemDetail detail = service.web
                .post()
                .uri("/datasets/bad")
                .contentType(MediaType.APPLICATION_NDJSON)
                .body(BodyInserters.fromValue(body))
                .exchangeToMono(answer -> answer.bodyToMono(ProblemDetail.class))
                .block();
        assertThat(detail.getStatus()).isEqualTo(400);
        assertNothingOf("bad");
    }

    @Test
    void badRecordsCanBeSkipped() throws Exception {
        String body = "{\"a\":1}\nnonsense\n\n[1]\n{\"a\":2}\n";
        HttpResponse<String> response =
                service.post("/datasets/skipped?on-error=skip", body.getBytes(StandardCharsets.UTF_8));
        assertThat(response.statusCode()).isEqualTo(201);
        JsonNode summary = JSON.readTree(response.body());
        assertThat(summary.get("records").asInt()).isEqualTo(2);
        assertThat(summary.get("rejected").asInt()).isEqualTo(2);
        assertThat(summary.at("/firstRejected/0/line").asInt()).isEqualTo(2);
        assertThat(summary.at("/firstRejected/1/line").asInt()).isEqualTo(4);
        assertThat(service.text("/datasets/skipped")).isEqualTo("{\"a\":1}\n{\"a\":2}\n");
        assertThat(service.post("/datasets/skipped?on-error=what", new byte[0]).statusCode())
                .isEqualTo(400);
    }

    @Test
    void beyondALimitIs413() throws Exception {
        byte[] tooLong = ("{\"a\":\"" + "x".repeat(20_000) + "\"}\n").getBytes(StandardCharsets.UTF_8);
        HttpResponse<String> record = service.post("/datasets/large", tooLong);
        assertThat(record.statusCode()).isEqualTo(413);
        assertThat(JSON.readTree(record.body()).get("line").asInt()).isEqualTo(1);
        byte[] tooMuch = "{}\n".repeat(1_100_000).getBytes(StandardCharsets.UTF_8);
        assertThat(service.post("/datasets/large", tooMuch).statusCode()).isEqualTo(413); // by its Content-Length
        var unknownLength = service.request("/datasets/large")
                .POST(BodyPublishers.ofInputStream(() -> new java.io.ByteArrayInputStream(tooMuch)));
        assertThat(service.jdk
                        .send(unknownLength.build(), BodyHandlers.ofString())
                        .statusCode())
                .isEqualTo(413);
        byte[] bomb = compressed("{}\n".repeat(2_000_000).getBytes(StandardCharsets.UTF_8), Compressions.zstd());
        assertThat(bomb.length).isLessThan(10_000);
        assertThat(service.post("/datasets/large", bomb, "Content-Encoding", "zstd")
                        .statusCode())
                .isEqualTo(413);
        assertThat(meter("sluice.service.rejected", "reason", "limit")).isEqualTo(4);
        assertNothingOf("large");
    }

    @Test
    void whatIsNoUploadIsRefused() throws Exception {
        assertThat(service.post("/datasets/x", new byte[] {1}, "Content-Encoding", "br")
                        .statusCode())
                .isEqualTo(415);
        assertThat(service.post("/datasets/x", new byte[] {1}, "Content-Type", "image/png")
                        .statusCode())
                .isEqualTo(415);
        assertThat(service.post("/datasets/..%2fx", "{}\n".getBytes(StandardCharsets.UTF_8))
                        .statusCode())
                .isEqualTo(400);
        assertThat(data.resolveSibling("x")).doesNotExist();
        assertThat(service.post("/datasets/_claims", "{}\n".getBytes(StandardCharsets.UTF_8))
                        .statusCode())
                .isEqualTo(400);
    }

    @Test
    void anUploadThatIsBrokenOffLeavesNothing() throws Exception {
        try (Socket socket = new Socket("127.0.0.1", service.port)) {
            OutputStream out = socket.getOutputStream();
            begin(out, "aborted");
            chunk(out, body(LINES));
            // shards were committed, and are seen, while it is under way
            await(() -> count("aborted") > 3);
            assertThat(open()).isEqualTo(1);
        }
        await(() -> open() == 0);
        assertNothingOf("aborted");
    }

    @Test
    void anUploadOfWhichNothingComesAnyMoreIsGivenUp() throws Exception {
        try (HttpSocket socket = new HttpSocket(service.port)) {
            socket.send(HttpSocket.head("POST", "/datasets/stalled", "Content-Length", "2999999") + joined(LINES));
            await(() -> count("stalled") > 3);
            HttpSocket.Response answer = socket.receive(false);
            assertThat(answer.status()).isEqualTo(408);
            assertThat(answer.headers()).containsEntry("connection", "close");
            assertThat(answer.body()).contains("nothing came for 1000 ms");
            assertNothingOf("stalled");
            assertThat(open()).isZero();
            assertThat(meter("sluice.service.rejected", "reason", "stall")).isEqualTo(1);
            assertThat(socket.isAtEnd()).isTrue();
        }
    }

    @Test
    void tooManyUploadsAtATimeAreRefused() throws Exception {
        try (Socket first = new Socket("127.0.0.1", service.port);
                Socket second = new Socket("127.0.0.1", service.port)) {
            begin(first.getOutputStream(), "busy");
            begin(second.getOutputStream(), "busy");
            await(() -> open() == 2);
            HttpResponse<String> third = service.post("/datasets/busy", body(LINES.subList(0, 2)));
            assertThat(third.statusCode()).isEqualTo(503);
            assertThat(third.headers().firstValue("retry-after")).isPresent();
        }
        await(() -> open() == 0);
        assertThat(service.post("/datasets/busy", body(LINES.subList(0, 2))).statusCode())
                .isEqualTo(201);
        assertThat(meter("sluice.service.rejected", "reason", "busy")).isEqualTo(1);
    }

    @Test
    void deleteRemovesADataSet() throws Exception {
        service.post("/datasets/gone", body(LINES));
        var delete = service.request("/datasets/gone").DELETE().build();
        assertThat(service.jdk.send(delete, BodyHandlers.ofString()).statusCode())
                .isEqualTo(204);
        assertNothingOf("gone");
        assertThat(service.get("/datasets/gone").statusCode()).isEqualTo(404);
        assertThat(service.text("/datasets")).doesNotContain("gone");
        assertThat(service.jdk.send(delete, BodyHandlers.ofString()).statusCode())
                .isEqualTo(404);
    }

    @Test
    void whatIsWrittenIsCounted() throws Exception {
        double before = meter("sluice.service.records", "direction", "write");
        service.post("/datasets/counted", body(LINES.subList(0, 100)));
        assertThat(meter("sluice.service.records", "direction", "write") - before)
                .isEqualTo(100);
    }

    static void begin(OutputStream out, String name) throws IOException {
        out.write(("POST /datasets/" + name + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
                .getBytes(StandardCharsets.ISO_8859_1));
        chunk(out, "{\"first\":1}\n".getBytes(StandardCharsets.UTF_8));
    }

    static void chunk(OutputStream out, byte[] bytes) throws IOException {
        out.write((Integer.toHexString(bytes.length) + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
        out.write(bytes);
        out.write("\r\n".getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }

    private static long count(String name) {
        try (var files = Files.list(data.resolve(name))) {
            return files.filter(file -> file.getFileName().toString().startsWith("part-"))
                    .count();
        } catch (IOException e) {
            return 0;
        }
    }

    private static void assertNothingOf(String name) throws IOException {
        assertNothingOf(data.resolve(name));
    }

    /** No shard, no temporary file, no claim. */
    static void assertNothingOf(Path directory) throws IOException {
        if (Files.exists(directory)) {
            try (var files = Files.walk(directory)) {
                assertThat(files.filter(Files::isRegularFile)).isEmpty();
            }
        }
    }

    private static double open() {
        return meter("sluice.service.open", "direction", "write");
    }

    private static double meter(String name, String tag, String value) {
        return service.context
                .getBean(MeterRegistry.class)
                .get(name)
                .tag(tag, value)
                .meters()
                .iterator()
                .next()
                .measure()
                .iterator()
                .next()
                .getValue();
    }

    private static void await(java.util.concurrent.Callable<Boolean> condition) {
        Mono.fromCallable(condition)
                .filter(Boolean::booleanValue)
                .repeatWhenEmpty(tries -> tries.delayElements(Duration.ofMillis(10)))
                .block(Duration.ofSeconds(20));
    }
}
