package io.sluice.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.github.luben.zstd.Zstd;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class CompressorTest {

    static List<Compression> compressions() {
        return List.of(
                Compressions.none(),
                Compressions.gzip(),
                Compressions.gzip(0),
                Compressions.gzip(1),
                Compressions.gzip(9),
                Compressions.zstd(),
                Compressions.zstd(0),
                Compressions.zstd(-5),
                Compressions.zstd(1),
                Compressions.zstd(19));
    }

    @ParameterizedTest
    @MethodSource("compressions")
    void whatGoesInComesOut(Compression compression) {
        for (int length : new int[] {0, 1, 10, 65_535, 65_536, 65_537, 131_200, 700_000}) {
            for (byte[] content : List.of(Samples.lines(length, length), Samples.random(length, length))) {
                for (int piece : new int[] {1000, 65_536, 1 << 20}) {
                    byte[] compressed = Samples.compress(compression, content, piece);
                    assertThat(Decoded.good(compression, compressed)).isEqualTo(content);
                }
            }
        }
        byte[] small = Samples.lines(3000, 1);
        for (int piece : new int[] {1, 2, 3, 7}) {
            assertThat(Samples.compress(compression, small, piece)).isEqualTo(Samples.compress(compression, small));
        }
    }

    @ParameterizedTest
    @MethodSource("compressions")
    void aFlushGivesEverythingUpToThere(Compression compression) {
        byte[] content = Samples.lines(200_000, 3);
        Output out = new Output(16);
        int read = 0;
        int given = 0;
        try (Compressor compressor = compression.compressor();
                Decompressor decompressor = compression.decompressor(Decoded.LIMITS)) {
            compressor.flush(out);
            ByteBuffer target = ByteBuffer.allocate(content.length + 1);
            for (int length : new int[] {1, 100, 70_000, 29_899, 100_000}) {
                compressor.compress(content, given, length, out);
                given += length;
                compressor.flush(out);
                compressor.flush(out);
                decompressor.decompress(ByteBuffer.wrap(out.array(), read, out.position() - read), target);
                read = out.position();
                assertThat(target.position()).isEqualTo(given);
            }
            compressor.finish(out);
            decompressor.decompress(ByteBuffer.wrap(out.array(), read, out.position() - read), target);
            decompressor.end();
            assertThat(Arrays.copyOf(target.array(), given)).isEqualTo(content);
        }
    }

    @Test
    void anEmptyStreamIsAValidFrameOrMember() throws Exception {
        byte[] zstd = Samples.compress(Compressions.zstd(), new byte[0]);
        byte[] gzip = Samples.compress(Compressions.gzip(), new byte[0]);
        assertThat(zstd).isNotEmpty();
        assertThat(Zstd.decompress(zstd, 10)).isEmpty();
        assertThat(new GZIPInputStream(new ByteArrayInputStream(gzip)).readAllBytes())
                .isEmpty();
    }

    @ParameterizedTest
    @MethodSource("compressions")
    void afterFinishAFurtherFrameBegins(Compression compression) {
        byte[] a = Samples.lines(100_000, 1);
        byte[] b = Samples.lines(300, 2);
        Output out = new Output(16);
        try (Compressor compressor = compression.compressor()) {
            compressor.compress(a, 0, a.length, out);
            compressor.finish(out);
            int first = out.position();
            compressor.finish(out);
            compressor.flush(out);
            compressor.finish(out);
            assertThat(out.position()).isEqualTo(first);
            compressor.compress(b, 0, b.length, out);
            compressor.finish(out);
            Decoded decoded = Decoded.of(compression, Samples.bytes(out));
            assertThat(decoded.error()).isNull();
            assertThat(decoded.bytes()).isEqualTo(Samples.concat(a, b));
            if (compression != Compressions.none()) {
                assertThat(decoded.frameStart()).isEqualTo(first);
            }
        }
    }

    @Test
    void zstdFramesCarryAChecksumAndSmallOnesTheirSize() {
        byte[] small = Samples.compress(Compressions.zstd(), Samples.lines(60_000, 1), 100);
        assertThat(small[4] & 4).as("checksum flag").isEqualTo(4);
        assertThat(Zstd.getFrameContentSize(small)).isEqualTo(60_000);
        byte[] large = Samples.compress(Compressions.zstd(), Samples.lines(70_000, 1), 100);
        assertThat(large[4] & 4).as("checksum flag").isEqualTo(4);
    }

    @Test
    void equalContentGivesEqualGzip() {
        byte[] header = Arrays.copyOf(Samples.compress(Compressions.gzip(9), new byte[5]), 10);
        assertThat(header).containsExactly(0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 255);
    }

    @Test
    void theCommandsReadIt() throws Exception {
        byte[] content = Samples.lines(3_000_000, 9);
        byte[] zstd = Samples.concat(
                Samples.compress(Compressions.zstd(), content, 50_000), Samples.compress(Compressions.zstd(), content));
        assertThat(Samples.command(zstd, "zstd", "-dc")).isEqualTo(Samples.concat(content, content));
        byte[] gzip = Samples.concat(
                Samples.compress(Compressions.gzip(), content, 50_000),
                Samples.compress(Compressions.gzip(1), content));
        assertThat(Samples.command(gzip, "gzip", "-dc")).isEqualTo(Samples.concat(content, content));
        assertThat(new GZIPInputStream(new ByteArrayInputStream(gzip)).readAllBytes())
                .isEqualTo(Samples.concat(content, content));
    }

    @ParameterizedTest
    @MethodSource("compressions")
    void closedIsClosed(Compression compression) {
        Compressor compressor = compression.compressor();
        compressor.close();
        compressor.close();
        if (compression != Compressions.none()) {
            assertThatThrownBy(() -> compressor.finish(new Output(9))).isInstanceOf(IllegalStateException.class);
        }
    }

    /** Every one of these would keep megabytes. */
    @Test
    void closeFreesNativeMemory() throws Exception {
        assumeThat(Files.exists(Path.of("/proc/self/status")))
                .as("needs /proc/self/status")
                .isTrue();
        byte[] content = Samples.lines(100_000, 1);
        long before = residentBytes();
        for (Compression compression : List.of(Compressions.zstd(1), Compressions.gzip(1))) {
            byte[] compressed = Samples.compress(compression, content);
            Output out = new Output(1 << 20);
            ByteBuffer target = ByteBuffer.allocate(200_000);
            for (int i = 0; i < 10_000; i++) {
                try (Decompressor decompressor = compression.decompressor(Decoded.LIMITS)) {
                    decompressor.decompress(ByteBuffer.wrap(compressed, 0, 3000), target.clear());
                }
            }
            for (int i = 0; i < 1000; i++) {
                try (Compressor compressor = compression.compressor()) {
                    out.position(0);
                    compressor.compress(content, 0, content.length, out);
                }
            }
        }
        assertThat(residentBytes() - before).isLessThan(300L << 20);
    }

    private static long residentBytes() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
            }
        }
        throw new AssertionError("no VmRSS");
    }
}
