package io.sluice;

import io.sluice.storage.ObjectMeta;
import java.util.List;

/**
 * Hears how a read goes. Called in order, one call at a time, on the emitting thread, so it must be quick; what it throws ends
 * the stream with an error.
 */
public interface DatasetListener {

    /** The data set was listed; {@code shards} will be read in this order. */
    default void listed(List<ObjectMeta> shards) {}

    /** A shard's first block is about to be emitted. */
    default void shardStarted(String key) {}

    /** A shard was read to its end, or ({@code complete} false) to its damage; the error follows. */
    default void shardCompleted(ShardReport report) {}

    /** A record was refused; called before the policy acts. */
    default void rejected(Rejected rejected) {}

    /** Some more was delivered; called about once a block. */
    default void progress(ReadProgress progress) {}
}
