package io.sluice.internal.write;

import io.sluice.WriteSpec;
import io.sluice.codec.Compression;
import io.sluice.codec.Compressions;
import io.sluice.codec.Output;
import io.sluice.storage.ObjectStore;
import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import reactor.core.scheduler.Scheduler;
import reactor.util.context.Context;

/** What the shards of one writer share: buffers, compressors, the account of buffered bytes. Used on the writer's drain only. */
final class WriterResources {

    private static final int FIRST_BUFFER_BYTES = 64 << 10;
    private static final int MIN_FRAME_BYTES = 64 << 10;
    /** So many frames fit into a shard that is limited by its stored bytes, or the limit would be missed by far. */
    private static final int FRAMES_PER_SHARD = 8;

    private static final Output NO_BUFFER = new Output(0);

    private final ObjectStore store;
    private final PutMode mode;
    private final Compression compression;
    private final Scheduler scheduler;
    private final Context context;
    private final Runnable wake;
    private final int maxCompressors;
    private final boolean compresses;
    private final boolean streams;
    private final int pieceBytes;
    private final ArrayDeque<FrameCompressor> idle = new ArrayDeque<>();
    private final ArrayDeque<Output> buffers = new ArrayDeque<>();

    private volatile boolean cancelled;
    private int compressors;
    private long buffered;
    private long ratioFrom;
    private long ratioTo;

    WriterResources(
            ObjectStore store,
            PutMode mode,
            Compression compression,
            WriteSpec spec,
            Scheduler scheduler,
            Context context,
            Runnable wake) {
        this.store = store;
        this.mode = mode;
        this.compression = compression;
        this.scheduler = scheduler;
        this.context = context;
        this.wake = wake;
        this.maxCompressors = spec.compressionParallelism();
        this.compresses = !compression.equals(Compressions.none());
        this.streams = compresses && spec.frameBytes() == WriteSpec.WHOLE_SHARD;
        this.pieceBytes = !compresses || streams ? spec.flushBytes() : frameBytes(spec);
    }

    private static int frameBytes(WriteSpec spec) {
        long limit = spec.rolling().writtenByteLimit() / FRAMES_PER_SHARD;
        return (int) Math.min(spec.frameBytes(), Math.max(MIN_FRAME_BYTES, limit));
    }

    ObjectStore store() {
        return store;
    }

    PutMode mode() {
        return mode;
    }

    Context context() {
        return context;
    }

    void wake() {
        wake.run();
    }

    /** Called on any thread: nothing is to be committed any more. */
    void cancel() {
        cancelled = true;
    }

    boolean isCancelled() {
        return cancelled;
    }

    long nowMillis() {
        return scheduler.now(TimeUnit.MILLISECONDS);
    }

    /** Whether pieces are to be compressed. */
    boolean compresses() {
        return compresses;
    }

    /** Whether a shard's pieces go through one compressor, as a single frame. */
    boolean streams() {
        return streams;
    }

    /** Length at which a piece is complete. */
    int pieceBytes() {
        return pieceBytes;
    }

    // --- buffers

    /** An empty buffer; a small one for the start of a shard, which may stay short. */
    Output buffer(boolean first) {
        Output recycled = buffers.poll();
        if (recycled != null) {
            recycled.position(0);
            return recycled;
        }
        // an eighth more, so that the last record rarely makes it grow
        int full = (int) Math.min(pieceBytes + (pieceBytes >> 3) + 1024L, 1 << 30);
        return new Output(first ? Math.min(full, FIRST_BUFFER_BYTES) : full);
    }

    /** For a shard that takes nothing more. */
    Output noBuffer() {
        return NO_BUFFER;
    }

    void recycle(Output buffer) {
        if (buffer.array().length <= 2L * pieceBytes + FIRST_BUFFER_BYTES && buffers.size() < maxCompressors) {
            buffers.add(buffer);
        }
    }

    /** The bytes of a buffer that is used on: the store may take its time with a copy. */
    ByteBuffer copy(Output buffer) {
        return ByteBuffer.wrap(Arrays.copyOf(buffer.array(), buffer.position()));
    }

    void addBuffered(long bytes) {
        buffered += bytes;
    }

    long buffered() {
        return buffered;
    }

    // --- compression

    void addRatio(long from, long to) {
        ratioFrom += from;
        ratioTo += to;
    }

    /** Stored bytes per uncompressed byte so far; 0 as long as nothing is known. */
    double ratio() {
        return ratioFrom == 0 ? 0 : (double) ratioTo / ratioFrom;
    }

    FrameCompressor newCompressor() {
        return new FrameCompressor(compression);
    }

    /** A compressor of those that may run at a time, null if all are busy. */
    @Nullable
    FrameCompressor idleCompressor() {
        FrameCompressor free = idle.poll();
        if (free == null && compressors < maxCompressors) {
            compressors++;
            return newCompressor();
        }
        return free;
    }

    void free(FrameCompressor compressor) {
        idle.add(compressor);
    }

    void execute(Piece piece) {
        try {
            scheduler.schedule(piece);
        } catch (RejectedExecutionException e) {
            piece.fail(e);
            wake();
        }
    }

    void close() {
        for (FrameCompressor compressor : idle) {
            compressor.close();
        }
        idle.clear();
        buffers.clear();
    }
}
