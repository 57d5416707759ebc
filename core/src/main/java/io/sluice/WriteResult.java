package io.sluice;

import java.util.List;

/**
 * What a completed write has made.
 *
 * @param shards every shard that it committed, in the order of their records
 * @param rejected values that could not be written and that the {@link ErrorPolicy} let pass, replaced ones included
 */
public record WriteResult(List<Shard> shards, long rejected) {

    /** Copies its list. */
    public WriteResult {
        shards = List.copyOf(shards);
    }

    /** Records in all shards. */
    public long records() {
        return shards.stream().mapToLong(Shard::records).sum();
    }

    /** Uncompressed bytes of all shards. */
    public long bytes() {
        return shards.stream().mapToLong(Shard::bytes).sum();
    }

    /** Stored bytes of all shards. */
    public long writtenBytes() {
        return shards.stream().mapToLong(Shard::writtenBytes).sum();
    }
}
