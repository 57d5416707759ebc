package io.sluice.codec;

import java.util.List;

/**
 * A way to compress whole shards. Implementations are immutable; {@link Compressions} has the ones of this module.
 */
public interface Compression {

    /** Its usual name: {@code none}, {@code gzip}, {@code zstd}. */
    String name();

    /** File name extensions with their dot, the one used for writing first: {@code [".zst", ".zstd"]}. */
    List<String> extensions();

    /** Whether {@code length} bytes from {@code from}, the shard's first, can be the beginning of such a stream. */
    boolean matches(byte[] head, int from, int length);

    /** A decompressor for one shard. */
    Decompressor decompressor(DecompressionLimits limits);

    /** A compressor for one shard. */
    Compressor compressor();
}
