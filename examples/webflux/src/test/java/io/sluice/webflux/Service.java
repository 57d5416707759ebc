package io.sluice.webflux;

import io.sluice.Dataset;
import io.sluice.RollingPolicy;
import io.sluice.WriteSpec;
import io.sluice.codec.Compression;
import io.sluice.format.Jsonl;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.publisher.Flux;

/** The service on a free port of the loopback, with clients for it. */
final class Service implements AutoCloseable {

    final ConfigurableApplicationContext context;
    final int port;
    final URI root;
    final HttpClient jdk =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    final WebClient web;

    Service(Path data, String... options) {
        this("--data=" + data, options);
    }

    private Service(String location, String... options) {
        List<String> all = new ArrayList<>(List.of(location, "--server.port=0", "--logging.level.root=error"));
        if (Stream.of(options).noneMatch(option -> option.contains("requests-per-second"))) {
            all.add("--sluice.service.requests-per-second=0");
        }
        all.addAll(List.of(options));
        context = new SpringApplicationBuilder(DatasetService.class).run(all.toArray(String[]::new));
        port = context.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
        root = URI.create("http://127.0.0.1:" + port);
        web = WebClient.builder()
                .baseUrl(root.toString())
                .codecs(codecs -> codecs.defaultCodecs().maxInMemorySize(64 << 20))
                .build();
    }

    /** On a store elsewhere, {@code s3://bucket/prefix/}. */
    static Service at(String location, String... options) {
        return new Service("--sluice.location=" + location, options);
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(root.resolve(path)).timeout(Duration.ofSeconds(60));
    }

    HttpResponse<byte[]> get(String path, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = request(path);
        return jdk.send((headers.length == 0 ? request : request.headers(headers)).build(), BodyHandlers.ofByteArray());
    }

    String text(String path, String... headers) throws IOException, InterruptedException {
        return new String(get(path, headers).body(), StandardCharsets.UTF_8);
    }

    HttpResponse<String> post(String path, byte[] body, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = request(path).POST(HttpRequest.BodyPublishers.ofByteArray(body));
        return jdk.send((headers.length == 0 ? request : request.headers(headers)).build(), BodyHandlers.ofString());
    }

    /** A request as it is written, whose path no client tidies up. */
    String raw(String pathAsSent) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.getOutputStream()
                    .write(("GET " + pathAsSent + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                            .getBytes(StandardCharsets.ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Override
    public void close() {
        context.close();
    }

    /** Lines of several lengths, some of them with a line end that belongs to them. */
    static List<String> lines(int count, long seed) {
        Random random = new Random(seed);
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            lines.add("{\"id\":" + i + ",\"text\":\"" + "äx".repeat(random.nextInt(60)) + "\"}"
                    + (random.nextInt(20) == 0 ? "\t " : ""));
        }
        return lines;
    }

    /** Writes them as shards. */
    static void write(Path directory, List<String> lines, Compression compression, int recordsPerShard) {
        Flux.fromIterable(lines)
                .map(line -> ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8)))
                .as(records -> Dataset.at(directory + "/", Jsonl.bytes())
                        .write(
                                records,
                                WriteSpec.create()
                                        .rolling(RollingPolicy.maxRecords(recordsPerShard))
                                        .frameBytes(32 << 10)
                                        .compression(compression)))
                .block();
    }

    static String joined(List<String> lines) {
        return lines.isEmpty() ? "" : String.join("\n", lines) + "\n";
    }
}
