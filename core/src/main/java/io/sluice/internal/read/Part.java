package io.sluice.internal.read;

import io.sluice.codec.Block;
import io.sluice.codec.DecodedBlock;
import io.sluice.codec.Rejection;
import org.jspecify.annotations.Nullable;

/** A block, or a stretch that the framer dropped, on its way from the framer over a decoder to the subscriber. */
final class Part<B> {

    final long offset;
    final long length;
    final long restart;
    final long skipBytes;
    final @Nullable Rejection dropped;

    /** Let go of once decoded. */
    @Nullable
    Block block;

    @Nullable
    DecodedBlock<B> decoded;

    /** Lines and records of the shard before this part; set when its turn to be emitted comes. */
    long linesBefore;

    long recordsBefore;

    Part(long offset, long length, long[] restart, @Nullable Block block, @Nullable Rejection dropped) {
        this.offset = offset;
        this.length = length;
        this.restart = restart[0];
        this.skipBytes = restart[1];
        this.block = block;
        this.dropped = dropped;
    }
}
