package io.sluice;

import java.io.Serializable;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A shard that a writer has committed: from now on readers see it, whole.
 *
 * @param key its key in the store
 * @param records records in it
 * @param bytes uncompressed bytes
 * @param writtenBytes bytes as stored
 * @param crc32c CRC-32C (Castagnoli, RFC 3720) of the stored bytes, as an unsigned 32-bit number
 * @param etag the store's tag of the stored object, null if the store has none
 */
public record Shard(
        String key,
        long records,
        long bytes,
        long writtenBytes,
        long crc32c,
        @Nullable String etag) implements Serializable {

    /** The checksum with its name, as people and other tools write it: {@code crc32c:e3069283}. */
    public String checksum() {
        return String.format(Locale.ROOT, "crc32c:%08x", crc32c);
    }
}
