package io.sluice.arrow.internal.ipc;

import io.sluice.arrow.internal.BatchAssembler;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.BlockEmitter;
import io.sluice.codec.FormatReader;
import java.util.Collection;
import java.util.Set;
import org.apache.arrow.memory.BufferAllocator;
import org.jspecify.annotations.Nullable;

/** How one subscription reads IPC messages. */
public final class IpcReader<T> implements FormatReader<IpcChunk, T> {

    private final BufferAllocator allocator;
    private final BatchAssembler.Factory<T> factory;
    private final @Nullable Set<String> wanted;
    private final int maxMessageBytes;

    /**
     * @param allocator where batches live; not closed here
     * @param factory makes what is emitted
     * @param columns names of the columns to read; empty for all
     * @param maxMessageBytes how much a message may decompress to
     */
    public IpcReader(
            BufferAllocator allocator,
            BatchAssembler.Factory<T> factory,
            Collection<String> columns,
            int maxMessageBytes) {
        this.allocator = allocator;
        this.factory = factory;
        this.wanted = columns.isEmpty() ? null : Set.copyOf(columns);
        this.maxMessageBytes = maxMessageBytes;
    }

    @Override
    public BlockDecoder<IpcChunk> decoder() {
        return new IpcDecoder(wanted, maxMessageBytes);
    }

    @Override
    public BlockEmitter<IpcChunk, T> emitter() {
        return new IpcEmitter<>(allocator, factory, wanted, maxMessageBytes);
    }

    /** Buffers that are not compressed are copied from the block into the batch. */
    @Override
    public boolean keepsBytes() {
        return true;
    }
}
