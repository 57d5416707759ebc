package io.sluice;

import java.time.Duration;

/**
 * A shard that is being written, as a {@link RollingPolicy#when condition} sees it.
 *
 * @param records records so far, at least 1
 * @param bytes uncompressed bytes so far
 * @param writtenBytes bytes that have come out of compression so far; what is still in it is not counted
 * @param age time since the shard's first record
 */
public record OpenShard(long records, long bytes, long writtenBytes, Duration age) {}
