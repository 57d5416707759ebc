package io.sluice.webflux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Flux;
import tools.jackson.databind.json.JsonMapper;

/** The service as a process of its own. */
class ForkedServiceTest {

    private static final Pattern PORT = Pattern.compile("serving .* at http://127\\.0\\.0\\.1:(\\d+)/datasets");

    @TempDir
    Path data;

    private Process process;
    private int port;
    private final HttpClient client = HttpClient.newHttpClient();

    private void start(List<String> jvm, String... options) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(jvm);
        command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), ForkedService.class.getName()));
        command.addAll(List.of("--data", data.toString(), "--server.port=0"));
        command.addAll(List.of(options));
        process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        BufferedReader output = process.inputReader();
        for (String line; (line = output.readLine()) != null; ) {
            Matcher serving = PORT.matcher(line);
            if (serving.matches()) {
                port = Integer.parseInt(serving.group(1));
                return;
            }
        }
        throw new IllegalStateException("the service did not start");
    }

    @AfterEach
    void kill() {
        if (process != null) {
            process.destroyForcibly();
        }
    }

    @Test
    void ahundredSlowClientsOfOneGibibyteFitInto128Megabytes() throws Exception {
        Path directory = Files.createDirectory(data.resolve("large"));
        String lines = Service.joined(Service.lines(1_000, 7));
        Path first = directory.resolve("part-00000.jsonl");
        Files.writeString(first, lines.repeat((16 << 20) / lines.getBytes(StandardCharsets.UTF_8).length + 1));
        for (int i = 1; i < 64; i++) { // the same file by many names: a gibibyte without writing it
            Files.createLink(directory.resolve("part-%05d.jsonl".formatted(i)), first);
        }
        start(List.of("-Xmx128m"), "--sluice.service.requests-per-second=1000");

        List<Socket> clients = new ArrayList<>();
        try {
            for (int i = 0; i < 100; i++) {
                clients.add(BackpressureTest.slow(port, "large", "*/*"));
            }
            BackpressureTest.await(() -> meter("sluice.service.open?tag=direction:read") == 100);
            long[] received = {0};
            Flux.interval(Duration.ofSeconds(1))
                    .take(6)
                    .doOnNext(second -> received[0] += readAKibibyteEach(clients))
                    .blockLast();
            assertThat(received[0]).isEqualTo(600 << 10);
            // beside what the system keeps in its socket buffers, a slow client costs a block or two
            double each = (meter("sluice.service.bytes?tag=direction:read") - received[0]) / clients.size();
            System.out.printf("read ahead of a client, its socket's buffers included: %.0f KiB%n", each / 1024);
            assertThat(each).isLessThan(4 << 20);
            // and somebody in a hurry is served beside them
            assertThat(get("/datasets/large?limit=100000").lines().count()).isEqualTo(100_000);
            assertThat(meter("sluice.service.open?tag=direction:read")).isEqualTo(100);
        } finally {
            for (Socket client : clients) {
                client.close();
            }
        }
        BackpressureTest.await(() -> meter("sluice.service.open?tag=direction:read") == 0);
        assertThat(get("/actuator/health")).contains("\"status\":\"UP\"");
        assertThat(process.isAlive()).isTrue();
    }

    private static long readAKibibyteEach(List<Socket> clients) {
        long read = 0;
        for (Socket client : clients) {
            try {
                read += client.getInputStream().readNBytes(1024).length;
            } catch (IOException e) {
                throw new IllegalStateException("a client was dropped", e);
            }
        }
        return read;
    }

    @Test
    void theServiceEndsWithTheTests() throws Exception {
        start(List.of());
        process.getOutputStream().close(); // as the system does when this process is killed
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void aStopLetsUploadsFinishOrTakesThemBack() throws Exception {
        start(List.of("-Xmx128m"), "--spring.lifecycle.timeout-per-shutdown-phase=4s", "--sluice.write.shard=100KB");
        try (Socket finishing = new Socket("127.0.0.1", port);
                Socket endless = new Socket("127.0.0.1", port)) {
            byte[] lines = Service.joined(Service.lines(5_000, 8)).getBytes(StandardCharsets.UTF_8);
            begin(finishing.getOutputStream(), "finished", lines);
            begin(endless.getOutputStream(), "endless", lines);
            BackpressureTest.await(() -> shards("endless") > 0 && shards("finished") > 0);
            process.destroy(); // SIGTERM
            BackpressureTest.await(this::isRefusingConnections);
            finishing.getOutputStream().write("0\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
            InputStream answer = finishing.getInputStream();
            assertThat(new String(answer.readNBytes(12), StandardCharsets.ISO_8859_1))
                    .isEqualTo("HTTP/1.1 201");
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(shards("finished")).isGreaterThan(1);
        try (var left = Files.walk(data.resolve("endless"))) {
            assertThat(left.filter(Files::isRegularFile)).isEmpty();
        }
    }

    private boolean isRefusingConnections() {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            return !socket.isConnected();
        } catch (IOException refused) {
            return true;
        }
    }

    private static void begin(OutputStream out, String name, byte[] body) throws IOException {
        out.write(("POST /datasets/" + name + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + Integer.toHexString(body.length) + "\r\n")
                .getBytes(StandardCharsets.ISO_8859_1));
        out.write(body);
        out.write("\r\n".getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }

    private long shards(String name) throws IOException {
        if (!Files.exists(data.resolve(name))) {
            return 0;
        }
        try (var files = Files.list(data.resolve(name))) {
            return files.filter(file -> file.getFileName().toString().startsWith("part-"))
                    .count();
        }
    }

    private String get(String path) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .build();
        return client.send(request, BodyHandlers.ofString()).body();
    }

    private double meter(String name) throws Exception {
        return new JsonMapper()
                .readTree(get("/actuator/metrics/" + name))
                .at("/measurements/0/value")
                .asDouble();
    }
}
