package io.sluice.arrow;

import io.sluice.arrow.internal.avro.AvroBatches;
import io.sluice.avro.AvroSpec;
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
     * @param limitBytes how much may be in use at a time, what is kept included
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

    /** {@link #avro(BufferAllocator, AvroSpec, ArrowSpec)} with all defaults. */
    public static Format<RecordBatch> avro(BufferAllocator allocator) {
        return avro(allocator, AvroSpec.create(), ArrowSpec.create());
    }

    /**
     * Avro container files as batches, decoded straight into columns. One schema for the whole stream: the {@linkplain AvroSpec#schema given} one, or
     * the first file's, which the others must equal (or be resolved to, by {@link AvroSpec#fileSchemas}).
     *
     * <p>Records are structs; a union of null and one type is nullable, of others a dense union; enums are strings; maps are maps; logical
     * types are Arrow's (decimals up to 76 digits, timestamps in UTC or local, durations as month-day-nano intervals); a type
     * inside itself is JSON text. Files of anything but records have the one column {@code value}. A value that its logical type
     * does not allow refuses the whole record.
     *
     * <p>Batches are written as the records of an Avro type like their own, or as those of the {@linkplain AvroSpec#schema given}
     * schema; every type of Arrow's has an Avro one, see the documentation of Avro files. A batch that is written belongs to the writer, which closes it; a
     * row that can't be written refuses its whole batch. A shard holds whole batches.
     *
     * <p>Of {@code columns}, what concerns batches counts: columns to read, filter, rows and bytes of a batch, path and row index
     * columns. Ownership as in {@link #jsonl(BufferAllocator, ArrowSpec)}.
     *
     * @param allocator where batches live; never closed here
     * @throws IllegalArgumentException for an Arrow schema or dictionaries in {@code columns}, which are not for Avro
     */
    public static Format<RecordBatch> avro(BufferAllocator allocator, AvroSpec files, ArrowSpec columns) {
        Objects.requireNonNull(allocator, "allocator");
        if (columns.schema() != null || !columns.dictionaries().isEmpty()) {
            throw new IllegalArgumentException(
                    "Avro files bring their schema: give another by AvroSpec.schema; dictionaries are not made of them");
        }
        AvroSpec selected = columns.columns().isEmpty() ? files : files.fields(columns.columns());
        RowFilter filter = columns.filter();
        return new AvroBatches<>(
                selected,
                columns.batches(),
                filter == null ? null : new FilterCondition(filter, columns.timestampPatterns()),
                allocator,
                AvroBatchAccess.INSTANCE);
    }
}
