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
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
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
 * the same data, the same JVM, a client that reads and drops. Both are warmed up for as long: per block the service runs a hundredth of
 * the code that the controller runs for the block's records, so that after as many bytes it would still be interpreted. Beside them a
 * bare socket that copies the shards, which is as fast as this client and the loopback let anything be.
 * {@code examples/webflux/measure [MB] [options of the service]}
 */
public final class Throughput {

    private static final long WARM_UP_NANOS = 5_000_000_000L;

    /** Downloads that count, of each, by turns. */
    private static final int ROUNDS = 9;

    private static final int ROWS_A_MEGABYTE = 5_800;

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
                Flux.range(0, megabytes * ROWS_A_MEGABYTE)
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
                    ConfigurableApplicationContext plain = start(Plain.class, data, args);
                    ServerSocket bare = copying(data)) {
                for (String name : new String[] {"plain", "zstd"}) {
                    compare(new int[] {port(service), port(plain), bare.getLocalPort()}, name);
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

    private static int port(ConfigurableApplicationContext context) {
        return context.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
    }

    /** Medians, in megabytes of NDJSON a second. */
    private static void compare(int[] ports, String name) throws IOException {
        double[] first = new double[ports.length];
        double[][] rates = new double[ports.length][ROUNDS];
        for (int i = 0; i < ports.length; i++) {
            long from = System.nanoTime();
            first[i] = rate(ports[i], name);
            while (System.nanoTime() - from < WARM_UP_NANOS) {
                rate(ports[i], name);
            }
        }
        for (int round = 0; round < ROUNDS; round++) {
            for (int i = 0; i < ports.length; i++) {
                rates[i][round] = rate(ports[i], name);
            }
        }
        for (double[] each : rates) {
            Arrays.sort(each);
        }
        int median = ROUNDS / 2;
        System.out.printf(
                "%-5s  passed through %6.0f MB/s (%.0f to %.0f, the first %.0f)   Flux<Map> %5.0f MB/s (%.0f to %.0f, the first %.0f)"
                        + "   %.1f times   bare socket %.0f MB/s%n",
                name,
                rates[0][median],
                rates[0][0],
                rates[0][ROUNDS - 1],
                first[0],
                rates[1][median],
                rates[1][0],
                rates[1][ROUNDS - 1],
                first[1],
                rates[0][median] / rates[1][median],
                rates[2][median]);
    }

    private static double rate(int port, String name) throws IOException {
        long from = System.nanoTime();
        long bytes = drain(port, name);
        return bytes / 1e6 / ((System.nanoTime() - from) * 1e-9);
    }

    /** Answers every connection with the plain shards, and nothing else. */
    private static ServerSocket copying(Path data) throws IOException {
        ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        List<Path> shards;
        try (var files = Files.list(data.resolve("plain"))) {
            shards = files.filter(Files::isRegularFile).sorted().toList();
        }
        Thread thread = new Thread(
                () -> {
                    byte[] block = new byte[64 << 10];
                    while (!server.isClosed()) {
                        try (Socket client = server.accept()) {
                            client.getInputStream().read(block);
                            for (Path shard : shards) {
                                try (InputStream in = Files.newInputStream(shard)) {
                                    for (int n; (n = in.read(block)) >= 0; ) {
                                        client.getOutputStream().write(block, 0, n);
                                    }
                                }
                            }
                        } catch (IOException e) {
                            if (!server.isClosed()) {
                                throw new UncheckedIOException(e);
                            }
                        }
                    }
                },
                "bare socket");
        thread.setDaemon(true);
        thread.start();
        return server;
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
