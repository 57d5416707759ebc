package io.sluice.codec;

import java.util.List;

/** Zstandard, RFC 8878. */
record ZstdCompression(int level) implements Compression {

    static final int MAGIC = 0xFD2FB528;
    private static final byte[] MAGIC_BYTES = {0x28, (byte) 0xB5, 0x2F, (byte) 0xFD};
    private static final byte[] SKIPPABLE_BYTES = {0x50, 0x2A, 0x4D, 0x18};

    ZstdCompression {
        if (level < -131072 || level > 22) {
            throw new IllegalArgumentException("zstd has levels from -131072 to 22, not " + level);
        }
    }

    @Override
    public String name() {
        return "zstd";
    }

    @Override
    public List<String> extensions() {
        return List.of(".zst", ".zstd");
    }

    @Override
    public boolean matches(byte[] head, int from, int length) {
        int count = Math.min(length, 4);
        boolean frame = true;
        boolean skippable = true;
        for (int i = 0; i < count; i++) {
            byte b = head[from + i];
            frame &= b == MAGIC_BYTES[i];
            skippable &= (i == 0 ? (byte) (b & 0xF0) : b) == SKIPPABLE_BYTES[i];
        }
        return frame || skippable;
    }

    @Override
    public Decompressor decompressor(DecompressionLimits limits) {
        return new ZstdDecompressor(limits);
    }

    @Override
    public Compressor compressor() {
        return new ZstdCompressor(level);
    }
}
