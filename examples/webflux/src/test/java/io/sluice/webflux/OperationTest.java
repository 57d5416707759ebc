package io.sluice.webflux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.micrometer.core.instrument.MeterRegistry;
import io.sluice.codec.Compressions;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Health, metrics, rates; and what the documentation says to type. */
class OperationTest {

    @TempDir
    Path data;

    @Test
    void healthFollowsTheStore() throws Exception {
        try (Service service = new Service(data)) {
            assertThat(service.text("/actuator/health")).contains("UP");
            Files.delete(data);
            assertThat(service.get("/actuator/health").statusCode()).isEqualTo(503);
            Files.createDirectory(data);
        }
    }

    @Test
    void whoAsksTooOftenIsAnswered429() throws Exception {
        try (Service service = new Service(data, "--sluice.service.requests-per-second=1")) {
            List<Integer> answers = new ArrayList<>();
            HttpResponse<byte[]> last = null;
            for (int i = 0; i < 50 && (last == null || last.statusCode() == 200); i++) {
                last = service.get("/datasets");
                answers.add(last.statusCode());
            }
            assertThat(answers).startsWith(200).endsWith(429);
            assertThat(last.headers().firstValue("retry-after")).contains("1");
            assertThat(service.context
                            .getBean(MeterRegistry.class)
                            .counter("sluice.service.rejected", "reason", "rate")
                            .count())
                    .isEqualTo(1);
        }
    }

    @Test
    void whoFindsTheArrowMemoryTakenIsAnswered503() throws Exception {
        String arrow = Representation.ARROW.type.toString();
        List<String> lines = Service.lines(20_000, 13);
        Service.write(data.resolve("events"), lines, Compressions.none(), 100_000);
        byte[] stream;
        try (Service service = new Service(data)) {
            stream = service.get("/datasets/events", "Accept", arrow).body();
        }
        try (Service service = new Service(data, "--sluice.service.arrow.memory=100KB")) {
            HttpResponse<byte[]> read = service.get("/datasets/events", "Accept", arrow);
            assertThat(read.statusCode()).isEqualTo(503);
            assertThat(read.headers().firstValue("retry-after")).isPresent();
            assertThat(service.post("/datasets/full", stream, "Content-Type", arrow)
                            .statusCode())
                    .isEqualTo(503);
            UploadTest.assertNothingOf(data.resolve("full"));
            assertThat(service.get("/datasets/events?limit=10", "Accept", arrow).statusCode())
                    .isEqualTo(200);
        }
    }

    @Test
    void theCurlsOfTheDocumentationWork() throws Exception {
        try (Service service = serviceForCurls()) {
            List<String> answers = curls(Path.of("../../docs/webflux.md"), service);
            assertThat(answers.get(0)).contains("\"records\":100");
            assertThat(answers.get(1)).contains("\"name\":\"events\"");
            assertThat(answers.get(2).lines()).hasSize(3);
            assertThat(answers.get(3)).startsWith("id,text\r\n0,");
            assertThat(answers.get(4).lines()).hasSize(100);
            assertThat(answers.get(6)).contains("\"dataset\":\"copy\",\"records\":100");
            assertThat(service.get("/datasets/events").statusCode()).isEqualTo(404);
        }
    }

    @Test
    void theCurlsOfTheReadmeWork() throws Exception {
        try (Service service = serviceForCurls()) {
            List<String> answers = curls(Path.of("../../README.md"), service);
            assertThat(answers).hasSize(2);
            assertThat(answers.get(0)).contains("\"records\":100");
            assertThat(answers.get(1).lines()).hasSize(3);
        }
    }

    private Service serviceForCurls() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/curl")), "there is no curl here");
        Files.writeString(data.resolve("events.jsonl"), Service.joined(Service.lines(100, 1)));
        Files.createDirectory(data.resolve("root"));
        return new Service(data.resolve("root"));
    }

    /** What the document's lines that begin with curl answer, one after the other. */
    private List<String> curls(Path document, Service service) throws Exception {
        List<String> answers = new ArrayList<>();
        for (String line : Files.readAllLines(document)) {
            if (!line.startsWith("curl ")) {
                continue;
            }
            String command =
                    line.replace("curl ", "curl --fail ").replace("localhost:8080", "127.0.0.1:" + service.port);
            Process process = new ProcessBuilder("bash", "-o", "pipefail", "-c", command)
                    .directory(data.toFile())
                    .redirectErrorStream(true)
                    .start();
            answers.add(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
            assertThat(process.waitFor()).as("%s: %s", line, answers).isZero();
        }
        return answers;
    }
}
