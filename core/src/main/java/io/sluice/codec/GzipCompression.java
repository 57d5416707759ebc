package io.sluice.codec;

import java.util.List;

/** gzip, RFC 1952. */
record GzipCompression(int level) implements Compression {

    /** ID1, ID2, CM: there has never been another method than deflate. */
    static final byte[] MAGIC = {0x1F, (byte) 0x8B, 8};

    GzipCompression {
        if (level < 0 || level > 9) {
            throw new IllegalArgumentException("gzip has levels from 0 to 9, not " + level);
        }
    }

    @Override
    public String name() {
        return "gzip";
    }

    @Override
    public List<String> extensions() {
        return List.of(".gz");
    }

    @Override
    public boolean matches(byte[] head, int from, int length) {
        for (int i = 0; i < Math.min(length, MAGIC.length); i++) {
            if (head[from + i] != MAGIC[i]) {
                return false;
            }
        }
        return true;
    }

    @Override
    public Decompressor decompressor(DecompressionLimits limits) {
        return new GzipDecompressor(limits);
    }

    @Override
    public Compressor compressor() {
        return new GzipCompressor(level);
    }
}
