package io.sluice.avro;

import io.sluice.avro.internal.BlockCodecs;
import io.sluice.codec.Output;
import java.io.IOException;

/**
 * How the blocks of a container file are compressed: the specification's codecs, or one of your own. Immutable.
 *
 * <p>{@link #snappy()} needs {@code org.xerial.snappy:snappy-java} on the class path, {@link #bzip2()}
 * {@code org.apache.commons:commons-compress}, {@link #xz(int)} {@code org.tukaani:xz}; their absence is an
 * {@link io.sluice.SluiceException} that says so, raised by the first block.
 */
public interface AvroCodec {

    /** Level of {@link #deflate(int)} that most writers take. */
    int DEFAULT_DEFLATE_LEVEL = 6;

    /** Level of {@link #zstandard(int)} that zstd takes by itself. */
    int DEFAULT_ZSTANDARD_LEVEL = 3;

    /** Preset of {@link #xz(int)} that the xz tools take by themselves. */
    int DEFAULT_XZ_LEVEL = 6;

    /** Its name in the header's {@code avro.codec}. */
    String name();

    /** A coder for one thread. */
    Coder coder();

    /** Compresses and decompresses blocks, each whole. Single-threaded. */
    interface Coder {

        /**
         * Appends a block's compressed form.
         *
         * @throws IOException never for any content; where the library underneath declares it
         */
        void compress(byte[] bytes, int from, int length, Output out) throws IOException;

        /**
         * Appends what the compressed block {@code [from, from + length)} holds. Grows {@code out} by what has really come
         * out, never by what the input claims.
         *
         * @param maxBytes the most that may come out
         * @throws IOException where the block is damaged, or holds more than that
         */
        void decompress(byte[] bytes, int from, int length, Output out, int maxBytes) throws IOException;
    }

    /** No compression: {@code null} in the header. */
    static AvroCodec none() {
        return BlockCodecs.NONE;
    }

    /** Raw deflate (RFC 1951) at {@link #DEFAULT_DEFLATE_LEVEL}. */
    static AvroCodec deflate() {
        return deflate(DEFAULT_DEFLATE_LEVEL);
    }

    /** Raw deflate (RFC 1951), level 0 to 9. */
    static AvroCodec deflate(int level) {
        return BlockCodecs.deflate(level);
    }

    /** Snappy, each block followed by the CRC-32 of its content, which is checked. */
    static AvroCodec snappy() {
        return BlockCodecs.SNAPPY;
    }

    /** Zstandard at {@link #DEFAULT_ZSTANDARD_LEVEL}. */
    static AvroCodec zstandard() {
        return zstandard(DEFAULT_ZSTANDARD_LEVEL);
    }

    /** Zstandard, any level zstd knows. */
    static AvroCodec zstandard(int level) {
        return BlockCodecs.zstandard(level);
    }

    /** Bzip2; blocks of several streams are read. */
    static AvroCodec bzip2() {
        return BlockCodecs.BZIP2;
    }

    /** Xz at {@link #DEFAULT_XZ_LEVEL}. */
    static AvroCodec xz() {
        return xz(DEFAULT_XZ_LEVEL);
    }

    /** Xz, preset 0 to 9; blocks of several streams are read. */
    static AvroCodec xz(int level) {
        return BlockCodecs.xz(level);
    }

    /**
     * The specification's codec of that name, at its default level.
     *
     * @throws IllegalArgumentException where there is none
     */
    static AvroCodec named(String name) {
        AvroCodec codec = BlockCodecs.find(name);
        if (codec == null) {
            throw new IllegalArgumentException("unknown Avro codec '" + name + "': use one of " + BlockCodecs.names()
                    + ", or add your own to the AvroSpec");
        }
        return codec;
    }
}
