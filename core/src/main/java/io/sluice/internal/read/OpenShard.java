package io.sluice.internal.read;

import io.sluice.Position;
import io.sluice.codec.Framer;
import io.sluice.storage.ObjectMeta;
import org.jspecify.annotations.Nullable;

/** A shard that is being read: used by the pump's current thread, its immutable parts by the emitter as well. */
final class OpenShard {

    final ObjectMeta meta;
    final String name;
    final int index;
    final Framer framer;

    /** Where reading begins, or null for the shard's start. */
    final @Nullable Position from;

    /** The bytes being read; the header's at first where {@link #seekingHeader}. */
    ShardInput input;

    /** Whether the shard is read from its start only to learn its header, before reading begins at {@code from}. */
    boolean seekingHeader;

    /** Uncompressed bytes that are still to be skipped. */
    long skip;

    /** Offset in the uncompressed shard of the first unframed byte. */
    long offset;

    /** Start of the stretch that the framer is dropping, -1 if none. */
    long dropStart = -1;

    boolean begun;

    OpenShard(ObjectMeta meta, String name, int index, Framer framer, @Nullable Position from, ShardInput input) {
        this.meta = meta;
        this.name = name;
        this.index = index;
        this.framer = framer;
        this.from = from;
        this.input = input;
    }
}
