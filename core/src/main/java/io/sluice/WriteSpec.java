package io.sluice;

import io.sluice.codec.Compression;
import io.sluice.storage.PutMode;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * How to write a data set. Immutable: every method returns a changed copy, so a spec can be stored as a template.
 */
public final class WriteSpec {

    /** How much is gathered before it goes to the store: 1 MiB. */
    public static final int DEFAULT_FLUSH_BYTES = 1 << 20;

    /** Uncompressed length of a compressed frame: 4 MiB. Costs less than one percent of the compression. */
    public static final int DEFAULT_FRAME_BYTES = 4 << 20;

    /** The {@link #frameBytes(int)} that means one frame, however long the shard gets. */
    public static final int WHOLE_SHARD = Integer.MAX_VALUE;

    /** Frames that are compressed at a time: one for each processor, 4 at most. */
    public static final int DEFAULT_COMPRESSION_PARALLELISM =
            Math.min(4, Runtime.getRuntime().availableProcessors());

    /** Values that may wait for their encoding: 1024. */
    public static final int DEFAULT_BUFFER_RECORDS = 1024;

    /** Bytes that may wait for their compression or for the store: 16 MiB. */
    public static final long DEFAULT_BUFFER_BYTES = 16L << 20;

    /** What the names of shards begin with: {@code part}. */
    public static final String DEFAULT_BASENAME = "part";

    private static final WriteSpec DEFAULT = new WriteSpec(new Builder());

    private final RollingPolicy rolling;
    private final @Nullable Compression compression;
    private final int compressionParallelism;
    private final int frameBytes;
    private final int flushBytes;
    private final int bufferRecords;
    private final long bufferBytes;
    private final ErrorPolicy onError;
    private final String basename;
    private final PutMode mode;
    private final boolean emptyDirectory;
    private final @Nullable Scheduler scheduler;

    private WriteSpec(Builder b) {
        this.rolling = b.rolling;
        this.compression = b.compression;
        this.compressionParallelism = b.compressionParallelism;
        this.frameBytes = b.frameBytes;
        this.flushBytes = b.flushBytes;
        this.bufferRecords = b.bufferRecords;
        this.bufferBytes = b.bufferBytes;
        this.onError = b.onError;
        this.basename = b.basename;
        this.mode = b.mode;
        this.emptyDirectory = b.emptyDirectory;
        this.scheduler = b.scheduler;
    }

    /** All defaults: append one plain shard to a directory, or create one file, compressed as its name says. */
    public static WriteSpec create() {
        return DEFAULT;
    }

    /** When to cut shards; {@link RollingPolicy#never()} by default. For directories only. */
    public WriteSpec rolling(RollingPolicy policy) {
        Builder b = new Builder(this);
        b.rolling = Objects.requireNonNull(policy, "policy");
        return new WriteSpec(b);
    }

    /** See {@link #rolling(RollingPolicy)}. */
    public RollingPolicy rolling() {
        return rolling;
    }

    /** How to compress, whatever a file's name says; the shards of a directory get the extension. */
    public WriteSpec compression(Compression all) {
        Builder b = new Builder(this);
        b.compression = Objects.requireNonNull(all, "all");
        return new WriteSpec(b);
    }

    /** The compression, or null for what the file's name says; none for the shards of a directory. */
    public @Nullable Compression compression() {
        return compression;
    }

    /**
     * How many frames may be compressed at a time, at least 1. Compression overlaps encoding even with 1. With {@link
     * #WHOLE_SHARD} there is one for each open shard, whatever this number.
     */
    public WriteSpec compressionParallelism(int frames) {
        Builder b = new Builder(this);
        b.compressionParallelism = (int) atLeast(1, frames, "compressionParallelism");
        return new WriteSpec(b);
    }

    /** See {@link #compressionParallelism(int)}. */
    public int compressionParallelism() {
        return compressionParallelism;
    }

    /**
     * Uncompressed length in bytes of the independent frames (zstd, RFC 8878) or members (gzip, RFC 1952) that a compressed
     * shard is made of, at least 1 KiB. A frame ends with the record that reaches this length, so a frame always begins
     * with a record: it is where a reader can start in the middle of a shard, and what can be compressed and decompressed in parallel.
     * {@link #WHOLE_SHARD} makes a single frame, for readers that know no better.
     */
    public WriteSpec frameBytes(int bytes) {
        Builder b = new Builder(this);
        b.frameBytes = (int) atLeast(1024, bytes, "frameBytes");
        return new WriteSpec(b);
    }

    /** See {@link #frameBytes(int)}. */
    public int frameBytes() {
        return frameBytes;
    }

    /** How many encoded bytes are gathered before they go to the store (or, with {@link #WHOLE_SHARD}, to the compressor). */
    public WriteSpec flushBytes(int bytes) {
        Builder b = new Builder(this);
        b.flushBytes = (int) atLeast(1, bytes, "flushBytes");
        if (bytes > 1 << 30) {
            throw new IllegalArgumentException("flushBytes must be at most 1 GiB: " + bytes);
        }
        return new WriteSpec(b);
    }

    /** See {@link #flushBytes(int)}. */
    public int flushBytes() {
        return flushBytes;
    }

    /**
     * How many values may wait for their encoding, at most. The writer requests fewer where the records are long: not more
     * than a quarter of {@link #bufferBytes(long)}, judging by the records before.
     */
    public WriteSpec bufferRecords(int values) {
        Builder b = new Builder(this);
        b.bufferRecords = (int) atLeast(1, values, "bufferRecords");
        return new WriteSpec(b);
    }

    /** See {@link #bufferRecords(int)}. */
    public int bufferRecords() {
        return bufferRecords;
    }

    /**
     * How many bytes may wait for their compression or for the store, over all shards. Encoding pauses above it, and with it the
     * demand. What is being gathered (a flush, a frame) comes on top.
     */
    public WriteSpec bufferBytes(long bytes) {
        Builder b = new Builder(this);
        b.bufferBytes = atLeast(1, bytes, "bufferBytes");
        return new WriteSpec(b);
    }

    /** See {@link #bufferBytes(long)}. */
    public long bufferBytes() {
        return bufferBytes;
    }

    /**
     * What becomes of values that can't be written; {@link ErrorPolicy#fail()} by default. {@link Rejected#value()} is the
     * value, {@link Rejected#line()} the number that the record would have had in its shard. A replacement that can't be written
     * either ends the writing with an error.
     */
    public WriteSpec onError(ErrorPolicy policy) {
        Builder b = new Builder(this);
        b.onError = Objects.requireNonNull(policy, "policy");
        return new WriteSpec(b);
    }

    /** See {@link #onError(ErrorPolicy)}. */
    public ErrorPolicy onError() {
        return onError;
    }

    /** What the names of a directory's shards begin with, before the dash and the number. */
    public WriteSpec basename(String name) {
        if (name.isEmpty() || name.startsWith(".") || name.startsWith("_") || name.indexOf('/') >= 0) {
            throw new IllegalArgumentException(
                    "a basename must not be empty, begin with '.' or '_' or contain '/': \"" + name + '"');
        }
        Builder b = new Builder(this);
        b.basename = name;
        return new WriteSpec(b);
    }

    /** See {@link #basename(String)}. */
    public String basename() {
        return basename;
    }

    /** What to do where a single file exists; {@link PutMode#CREATE} by default, which fails. Shards are always created. */
    public WriteSpec mode(PutMode onExisting) {
        Builder b = new Builder(this);
        b.mode = Objects.requireNonNull(onExisting, "onExisting");
        return new WriteSpec(b);
    }

    /** See {@link #mode(PutMode)}. */
    public PutMode mode() {
        return mode;
    }

    /** Goes on after the highest shard of a directory. The default. */
    public WriteSpec append() {
        Builder b = new Builder(this);
        b.emptyDirectory = false;
        return new WriteSpec(b);
    }

    /** Fails where a directory holds anything that a reader would take for a shard. */
    public WriteSpec requireEmpty() {
        Builder b = new Builder(this);
        b.emptyDirectory = true;
        return new WriteSpec(b);
    }

    /** Whether {@link #requireEmpty()} was called. */
    public boolean requiresEmpty() {
        return emptyDirectory;
    }

    /**
     * Where values are encoded and compressed, and where the age of shards is timed: {@link Schedulers#boundedElastic()} by default.
     * It is not disposed of. With fewer than two threads compression does not overlap encoding.
     */
    public WriteSpec scheduler(Scheduler elastic) {
        Builder b = new Builder(this);
        b.scheduler = Objects.requireNonNull(elastic, "elastic");
        return new WriteSpec(b);
    }

    /** See {@link #scheduler(Scheduler)}. */
    public Scheduler scheduler() {
        return scheduler == null ? Schedulers.boundedElastic() : scheduler;
    }

    private static long atLeast(long min, long value, String name) {
        if (value < min) {
            throw new IllegalArgumentException(name + " must be at least " + min + ": " + value);
        }
        return value;
    }

    private static final class Builder {
        RollingPolicy rolling = RollingPolicy.never();

        @Nullable
        Compression compression;

        int compressionParallelism = DEFAULT_COMPRESSION_PARALLELISM;
        int frameBytes = DEFAULT_FRAME_BYTES;
        int flushBytes = DEFAULT_FLUSH_BYTES;
        int bufferRecords = DEFAULT_BUFFER_RECORDS;
        long bufferBytes = DEFAULT_BUFFER_BYTES;
        ErrorPolicy onError = ErrorPolicy.fail();
        String basename = DEFAULT_BASENAME;
        PutMode mode = PutMode.CREATE;
        boolean emptyDirectory;

        @Nullable
        Scheduler scheduler;

        Builder() {}

        Builder(WriteSpec s) {
            rolling = s.rolling;
            compression = s.compression;
            compressionParallelism = s.compressionParallelism;
            frameBytes = s.frameBytes;
            flushBytes = s.flushBytes;
            bufferRecords = s.bufferRecords;
            bufferBytes = s.bufferBytes;
            onError = s.onError;
            basename = s.basename;
            mode = s.mode;
            emptyDirectory = s.emptyDirectory;
            scheduler = s.scheduler;
        }
    }
}
