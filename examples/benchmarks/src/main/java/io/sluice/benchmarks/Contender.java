package io.sluice.benchmarks;

import com.alibaba.fastjson2.JSON;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SequenceWriter;
import io.sluice.Dataset;
import io.sluice.ReadSpec;
import io.sluice.WriteSpec;
import io.sluice.codec.Compressions;
import io.sluice.format.Jsonl;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.springframework.core.ResolvableType;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.core.io.buffer.DefaultDataBufferFactory;
import org.springframework.http.MediaType;
import org.springframework.http.codec.json.Jackson2JsonDecoder;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What is measured: one pass over a file. The answer is the number of records, for a check that all did the same work. */
enum Contender {
    SLUICE_MAPS {
        @Override
        long pass(Path file, int cores) {
            return count(Dataset.at(file, Jsonl.maps()).read(ReadSpec.create().parallelism(cores)));
        }
    },
    SLUICE_MAPS_ZST {
        @Override
        Path prepare(Path file) throws IOException {
            return zst(file);
        }

        @Override
        long pass(Path file, int cores) {
            return count(Dataset.at(file, Jsonl.maps()).read(ReadSpec.create().parallelism(cores)));
        }
    },
    SLUICE_BYTES {
        @Override
        long pass(Path file, int cores) {
            return count(Dataset.at(file, Jsonl.bytes()).read(ReadSpec.create().parallelism(cores)));
        }
    },
    SLUICE_COUNT {
        @Override
        long pass(Path file, int cores) {
            return value(Dataset.at(file, Jsonl.counts())
                    .read(ReadSpec.create().parallelism(cores))
                    .reduce(0L, Long::sum));
        }
    },
    RAW_READ {
        @Override
        long pass(Path file, int cores) throws IOException {
            ByteBuffer buffer = ByteBuffer.allocateDirect(256 << 10);
            try (FileChannel channel = FileChannel.open(file)) {
                while (channel.read(buffer) >= 0) {
                    buffer.clear();
                }
            }
            return -1;
        }
    },
    JACKSON_MAPS {
        @Override
        long pass(Path file, int cores) throws IOException {
            long records = 0;
            try (MappingIterator<Map<String, Object>> it =
                    new ObjectMapper().readerFor(Map.class).readValues(file.toFile())) {
                while (it.hasNext()) {
                    it.next();
                    records++;
                }
            }
            return records;
        }
    },
    /** The file cut in as many pieces as there are cores, each read by a thread of its own: the order is lost. */
    FASTJSON2_MAPS {
        @Override
        long pass(Path file, int cores) throws Exception {
            long size = Files.size(file);
            long[] records = new long[cores];
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < cores; i++) {
                int piece = i;
                Thread thread = new Thread(
                        () -> records[piece] = fastjson(file, size * piece / cores, size * (piece + 1) / cores));
                thread.start();
                threads.add(thread);
            }
            long all = 0;
            for (int i = 0; i < cores; i++) {
                threads.get(i).join();
                all += records[i];
            }
            return all;
        }
    },
    WEBFLUX_NDJSON {
        @Override
        long pass(Path file, int cores) {
            return value(new Jackson2JsonDecoder()
                    .decode(
                            DataBufferUtils.read(file, new DefaultDataBufferFactory(), 64 << 10),
                            ResolvableType.forClassWithGenerics(Map.class, String.class, Object.class),
                            MediaType.APPLICATION_NDJSON,
                            null)
                    .count());
        }
    },
    /** Writes maps as Jackson makes them, which are maps as anybody makes them. */
    SLUICE_WRITE {
        @Override
        long pass(Path file, int cores) throws IOException {
            return write(out(file, ".jsonl"), records(() -> jacksonMaps(file)));
        }
    },
    /** Writes maps that Sluice itself has read. */
    SLUICE_REWRITE {
        @Override
        long pass(Path file, int cores) throws IOException {
            return write(out(file, ".jsonl"), records(() -> sluiceMaps(file)));
        }
    },
    SLUICE_WRITE_ZST {
        @Override
        long pass(Path file, int cores) throws IOException {
            return write(out(file, ".jsonl.zst"), records(() -> jacksonMaps(file)));
        }
    },
    JACKSON_WRITE {
        @Override
        long pass(Path file, int cores) throws IOException {
            long n = 0;
            try (OutputStream stream = Files.newOutputStream(out(file, ".jsonl"));
                    SequenceWriter writer = new ObjectMapper()
                            .writer()
                            .withRootValueSeparator("\n")
                            .writeValues(stream)) {
                for (int i = 0; i < WRITE_REPEATS; i++) {
                    for (Map<String, Object> record : records(() -> jacksonMaps(file))) {
                        writer.write(record);
                        n++;
                    }
                }
            }
            return n;
        }
    },
    ZSTD_COMMAND {
        @Override
        long pass(Path file, int cores) throws Exception {
            Process process = new ProcessBuilder(
                            "zstd",
                            "-3",
                            "--single-thread",
                            "-q",
                            "-f",
                            file.toString(),
                            "-o",
                            out(file, ".zst").toString())
                    .inheritIO()
                    .start();
            if (process.waitFor() != 0) {
                throw new IOException("zstd failed");
            }
            return -1;
        }
    };

    /** How often a writing pass writes the records that it holds in memory. */
    static final int WRITE_REPEATS = Integer.getInteger("sluice.benchmarks.repeats", 10);

    abstract long pass(Path file, int cores) throws Exception;

    /** What the passes read in place of {@code file}. */
    Path prepare(Path file) throws Exception {
        return file;
    }

    /** Whether it writes records that it holds in memory. */
    boolean writes() {
        return this == SLUICE_WRITE || this == SLUICE_REWRITE || this == SLUICE_WRITE_ZST || this == JACKSON_WRITE;
    }

    /** Megabytes of JSON that one pass of {@code file} deals with. */
    double megabytes(Path file) throws IOException {
        return Files.size(file) / 1e6 * (writes() ? WRITE_REPEATS : 1);
    }

    private static <T> T value(Mono<T> mono) {
        return Objects.requireNonNull(mono.block(), "completed without a value");
    }

    private static long count(Flux<?> flux) {
        long[] n = new long[1];
        flux.doOnNext(v -> n[0]++).blockLast();
        return n[0];
    }

    private static List<Map<String, Object>> records = List.of();

    private static synchronized List<Map<String, Object>> records(Callable<List<Map<String, Object>>> reading)
            throws IOException {
        if (records.isEmpty()) {
            try {
                records = reading.call();
            } catch (IOException | RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IOException(e);
            }
        }
        return records;
    }

    private static List<Map<String, Object>> sluiceMaps(Path file) {
        return value(Dataset.at(file, Jsonl.maps()).read().collectList());
    }

    private static List<Map<String, Object>> jacksonMaps(Path file) throws IOException {
        try (MappingIterator<Map<String, Object>> it =
                new ObjectMapper().readerFor(Map.class).readValues(file.toFile())) {
            return it.readAll();
        }
    }

    private static long write(Path to, List<Map<String, Object>> records) {
        return value(Dataset.at(to, Jsonl.maps())
                .write(Flux.fromIterable(records).repeat(WRITE_REPEATS - 1L), WriteSpec.create())
                .map(r -> r.records()));
    }

    private static Path out(Path file, String extension) throws IOException {
        Path out = file.resolveSibling("out-" + ProcessHandle.current().pid() + extension);
        Files.deleteIfExists(out);
        out.toFile().deleteOnExit();
        return out;
    }

    private static Path zst(Path file) throws IOException {
        Path zst = file.resolveSibling(file.getFileName() + ".zst");
        if (!Files.exists(zst)) {
            Dataset.at(zst, Jsonl.bytes())
                    .write(
                            Dataset.at(file, Jsonl.bytes()).read(),
                            WriteSpec.create().compression(Compressions.zstd()))
                    .block();
        }
        return zst;
    }

    /** Parses the lines that begin in {@code [from, to)}, from blocks as large as Sluice's. */
    private static long fastjson(Path file, long from, long to) {
        long records = 0;
        try (FileChannel channel = FileChannel.open(file)) {
            byte[] buffer = new byte[1 << 20];
            // the byte before tells whether a line begins at the very start
            long at = Math.max(0, from - 1);
            boolean begun = from == 0;
            channel.position(at);
            int filled = 0;
            while (true) {
                int got = channel.read(ByteBuffer.wrap(buffer, filled, buffer.length - filled));
                if (got > 0) {
                    filled += got;
                }
                int start = 0;
                for (int i = 0; i < filled; i++) {
                    if (buffer[i] == '\n') {
                        if (begun) {
                            if (at + start >= to) {
                                return records;
                            }
                            JSON.parseObject(buffer, start, i - start, StandardCharsets.UTF_8);
                            records++;
                        }
                        begun = true;
                        start = i + 1;
                    }
                }
                if (got < 0) {
                    return records;
                }
                System.arraycopy(buffer, start, buffer, 0, filled - start);
                at += start;
                filled -= start;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
