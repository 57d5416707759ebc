package io.sluice.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdOutputStreamNoFinalizer;
import io.sluice.CorruptDataException;
import io.sluice.testing.Corpora;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ZstdDecompressorTest {

    private static final Compression ZSTD = Compressions.zstd();
    private static final byte[] NOTHING = {};

    private static byte[] frame(byte[] content, boolean checksum) {
        try (ZstdCompressCtx context = new ZstdCompressCtx()) {
            return context.setChecksum(checksum).compress(content);
        }
    }

    /** A frame without a content size, as a stream gives. */
    private static byte[] unsized(byte[] content, int windowLog, int flushEvery) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZstdOutputStreamNoFinalizer zstd = new ZstdOutputStreamNoFinalizer(out)) {
            zstd.setChecksum(true).setLong(windowLog).setWindowLog(windowLog);
            for (int at = 0; at < content.length; at += flushEvery) {
                zstd.write(content, at, Math.min(flushEvery, content.length - at));
                zstd.flush();
            }
        }
        return out.toByteArray();
    }

    @Test
    void goldenFilesGiveWhatTheCommandGives() throws Exception {
        List<Path> files = Corpora.files("zstd/golden-decompression");
        assertThat(files).isNotEmpty();
        for (Path file : files) {
            byte[] bytes = Files.readAllBytes(file);
            byte[] decoded = Decoded.good(ZSTD, bytes);
            if (file.endsWith("zeroSeq_2B.zst")) {
                // Older commands refuse this one.
                assertThat(decoded).asString().isEqualTo("Hello World!\n");
            } else {
                assertThat(decoded).as(file.toString()).isEqualTo(Samples.command(bytes, "zstd", "-dc"));
            }
        }
    }

    @Test
    void goldenErrorsAreErrors() throws Exception {
        List<Path> files = Corpora.files("zstd/golden-decompression-errors");
        assertThat(files).isNotEmpty();
        for (Path file : files) {
            byte[] bytes = Files.readAllBytes(file);
            assertThat(Decoded.of(ZSTD, bytes).error()).as(file.toString()).isNotNull();
            assertThat(Decoded.of(ZSTD, Decoded.LIMITS, bytes, 1, 1).error())
                    .as(file.toString())
                    .isNotNull();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "xml-1.zst, 5345280", "xml-1x2.zst, 10690560", "xml-1-sized.zst, 5345280", "xml-1-sizedx2.zst, 10690560",
        "xml-sized-combined.zst, 5345382", "xml-3.zst, 5345280", "xml-6.zst, 5345280", "xml-9.zst, 5345280",
        "xml-advanced.zst, 5345280", "xmlsmall-sized.zst, 102"
    })
    void severalFramesAreReadToTheLast(String name, int size) throws Exception {
        byte[] bytes = Files.readAllBytes(Corpora.path("zstd/multi-frame").resolve(name));
        byte[] whole = Decoded.good(ZSTD, bytes);
        assertThat(whole).hasSize(size);
        assertThat(Decoded.of(ZSTD, Decoded.LIMITS, bytes, 1009, 4999).bytes()).isEqualTo(whole);
        assertThat(whole).isEqualTo(Samples.command(bytes, "zstd", "-dc"));
    }

    @Test
    void anyPieceSizeGivesTheSame() throws IOException {
        byte[] a = Samples.lines(150_000, 1);
        byte[] b = Samples.random(140_000, 2);
        byte[] c = new byte[270_000];
        byte[] file = Samples.concat(
                Samples.skippable(3, 5),
                frame(a, true),
                Samples.skippable(0, 0),
                frame(b, false),
                frame(NOTHING, true),
                unsized(c, 20, 100_000),
                frame(NOTHING, false),
                frame(a, false),
                Samples.skippable(15, 70_000));
        byte[] expected = Samples.concat(a, b, c, a);
        for (int in : new int[] {1, 7, 4096, file.length}) {
            for (int out : new int[] {1, 7, 131072, 131073, expected.length, 2 * expected.length}) {
                if (in > 7 || out > 7) {
                    Decoded decoded = Decoded.of(ZSTD, Decoded.LIMITS, file, in, out);
                    assertThat(decoded.error()).isNull();
                    assertThat(Arrays.equals(decoded.bytes(), expected))
                            .as("%d, %d", in, out)
                            .isTrue();
                }
            }
        }
        byte[] truth = Samples.concat(Samples.lines(2000, 4), Samples.lines(900, 5));
        byte[] small = Samples.concat(frame(Samples.lines(2000, 4), true), frame(Samples.lines(900, 5), false));
        for (int in : new int[] {1, 2, 3, 7, small.length}) {
            for (int out : new int[] {1, 2, 3, 7, 10_000}) {
                assertThat(Decoded.of(ZSTD, Decoded.LIMITS, small, in, out).bytes())
                        .isEqualTo(truth);
            }
        }
    }

    @Test
    void emptyInputAndSkippableFramesAloneAreEmpty() {
        assertThat(Decoded.good(ZSTD, NOTHING)).isEmpty();
        assertThat(Decoded.good(ZSTD, Samples.skippable(1, 100))).isEmpty();
        assertThat(Decoded.good(ZSTD, frame(NOTHING, true))).isEmpty();
    }

    @Test
    void framesAreAccountedFor() {
        byte[] first = frame(Samples.lines(1000, 1), true);
        byte[] second = frame(Samples.lines(500, 2), true);
        byte[] file = Samples.concat(first, Samples.skippable(0, 9), second, frame(NOTHING, true));
        for (int piece : new int[] {1, 7, file.length}) {
            Decoded decoded = Decoded.of(ZSTD, Decoded.LIMITS, file, piece, 10_000);
            assertThat(decoded.frameStart()).isEqualTo(first.length + 17);
            assertThat(decoded.frameStartUncompressed()).isEqualTo(1000);
        }
        Decompressor decompressor = ZSTD.decompressor(Decoded.LIMITS);
        decompressor.decompress(ByteBuffer.wrap(file), ByteBuffer.allocate(1000));
        assertThat(decompressor.frameStart())
                .as("nothing of the second frame has come out")
                .isZero();
        decompressor.close();
        byte[] rest = Arrays.copyOfRange(file, first.length + 17, file.length);
        assertThat(Decoded.good(ZSTD, rest)).isEqualTo(Samples.lines(500, 2));
    }

    @Test
    void aCutAnywhereIsAnErrorAfterAPrefix() throws IOException {
        byte[] first = unsized(Samples.lines(700, 1), 20, 250);
        byte[] second = frame(Samples.random(90, 2), true);
        byte[] third = frame(new byte[300_000], false);
        byte[] skippable = Samples.skippable(5, 6);
        byte[] file = Samples.concat(first, skippable, second, third);
        byte[] truth = Samples.concat(Samples.lines(700, 1), Samples.random(90, 2), new byte[300_000]);
        int afterSkippable = first.length + skippable.length;
        Set<Integer> whole = Set.of(0, first.length, afterSkippable, afterSkippable + second.length, file.length);
        for (int length = 0; length <= file.length; length++) {
            byte[] cut = Arrays.copyOf(file, length);
            for (int piece : new int[] {1, 5, file.length}) {
                Decoded decoded = Decoded.of(ZSTD, Decoded.LIMITS, cut, piece, 1 << 20);
                assertThat(decoded.isPrefixOf(truth)).isTrue();
                if (whole.contains(length)) {
                    assertThat(decoded.error()).as("length %d", length).isNull();
                } else {
                    assertThat(decoded.error()).as("length %d", length).hasMessageContaining("cut off");
                    assertThat(decoded.error().offset()).isEqualTo(decoded.bytes().length);
                    assertThat(decoded.error().compressedOffset()).isEqualTo(length);
                }
            }
        }
    }

    @Test
    void damageAnywhereIsAnErrorOrHarmless() throws IOException {
        byte[] truth = Samples.lines(600, 1);
        byte[] file = unsized(truth, 20, 200);
        int errors = 0;
        for (int at = 0; at < file.length; at++) {
            for (int mask : new int[] {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
                byte[] damaged = file.clone();
                damaged[at] ^= (byte) mask;
                Decoded decoded = Decoded.of(ZSTD, damaged);
                Decoded bytewise = Decoded.of(ZSTD, Decoded.LIMITS, damaged, 1, 3);
                assertThat(bytewise.bytes()).isEqualTo(decoded.bytes());
                if (decoded.error() == null) {
                    assertThat(decoded.bytes()).as("byte %d, mask %d", at, mask).isEqualTo(truth);
                    assertThat(bytewise.error()).isNull();
                } else {
                    errors++;
                    assertThat(bytewise.error()).isNotNull();
                    assertThat(bytewise.error().compressedOffset())
                            .isEqualTo(decoded.error().compressedOffset());
                    assertThat(decoded.error().offset()).isEqualTo(decoded.bytes().length);
                    assertThat(decoded.error().compressedOffset()).isBetween((long) 0, (long) (1 << 18));
                }
            }
        }
        // Harmless are the unused bit of the descriptor and the exact size of the window.
        assertThat(errors).isGreaterThan((file.length - 2) * 9);
    }

    @Test
    void blocksBeforeTheDamageComeOut() throws IOException {
        byte[] content = Samples.lines(1_000_000, 1);
        byte[] file = unsized(content, 20, content.length);
        for (int i = file.length - 30; i < file.length - 4; i++) {
            file[i] ^= 0x5A;
        }
        Decoded decoded = Decoded.of(ZSTD, Decoded.LIMITS, file, file.length, 2_000_000);
        assertThat(decoded.error()).isNotNull();
        assertThat(decoded.bytes().length).isGreaterThanOrEqualTo(900_000);
        assertThat(content).startsWith(Arrays.copyOf(decoded.bytes(), 900_000));
    }

    @Test
    void aWrongChecksumIsAnError() {
        byte[] file = frame(Samples.lines(5000, 1), true);
        file[file.length - 1] ^= 1;
        assertThat(Decoded.of(ZSTD, file).error()).hasMessageContaining("checksum");
    }

    @Test
    void anythingElseBehindTheLastFrameIsAnError() {
        byte[] content = Samples.lines(500, 1);
        for (byte[] garbage : List.of(new byte[] {0}, new byte[100], new byte[] {'{', '}'}, new byte[] {0x28, 1})) {
            Decoded decoded = Decoded.of(ZSTD, Samples.concat(frame(content, true), garbage));
            assertThat(decoded.bytes()).isEqualTo(content);
            assertThat(decoded.error()).hasMessageContaining("follows the last frame");
        }
        assertThat(Decoded.of(ZSTD, "{\"a\":1}".getBytes(java.nio.charset.StandardCharsets.UTF_8))
                        .error())
                .hasMessageContaining("not a zstd stream");
    }

    @Test
    void windowsAreReadUpToTheLimit() throws IOException {
        byte[] content = Samples.concat(Samples.random(1 << 20, 1), new byte[18 << 20], Samples.random(1 << 20, 1));
        byte[] file = unsized(content, 25, content.length);
        assertThat(file.length)
                .as("the repetition is found, so the window is needed")
                .isLessThan(1_200_000);
        assertThat(Decoded.good(ZSTD, file)).isEqualTo(content);
        DecompressionLimits small = new DecompressionLimits(Long.MAX_VALUE, Long.MAX_VALUE, (1 << 25) - 1);
        assertThat(Decoded.of(ZSTD, small, file, file.length, 1000).error())
                .hasMessageContaining("33554432")
                .hasMessageContaining("maxWindowBytes");
    }

    @Test
    void windowsLargerThanTheDefaultOfTheLibraryAreReadIfTheLimitSaysSo() throws IOException {
        byte[] content = Samples.lines(300_000, 1);
        byte[] file = unsized(content, 28, content.length);
        assertThat(Decoded.of(ZSTD, file).error()).hasMessageContaining("maxWindowBytes");
        DecompressionLimits large = new DecompressionLimits(Long.MAX_VALUE, Long.MAX_VALUE, 1 << 28);
        assertThat(Decoded.of(ZSTD, large, file, file.length, 1 << 20).bytes()).isEqualTo(content);
    }

    @Test
    void absurdWindowsAreRefused() {
        byte[] log41 = {0x28, (byte) 0xB5, 0x2F, (byte) 0xFD, 0, (byte) 0xFF, 1, 0, 0};
        byte[] negativeSize = {
            0x28, (byte) 0xB5, 0x2F, (byte) 0xFD, (byte) 0xE0, -1, -1, -1, -1, -1, -1, -1, -1, 1, 0, 0
        };
        assertThat(Decoded.of(ZSTD, log41).error()).hasMessageContaining("maxWindowBytes");
        assertThat(Decoded.of(ZSTD, negativeSize).error()).hasMessageContaining("maxWindowBytes");
        DecompressionLimits none = new DecompressionLimits(Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE);
        assertThat(Decoded.of(ZSTD, none, log41, 99, 99).error()).hasMessageContaining("2 GiB");
    }

    @Test
    void dictionariesAreRefusedByNumber() {
        byte[] file = {0x28, (byte) 0xB5, 0x2F, (byte) 0xFD, 2, 0, 0x39, 0x30, 1, 0, 0};
        assertThat(Decoded.of(ZSTD, file).error()).hasMessageContaining("dictionary 12345");
        file[6] = 0;
        file[7] = 0;
        assertThat(Decoded.of(ZSTD, file).error()).as("0 means none").isNull();
    }

    @Test
    void bombsAreRefused() {
        byte[] bomb = Samples.compress(ZSTD, new byte[64 << 20]);
        assertThat(bomb.length).isLessThan(10_000);
        DecompressionLimits bytes = new DecompressionLimits(1_000_001, Long.MAX_VALUE, 1 << 27);
        DecompressionLimits ratio = new DecompressionLimits(Long.MAX_VALUE, 100, 1 << 27);
        for (int piece : new int[] {1, 100, bomb.length}) {
            Decoded byBytes = Decoded.of(ZSTD, bytes, bomb, piece, 1 << 16);
            assertThat(byBytes.error()).hasMessageContaining("maxDecompressedBytes");
            assertThat(byBytes.bytes()).hasSize(1_000_001);
            Decoded byRatio = Decoded.of(ZSTD, ratio, bomb, piece, 1 << 16);
            assertThat(byRatio.error()).hasMessageContaining("maxDecompressionRatio");
            assertThat(byRatio.bytes()).hasSize(16 << 20);
        }
        byte[] exact = Samples.compress(ZSTD, new byte[1_000_001]);
        assertThat(Decoded.of(ZSTD, bytes, exact, 10, 1 << 16).error()).isNull();
    }

    @Test
    void anErrorStaysAnErrorAndCloseStaysClosed() {
        Decompressor decompressor = ZSTD.decompressor(Decoded.LIMITS);
        byte[] file = frame(new byte[99], true);
        file[file.length - 1] ^= 1;
        ByteBuffer out = ByteBuffer.allocate(1000);
        assertThatThrownBy(() -> decompressor.decompress(ByteBuffer.wrap(file), out))
                .isInstanceOf(CorruptDataException.class);
        assertThatThrownBy(() -> decompressor.decompress(ByteBuffer.wrap(frame(new byte[9], true)), out))
                .isInstanceOf(CorruptDataException.class)
                .hasMessageContaining("checksum");
        decompressor.close();
        decompressor.close();
        Decompressor fresh = ZSTD.decompressor(Decoded.LIMITS);
        fresh.close();
        assertThatThrownBy(() -> fresh.decompress(ByteBuffer.wrap(file), out))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void readsWhatTheCommandWrites() throws Exception {
        byte[] content = Samples.lines(800_000, 9);
        for (String options :
                List.of("-1", "-3 --no-check", "-19", "--long=27", "--ultra -22 -T2", "--fast=5", "-B65536 -T2")) {
            String[] line = ("zstd -c -q " + options).split(" ");
            byte[] file = Samples.command(content, line);
            assertThat(Decoded.good(ZSTD, file)).as(options).isEqualTo(content);
        }
        assertThat(Decoded.good(ZSTD, Zstd.compress(content, 7))).isEqualTo(content);
    }
}
