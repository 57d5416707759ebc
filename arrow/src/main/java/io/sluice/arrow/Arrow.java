package io.sluice.arrow;

import io.sluice.format.Format;
import java.util.Objects;
import org.apache.arrow.memory.BufferAllocator;

/**
 * Arrow for data sets: formats whose records come as {@link RecordBatch}es.
 *
 * <pre>{@code
 * try (BufferAllocator allocator = Arrow.allocator(1 << 30)) {
 *     Dataset.at(Path.of("events.jsonl.zst"), Arrow.jsonl(allocator))
 *             .read()
 *             .doOnNext(batch -> { try (batch) { use(batch.root()); } })
 *             .blockLast();
 * }
 * }</pre>
 */
public final class Arrow {

    /** What {@link #allocator(long)} keeps for the next batches: two of the default size. */
    private static final long IDLE_BYTES = 2 * ArrowSpec.DEFAULT_BATCH_BYTES;

    private Arrow() {}

    /**
     * An allocator that suits streams of batches: it needs no other artifact and no JVM flag, and keeps up to 64 MiB of what is
     * given back for the next batch, as memory fresh from the operating system costs a fifth of the time that filling it takes. Any
     * other {@link BufferAllocator} will do as well. Close it when all batches are closed.
     *
     * @param limitBytes how much may be in use at a time
     */
    public static BufferAllocator allocator(long limitBytes) {
        return RecyclingAllocator.create(limitBytes, IDLE_BYTES);
    }

    /** {@link #jsonl(BufferAllocator, ArrowSpec)} with all defaults. */
    public static Format<RecordBatch> jsonl(BufferAllocator allocator) {
        return jsonl(allocator, ArrowSpec.create());
    }

    /**
     * JSONL as batches, parsed straight into columns; what is a record and what is refused is the same as for {@link
     * io.sluice.format.Jsonl#maps()}. One schema for the whole stream, given or inferred.
     *
     * <p>Batches are made on the thread that emits, and from there on belong to the subscriber, who closes them. Cancel and errors
     * release what was not handed out. Values that don't fit their column refuse the whole record.
     *
     * @param allocator where batches live; never closed here
     */
    public static Format<RecordBatch> jsonl(BufferAllocator allocator, ArrowSpec spec) {
        Objects.requireNonNull(allocator, "allocator");
        return new JsonlArrowFormat(allocator, Objects.requireNonNull(spec, "spec"));
    }
}
