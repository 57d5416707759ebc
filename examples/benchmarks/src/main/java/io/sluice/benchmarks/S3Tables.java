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
        inTurn(
                3,
                new Contender("single-get", bytes, 0, () -> get(far, "large.jsonl")),
                new Contender("sluice-store", bytes, 0, () -> read(store(far))),
                new Contender(
                        "sluice-lines", bytes, 0, () -> read(Dataset.at(store(far), "large.jsonl", Jsonl.bytes()))),
                new Contender(
                        "sluice-maps", bytes, 0, () -> read(Dataset.at(store(far), "large.jsonl", Jsonl.maps()))));
    }

    private void nearObject(Path file) {
        upload("large.jsonl", file);
        long bytes = size(file);
        System.out.printf(Locale.ROOT, "%none object of %d MB, from the server as it is: MB/s%n", bytes / 1_000_000);
        List<Rate> rates = inTurn(
                5,
                new Contender("single-get", bytes, 0, () -> get(near, "large.jsonl")),
                new Contender("sluice-store", bytes, 0, () -> read(store(near))),
                new Contender("local-lines", bytes, 2, () -> read(Dataset.at(file, Jsonl.bytes()))),
                new Contender(
                        "sluice-lines", bytes, 2, () -> read(Dataset.at(store(near), "large.jsonl", Jsonl.bytes()))),
                new Contender("local-maps", bytes, 4, () -> read(Dataset.at(file, Jsonl.maps()))),
                new Contender(
                        "sluice-maps", bytes, 4, () -> read(Dataset.at(store(near), "large.jsonl", Jsonl.maps()))));
        atMost("lines, at most", rates.get(2), rates.get(0));
        atMost("maps, at most", rates.get(4), rates.get(0));
    }

    private static void read(S3ObjectStore store) {
        store.get("large.jsonl").blockLast();
    }

    private static void read(Dataset<?> dataset) {
        dataset.read().blockLast();
    }

    /**
     * Who decodes and who fetches share the processors with who serves. So it is at most this, which it would be if all of them
     * worked all the time, and fetching took no more than one GET does whose bytes are forgotten.
     */
    private static void atMost(String name, Rate local, Rate single) {
        double ceiling = Runtime.getRuntime().availableProcessors() * 1e3 / (local.least + single.least);
        System.out.printf(
                Locale.ROOT,
                "  %-18s %7.0f   %5.2fx   (all processors, with the least that its local one and single-get take of them)%n",
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
        Rate loop = measure(
                new Contender("one-at-a-time", looped * 1_000_000L, 0, () -> {
                    for (int i = 0; i < looped; i++) {
                        get(far, String.format(Locale.ROOT, "shards/part-%05d.jsonl", i));
                    }
                }),
                Rate.NONE);
        print("one-at-a-time", loop, loop);
        Contender ours = new Contender(
                "sluice-maps", count * 1_000_000L, 0, () -> read(Dataset.at(store(far), "shards/", Jsonl.maps())));
        print(ours.name, measure(ours, measure(ours, Rate.NONE)), loop);
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
        int chunk = 1 << 20;
        Flux<ByteBuffer> chunks = Flux.range(0, (length + chunk - 1) / chunk)
                .map(i -> ByteBuffer.wrap(content, i * chunk, Math.min(chunk, length - i * chunk)));
        S3StoreSpec onePart = S3StoreSpec.create().partBytes(length);
        inTurn(
                passes,
                new Contender(
                        "plain-put-object",
                        length,
                        0,
                        () -> client.putObject(put -> put.bucket(BUCKET).key("written"), body(content, 0, length))
                                .join()),
                new Contender("plain-multipart", length, 0, () -> multipart(client, content, length)),
                new Contender(
                        "sluice-store",
                        length,
                        0,
                        () -> store(client)
                                .put("written", chunks, PutMode.OVERWRITE)
                                .block()),
                new Contender(
                        "sluice-one-part",
                        length,
                        0,
                        () -> S3ObjectStore.create(client, BUCKET, onePart)
                                .put("written", chunks, PutMode.OVERWRITE)
                                .block()));
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

    /**
     * Something to be measured.
     *
     * @param units of which a million are what its rate counts
     * @param peer the number of the contender that it is compared with, counted from 0
     */
    private record Contender(String name, long units, int peer, Runnable pass) {}

    /**
     * Of the best pass and the worst, in millions of units a second; the nanoseconds of processors a unit of the pass that took least
     * of both; and those that all passes took.
     */
    private record Rate(double best, double worst, double least, double units, long client, long server) {

        static final Rate NONE = new Rate(0, Double.MAX_VALUE, Double.MAX_VALUE, 0, 0, 0);

        /** Of processors, a million units. */
        double clientMillis() {
            return client / units;
        }

        double serverMillis() {
            return server / units;
        }
    }

    /**
     * Each of them for the time of warming up, in two turns, and then all of them in turn, which is measured. The compiler's warming
     * up would be part of the figures: the SDK's way of making a request is long, and compiled only after some thousands of them,
     * so that it takes a reader by ranges longer than it takes the single GET.
     */
    private List<Rate> inTurn(int passes, Contender... contenders) {
        for (int turn = 0; turn < 2; turn++) {
            for (Contender contender : contenders) {
                long until = System.nanoTime() + warmUp.toNanos() / 2;
                while (System.nanoTime() < until) {
                    contender.pass.run();
                }
            }
        }
        Rate[] rates = new Rate[contenders.length];
        Arrays.fill(rates, Rate.NONE);
        for (int pass = 0; pass < passes; pass++) {
            for (int i = 0; i < rates.length; i++) {
                rates[i] = measure(contenders[i], rates[i]);
            }
        }
        for (int i = 0; i < rates.length; i++) {
            print(contenders[i].name, rates[i], rates[contenders[i].peer]);
        }
        return List.of(rates);
    }

    /** One more pass. */
    private Rate measure(Contender contender, Rate before) {
        long client = nanos(ProcessHandle.current());
        long serving = nanos(server);
        long began = System.nanoTime();
        contender.pass.run();
        double units = contender.units;
        double rate = units * 1e3 / (System.nanoTime() - began);
        client = nanos(ProcessHandle.current()) - client;
        serving = nanos(server) - serving;
        return new Rate(
                Math.max(before.best, rate),
                Math.min(before.worst, rate),
                Math.min(before.least, (client + serving) / units),
                before.units + units,
                before.client + client,
                before.server + serving);
    }

    private static void print(String name, Rate rate, Rate peer) {
        System.out.printf(
                Locale.ROOT,
                "  %-18s %7.0f   %5.2fx   (from %.0f; client %.2f ms, server %.2f ms each)%n",
                name,
                rate.best,
                rate.best / peer.best,
                rate.worst,
                rate.clientMillis(),
                rate.serverMillis());
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
