package io.sluice.internal.read;

import io.sluice.StorageException;
import io.sluice.storage.BlockingReads;
import io.sluice.storage.ByteRange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import org.jspecify.annotations.Nullable;

/** Reads a store with {@link BlockingReads} on the worker that frames: no queue, no hop, straight into the block's array. */
final class ChannelInput implements RawInput {

    private final BlockingReads store;
    private final String key;
    private final String name;
    private final ByteRange range;
    private final @Nullable String etag;

    private @Nullable ReadableByteChannel channel;
    private volatile boolean cancelled;

    ChannelInput(BlockingReads store, String key, String name, ByteRange range, @Nullable String etag) {
        this.store = store;
        this.key = key;
        this.name = name;
        this.range = range;
        this.etag = etag;
    }

    @Override
    public int read(byte[] into, int from, int length) throws IOException {
        if (cancelled) {
            return END;
        }
        ReadableByteChannel from0 = channel;
        if (from0 == null) {
            from0 = store.open(key, range, etag);
            channel = from0;
        }
        try {
            int n = from0.read(ByteBuffer.wrap(into, from, length));
            if (n == 0) {
                throw new StorageException(
                        StorageException.Kind.IO, name, "the channel gave no bytes to a blocking read", null);
            }
            return n;
        } catch (IOException e) {
            if (cancelled) {
                return END;
            }
            throw e;
        }
    }

    @Override
    public void cancel() {
        // a blocking read can't be let go of safely from here (closing would pull the channel from under it): the
        // worker that reads sees the flag after at most one block
        cancelled = true;
    }

    @Override
    public void close() {
        cancelled = true;
        ReadableByteChannel open = channel;
        channel = null;
        if (open != null) {
            try {
                open.close();
            } catch (IOException e) {
                // only reading: nothing can be lost by a failing close
            }
        }
    }
}
