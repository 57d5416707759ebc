package io.sluice.internal.read;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What one turn of the pump brought: the parts found in one buffer. Slots are decoded in any order and emitted in theirs. */
final class Slot<B> {

    final OpenShard shard;
    final List<Part<B>> parts = new ArrayList<>(2);

    /** The buffer that the parts' blocks lie in, until they are decoded. */
    byte @Nullable [] buffer;

    /** Bytes that this slot is charged with in the window of bytes read ahead. */
    int charge;

    /** Stored bytes that had been taken from the shard when this slot was cut. */
    long storedBytes;

    /** Whether the shard begins, or ends, with this slot. */
    boolean begins;

    boolean ends;

    /** With {@code ends}: uncompressed bytes of the shard, and those of them behind its last part. */
    long bytesIn;

    long bytesLost;

    /** Why the shard ends here before its end; emitted after the parts. */
    @Nullable
    Throwable failure;

    /** Written last by the worker, read first by the emitter: publishes all of the above. */
    volatile boolean done;

    Slot(OpenShard shard) {
        this.shard = shard;
    }
}
