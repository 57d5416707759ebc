package io.sluice.avro.internal;

import org.jspecify.annotations.Nullable;

/** Reads one value of a schema. Immutable; one {@link BinaryInput} a thread. */
public interface ValueReader {

    /**
     * The value.
     *
     * @throws BadRecord where there is none
     */
    @Nullable
    Object read(BinaryInput in);
}
