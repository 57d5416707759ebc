package io.sluice.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.Test;

class GzipDecompressorTest {

    private static final Compression GZIP = Compressions.gzip();
    private static final byte[] NOTHING = {};

    @Test
    void anyPieceSizeGivesTheSame() {
        byte[] a = Samples.lines(150_000, 1);
        byte[] b = Samples.random(140_000, 2);
        byte[] c = new byte[270_000];
        byte[] file = Samples.concat(
                Samples.javaGzip(a),
                Samples.gzipWithAllFields(b),
                Samples.javaGzip(NOTHING),
                Samples.compress(Compressions.gzip(1), c),
                new byte[512]);
        byte[] expected = Samples.concat(a, b, c);
        for (int in : new int[] {1, 7, 4096, file.length}) {
            for (int out : new int[] {1, 7, 131072, expected.length, 2 * expected.length}) {
                if (in > 7 || out > 7) {
                    Decoded decoded = Decoded.of(GZIP, Decoded.LIMITS, file, in, out);
                    assertThat(decoded.error()).isNull();
                    assertThat(Arrays.equals(decoded.bytes(), expected))
                            .as("%d, %d", in, out)
                            .isTrue();
                }
            }
        }
        byte[] small = Samples.concat(
                Samples.gzipWithAllFields(Samples.lines(900, 4)), Samples.javaGzip(Samples.lines(70, 5)));
        for (int in : new int[] {1, 2, 3, 7, small.length}) {
            for (int out : new int[] {1, 2, 3, 7, 10_000}) {
                assertThat(Decoded.of(GZIP, Decoded.LIMITS, small, in, out).bytes())
                        .isEqualTo(Samples.concat(Samples.lines(900, 4), Samples.lines(70, 5)));
            }
        }
    }

    @Test
    void emptyInputAndEmptyMembersAreEmpty() {
        assertThat(Decoded.good(GZIP, NOTHING)).isEmpty();
        assertThat(Decoded.good(GZIP, Samples.javaGzip(NOTHING))).isEmpty();
    }

    @Test
    void membersAreAccountedFor() {
        byte[] first = Samples.javaGzip(Samples.lines(1000, 1));
        byte[] file = Samples.concat(first, Samples.javaGzip(Samples.lines(500, 2)), Samples.javaGzip(NOTHING));
        for (int piece : new int[] {1, 7, file.length}) {
            Decoded decoded = Decoded.of(GZIP, Decoded.LIMITS, file, piece, 10_000);
            assertThat(decoded.frameStart()).isEqualTo(first.length);
            assertThat(decoded.frameStartUncompressed()).isEqualTo(1000);
        }
    }

    @Test
    void aCutAnywhereIsAnErrorAfterAPrefix() {
        byte[] first = Samples.gzipWithAllFields(Samples.lines(700, 1));
        byte[] second = Samples.javaGzip(Samples.random(90, 2));
        byte[] file = Samples.concat(first, second);
        byte[] truth = Samples.concat(Samples.lines(700, 1), Samples.random(90, 2));
        Set<Integer> whole = Set.of(0, first.length, file.length);
        for (int length = 0; length <= file.length; length++) {
            byte[] cut = Arrays.copyOf(file, length);
            for (int piece : new int[] {1, 5, file.length}) {
                Decoded decoded = Decoded.of(GZIP, Decoded.LIMITS, cut, piece, 1 << 20);
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
    void damageAnywhereIsAnErrorOrHarmless() {
        byte[] truth = Samples.lines(600, 1);
        byte[] file = Samples.javaGzip(truth);
        int harmless = 0;
        for (int at = 0; at < file.length; at++) {
            for (int mask : new int[] {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
                byte[] damaged = file.clone();
                damaged[at] ^= (byte) mask;
                Decoded decoded = Decoded.of(GZIP, damaged);
                Decoded bytewise = Decoded.of(GZIP, Decoded.LIMITS, damaged, 1, 3);
                assertThat(bytewise.bytes()).isEqualTo(decoded.bytes());
                assertThat(bytewise.error() == null).isEqualTo(decoded.error() == null);
                if (decoded.error() == null) {
                    harmless++;
                    assertThat(decoded.bytes()).as("byte %d, mask %d", at, mask).isEqualTo(truth);
                } else {
                    assertThat(decoded.error().offset()).isEqualTo(decoded.bytes().length);
                }
            }
        }
        // The time, the extra flags, the operating system, the flag for text; a bit of deflate's padding may add a few.
        assertThat(harmless).isBetween(6 * 9 + 1, 6 * 9 + 8);
    }

    @Test
    void damageToAHeaderWithAChecksumIsAnError() {
        byte[] file = Samples.gzipWithAllFields(Samples.lines(600, 1));
        for (int at = 0; at < 40; at++) {
            byte[] damaged = file.clone();
            damaged[at] ^= 1;
            assertThat(Decoded.of(GZIP, damaged).error()).as("byte %d", at).isNotNull();
        }
    }

    @Test
    void onlyZerosMayFollowTheLastMember() {
        byte[] member = Samples.javaGzip(Samples.lines(500, 1));
        assertThat(Decoded.good(GZIP, Samples.concat(member, new byte[1000]))).hasSize(500);
        for (byte[] garbage : new byte[][] {{1}, {0x1F, 0}, {0, 0, 0, 1}, {'{', '}'}}) {
            for (int piece : new int[] {1, 10_000}) {
                Decoded decoded = Decoded.of(GZIP, Decoded.LIMITS, Samples.concat(member, garbage), piece, 100);
                assertThat(decoded.bytes()).hasSize(500);
                assertThat(decoded.error()).hasMessageContaining("follows the last member");
            }
        }
        assertThat(Decoded.of(GZIP, new byte[10]).error()).hasMessageContaining("not a gzip stream");
        assertThat(Decoded.of(GZIP, new byte[] {0x1F, (byte) 0x8B, 7}).error())
                .hasMessageContaining("not a gzip stream");
    }

    @Test
    void bombsAreRefused() {
        byte[] bomb = Samples.compress(GZIP, new byte[64 << 20]);
        DecompressionLimits bytes = new DecompressionLimits(1_000_001, Long.MAX_VALUE, 1 << 27);
        DecompressionLimits ratio = new DecompressionLimits(Long.MAX_VALUE, 100, 1 << 27);
        for (int piece : new int[] {1, 100, bomb.length}) {
            Decoded byBytes = Decoded.of(GZIP, bytes, bomb, piece, 1 << 16);
            assertThat(byBytes.error()).hasMessageContaining("maxDecompressedBytes");
            assertThat(byBytes.bytes()).hasSize(1_000_001);
            Decoded byRatio = Decoded.of(GZIP, ratio, bomb, piece, 1 << 16);
            assertThat(byRatio.error()).hasMessageContaining("maxDecompressionRatio");
            assertThat(byRatio.bytes()).hasSize(16 << 20);
        }
    }

    @Test
    void closeStaysClosed() {
        Decompressor decompressor = GZIP.decompressor(Decoded.LIMITS);
        decompressor.decompress(ByteBuffer.wrap(Samples.javaGzip(new byte[9])), ByteBuffer.allocate(4));
        decompressor.close();
        decompressor.close();
        assertThatThrownBy(() -> decompressor.decompress(ByteBuffer.allocate(1), ByteBuffer.allocate(1)))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void readsWhatTheCommandWrites() throws Exception {
        byte[] content = Samples.lines(3_000_000, 9);
        for (String level : new String[] {"-1", "-6", "-9"}) {
            assertThat(Decoded.good(GZIP, Samples.command(content, "gzip", "-c", level)))
                    .isEqualTo(content);
        }
    }
}
