package io.sluice.codec;

/**
 * Where a block stands.
 *
 * @param key the shard's key
 * @param shard the shard's index in the data set, 0-based
 * @param offset offset of the block in the uncompressed shard, in bytes
 * @param firstRecord number of records (rejected ones included) of the shard before the first accepted value
 */
public record BlockOrigin(String key, int shard, long offset, long firstRecord) {}
