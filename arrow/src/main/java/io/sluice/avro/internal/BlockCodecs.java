package io.sluice.avro.internal;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import io.sluice.SluiceException;
import io.sluice.avro.AvroCodec;
import io.sluice.codec.Output;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorInputStream;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorOutputStream;
import org.jspecify.annotations.Nullable;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZInputStream;
import org.tukaani.xz.XZOutputStream;
import org.xerial.snappy.Snappy;

/** The specification's codecs. Each library is touched by its own nested class alone, so that it may be absent. */
public final class BlockCodecs {

    public static final AvroCodec NONE = new Codec("null", "the JDK", None::new);
    public static final AvroCodec SNAPPY = new Codec("snappy", "org.xerial.snappy:snappy-java", SnappyCoder::new);
    public static final AvroCodec BZIP2 = new Codec("bzip2", "org.apache.commons:commons-compress", Bzip2Coder::new);

    /** First room for what a block decompresses to, per compressed byte. */
    private static final int FIRST_RATIO = 4;

    /** Snappy's densest element makes 64 bytes of 3. */
    private static final int SNAPPY_MAX_RATIO = 22;

    /** What an xz stream may ask for: the dictionary of preset 9 and what goes with it. */
    private static final int XZ_MEMORY_KIB = 96 * 1024;

    private BlockCodecs() {}

    public static AvroCodec deflate(int level) {
        check("deflate", level, 0, 9);
        return new Codec("deflate", "the JDK", () -> new DeflateCoder(level));
    }

    public static AvroCodec zstandard(int level) {
        return new Codec("zstandard", "com.github.luben:zstd-jni", () -> new ZstdCoder(level));
    }

    public static AvroCodec xz(int level) {
        check("xz", level, 0, 9);
        return new Codec("xz", "org.tukaani:xz", () -> new XzCoder(level));
    }

    private static void check(String name, int level, int min, int max) {
        if (level < min || level > max) {
            throw new IllegalArgumentException(name + " level must be " + min + " to " + max + ": " + level);
        }
    }

    /** The names of all codecs here. */
    public static List<String> names() {
        return List.of("null", "deflate", "snappy", "zstandard", "bzip2", "xz");
    }

    /** The codec of that name, or null. */
    public static @Nullable AvroCodec find(String name) {
        return switch (name) {
            case "null" -> NONE;
            case "deflate" -> deflate(AvroCodec.DEFAULT_DEFLATE_LEVEL);
            case "snappy" -> SNAPPY;
            case "zstandard" -> zstandard(AvroCodec.DEFAULT_ZSTANDARD_LEVEL);
            case "bzip2" -> BZIP2;
            case "xz" -> xz(AvroCodec.DEFAULT_XZ_LEVEL);
            default -> null;
        };
    }

    private interface Factory {
        AvroCodec.Coder coder();
    }

    private record Codec(String name, String library, Factory factory) implements AvroCodec {

        @Override
        public Coder coder() {
            try {
                return factory.coder();
            } catch (LinkageError e) {
                throw new SluiceException(
                        null, -1, -1, "codec '" + name + "' needs " + library + " on the class path", e);
            }
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private static IOException tooMuch(int maxBytes) {
        return new IOException("the block decompresses to more than " + maxBytes + " bytes (maxBlockBytes)");
    }

    /** Room for decompressed bytes that grows as they come. */
    private static int room(Output out, int start, int length, int maxBytes) throws IOException {
        int made = out.position() - start;
        if (made >= maxBytes) {
            throw tooMuch(maxBytes);
        }
        long more = Math.max(Math.max(4096, (long) made), (long) FIRST_RATIO * length - made);
        int wanted = (int) Math.min(more, (long) maxBytes - made);
        byte[] array = out.ensure(wanted);
        return (int) Math.min(array.length - (long) out.position(), (long) maxBytes - made);
    }

    private static void drain(InputStream in, int length, Output out, int maxBytes) throws IOException {
        int start = out.position();
        while (true) {
            if (out.position() - start == maxBytes) {
                if (in.read() >= 0) {
                    throw tooMuch(maxBytes);
                }
                return;
            }
            int free = room(out, start, length, maxBytes);
            int n = in.read(out.array(), out.position(), free);
            if (n < 0) {
                return;
            }
            out.position(out.position() + n);
        }
    }

    private static final class None implements AvroCodec.Coder {

        @Override
        public void compress(byte[] bytes, int from, int length, Output out) {
            out.write(bytes, from, length);
        }

        @Override
        public void decompress(byte[] bytes, int from, int length, Output out, int maxBytes) throws IOException {
            if (length > maxBytes) {
                throw tooMuch(maxBytes);
            }
            out.write(bytes, from, length);
        }
    }

    private static final class DeflateCoder implements AvroCodec.Coder {

        private final int level;
        private @Nullable Deflater deflater;
        private @Nullable Inflater inflater;

        DeflateCoder(int level) {
            this.level = level;
        }

        @Override
        public void compress(byte[] bytes, int from, int length, Output out) {
            Deflater d = deflater;
            if (d == null) {
                deflater = d = new Deflater(level, true);
            }
            d.reset();
            d.setInput(bytes, from, length);
            d.finish();
            while (!d.finished()) {
                byte[] array = out.ensure(Math.max(4096, length / 2));
                out.position(out.position() + d.deflate(array, out.position(), array.length - out.position()));
            }
        }

        @Override
        public void decompress(byte[] bytes, int from, int length, Output out, int maxBytes) throws IOException {
            Inflater inf = inflater;
            if (inf == null) {
                inflater = inf = new Inflater(true);
            }
            inf.reset();
            inf.setInput(bytes, from, length);
            int start = out.position();
            byte[] probe = new byte[1];
            try {
                while (!inf.finished()) {
                    int n;
                    if (out.position() - start == maxBytes) {
                        n = inf.inflate(probe);
                        if (n > 0) {
                            throw tooMuch(maxBytes);
                        }
                    } else {
                        int free = room(out, start, length, maxBytes);
                        n = inf.inflate(out.array(), out.position(), free);
                        out.position(out.position() + n);
                    }
                    if (n == 0 && !inf.finished()) {
                        throw new IOException(
                                inf.needsDictionary()
                                        ? "deflate data asks for a dictionary"
                                        : "deflate data is cut off");
                    }
                }
            } catch (DataFormatException e) {
                throw new IOException("deflate data is damaged: " + e.getMessage(), e);
            }
            // the Python writers leave a part of zlib's checksum there
            if (inf.getRemaining() > 4) {
                throw new IOException(inf.getRemaining() + " bytes follow the deflate data");
            }
        }
    }

    private static final class SnappyCoder implements AvroCodec.Coder {

        private final CRC32 crc = new CRC32();

        SnappyCoder() {
            Snappy.maxCompressedLength(0); // loads the library, so that its absence shows here
        }

        @Override
        public void compress(byte[] bytes, int from, int length, Output out) throws IOException {
            byte[] array = out.ensure(Snappy.maxCompressedLength(length) + 4);
            int at = out.position();
            at += Snappy.compress(bytes, from, length, array, at);
            crc.reset();
            crc.update(bytes, from, length);
            long value = crc.getValue();
            array[at] = (byte) (value >>> 24);
            array[at + 1] = (byte) (value >>> 16);
            array[at + 2] = (byte) (value >>> 8);
            array[at + 3] = (byte) value;
            out.position(at + 4);
        }

        @Override
        public void decompress(byte[] bytes, int from, int length, Output out, int maxBytes) throws IOException {
            int compressed = length - 4;
            if (compressed < 1) {
                throw new IOException("a snappy block of " + length + " bytes has no room for its checksum");
            }
            long claimed = claimedLength(bytes, from, compressed);
            if (claimed > maxBytes) {
                throw tooMuch(maxBytes);
            }
            if (claimed > (long) compressed * SNAPPY_MAX_RATIO) {
                throw new IOException(
                        "the snappy block claims " + claimed + " bytes, more than its " + compressed + " can hold");
            }
            byte[] array = out.ensure((int) claimed);
            int at = out.position();
            int n;
            try {
                n = Snappy.uncompress(bytes, from, compressed, array, at);
            } catch (IOException | RuntimeException e) {
                throw new IOException("snappy data is damaged: " + e.getMessage(), e);
            }
            crc.reset();
            crc.update(array, at, n);
            int c = from + compressed;
            long stored = (bytes[c] & 0xFFL) << 24
                    | (bytes[c + 1] & 0xFF) << 16
                    | (bytes[c + 2] & 0xFF) << 8
                    | bytes[c + 3] & 0xFF;
            if (stored != crc.getValue()) {
                throw new IOException("the snappy block's checksum does not match its content");
            }
            out.position(at + n);
        }

        private static long claimedLength(byte[] bytes, int from, int length) throws IOException {
            long value = 0;
            for (int i = 0; i < Math.min(5, length); i++) {
                value |= (bytes[from + i] & 0x7FL) << (7 * i);
                if (bytes[from + i] >= 0) {
                    return value;
                }
            }
            throw new IOException("snappy data is damaged: no length");
        }
    }

    private static final class ZstdCoder implements AvroCodec.Coder {

        private final int level;

        ZstdCoder(int level) {
            this.level = level;
            Zstd.compressBound(0); // loads the library
        }

        @Override
        public void compress(byte[] bytes, int from, int length, Output out) throws IOException {
            int bound = (int) Zstd.compressBound(length);
            byte[] array = out.ensure(bound);
            long n = Zstd.compressByteArray(
                    array, out.position(), array.length - out.position(), bytes, from, length, level, true);
            if (Zstd.isError(n)) {
                throw new IOException("zstd: " + Zstd.getErrorName(n));
            }
            out.position(out.position() + (int) n);
        }

        @Override
        public void decompress(byte[] bytes, int from, int length, Output out, int maxBytes) throws IOException {
            // one shot into what room there is, and again with more: the room stays for the blocks that follow
            long room = Math.max(4096, (long) FIRST_RATIO * length);
            long claimed = Zstd.getFrameContentSize(bytes, from, length);
            if (claimed > 0 && claimed <= 64L * length + 4096) {
                room = Math.max(room, claimed);
            }
            while (true) {
                byte[] array = out.ensure((int) Math.min(room, maxBytes));
                int free = Math.min(array.length - out.position(), maxBytes);
                long n;
                try {
                    n = Zstd.decompressByteArray(array, out.position(), free, bytes, from, length);
                } catch (ZstdException e) {
                    n = -e.getErrorCode();
                    if (e.getErrorCode() != Zstd.errDstSizeTooSmall()) {
                        throw damaged(String.valueOf(e.getMessage()));
                    }
                }
                if (!Zstd.isError(n)) {
                    out.position(out.position() + (int) n);
                    return;
                }
                if (Zstd.getErrorCode(n) != Zstd.errDstSizeTooSmall()) {
                    throw damaged(Zstd.getErrorName(n));
                }
                if (free >= maxBytes) {
                    throw tooMuch(maxBytes);
                }
                room = 4L * free;
            }
        }

        private static IOException damaged(String why) {
            return new IOException("zstandard data is damaged: " + why);
        }
    }

    private static final class Bzip2Coder implements AvroCodec.Coder {

        Bzip2Coder() {
            BZip2CompressorOutputStream.chooseBlockSize(1); // loads the class
        }

        @Override
        public void compress(byte[] bytes, int from, int length, Output out) throws IOException {
            // bzip2's own blocks need not be longer than this one: their arrays are allocated at once
            int hundredKilobytes = BZip2CompressorOutputStream.chooseBlockSize(Math.max(1, length + length / 4));
            try (OutputStream to = new BZip2CompressorOutputStream(new OutputAsStream(out), hundredKilobytes)) {
                to.write(bytes, from, length);
            }
        }

        @Override
        public void decompress(byte[] bytes, int from, int length, Output out, int maxBytes) throws IOException {
            try (InputStream in = new BZip2CompressorInputStream(new ByteArrayInputStream(bytes, from, length), true)) {
                drain(in, length, out, maxBytes);
            } catch (RuntimeException e) {
                throw new IOException("bzip2 data is damaged: " + e, e);
            }
        }
    }

    private static final class XzCoder implements AvroCodec.Coder {

        private final LZMA2Options options;

        XzCoder(int level) {
            try {
                options = new LZMA2Options(level);
            } catch (IOException e) {
                throw new IllegalArgumentException("xz preset " + level, e);
            }
        }

        @Override
        public void compress(byte[] bytes, int from, int length, Output out) throws IOException {
            // a dictionary longer than the block costs memory and gains nothing
            LZMA2Options enough = (LZMA2Options) options.clone();
            enough.setDictSize(Math.min(options.getDictSize(), Math.max(LZMA2Options.DICT_SIZE_MIN, length)));
            try (OutputStream to = new XZOutputStream(new OutputAsStream(out), enough)) {
                to.write(bytes, from, length);
            }
        }

        @Override
        public void decompress(byte[] bytes, int from, int length, Output out, int maxBytes) throws IOException {
            try (InputStream in = new XZInputStream(new ByteArrayInputStream(bytes, from, length), XZ_MEMORY_KIB)) {
                drain(in, length, out, maxBytes);
            } catch (RuntimeException e) {
                throw new IOException("xz data is damaged: " + e, e);
            }
        }
    }
}
