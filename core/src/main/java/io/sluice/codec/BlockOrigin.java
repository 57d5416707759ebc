package io.sluice.codec;

/**
 * Where a block stands.
 *
 * @param key the shard's name as messages show it: its key, with what its store puts before keys
 * @param shard the shard's index among those that this subscription reads, 0-based: a resumed read counts from the shard it resumes in
 * @param offset offset of the block in the uncompressed shard, in bytes
 * @param firstRecord number of records (rejected ones included) of the shard before the first accepted value
 */
public record BlockOrigin(String key, int shard, long offset, long firstRecord) {}
