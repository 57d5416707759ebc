package io.sluice.arrow;

import io.sluice.arrow.internal.ipc.BodyCodec;
import org.jspecify.annotations.Nullable;

/**
 * How the buffers of an IPC message are compressed, each by itself (Arrow columnar format, "Compression"). Readers see it by the
 * message and decompress only the columns that they read; a compression of the whole file ({@code .arrow.zst}) can't do that, but
 * both may be had.
 */
public final class IpcCompression {

    /** The level of {@link #zstd()}. */
    public static final int DEFAULT_ZSTD_LEVEL = 1;

    private static final IpcCompression NONE = new IpcCompression(null, 0);
    private static final IpcCompression LZ4 = new IpcCompression(BodyCodec.LZ4, 0);
    private static final IpcCompression ZSTD = new IpcCompression(BodyCodec.ZSTD, DEFAULT_ZSTD_LEVEL);

    private final @Nullable BodyCodec codec;
    private final int level;

    private IpcCompression(@Nullable BodyCodec codec, int level) {
        this.codec = codec;
        this.level = level;
    }

    /** Buffers as they are: what can be mapped into memory. */
    public static IpcCompression none() {
        return NONE;
    }

    /** LZ4 frames; needs {@code org.apache.commons:commons-compress}, whose compressor is not a fast one. */
    public static IpcCompression lz4() {
        return LZ4;
    }

    /** Zstandard at {@link #DEFAULT_ZSTD_LEVEL}. */
    public static IpcCompression zstd() {
        return ZSTD;
    }

    /** Zstandard at a level from 1 to 22. */
    public static IpcCompression zstd(int level) {
        if (level < 1 || level > 22) {
            throw new IllegalArgumentException("the level of zstd must be between 1 and 22: " + level);
        }
        return new IpcCompression(BodyCodec.ZSTD, level);
    }

    @Nullable
    BodyCodec codec() {
        return codec;
    }

    int level() {
        return level;
    }

    @Override
    public String toString() {
        return codec == null ? "none" : codec == BodyCodec.LZ4 ? "lz4" : "zstd " + level;
    }
}
