package io.sluice.cli;

import io.sluice.Dataset;
import io.sluice.ErrorPolicy;
import io.sluice.Position;
import io.sluice.Positioned;
import io.sluice.ReadSpec;
import io.sluice.RecordException;
import io.sluice.Rejected;
import io.sluice.RollingPolicy;
import io.sluice.WriteResult;
import io.sluice.WriteSpec;
import io.sluice.codec.Compressions;
import io.sluice.format.Jsonl;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import reactor.core.publisher.Flux;

/** A tour in a minute: writes a data set, reads it back, and checks everything that it claims. */
@CommandLine.Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description =
                "Writes a sharded, compressed data set to a temporary folder, reads it back and checks it, in under a minute.")
final class DemoCommand extends Command {

    private static final int SHARDS = 8;
    private static final int COMPARED_EVERY = 97;
    private static final String[] ACTIONS = {"view", "click", "cart", "buy", "return", "search"};
    private static final String[] CITIES = {"Zürich", "København", "São Paulo", "東京", "Kraków", "Boston"};

    @Option(
            names = "--records",
            paramLabel = "N",
            description = "How many records to write (default: ${DEFAULT-VALUE}).")
    private long records = 1_000_000;

    @Option(
            names = "--keep",
            paramLabel = "DIR",
            description = "Write to DIR, which must be empty or new, and keep it.")
    private @Nullable Path keep;

    private final List<String> failures = new ArrayList<>();

    DemoCommand(Streams streams) {
        super(streams);
    }

    @Override
    public Integer call() throws IOException {
        if (records < SHARDS) {
            throw new UsageException("--records must be at least " + SHARDS + ": " + records);
        }
        long started = System.nanoTime();
        Path folder = keep == null ? Files.createTempDirectory("sluice-demo-") : Files.createDirectories(keep);
        Thread cleaner = new Thread(() -> delete(folder));
        if (keep == null) {
            Runtime.getRuntime().addShutdownHook(cleaner);
        }
        try {
            run(folder.resolve("events"));
        } finally {
            if (keep == null) {
                Runtime.getRuntime().removeShutdownHook(cleaner);
                delete(folder);
            }
        }
        print("");
        if (!failures.isEmpty()) {
            print("FAILED: " + String.join("; ", failures));
            return FAILED;
        }
        print(String.format(
                Locale.ROOT,
                "Everything checked out, in %.1f s.%s",
                (System.nanoTime() - started) / 1e9,
                keep == null ? "" : " The data is in " + folder.resolve("events") + "."));
        return DONE;
    }

    private void run(Path events) {
        Dataset<Map<String, Object>> dataset = Dataset.at(events + "/", Jsonl.maps());
        long bytes = write(dataset);
        read(dataset, bytes);
        resume(dataset);
        takeTen(dataset);
        corrupt(dataset, events);
    }

    private long write(Dataset<Map<String, Object>> dataset) {
        print(String.format(
                Locale.ROOT, "1. Write %,d records as %d shards of JSONL, compressed with zstd", records, SHARDS));
        WriteSpec spec = WriteSpec.create()
                .requireEmpty()
                .rolling(RollingPolicy.maxRecords((records + SHARDS - 1) / SHARDS))
                .compression(Compressions.zstd());
        long started = System.nanoTime();
        WriteResult result = events().as(f -> dataset.write(f, spec)).block();
        if (result == null) {
            throw new IllegalStateException("the writer gave no result");
        }
        result(
                "%,d bytes of JSON in %,d on disk, %s",
                result.bytes(), result.writtenBytes(), rate(result.bytes(), started));
        check(result.records() == records, "the writer reports " + result.records() + " records");
        check(
                result.shards().size() == SHARDS,
                "the writer made " + result.shards().size() + " shards");
        return result.bytes();
    }

    private void read(Dataset<Map<String, Object>> dataset, long bytes) {
        print("2. Read them back, in order, blocks decoded on " + ReadSpec.DEFAULT_PARALLELISM + " threads");
        Observer observer = new Observer(new Progress(streams, true));
        AtomicLong next = new AtomicLong();
        AtomicLong wrong = new AtomicLong();
        long started = System.nanoTime();
        dataset.read(ReadSpec.create().listener(observer))
                .doOnNext(event -> {
                    long id = next.getAndIncrement();
                    boolean same = id % COMPARED_EVERY == 0
                            ? event.equals(event(id))
                            : Integer.valueOf((int) id).equals(event.get("id"));
                    if (!same) {
                        wrong.incrementAndGet();
                    }
                })
                .then()
                .block();
        result(
                "%,d records in their order, every %dth compared in full: %s",
                next.get(), COMPARED_EVERY, rate(bytes, started));
        check(next.get() == records && wrong.get() == 0, next + " records came back, " + wrong + " of them different");
        check(
                observer.total().conserved() && observer.total().bytesIn() == bytes,
                "the bytes don't add up: " + observer.report());
        long again = System.nanoTime();
        Long lines = dataset.as(Jsonl.counts()).read().reduce(0L, Long::sum).block();
        result("%,d lines counted without parsing: %s", lines, rate(bytes, again));
        check(lines != null && lines == records, "counted " + lines + " lines");
    }

    private void resume(Dataset<Map<String, Object>> dataset) {
        long done = records * 3 / 5 + 7;
        print(String.format(Locale.ROOT, "3. Stop after record %,d, and go on from its position", done));
        Positioned<Map<String, Object>> last =
                dataset.readPositioned().take(done).blockLast();
        Position position = last == null ? null : last.position();
        if (position == null) {
            failures.add("there is no position after record " + done);
            return;
        }
        long started = System.nanoTime();
        Map<String, Object> first =
                dataset.read(ReadSpec.create().from(position)).blockFirst();
        double millis = (System.nanoTime() - started) / 1e6;
        Long rest = dataset.read(ReadSpec.create().from(position)).count().block();
        result(
                "position %s…: the next record was there after %.0f ms, %,d records were left",
                position.token().substring(0, 16), millis, rest);
        check(event(done).equals(first), "the record after the position is " + first);
        check(rest != null && rest == records - done, rest + " records are left");
    }

    private void takeTen(Dataset<Map<String, Object>> dataset) {
        print("4. Ask for ten records only");
        Observer observer = new Observer(new Progress(streams, true));
        long started = System.nanoTime();
        Long ten = dataset.read(ReadSpec.create().limit(10).listener(observer))
                .count()
                .block();
        result("%d records after %.0f ms, the rest was never read", ten, (System.nanoTime() - started) / 1e6);
        check(ten != null && ten == 10, ten + " records came");
    }

    private void corrupt(Dataset<Map<String, Object>> dataset, Path events) {
        print("5. Add a plain shard with a line cut off in its middle");
        Path shard = events.resolve("part-00100.jsonl");
        try {
            Files.write(
                    shard,
                    List.of(
                            "{\"id\":-1,\"action\":\"fine\"}",
                            "{\"id\":-2,\"action\":\"to",
                            "{\"id\":-3,\"action\":\"fine\"}"),
                    StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + shard, e);
        }
        Dataset<Map<String, Object>> damaged = Dataset.at(shard, Jsonl.maps());
        try {
            damaged.read().then().block();
            failures.add("the corrupt line was taken");
        } catch (RecordException e) {
            result("by default it is an error: %s", e.getMessage());
            check(e.line() == 2, "the error names line " + e.line());
        }
        List<Rejected> rejected = new ArrayList<>();
        Observer observer = new Observer(new Progress(streams, true));
        Long good = dataset.read(ReadSpec.create()
                        .listener(observer)
                        .onError(ErrorPolicy.deadLetter(rejected::add).limit(100)))
                .count()
                .block();
        result(
                "with ErrorPolicy.deadLetter %,d records come through, %d is set aside, every byte is accounted for",
                good, rejected.size());
        check(good != null && good == records + 2, good + " records came through");
        check(rejected.size() == 1 && rejected.get(0).line() == 2, "rejected: " + rejected);
        check(observer.total().conserved(), "the bytes don't add up: " + observer.report());
    }

    private Flux<Map<String, Object>> events() {
        return Flux.generate(() -> 0L, (id, sink) -> {
            if (id == records) {
                sink.complete();
            } else {
                sink.next(event(id));
            }
            return id + 1;
        });
    }

    /** The record with this number; the same at every call. */
    private static Map<String, Object> event(long id) {
        long mixed = (id + 1) * 0x9E3779B97F4A7C15L;
        mixed ^= mixed >>> 29;
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("id", (int) id);
        event.put("user", "user-" + Long.toString((mixed >>> 40) % 50_000, 36));
        event.put("action", ACTIONS[(int) ((mixed >>> 8) % ACTIONS.length + ACTIONS.length) % ACTIONS.length]);
        event.put("city", CITIES[(int) ((mixed >>> 20) & 0xFFFF) % CITIES.length]);
        event.put("amount", ((mixed >>> 12) & 0xFFFFF) / 100.0);
        event.put("session", mixed & 0xFFFF_FFFF_FFFFL | 1L << 48); // never small enough to come back as an Integer
        event.put("mobile", (mixed & 4) == 0);
        event.put("tags", List.of("t" + (mixed >>> 60), "demo"));
        event.put("referrer", null);
        return event;
    }

    private void check(boolean holds, String otherwise) {
        if (!holds) {
            failures.add(otherwise);
        }
    }

    private static String rate(long bytes, long startedNanos) {
        double seconds = (System.nanoTime() - startedNanos) / 1e9;
        return String.format(Locale.ROOT, "%.1f s, %.0f MB/s of JSON", seconds, bytes / seconds / 1e6);
    }

    private void result(String format, @Nullable Object... args) {
        print("   " + String.format(Locale.ROOT, format, args));
    }

    private void print(String line) {
        Out out = new Out(streams);
        out.line(line);
        out.flush();
    }

    private static void delete(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            // a leftover in the temporary folder is no reason to fail
        }
    }
}
