package io.sluice.codec;

import org.jspecify.annotations.Nullable;

/**
 * A run of whole records as a framer cut it.
 *
 * @param bytes an array that holds the block; it may be reused once decoding is over, unless the reader
 *     {@linkplain FormatReader#keepsBytes() keeps bytes}
 * @param from index of the block's first byte in {@code bytes}
 * @param to index behind its last byte
 * @param offset offset of the first byte in the uncompressed shard
 * @param header what the framer learned from the shard's header, if its format has one
 */
public record Block(
        byte[] bytes,
        int from,
        int to,
        long offset,
        @Nullable Object header) {

    /** The block's length in bytes. */
    public int length() {
        return to - from;
    }
}
