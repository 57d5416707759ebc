package io.sluice.benchmarks;

import io.sluice.Dataset;
import io.sluice.format.Jsonl;
import io.sluice.s3.S3ClientSpec;
import io.sluice.s3.S3ObjectStore;
import io.sluice.s3.S3StoreSpec;
import io.sluice.storage.PutMode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import software.amazon.awssdk.core.async.AsyncRequestBody;
import software.amazon.awssdk.core.async.AsyncResponseTransformer;
import software.amazon.awssdk.core.async.SdkPublisher;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/**
 * Measures reading and writing S3 against the plainest use of the SDK's client, on a server in a JVM of its own on this
 * machine, which takes its share of the processors. Beside each rate stands what client and server took of them. Arguments:
 * {@code [far] [near] [shards] [write] [--mb N] [--count N] [--loop N] [--data NAME] [--warm-up SECONDS]}; without a name of a
 * table, all of them. The loop over single shards takes five minutes unless {@code --loop} makes it shorter.
 */
public final class S3Tables {

    private static final String BUCKET = "bucket";
    private static final int SHARD_BYTES = 10_000;

    private final S3AsyncClient near;
    private final S3AsyncClient far;
    private final Path root;
    private final ProcessHandle server;
    private final Duration warmUp;

    private S3Tables(S3AsyncClient near, S3AsyncClient far, Path root, ProcessHandle server, Duration warmUp) {
        this.near = near;
        this.far = far;
        this.root = root;
        this.server = server;
        this.warmUp = warmUp;
    }

    /** Runs the tables that the arguments name. */
    public static void main(String[] args) throws Exception {
        List<String> tables = new ArrayList<>();
        int megabytes = 200;
        int count = 10_000;
        int loop = Integer.MAX_VALUE;
        Duration warmUp = Duration.ofSeconds(20);
        String data = Data.names().get(0);
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--mb" -> megabytes = Integer.parseInt(args[++i]);
                case "--count" -> count = Integer.parseInt(args[++i]);
                case "--loop" -> loop = Integer.parseInt(args[++i]);
                case "--data" -> data = args[++i];
                case "--warm-up" -> warmUp = Duration.ofSeconds(Integer.parseInt(args[++i]));
                default -> tables.add(args[i]);
            }
        }
        Path root = Files.createTempDirectory("sluice-s3");
        Process server = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx512m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        S3Server.class.getName(),
                        root.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8))) {
            String line = out.readLine();
            while (line != null && !line.startsWith("PORTS ")) {
                line = out.readLine();
            }
            if (line == null) {
                throw new IOException("no server");
            }
            String[] ports = line.split(" ");
            System.out.printf(
                    Locale.ROOT,
                    "JVM: %s %s; %d processors, which the server shares%n",
                    System.getProperty("java.vm.name"),
                    System.getProperty("java.runtime.version"),
                    Runtime.getRuntime().availableProcessors());
            try (S3AsyncClient near = client(ports[1]);
                    S3AsyncClient far = client(ports[2])) {
                near.createBucket(create -> create.bucket(BUCKET)).join();
                S3Tables all = new S3Tables(near, far, root, server.toHandle(), warmUp);
                Path file = Data.file(root.resolve("data"), data, megabytes);
                boolean every = tables.isEmpty();
                if (every || tables.contains("far")) {
                    all.farObject(file);
                }
                if (every || tables.contains("near")) {
                    all.nearObject(file);
                }
                if (every || tables.contains("shards")) {
                    all.shards(count, Math.min(loop, count));
                }
                if (every || tables.contains("write")) {
                    all.write(file);
                }
            }
        } finally {
            server.destroyForcibly().waitFor();
            try (Stream<Path> files = Files.walk(root)) {
                for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(path);
                }
            }
        }
    }

    private static S3AsyncClient client(String port) {
        return S3ClientSpec.create()
                .endpoint(URI.create("http://127.0.0.1:" + port))
                .region("us-east-1")
                .anonymous()
                .client();
    }

    private static S3ObjectStore store(S3AsyncClient client) {
        return S3ObjectStore.create(client, BUCKET);
    }

    // ---- what is measured

    private void farObject(Path file) {
        upload("large.jsonl", file);
        long bytes = size(file);
        System.out.printf(
                Locale.ROOT, "%none object of %d MB, 30 ms and 40 MiB/s a connection away: MB/s%n", bytes / 1_000_000);
        double single = rate("single-get", bytes, 3, 0, () -> get(far, "large.jsonl")).best;
        warmRate(
                "sluice-store",
                bytes,
                3,
                single,
                () -> store(far).get("large.jsonl").blockLast());
        warmRate(
                "sluice-lines",
                bytes,
                3,
                single,
                () -> Dataset.at(store(far), "large.jsonl", Jsonl.bytes())
                        .read()
                        .blockLast());
        warmRate(
                "sluice-maps",
                bytes,
                3,
                single,
                () -> Dataset.at(store(far), "large.jsonl", Jsonl.maps()).read().blockLast());
    }

    private void nearObject(Path file) {
        upload("large.jsonl", file);
        long bytes = size(file);
        System.out.printf(Locale.ROOT, "%none object of %d MB, from the server as it is: MB/s%n", bytes / 1_000_000);
        Rate localMaps = warmRate(
                "local-maps",
                bytes,
                4,
                0,
                () -> Dataset.at(file, Jsonl.maps()).read().blockLast());
        Rate localLines = warmRate(
                "local-lines",
                bytes,
                4,
                0,
                () -> Dataset.at(file, Jsonl.bytes()).read().blockLast());
        Rate single = warmRate("single-get", bytes, 4, 0, () -> get(near, "large.jsonl"));
        warmRate(
                "sluice-store",
                bytes,
                4,
                single.best,
                () -> store(near).get("large.jsonl").blockLast());
        atMost("lines, at most", localLines, single);
        warmRate(
                "sluice-lines",
                bytes,
                4,
                localLines.best,
                () -> Dataset.at(store(near), "large.jsonl", Jsonl.bytes())
                        .read()
                        .blockLast());
        atMost("maps, at most", localMaps, single);
        warmRate(
                "sluice-maps",
                bytes,
                4,
                localMaps.best,
                () -> Dataset.at(store(near), "large.jsonl", Jsonl.maps())
                        .read()
                        .blockLast());
    }

    /**
     * Who decodes and who fetches share the processors with who serves. So it is at most this, which it would be if all of them
     * worked all the time, and fetching took no more than one GET does whose bytes are forgotten.
     */
    private static void atMost(String name, Rate local, Rate single) {
        double ceiling = Runtime.getRuntime().availableProcessors()
                * 1e3
                / (local.clientMillis + single.clientMillis + single.serverMillis);
        System.out.printf(
                Locale.ROOT,
                "  %-18s %7.0f   %5.2fx   (all processors, with what its local one and single-get take of them)%n",
                name,
                ceiling,
                ceiling / local.best);
    }

    private void shards(int count, int looped) throws IOException {
        byte[] shard = Arrays.copyOf(
                ("{\"n\":1,\"text\":\"" + "x".repeat(82) + "\"}\n").repeat(100).getBytes(StandardCharsets.US_ASCII),
                SHARD_BYTES);
        shard[SHARD_BYTES - 1] = '\n';
        Path folder = Files.createDirectories(root.resolve(BUCKET).resolve("shards"));
        for (int i = 0; i < count; i++) {
            Files.write(folder.resolve(String.format(Locale.ROOT, "part-%05d.jsonl", i)), shard);
        }
        System.out.printf(
                Locale.ROOT,
                "%n%d shards of %d bytes, 30 ms away, %d in the loop: shards a second%n",
                count,
                SHARD_BYTES,
                looped);
        double loop = rate("one-at-a-time", looped * 1_000_000L, 1, 0, () -> {
                    for (int i = 0; i < looped; i++) {
                        get(far, String.format(Locale.ROOT, "shards/part-%05d.jsonl", i));
                    }
                })
                .best;
        rate(
                "sluice-maps",
                count * 1_000_000L,
                2,
                loop,
                () -> Dataset.at(store(far), "shards/", Jsonl.maps()).read().blockLast());
    }

    private void write(Path file) throws IOException {
        byte[] content = Files.readAllBytes(file);
        int length = Math.min(content.length, 64 << 20);
        System.out.printf(
                Locale.ROOT, "%nwriting an object of %d MB to the server as it is: MB/s%n", length / 1_000_000);
        write(near, content, length, 6);
        System.out.printf(
                Locale.ROOT,
                "%nwriting an object of %d MB, 30 ms and 40 MiB/s a connection away: MB/s%n",
                length / 1_000_000);
        write(far, content, length, 2);
    }

    private void write(S3AsyncClient client, byte[] content, int length, int passes) {
        double plain = warmRate(
                        "plain-put-object",
                        length,
                        passes,
                        0,
                        () -> client.putObject(put -> put.bucket(BUCKET).key("written"), body(content, 0, length))
                                .join())
                .best;
        warmRate("plain-multipart", length, passes, plain, () -> multipart(client, content, length));
        int chunk = 1 << 20;
        Flux<ByteBuffer> chunks = Flux.range(0, (length + chunk - 1) / chunk)
                .map(i -> ByteBuffer.wrap(content, i * chunk, Math.min(chunk, length - i * chunk)));
        warmRate(
                "sluice-store",
                length,
                passes,
                plain,
                () -> store(client).put("written", chunks, PutMode.OVERWRITE).block());
        warmRate(
                "sluice-one-part",
                length,
                passes,
                plain,
                () -> S3ObjectStore.create(client, BUCKET, S3StoreSpec.create().partBytes(length))
                        .put("written", chunks, PutMode.OVERWRITE)
                        .block());
    }

    private static AsyncRequestBody body(byte[] content, int from, int length) {
        return AsyncRequestBody.fromRemainingByteBufferUnsafe(ByteBuffer.wrap(content, from, length));
    }

    /** The same parts as the store's, as many at a time, from bytes that are there already: what the server makes of them. */
    private static void multipart(S3AsyncClient client, byte[] content, int length) {
        String upload = client.createMultipartUpload(
                        begin -> begin.bucket(BUCKET).key("written"))
                .join()
                .uploadId();
        int part = S3StoreSpec.DEFAULT_PART_BYTES;
        List<CompletedPart> parts = Flux.range(1, (length + part - 1) / part)
                .flatMapSequential(
                        number -> Mono.fromFuture(() -> client.uploadPart(
                                        put -> put.bucket(BUCKET)
                                                .key("written")
                                                .uploadId(upload)
                                                .partNumber(number),
                                        body(
                                                content,
                                                (number - 1) * part,
                                                Math.min(part, length - (number - 1) * part))))
                                .map(done -> CompletedPart.builder()
                                        .partNumber(number)
                                        .eTag(done.eTag())
                                        .checksumCRC32(done.checksumCRC32())
                                        .build()),
                        S3StoreSpec.DEFAULT_PARTS_IN_FLIGHT,
                        1)
                .collectList()
                .block();
        client.completeMultipartUpload(complete -> complete.bucket(BUCKET)
                        .key("written")
                        .uploadId(upload)
                        .multipartUpload(all -> all.parts(parts)))
                .join();
    }

    // ---- how

    /** Of the best pass: a million units a second, and milliseconds of processors per million units. */
    private record Rate(double best, double clientMillis, double serverMillis) {}

    /**
     * Without delay, where the compiler's warming up would be part of the figures: the SDK's way of making a request is long,
     * and compiled only after some thousands of them, so that it takes a reader by ranges longer than it takes the single GET.
     */
    private Rate warmRate(String name, long units, int passes, double base, Runnable pass) {
        long until = System.nanoTime() + warmUp.toNanos();
        while (System.nanoTime() < until) {
            pass.run();
        }
        return rate(name, units, passes, base, pass);
    }

    /** The best of several passes. */
    private Rate rate(String name, long units, int passes, double base, Runnable pass) {
        Rate best = new Rate(0, 0, 0);
        double worst = Double.MAX_VALUE;
        for (int i = 0; i < passes; i++) {
            long client = nanos(ProcessHandle.current());
            long serving = nanos(server);
            long began = System.nanoTime();
            pass.run();
            double rate = units * 1e3 / (System.nanoTime() - began);
            worst = Math.min(worst, rate);
            if (rate > best.best) {
                best = new Rate(
                        rate,
                        (nanos(ProcessHandle.current()) - client) / (double) units,
                        (nanos(server) - serving) / (double) units);
            }
        }
        System.out.printf(
                Locale.ROOT,
                "  %-18s %7.0f   %5.2fx   (from %.0f; client %.2f ms, server %.2f ms each)%n",
                name,
                best.best,
                base == 0 ? 1 : best.best / base,
                worst,
                best.clientMillis,
                best.serverMillis);
        return best;
    }

    /** Of processors. */
    private static long nanos(ProcessHandle process) {
        return process.info().totalCpuDuration().orElse(Duration.ZERO).toNanos();
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void upload(String key, Path file) {
        near.putObject(put -> put.bucket(BUCKET).key(key), file).join();
    }

    /** The plainest use: one GET, whose bytes are looked at and forgotten. */
    private static void get(S3AsyncClient client, String key) {
        client.getObject(get -> get.bucket(BUCKET).key(key), new Discarding()).join();
    }

    private static final class Discarding implements AsyncResponseTransformer<GetObjectResponse, Long> {

        private CompletableFuture<Long> done = new CompletableFuture<>();

        @Override
        public CompletableFuture<Long> prepare() {
            done = new CompletableFuture<>();
            return done;
        }

        @Override
        public void onResponse(GetObjectResponse response) {
            // only its bytes are of interest
        }

        @Override
        public void onStream(SdkPublisher<ByteBuffer> publisher) {
            Publisher<ByteBuffer> body = publisher;
            CompletableFuture<Long> whole = done;
            Flux.from(body)
                    .reduce(0L, (sum, chunk) -> sum + chunk.remaining())
                    .subscribe(whole::complete, whole::completeExceptionally);
        }

        @Override
        public void exceptionOccurred(Throwable error) {
            done.completeExceptionally(error);
        }
    }
}
