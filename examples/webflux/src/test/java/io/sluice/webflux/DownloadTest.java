package io.sluice.webflux;

import static io.sluice.webflux.Service.joined;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.codec.Compressions;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.http.MediaType;
import reactor.netty.http.client.HttpClient;

/** {@code GET}, over sockets. */
class DownloadTest {

    private static final List<String> LINES = Service.lines(20_000, 1);

    @TempDir
    static Path outside;

    private static Path data;
    private static Service service;

    @BeforeAll
    static void start() throws IOException {
        data = Files.createDirectory(outside.resolve("data"));
        Service.write(data.resolve("events"), LINES.subList(0, 12_000), Compressions.zstd(), 5_000);
        Service.write(data.resolve("events"), LINES.subList(12_000, 16_000), Compressions.none(), 5_000);
        Service.write(data.resolve("events"), LINES.subList(16_000, 20_000), Compressions.gzip(), 5_000);
        service = new Service(data);
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    @Test
    void linesComeAsTheyAreStored() throws Exception {
        HttpResponse<byte[]> response = service.get("/datasets/events");
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("content-type")).contains("application/x-ndjson");
        assertThat(new String(response.body(), StandardCharsets.UTF_8)).isEqualTo(joined(LINES));
    }

    @Test
    void webClientReadsRecords() {
        List<Map> rows = service.web
                .get()
                .uri("/datasets/events?limit=12345")
                .accept(MediaType.APPLICATION_NDJSON)
                .retrieve()
                .bodyToFlux(Map.class)
                .collectList()
                .block();
        assertThat(rows).hasSize(12_345);
        assertThat(rows.get(12_344)).containsEntry("id", 12_344);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4_999, 5_000, 5_001, 19_999, 20_000, 30_000})
    void limit(int limit) throws Exception {
        assertThat(service.text("/datasets/events?limit=" + limit))
                .isEqualTo(joined(LINES.subList(0, Math.min(limit, LINES.size()))));
    }

    @Test
    void theListOfDataSets() throws Exception {
        Files.createDirectories(data.resolve("empty"));
        Files.createDirectories(data.resolve(".hidden"));
        Files.writeString(data.resolve(".hidden/part-00000.jsonl"), "{}\n");
        long bytes = 0;
        try (var files = Files.list(data.resolve("events"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                bytes += Files.size(file);
            }
        }
        assertThat(service.text("/datasets")).contains("{\"name\":\"events\",\"shards\":5,\"bytes\":" + bytes + "}");
        assertThat(service.text("/datasets")).doesNotContain("hidden", "\"empty\"");
    }

    @Test
    void aCutConnectionGoesOnAtTheLastMark() throws Exception {
        Random random = new Random(3);
        for (int round = 0; round < 8; round++) {
            StringBuilder got = new StringBuilder();
            String from = "";
            for (boolean whole = false; !whole; ) {
                HttpResponse<InputStream> response = service.jdk.send(
                        service.request("/datasets/events?positions=true" + from)
                                .build(),
                        BodyHandlers.ofInputStream());
                assertThat(response.statusCode()).isEqualTo(200);
                byte[] some;
                try (InputStream in = response.body()) {
                    int most = random.nextInt(900_000);
                    some = in.readNBytes(most);
                    whole = some.length < most;
                }
                String text = new String(some, StandardCharsets.UTF_8);
                Marks marks = Marks.in(text);
                got.append(whole ? marks.withoutMarks(text) : marks.withoutMarks(text.substring(0, marks.endOfLast())));
                from = marks.last() == null ? from : "&from=" + marks.last();
            }
            assertThat(got.toString()).isEqualTo(joined(LINES));
        }
    }

    @Test
    void everyLineWithAMarkIsStillJson() throws Exception {
        String text = service.text("/datasets/events?positions=true&limit=3000");
        assertThat(Marks.in(text).last()).isNotNull();
        assertThat(text.lines().count()).isEqualTo(3000);
        tools.jackson.databind.json.JsonMapper json = new tools.jackson.databind.json.JsonMapper();
        text.lines().forEach(line -> assertThat(json.readTree(line).isObject()).isTrue());
    }

    @Test
    void aClientWithoutMarksGoesOnByCountingItsLines() throws Exception {
        Random random = new Random(4);
        for (int round = 0; round < 8; round++) {
            StringBuilder got = new StringBuilder();
            long records = 0;
            String start = null;
            for (boolean whole = false; !whole; ) {
                String path = "/datasets/events" + (start == null ? "" : "?from=" + start + "&skip=" + records);
                HttpResponse<InputStream> response =
                        service.jdk.send(service.request(path).build(), BodyHandlers.ofInputStream());
                byte[] some;
                try (InputStream in = response.body()) {
                    int most = random.nextInt(900_000);
                    some = in.readNBytes(most);
                    whole = some.length < most;
                }
                start = start == null
                        ? response.headers().firstValue("Sluice-Position").orElseThrow()
                        : start;
                String text = new String(some, StandardCharsets.UTF_8);
                String lines = text.substring(0, text.lastIndexOf('\n') + 1);
                records += lines.lines().count();
                got.append(lines);
            }
            assertThat(got.toString()).isEqualTo(joined(LINES));
        }
    }

    @Test
    void theTrailerSaysWhereTheAnswerEnded() throws Exception {
        StringBuilder got = new StringBuilder();
        String from = "";
        for (int page = 0; page < 7; page++) {
            String[] position = new String[1];
            String uri = service.root + "/datasets/events?limit=3000" + from;
            got.append(HttpClient.create()
                    .get()
                    .uri(uri)
                    .response((response, body) -> {
                        response.trailerHeaders().subscribe(trailers -> position[0] = trailers.get("Sluice-Position"));
                        return body.aggregate().asString();
                    })
                    .single()
                    .block());
            assertThat(position[0]).isNotNull();
            from = "&from=" + position[0];
        }
        assertThat(got.toString()).isEqualTo(joined(LINES));
        assertThat(service.text("/datasets/events?x=" + from)).isEmpty();
    }

    @Test
    void aPositionInADataSetThatWasReplacedIsRefused() throws Exception {
        Service.write(data.resolve("old"), LINES.subList(0, 10), Compressions.none(), 10);
        String position = service.get("/datasets/old")
                .headers()
                .firstValue("Sluice-Position")
                .orElseThrow();
        assertThat(service.get("/datasets/old?from=" + position).statusCode()).isEqualTo(200);
        Files.delete(data.resolve("old/part-00000.jsonl"));
        Service.write(data.resolve("old"), LINES.subList(5, 9), Compressions.none(), 10);
        assertThat(service.get("/datasets/old?from=" + position).statusCode()).isEqualTo(412);
        assertThat(service.get("/datasets/events?from=" + position).statusCode())
                .isEqualTo(412);
    }

    @Test
    void whatIsWrongWithARequestIsSaidAsAProblem() throws Exception {
        for (String query : List.of("limit=-1", "limit=x", "skip=1.5", "from=x", "from=..%2f", "from=MTox")) {
            HttpResponse<byte[]> response = service.get("/datasets/events?" + query);
            assertThat(response.statusCode()).as(query).isEqualTo(400);
            assertThat(response.headers().firstValue("content-type")).contains("application/problem+json");
            assertThat(new String(response.body(), StandardCharsets.UTF_8)).contains("\"status\":400");
        }
        assertThat(service.get("/datasets/nothing").statusCode()).isEqualTo(404);
        assertThat(service.text("/datasets/nothing")).contains("there is no such data set");
        assertThat(service.get("/datasets/empty").statusCode()).isEqualTo(404);
        assertThat(service.get("/datasets/events", "Accept", "image/png").statusCode())
                .isEqualTo(406);
        assertThat(service.get("/elsewhere").statusCode()).isEqualTo(404);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/datasets/..",
                "/datasets/../secret",
                "/datasets/../../secret",
                "/datasets/%2e%2e",
                "/datasets/%2e%2e%2fsecret",
                "/datasets/..%2fsecret",
                "/datasets/..%5csecret",
                "/datasets/%252e%252e%252fsecret",
                "/datasets/.hidden",
                "/datasets/%2ehidden",
                "/datasets/_claims",
                "/datasets//etc/passwd",
                "/datasets/%2fetc%2fpasswd",
                "/datasets/.",
                "/datasets/events%2f..%2f..%2fsecret",
                "/datasets/events/../../secret",
                "/datasets/events%00",
                "/datasets/*",
                "/datasets/%2a%2a",
                "/datasets/%7bevents%7d",
                "/datasets/link",
                "/datasets/inside",
                "/datasets/%ff%fe",
                "/datasets/..;/secret",
                "/datasets/s3:%2f%2fbucket",
                "/../../../../etc/passwd",
                "/datasets/%c0%ae%c0%ae/secret"
            })
    void nothingOutsideTheLocationCanBeReached(String path) throws IOException {
        Path secret = outside.resolve("secret");
        if (!Files.exists(secret)) {
            Files.createDirectory(secret);
            Files.writeString(secret.resolve("part-00000.jsonl"), "{\"secret\":1}\n");
            Files.createSymbolicLink(data.resolve("link"), secret);
            Files.createDirectory(data.resolve("inside"));
            Files.createSymbolicLink(data.resolve("inside/part-00000.jsonl"), secret.resolve("part-00000.jsonl"));
        }
        String answer = service.raw(path);
        assertThat(answer).doesNotContain("\"secret\"", "root:").matches("(?s)HTTP/1.1 (400|404) .*");
        assertThat(answer).doesNotContain(outside.toString());
    }

    @Test
    void anAnswerThatCanNotBeFinishedIsBrokenOff() throws Exception {
        Service.write(data.resolve("damaged"), LINES, Compressions.zstd(), 10_000);
        Path shard = data.resolve("damaged/part-00001.jsonl.zst");
        byte[] bytes = Files.readAllBytes(shard);
        Files.write(shard, java.util.Arrays.copyOf(bytes, bytes.length / 2));
        assertThatThrownBy(() -> service.get("/datasets/damaged")).isInstanceOf(IOException.class);
        Files.write(data.resolve("damaged/part-00000.jsonl.zst"), new byte[] {1, 2, 3, 4, 5, 6, 7});
        assertThat(service.get("/datasets/damaged").statusCode()).isEqualTo(500); // before its first byte
        assertThat(service.text("/datasets/damaged")).doesNotContain(data.toString());
    }

    /** What a client does to find marks. */
    record Marks(@org.jspecify.annotations.Nullable String last, int endOfLast, List<String> lines) {

        private static final String BEGIN = "\t\t\t\t\t\t\t\t";

        static Marks in(String text) {
            String last = null;
            int end = 0;
            List<String> lines = new ArrayList<>();
            for (int from = 0, newline; (newline = text.indexOf('\n', from)) >= 0; from = newline + 1) {
                String line = text.substring(from, newline);
                int content = line.length();
                while (content > 0 && (line.charAt(content - 1) == ' ' || line.charAt(content - 1) == '\t')) {
                    content--;
                }
                int mark = line.lastIndexOf(BEGIN);
                if (mark >= content && mark + 8 < line.length()) {
                    StringBuilder token = new StringBuilder();
                    for (int i = mark + 8; i < line.length(); i += 8) {
                        String bits = line.substring(i, i + 8).replace(' ', '0').replace('\t', '1');
                        token.append((char) Integer.parseInt(bits, 2));
                    }
                    last = token.toString();
                    end = newline + 1;
                    line = line.substring(0, mark);
                }
                lines.add(line);
            }
            return new Marks(last, end, lines);
        }

        String withoutMarks(String text) {
            return joined(in(text).lines);
        }
    }
}
