package io.sluice.storage;

import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a store knows of an object without reading it.
 *
 * @param key the object's key within its store, {@code /}-separated
 * @param size bytes as stored, -1 if the store can't say (standard input, a chunked HTTP response)
 * @param etag changes whenever the content changes, null if the store has none
 * @param lastModified null if the store can't say
 */
public record ObjectMeta(
        String key,
        long size,
        @Nullable String etag,
        @Nullable Instant lastModified) {

    /** Checks its arguments. */
    public ObjectMeta {
        Objects.requireNonNull(key, "key");
    }
}
