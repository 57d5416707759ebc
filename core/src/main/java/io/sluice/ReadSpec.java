package io.sluice;

import io.sluice.codec.Compression;
import io.sluice.codec.DecompressionLimits;
import io.sluice.codec.ReadLimits;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * How to read a data set. Immutable: every method returns a changed copy, so a spec can be stored as a template.
 */
public final class ReadSpec {

    /** Blocks that are decoded at a time: one for each processor, 8 at most. */
    public static final int DEFAULT_PARALLELISM =
            Math.min(8, Runtime.getRuntime().availableProcessors());

    /**
     * Bytes that may be read ahead of the subscriber, over all shards and stages: 8 MiB. A store that is far away and fetches several
     * ranges at a time has a larger default of its own.
     */
    public static final long DEFAULT_PREFETCH_BYTES = 8L << 20;

    /** Length of a block that the pipeline aims at: 256 KiB. Small enough for a core's second-level cache. */
    public static final int DEFAULT_BLOCK_BYTES = 256 << 10;

    /** The longest record: 16 MiB. */
    public static final int DEFAULT_MAX_RECORD_BYTES = 16 << 20;

    /** The deepest nesting of arrays and objects. */
    public static final int DEFAULT_MAX_NESTING = 1000;

    /** Uncompressed bytes of one shard: unlimited, since memory does not depend on it. */
    public static final long DEFAULT_MAX_DECOMPRESSED_BYTES = Long.MAX_VALUE;

    /** Uncompressed bytes per compressed byte: above what zstd reaches on text, below what it reaches on zeros (32,768). */
    public static final long DEFAULT_MAX_DECOMPRESSION_RATIO = 20_000;

    /** Memory that a compressed frame may ask for as its window: 128 MiB, what {@code zstd -d} takes without options. */
    public static final long DEFAULT_MAX_WINDOW_BYTES = 128L << 20;

    private static final long UNSET = -1;

    private static final ReadSpec DEFAULT = new ReadSpec(new Builder());

    private final int parallelism;
    private final long prefetchBytes;
    private final int blockBytes;
    private final int maxRecordBytes;
    private final int maxNesting;
    private final long maxDecompressedBytes;
    private final long maxDecompressionRatio;
    private final long maxWindowBytes;
    private final long limit;
    private final ErrorPolicy onError;
    private final @Nullable Checkpoint checkpoint;
    private final @Nullable Position position;
    private final @Nullable Compression compression;
    private final @Nullable DatasetListener listener;
    private final @Nullable Scheduler scheduler;

    private ReadSpec(Builder b) {
        this.parallelism = b.parallelism;
        this.prefetchBytes = b.prefetchBytes;
        this.blockBytes = b.blockBytes;
        this.maxRecordBytes = b.maxRecordBytes;
        this.maxNesting = b.maxNesting;
        this.maxDecompressedBytes = b.maxDecompressedBytes;
        this.maxDecompressionRatio = b.maxDecompressionRatio;
        this.maxWindowBytes = b.maxWindowBytes;
        this.limit = b.limit;
        this.onError = b.onError;
        this.checkpoint = b.checkpoint;
        this.position = b.position;
        this.compression = b.compression;
        this.listener = b.listener;
        this.scheduler = b.scheduler;
    }

    /** All defaults. */
    public static ReadSpec create() {
        return DEFAULT;
    }

    /** How many blocks are decoded at a time, at least 1. Order is kept whatever the number. */
    public ReadSpec parallelism(int blocks) {
        Builder b = new Builder(this);
        b.parallelism = atLeast(1, blocks, "parallelism");
        return new ReadSpec(b);
    }

    /** See {@link #parallelism(int)}. */
    public int parallelism() {
        return parallelism;
    }

    /**
     * How many bytes may be read ahead of the subscriber, fetched and framed together, over all shards. One block (or
     * record, if longer) is always allowed, so that reading gets on. 0 switches prefetch off.
     */
    public ReadSpec prefetchBytes(long bytes) {
        Builder b = new Builder(this);
        b.prefetchBytes = atLeast(0, bytes, "prefetchBytes");
        return new ReadSpec(b);
    }

    /** See {@link #prefetchBytes(long)}. */
    public long prefetchBytes() {
        return prefetchBytesOr(DEFAULT_PREFETCH_BYTES);
    }

    /** {@link #prefetchBytes()} where it was set, and otherwise this. */
    public long prefetchBytesOr(long unset) {
        return prefetchBytes == UNSET ? unset : prefetchBytes;
    }

    /** The length in bytes of a block that the pipeline aims at, at least 1 KiB. */
    public ReadSpec blockBytes(int bytes) {
        Builder b = new Builder(this);
        b.blockBytes = atLeast(1024, bytes, "blockBytes");
        return new ReadSpec(b);
    }

    /** See {@link #blockBytes(int)}. */
    public int blockBytes() {
        return blockBytes;
    }

    /** The longest record in bytes, terminator excluded, at most 1 GiB. A longer one is refused without being held in memory. */
    public ReadSpec maxRecordBytes(int bytes) {
        Builder b = new Builder(this);
        b.maxRecordBytes = atLeast(1, bytes, "maxRecordBytes");
        if (bytes > 1 << 30) {
            throw new IllegalArgumentException("maxRecordBytes must be at most 1 GiB: " + bytes);
        }
        return new ReadSpec(b);
    }

    /** See {@link #maxRecordBytes(int)}. */
    public int maxRecordBytes() {
        return maxRecordBytes;
    }

    /** The deepest nesting of arrays and objects, the record itself counting as 1. A deeper record is refused. */
    public ReadSpec maxNesting(int levels) {
        Builder b = new Builder(this);
        b.maxNesting = atLeast(1, levels, "maxNesting");
        return new ReadSpec(b);
    }

    /** See {@link #maxNesting(int)}. */
    public int maxNesting() {
        return maxNesting;
    }

    /** How many bytes one compressed shard may decompress to. */
    public ReadSpec maxDecompressedBytes(long bytes) {
        Builder b = new Builder(this);
        b.maxDecompressedBytes = atLeast(1, bytes, "maxDecompressedBytes");
        return new ReadSpec(b);
    }

    /** See {@link #maxDecompressedBytes(long)}. */
    public long maxDecompressedBytes() {
        return maxDecompressedBytes;
    }

    /** How many bytes may come out per compressed byte, once 16 MiB have come out. */
    public ReadSpec maxDecompressionRatio(long ratio) {
        Builder b = new Builder(this);
        b.maxDecompressionRatio = atLeast(1, ratio, "maxDecompressionRatio");
        return new ReadSpec(b);
    }

    /** See {@link #maxDecompressionRatio(long)}. */
    public long maxDecompressionRatio() {
        return maxDecompressionRatio;
    }

    /** How much memory in bytes a compressed frame may ask for as its window. */
    public ReadSpec maxWindowBytes(long bytes) {
        Builder b = new Builder(this);
        b.maxWindowBytes = atLeast(1024, bytes, "maxWindowBytes");
        return new ReadSpec(b);
    }

    /** See {@link #maxWindowBytes(long)}. */
    public long maxWindowBytes() {
        return maxWindowBytes;
    }

    /** Completes after so many records, and stops reading. */
    public ReadSpec limit(long records) {
        Builder b = new Builder(this);
        b.limit = atLeast(0, records, "limit");
        return new ReadSpec(b);
    }

    /** See {@link #limit(long)}; {@link Long#MAX_VALUE} where there is none. */
    public long limit() {
        return limit;
    }

    /** What becomes of refused records; {@link ErrorPolicy#fail()} by default. */
    public ReadSpec onError(ErrorPolicy policy) {
        Builder b = new Builder(this);
        b.onError = Objects.requireNonNull(policy, "policy");
        return new ReadSpec(b);
    }

    /** See {@link #onError(ErrorPolicy)}. */
    public ErrorPolicy onError() {
        return onError;
    }

    /** Begins at a checkpoint and reads exactly the rest of the data set that it pinned. */
    public ReadSpec from(Checkpoint from) {
        Builder b = new Builder(this);
        b.checkpoint = Objects.requireNonNull(from, "from");
        b.position = from.position();
        return new ReadSpec(b);
    }

    /** Begins at a position in the data set as it is now, whatever has changed since. */
    public ReadSpec from(Position from) {
        Builder b = new Builder(this);
        b.checkpoint = null;
        b.position = Objects.requireNonNull(from, "from");
        return new ReadSpec(b);
    }

    /** The position to begin at, or null for the start. */
    public @Nullable Position position() {
        return position;
    }

    /** The checkpoint to begin at, or null. */
    public @Nullable Checkpoint checkpoint() {
        return checkpoint;
    }

    /** The compression of all shards, whatever their names say. */
    public ReadSpec compression(Compression all) {
        Builder b = new Builder(this);
        b.compression = Objects.requireNonNull(all, "all");
        return new ReadSpec(b);
    }

    /** The compression of all shards, or null to go by their names. */
    public @Nullable Compression compression() {
        return compression;
    }

    /** Who hears of progress, refused records and reports. Replaces a listener set before. */
    public ReadSpec listener(DatasetListener hears) {
        Builder b = new Builder(this);
        b.listener = Objects.requireNonNull(hears, "hears");
        return new ReadSpec(b);
    }

    /** See {@link #listener(DatasetListener)}. */
    public @Nullable DatasetListener listener() {
        return listener;
    }

    /**
     * Where blocking reads, decompression and decoding run, and from where values are emitted: {@link Schedulers#boundedElastic()} by
     * default. It is not disposed of. Its threads must be allowed to block.
     */
    public ReadSpec scheduler(Scheduler blocking) {
        Builder b = new Builder(this);
        b.scheduler = Objects.requireNonNull(blocking, "blocking");
        return new ReadSpec(b);
    }

    /** See {@link #scheduler(Scheduler)}. */
    public Scheduler scheduler() {
        return scheduler == null ? Schedulers.boundedElastic() : scheduler;
    }

    /** The bounds that formats work under. */
    public ReadLimits limits() {
        return new ReadLimits(blockBytes, maxRecordBytes, maxNesting);
    }

    /** The bounds that decompression works under. */
    public DecompressionLimits decompressionLimits() {
        return new DecompressionLimits(maxDecompressedBytes, maxDecompressionRatio, maxWindowBytes);
    }

    private static int atLeast(int min, int value, String name) {
        return (int) atLeast(min, (long) value, name);
    }

    private static long atLeast(long min, long value, String name) {
        if (value < min) {
            throw new IllegalArgumentException(name + " must be at least " + min + ": " + value);
        }
        return value;
    }

    private static final class Builder {
        int parallelism = DEFAULT_PARALLELISM;
        long prefetchBytes = UNSET;
        int blockBytes = DEFAULT_BLOCK_BYTES;
        int maxRecordBytes = DEFAULT_MAX_RECORD_BYTES;
        int maxNesting = DEFAULT_MAX_NESTING;
        long maxDecompressedBytes = DEFAULT_MAX_DECOMPRESSED_BYTES;
        long maxDecompressionRatio = DEFAULT_MAX_DECOMPRESSION_RATIO;
        long maxWindowBytes = DEFAULT_MAX_WINDOW_BYTES;
        long limit = Long.MAX_VALUE;
        ErrorPolicy onError = ErrorPolicy.fail();

        @Nullable
        Checkpoint checkpoint;

        @Nullable
        Position position;

        @Nullable
        Compression compression;

        @Nullable
        DatasetListener listener;

        @Nullable
        Scheduler scheduler;

        Builder() {}

        Builder(ReadSpec s) {
            parallelism = s.parallelism;
            prefetchBytes = s.prefetchBytes;
            blockBytes = s.blockBytes;
            maxRecordBytes = s.maxRecordBytes;
            maxNesting = s.maxNesting;
            maxDecompressedBytes = s.maxDecompressedBytes;
            maxDecompressionRatio = s.maxDecompressionRatio;
            maxWindowBytes = s.maxWindowBytes;
            limit = s.limit;
            onError = s.onError;
            checkpoint = s.checkpoint;
            position = s.position;
            compression = s.compression;
            listener = s.listener;
            scheduler = s.scheduler;
        }
    }
}
