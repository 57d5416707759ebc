package io.sluice;

import java.io.Serializable;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Position} together with the data set as it was: its shards, each pinned by size and ETag. Reading
 * {@linkplain ReadSpec#from(Checkpoint) from} it gives exactly the rest of that data set; where a shard that is still to be read
 * has changed or gone since, the read fails with a {@link StorageException} rather than mix two versions. Shards that were
 * added later are not read.
 *
 * @param shards the shards in reading order
 * @param position where to read on
 */
public record Checkpoint(List<Pin> shards, Position position) implements Serializable {

    /**
     * A shard as it was when the data set was listed.
     *
     * @param key its key
     * @param size bytes as stored, -1 if unknown
     * @param etag its ETag, null if the store has none
     */
    public record Pin(String key, long size, @Nullable String etag) implements Serializable {}

    /** Copies the list. */
    public Checkpoint {
        shards = List.copyOf(shards);
        Objects.requireNonNull(position, "position");
    }
}
