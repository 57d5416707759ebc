package io.sluice.arrow.internal.ipc;

import java.util.List;

/**
 * A block: what changes in the dictionaries, and the batch behind it.
 *
 * @param header the shard's
 */
public record IpcChunk(IpcHeader header, List<DictionaryChange> changes, HeapBatch batch) {

    /**
     * New values of a dictionary.
     *
     * @param adds whether they come behind those that are there, rather than in their place
     */
    public record DictionaryChange(long id, boolean adds, HeapBatch values) {}
}
