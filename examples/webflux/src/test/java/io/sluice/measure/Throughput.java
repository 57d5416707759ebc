package io.sluice.measure;

import io.sluice.Dataset;
import io.sluice.ReadSpec;
import io.sluice.RollingPolicy;
import io.sluice.WriteSpec;
import io.sluice.codec.Compressions;
import io.sluice.format.Jsonl;
import io.sluice.webflux.DatasetService;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Flux;

/**
 * How fast the service passes NDJSON through, beside a plain controller that returns {@code Flux<Map>} and leaves the rest to Spring:
 * the same data, the same JVM, a client that reads and drops. {@code examples/webflux/measure [MB] [options of the service]}
 */
public final class Throughput {

    private Throughput() {}

    @SpringBootConfiguration
    @EnableAutoConfiguration
    @RestController
    static class Plain {
        @org.springframework.beans.factory.annotation.Value("${data}")
        Path data;

        @GetMapping(path = "/datasets/{name}", produces = "application/x-ndjson")
        Flux<Map<String, Object>> read(@org.springframework.web.bind.annotation.PathVariable("name") String name) {
            return Dataset.at(data.resolve(name), Jsonl.maps()).read(ReadSpec.create());
        }
    }

    public static void main(String[] args) throws Exception {
        int megabytes = args.length == 0 ? 64 : Integer.parseInt(args[0]);
        Path data = Files.createTempDirectory("measure");
        Random random = new Random(1);
        try {
            for (var compression : Map.of("plain", Compressions.none(), "zstd", Compressions.zstd())
                    .entrySet()) {
                Flux.range(0, megabytes * 5_000)
                        .map(i -> row(random.nextLong()))
                        .as(rows -> Dataset.at(data.resolve(compression.getKey()) + "/", Jsonl.maps())
                                .write(
                                        rows,
                                        WriteSpec.create()
                                                .rolling(RollingPolicy.maxBytes(16 << 20))
                                                .compression(compression.getValue())))
                        .block();
            }
            System.out.printf(
                    "Java %s, %d processors, %s%n",
                    Runtime.version(),
                    Runtime.getRuntime().availableProcessors(),
                    java.lang.management.ManagementFactory.getGarbageCollectorMXBeans()
                            .get(0)
                            .getName());
            try (ConfigurableApplicationContext service = start(DatasetService.class, data, args);
                    ConfigurableApplicationContext plain = start(Plain.class, data, args)) {
                for (String name : new String[] {"plain", "zstd"}) {
                    double mine = best(service, name);
                    double theirs = best(plain, name);
                    System.out.printf(
                            "%-5s  passed through %7.1f MB/s   Flux<Map> %7.1f MB/s   %.1f times%n",
                            name, mine, theirs, mine / theirs);
                }
            }
        } finally {
            try (var files = Files.walk(data)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    private static Map<String, Object> row(long random) {
        return Map.of(
                "id",
                random >>> 20,
                "name",
                "user-" + (random & 0xffff),
                "active",
                (random & 1) == 0,
                "score",
                (random & 0xfff) / 8.0,
                "tags",
                List.of("alpha", "beta-" + (random & 7)),
                "note",
                "some words that do not say much, and then some more, as in life: " + (random & 0xff));
    }

    private static ConfigurableApplicationContext start(Class<?> application, Path data, String[] options) {
        List<String> all =
                new ArrayList<>(List.of("--data=" + data, "--server.port=0", "--sluice.service.requests-per-second=0"));
        all.addAll(List.of(options).subList(Math.min(1, options.length), options.length));
        return new SpringApplicationBuilder(application).run(all.toArray(String[]::new));
    }

    /** Of three rounds, after one to warm up: megabytes of NDJSON a second. */
    private static double best(ConfigurableApplicationContext context, String name) throws IOException {
        int port = context.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
        double best = 0;
        for (int round = 0; round < 4; round++) {
            long from = System.nanoTime();
            long bytes = drain(port, name);
            double seconds = (System.nanoTime() - from) * 1e-9;
            best = round == 0 ? 0 : Math.max(best, bytes / 1e6 / seconds);
        }
        return best;
    }

    /** Reads to the connection's end and takes nothing apart, so that the client costs little of what is measured. */
    private static long drain(int port, String name) throws IOException {
        long bytes = 0;
        byte[] buffer = new byte[256 << 10];
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.getOutputStream()
                    .write(("GET /datasets/" + name + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                            .getBytes(StandardCharsets.ISO_8859_1));
            InputStream in = socket.getInputStream();
            for (int n; (n = in.read(buffer)) >= 0; ) {
                bytes += n;
            }
        }
        if (bytes < 1 << 20) {
            throw new IOException("only " + bytes + " bytes of " + name);
        }
        return bytes;
    }
}
