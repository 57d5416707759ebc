package io.sluice;

/**
 * How far a read has got.
 *
 * @param bytes stored bytes read so far; runs ahead of the records by what is prefetched
 * @param bytesTotal stored bytes of all shards, -1 where a store can't say
 * @param records records delivered so far
 * @param shards shards finished so far
 * @param shardsTotal shards of the data set
 */
public record ReadProgress(long bytes, long bytesTotal, long records, int shards, int shardsTotal) {}
