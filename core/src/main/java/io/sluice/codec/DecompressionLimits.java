package io.sluice.codec;

/**
 * Bounds on what decompression may make of hostile input.
 *
 * @param maxBytes uncompressed bytes of one shard
 * @param maxRatio uncompressed bytes per compressed byte, applied once 16 MiB have come out
 * @param maxWindowBytes memory that a frame may ask for as its window
 */
public record DecompressionLimits(long maxBytes, long maxRatio, long maxWindowBytes) {}
