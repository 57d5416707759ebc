package io.sluice.arrow.internal.ipc;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import org.apache.arrow.flatbuf.CompressionType;
import org.apache.commons.compress.compressors.lz4.FramedLZ4CompressorInputStream;
import org.apache.commons.compress.compressors.lz4.FramedLZ4CompressorOutputStream;

/**
 * Compresses and decompresses one buffer of a message's body: zstd frames or LZ4 frames, as Arrow's {@code BodyCompression}
 * wants them. On the heap, so that workers may do it.
 */
public enum BodyCodec {
    /** LZ4 frames. */
    LZ4(CompressionType.LZ4_FRAME) {
        @Override
        byte[] compress(byte[] bytes, int length, int level) throws IOException {
            return Lz4.compress(bytes, length);
        }

        @Override
        InputStream open(InputStream compressed) throws IOException {
            return Lz4.open(compressed);
        }
    },
    /** Zstandard frames. */
    ZSTD(CompressionType.ZSTD) {
        @Override
        byte[] compress(byte[] bytes, int length, int level) {
            byte[] out = new byte[Math.toIntExact(Zstd.compressBound(length))];
            long n = Zstd.compressByteArray(out, 0, out.length, bytes, 0, length, level);
            if (Zstd.isError(n)) {
                throw new IllegalStateException("zstd: " + Zstd.getErrorName(n));
            }
            return Arrays.copyOf(out, (int) n);
        }

        @Override
        InputStream open(InputStream compressed) throws IOException {
            return new ZstdInputStreamNoFinalizer(compressed);
        }
    };

    /** What is taken on trust for every compressed byte; beyond this the room grows with what really comes out. */
    private static final int TRUSTED_RATIO = 16;

    private static final int TRUSTED_BYTES = 64 << 10;

    final byte id;

    BodyCodec(byte id) {
        this.id = id;
    }

    static BodyCodec of(byte id) {
        for (BodyCodec codec : values()) {
            if (codec.id == id) {
                return codec;
            }
        }
        throw new BadMessage("its body is compressed in a way that is not known (codec " + id + ")");
    }

    abstract byte[] compress(byte[] bytes, int length, int level) throws IOException;

    abstract InputStream open(InputStream compressed) throws IOException;

    /** Exactly {@code length} bytes, or a {@link BadMessage}. */
    byte[] decompress(Slice from, int length) {
        try (InputStream in = open(new ByteArrayInputStream(from.array(), from.offset(), from.length()))) {
            byte[] out = new byte[(int) Math.min(length, TRUSTED_BYTES + (long) TRUSTED_RATIO * from.length())];
            int n = 0;
            while (true) {
                if (n == length) {
                    if (in.read() >= 0) {
                        throw new BadMessage("a compressed buffer holds more than the " + length + " bytes it claims");
                    }
                    return out;
                }
                if (n == out.length) {
                    out = Arrays.copyOf(out, (int) Math.min(length, out.length * 2L));
                }
                int more = in.read(out, n, out.length - n);
                if (more < 0) {
                    throw new BadMessage("a compressed buffer holds " + n + " bytes and claims " + length);
                }
                n += more;
            }
        } catch (IOException | ZstdException e) {
            throw new BadMessage("a compressed buffer is damaged (" + e.getMessage() + ")");
        } catch (NoClassDefFoundError e) {
            throw new BadMessage(name() + " needs a library that is not there: " + missing());
        }
    }

    /** The artifact to add. */
    String missing() {
        return this == LZ4 ? "org.apache.commons:commons-compress" : "com.github.luben:zstd-jni";
    }

    /** Apart, as the library behind it is optional, and the verifier would look for it where this enum is loaded. */
    private static final class Lz4 {

        static byte[] compress(byte[] bytes, int length) throws IOException {
            ByteArrayOutputStream out = new ByteArrayOutputStream(length / 2 + 64);
            try (FramedLZ4CompressorOutputStream lz4 = new FramedLZ4CompressorOutputStream(out)) {
                lz4.write(bytes, 0, length);
            }
            return out.toByteArray();
        }

        static InputStream open(InputStream compressed) throws IOException {
            return new FramedLZ4CompressorInputStream(compressed);
        }
    }
}
