package io.sluice;

import org.jspecify.annotations.Nullable;

/**
 * A record that was refused, as an {@link ErrorPolicy} sees it.
 *
 * @param key the shard's name, as messages show it
 * @param line 1-based line (JSONL) or record number in the shard
 * @param offset offset of the record's first byte in the uncompressed shard
 * @param length bytes that it covers, terminator included; 0 when writing
 * @param raw when reading, its bytes without terminator, or the first of them where it was too long to hold
 * @param value when writing, the value that could not be written; null when reading
 * @param cause why, with place; {@link RecordException#kind()} tells the reasons apart
 */
public record Rejected(
        String key,
        long line,
        long offset,
        long length,
        byte[] raw,
        @Nullable Object value,
        RecordException cause) {

    @Override
    public String toString() {
        return "Rejected[" + cause.getMessage() + "]";
    }
}
