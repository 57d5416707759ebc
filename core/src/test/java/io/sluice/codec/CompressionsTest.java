package io.sluice.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class CompressionsTest {

    @Test
    void anExtensionNamesACompressionWhateverItsCase() {
        assertThat(Compressions.ofKey("a/b.jsonl.zst").name()).isEqualTo("zstd");
        assertThat(Compressions.ofKey("b.ndjson.zstd").name()).isEqualTo("zstd");
        assertThat(Compressions.ofKey("B.JSON.GZ").name()).isEqualTo("gzip");
        assertThat(Compressions.ofKey("b.jsonl").name()).isEqualTo("none");
        assertThat(Compressions.ofKey("zst").name()).isEqualTo("none");
        assertThat(Compressions.ofKey("a.zst/b").name()).isEqualTo("none");
    }

    @Test
    void theExtensionCanBeTakenOff() {
        assertThat(Compressions.withoutExtension("a/b.jsonl.zst")).isEqualTo("a/b.jsonl");
        assertThat(Compressions.withoutExtension("b.jsonl.ZSTD")).isEqualTo("b.jsonl");
        assertThat(Compressions.withoutExtension("b.jsonl")).isEqualTo("b.jsonl");
    }

    @Test
    void theFirstBytesShowACompression() {
        byte[] zstd = Samples.compress(Compressions.zstd(), new byte[9]);
        byte[] gzip = Samples.compress(Compressions.gzip(), new byte[9]);
        byte[] skippable = Samples.skippable(7, 3);
        byte[] text = "{\"a\":1}".getBytes(java.nio.charset.StandardCharsets.UTF_8);
        assertThat(Compressions.ofHead(zstd, 0, 4).name()).isEqualTo("zstd");
        assertThat(Compressions.ofHead(skippable, 0, 4).name()).isEqualTo("zstd");
        assertThat(Compressions.ofHead(gzip, 0, gzip.length).name()).isEqualTo("gzip");
        assertThat(Compressions.ofHead(text, 0, text.length).name()).isEqualTo("none");
        assertThat(Compressions.ofHead(zstd, 0, 3).name()).isEqualTo("none");
        assertThat(Compressions.ofHead(Samples.concat(text, zstd), text.length, 4)
                        .name())
                .isEqualTo("zstd");
    }

    @Test
    void aShortHeadCanStillBecomeAStream() {
        byte[] zstd = Samples.compress(Compressions.zstd(), new byte[9]);
        assertThat(Compressions.zstd().matches(zstd, 0, 0)).isTrue();
        assertThat(Compressions.zstd().matches(zstd, 0, 2)).isTrue();
        assertThat(Compressions.gzip().matches(zstd, 0, 1)).isFalse();
        assertThat(Compressions.none().matches(zstd, 0, 9)).isTrue();
    }

    @Test
    void levelsAreChecked() {
        assertThatThrownBy(() -> Compressions.zstd(23)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Compressions.gzip(10)).isInstanceOf(IllegalArgumentException.class);
        assertThat(Compressions.zstd(3)).isEqualTo(Compressions.zstd());
        assertThat(Compressions.gzip(6)).isEqualTo(Compressions.gzip());
    }

    @Test
    void noCompressionPassesBytesOn() {
        byte[] bytes = Samples.lines(1000, 1);
        assertThat(Samples.compress(Compressions.none(), bytes, 7)).isEqualTo(bytes);
        assertThat(Decoded.of(Compressions.none(), Decoded.LIMITS, bytes, 7, 3).bytes())
                .isEqualTo(bytes);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        Compressions.none().decompressor(Decoded.LIMITS).decompress(in, ByteBuffer.allocate(10));
        assertThat(in.position()).isEqualTo(10);
    }
}
