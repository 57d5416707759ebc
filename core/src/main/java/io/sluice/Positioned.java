package io.sluice;

import java.util.List;
import java.util.Objects;

/**
 * A value and the place behind it.
 *
 * @param value the value
 * @param position where to read on once the value has been dealt with
 * @param shards the data set's shards, shared by all values of a subscription
 */
public record Positioned<T>(T value, Position position, List<Checkpoint.Pin> shards) {

    /** Checks its arguments. */
    public Positioned {
        Objects.requireNonNull(value, "value");
    }

    /** The position with the data set's shards pinned. */
    public Checkpoint checkpoint() {
        return new Checkpoint(shards, position);
    }
}
