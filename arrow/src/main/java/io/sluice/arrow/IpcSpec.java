package io.sluice.arrow;

import java.util.List;
import java.util.Objects;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/** How Arrow IPC is read and written. Immutable: every option gives a new spec. */
public final class IpcSpec {

    /** The longest message by default, stored and decompressed: 256 MiB. */
    public static final int DEFAULT_MAX_MESSAGE_BYTES = 256 << 20;

    private static final IpcSpec DEFAULT =
            new IpcSpec(IpcCompression.none(), List.of(), DEFAULT_MAX_MESSAGE_BYTES, null);

    private final IpcCompression compression;
    private final List<String> columns;
    private final int maxMessageBytes;
    private final @Nullable Schema schema;

    private IpcSpec(IpcCompression compression, List<String> columns, int maxMessageBytes, @Nullable Schema schema) {
        this.compression = compression;
        this.columns = columns;
        this.maxMessageBytes = maxMessageBytes;
        this.schema = schema;
    }

    /** All columns, no compression. */
    public static IpcSpec create() {
        return DEFAULT;
    }

    /** Writing: how buffers are compressed. Reading goes by what the messages say. */
    public IpcSpec compression(IpcCompression ofBuffers) {
        return new IpcSpec(Objects.requireNonNull(ofBuffers, "ofBuffers"), columns, maxMessageBytes, schema);
    }

    /** See {@link #compression(IpcCompression)}. */
    public IpcCompression compression() {
        return compression;
    }

    /** Reading: only these columns, by name; what others hold is neither decompressed nor copied. */
    public IpcSpec columns(String... names) {
        return new IpcSpec(compression, List.of(names), maxMessageBytes, schema);
    }

    /** Names of the columns to read; empty for all. */
    public List<String> columns() {
        return columns;
    }

    /**
     * Reading: the longest message in bytes, as it is stored and as it is decompressed, with the dictionaries that come before a
     * batch; also the most that dictionaries may take together. A longer one is refused without being held in memory.
     */
    public IpcSpec maxMessageBytes(int bytes) {
        if (bytes < 1024 || bytes > 1 << 30) {
            throw new IllegalArgumentException("maxMessageBytes must be between 1024 and 1 GiB: " + bytes);
        }
        return new IpcSpec(compression, columns, bytes, schema);
    }

    /** See {@link #maxMessageBytes(int)}. */
    public int maxMessageBytes() {
        return maxMessageBytes;
    }

    /** Writing: the schema of a file or stream without any batch, which otherwise has no columns. Others have that of their batches. */
    public IpcSpec emptySchema(Schema ofNoBatches) {
        return new IpcSpec(compression, columns, maxMessageBytes, Objects.requireNonNull(ofNoBatches, "ofNoBatches"));
    }

    /** See {@link #emptySchema(Schema)}; null where none was given. */
    public @Nullable Schema emptySchema() {
        return schema;
    }

    @Override
    public String toString() {
        return "IpcSpec[compression " + compression + (columns.isEmpty() ? "" : ", columns " + columns) + "]";
    }
}
