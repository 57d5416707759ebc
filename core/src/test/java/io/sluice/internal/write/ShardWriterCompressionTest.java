package io.sluice.internal.write;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.github.luben.zstd.Zstd;
import io.sluice.RollingPolicy;
import io.sluice.Shard;
import io.sluice.WriteResult;
import io.sluice.WriteSpec;
import io.sluice.codec.Compression;
import io.sluice.codec.Compressions;
import io.sluice.codec.Compressor;
import io.sluice.codec.DecompressionLimits;
import io.sluice.codec.Decompressor;
import io.sluice.codec.Output;
import io.sluice.storage.InMemoryObjectStore;
import io.sluice.storage.LocalObjectStore;
import io.sluice.storage.ObjectStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;

/** Compressed shards and their frames. */
class ShardWriterCompressionTest {

    private final InMemoryObjectStore store = InMemoryObjectStore.create();
    private final LineFormat format = new LineFormat();

    /** Lines that compress a little, all different. */
    private static Flux<String> records(int n) {
        return Flux.defer(() -> {
            Random random = new Random(7);
            return Flux.range(0, n).map(i -> i + " " + Long.toHexString(random.nextLong()) + " record record record");
        });
    }

    private static String text(int n) {
        return String.join("\n", records(n).collectList().block()) + "\n";
    }

    private WriteResult write(int n, String location, WriteSpec spec) {
        return ShardWriters.write(records(n), store, location, format, spec).block();
    }

    /** Uncompressed offsets at which frames begin. */
    private static List<Long> frames(byte[] stored, Compression compression) {
        List<Long> starts = new ArrayList<>();
        DecompressionLimits limits = new DecompressionLimits(Long.MAX_VALUE, Long.MAX_VALUE, 1 << 27);
        try (Decompressor decompressor = compression.decompressor(limits)) {
            ByteBuffer in = ByteBuffer.wrap(stored);
            ByteBuffer out = ByteBuffer.allocate(64);
            long before = -1;
            do {
                out.clear();
                decompressor.decompress(in, out);
                if (decompressor.frameStart() != before) {
                    before = decompressor.frameStart();
                    starts.add(decompressor.frameStartUncompressed());
                }
            } while (in.hasRemaining() || out.position() > 0);
            decompressor.end();
        }
        return starts;
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.txt.zst", "a.txt.zstd", "a.txt.gz", "a.txt"})
    void theNameOfAFileSaysHow(String name) {
        WriteResult result = write(1000, name, WriteSpec.create());

        byte[] stored = Stored.bytes(store, name);
        assertThat(Compressions.ofHead(stored, 0, stored.length)).isEqualTo(Compressions.ofKey(name));
        assertThat(result.bytes()).isEqualTo(text(1000).length());
        assertThat(result.writtenBytes()).isEqualTo(stored.length);
    }

    @Test
    void theSpecSaysHow_andNamesTheShards() {
        write(10, "a/", WriteSpec.create().compression(Compressions.gzip(9)));
        write(10, "b.txt", WriteSpec.create().compression(Compressions.zstd(1)));

        assertThat(Stored.keys(store)).containsExactly("a/part-00000.txt.gz", "b.txt");
        assertThat(Stored.text(store, "a/part-00000.txt.gz")).isEqualTo(text(10));
        assertThat(Compressions.ofHead(Stored.bytes(store, "b.txt"), 0, 4).name())
                .isEqualTo("zstd");
    }

    @ParameterizedTest
    @CsvSource({"zstd, 1", "zstd, 2", "zstd, 4", "gzip, 1", "gzip, 2", "gzip, 4"})
    void framesAreIndependentAndBeginWithRecords(String name, int parallelism) {
        Compression compression = name.equals("zstd") ? Compressions.zstd() : Compressions.gzip();
        WriteSpec spec =
                WriteSpec.create().compression(compression).frameBytes(10_000).compressionParallelism(parallelism);

        WriteResult result = write(5000, "a/", spec);

        Shard shard = result.shards().get(0);
        String all = text(5000);
        assertThat(Stored.text(store, shard.key())).isEqualTo(all);
        assertThat(frames(Stored.bytes(store, shard.key()), compression)).isEqualTo(startsOfFrames(all, 10_000));
    }

    /** After each record that makes a frame reach its length. */
    private static List<Long> startsOfFrames(String text, int frameBytes) {
        List<Long> starts = new ArrayList<>();
        for (int at = 0; at >= 0 && at < text.length(); ) {
            starts.add((long) at);
            int end = text.indexOf('\n', at + frameBytes - 1);
            at = end < 0 ? end : end + 1;
        }
        return starts;
    }

    @ParameterizedTest
    @ValueSource(strings = {"zstd", "gzip"})
    void aSingleFrameForReadersThatKnowNoBetter(String name) {
        Compression compression = name.equals("zstd") ? Compressions.zstd() : Compressions.gzip();
        WriteSpec spec = WriteSpec.create()
                .compression(compression)
                .frameBytes(WriteSpec.WHOLE_SHARD)
                .flushBytes(5000)
                .rolling(RollingPolicy.maxRecords(3000));

        WriteResult result = write(5000, "a/", spec);

        assertThat(result.shards()).hasSize(2);
        StringBuilder read = new StringBuilder();
        for (Shard shard : result.shards()) {
            assertThat(frames(Stored.bytes(store, shard.key()), compression)).containsExactly(0L);
            read.append(Stored.text(store, shard.key()));
        }
        assertThat(read.toString()).isEqualTo(text(5000));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.txt.zst", "a.txt.gz"})
    void anEmptyFileIsAnEmptyFrame(String name) {
        write(0, name, WriteSpec.create());
        write(0, "whole" + name, WriteSpec.create().frameBytes(WriteSpec.WHOLE_SHARD));

        assertThat(Stored.bytes(store, name)).isNotEmpty();
        assertThat(Stored.text(store, name)).isEmpty();
        assertThat(Stored.text(store, "whole" + name)).isEmpty();
    }

    @Test
    void shardsAreCutNearTheirStoredLength() {
        for (int limit : new int[] {200_000, 1_000_000}) {
            WriteResult result = write(
                    100_000,
                    "a" + limit + "/",
                    WriteSpec.create().compression(Compressions.zstd()).rolling(RollingPolicy.maxWrittenBytes(limit)));

            List<Shard> shards = result.shards();
            assertThat(shards).hasSizeGreaterThan(1);
            // all but the last; the first one is cut before much is known
            assertThat(shards.subList(1, shards.size() - 1))
                    .allSatisfy(
                            shard -> assertThat(shard.writtenBytes()).isBetween(limit * 85L / 100, limit * 115L / 100));
            assertThat(shards.get(0).writtenBytes()).isBetween(limit / 2L, limit * 2L);
            assertThat(result.records()).isEqualTo(100_000);
        }
    }

    @Test
    void theCommandsReadIt(@TempDir Path directory) throws Exception {
        assumeTrue(has("zstd") && has("gzip"), "the zstd and gzip commands are not installed");
        ObjectStore local = LocalObjectStore.at(directory);
        for (String name : List.of("a.txt.zst", "a.txt.gz")) {
            ShardWriters.write(
                            records(5000),
                            local,
                            name,
                            format,
                            WriteSpec.create().frameBytes(10_000).flushBytes(3000))
                    .block();
            Path plain = directory.resolve("plain");
            String command = name.endsWith("zst") ? "zstd" : "gzip";
            Process process = new ProcessBuilder(
                            command, "-d", "-c", directory.resolve(name).toString())
                    .redirectOutput(plain.toFile())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isZero();
            assertThat(Files.readString(plain, UTF_8)).isEqualTo(text(5000));
        }
    }

    private static boolean has(String command) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command, "--version")
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return process.waitFor() == 0;
        } catch (IOException e) {
            return false;
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void asManyFramesAsTheSpecSaysAreCompressedAtATime(int parallelism) {
        CountDownLatch allSent = new CountDownLatch(1);
        Meeting meeting = new Meeting(Compressions.zstd(), parallelism, allSent);
        WriteSpec spec =
                WriteSpec.create().compression(meeting).frameBytes(10_000).compressionParallelism(parallelism);

        WriteResult result = ShardWriters.write(
                        records(5000).doOnComplete(allSent::countDown), store, "a/", format, spec)
                .block();

        assertThat(meeting.met.getCount()).as("missing at the meeting").isZero();
        assertThat(meeting.mostAtATime.get()).isEqualTo(parallelism);
        assertThat(meeting.open).as("compressors left open").hasValue(0);
        assertThat(Stored.text(store, result.shards().get(0).key())).isEqualTo(text(5000));
    }

    @ParameterizedTest
    @ValueSource(ints = {10_000, WriteSpec.WHOLE_SHARD})
    void everyCompressorIsClosed_alsoWhereTheWriteFails(int frameBytes) {
        Meeting compression = new Meeting(Compressions.zstd(), 1, new CountDownLatch(0));
        WriteSpec spec = WriteSpec.create()
                .compression(compression)
                .frameBytes(frameBytes)
                .flushBytes(1000)
                .rolling(RollingPolicy.maxRecords(300));

        ShardWriters.write(records(1000), store, "a/", format, spec).block();
        assertThat(compression.made.get()).isPositive();
        assertThat(compression.open).hasValue(0);

        int before = compression.made.get();
        assertThatThrownBy(() -> ShardWriters.write(
                                records(1000).concatWith(Flux.error(new IllegalStateException("upstream"))),
                                store,
                                "b/",
                                format,
                                spec)
                        .block())
                .hasMessage("upstream");
        assertThat(compression.made.get()).isGreaterThan(before);
        assertThat(compression.open).hasValue(0);
    }

    /** Compressors that get on only once a number of them are compressing, and there are frames enough for more. */
    private static final class Meeting implements Compression {

        private final Compression inner;
        private final CountDownLatch met;
        private final CountDownLatch allSent;
        private final AtomicInteger now = new AtomicInteger();
        private final AtomicInteger mostAtATime = new AtomicInteger();
        private final AtomicInteger made = new AtomicInteger();
        private final AtomicInteger open = new AtomicInteger();

        Meeting(Compression inner, int members, CountDownLatch allSent) {
            this.inner = inner;
            this.allSent = allSent;
            this.met = new CountDownLatch(members);
        }

        @Override
        public String name() {
            return inner.name();
        }

        @Override
        public List<String> extensions() {
            return inner.extensions();
        }

        @Override
        public boolean matches(byte[] head, int from, int length) {
            return inner.matches(head, from, length);
        }

        @Override
        public Decompressor decompressor(DecompressionLimits limits) {
            return inner.decompressor(limits);
        }

        @Override
        public Compressor compressor() {
            Compressor compressor = inner.compressor();
            made.incrementAndGet();
            open.incrementAndGet();
            return new Compressor() {
                @Override
                public void compress(byte[] bytes, int from, int length, Output out) {
                    mostAtATime.accumulateAndGet(now.incrementAndGet(), Math::max);
                    met.countDown();
                    try {
                        if (!met.await(30, TimeUnit.SECONDS) || !allSent.await(30, TimeUnit.SECONDS)) {
                            throw new AssertionError("alone");
                        }
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                    compressor.compress(bytes, from, length, out);
                    now.decrementAndGet();
                }

                @Override
                public void flush(Output out) {
                    compressor.flush(out);
                }

                @Override
                public void finish(Output out) {
                    compressor.finish(out);
                }

                @Override
                public void close() {
                    open.decrementAndGet();
                    compressor.close();
                }
            };
        }
    }

    @Test
    void levelsAreUsed() {
        long fast = write(20_000, "fast/", WriteSpec.create().compression(Compressions.zstd(1)))
                .writtenBytes();
        long small = write(20_000, "small/", WriteSpec.create().compression(Compressions.zstd(19)))
                .writtenBytes();

        assertThat(small).isLessThan(fast);
        assertThat(Zstd.defaultCompressionLevel()).isEqualTo(Compressions.DEFAULT_ZSTD_LEVEL);
    }
}
