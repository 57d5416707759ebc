package io.sluice.arrow;

import io.sluice.Dataset;
import io.sluice.ReadSpec;
import io.sluice.arrow.internal.avro.AvroBatches;
import io.sluice.avro.AvroSpec;
import io.sluice.format.Format;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.function.Function;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.types.pojo.Schema;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

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

    // ---- ownership --------------------------------------------------------------------------------------------------

    /**
     * What a function makes of each batch, one batch after the other, each closed for you: when what was made of it completes or
     * fails, and on cancel. Whatever operators follow, no batch is lost, as none leaves the scope.
     *
     * <pre>{@code
     * Flux<Long> sums = Arrow.using(dataset.read(), batch -> Mono.just(sum(batch.root())));
     * }</pre>
     *
     * <p>Batches are requested one at a time, so reading runs ahead only as far as its own prefetch goes. The function runs on the
     * thread that emits the batch. On cancel a batch is closed as soon as no call of the function, or into what it made, is
     * under way; work that it has handed to another thread has to end by its own cancel. Values that refer to the batch's memory
     * must not leave the scope. Errors of {@code batches} come after the values of all batches before.
     *
     * @param batches a read as it is; operators between it and this one would hold batches of which nobody takes care
     */
    public static <R> Flux<R> using(
            Publisher<RecordBatch> batches, Function<? super RecordBatch, ? extends Publisher<? extends R>> use) {
        return new ScopedFlux<>(Objects.requireNonNull(batches, "batches"), Objects.requireNonNull(use, "use"));
    }

    // ---- schemas ----------------------------------------------------------------------------------------------------

    /**
     * The schema that reading the data set begins with: the given or inferred one of JSONL, the one that files of other formats bring;
     * added columns are not in it. Reads the sample, or the first batch, and no more. Empty for files of other formats without a row.
     */
    public static Mono<Schema> schema(Dataset<RecordBatch> dataset) {
        if (dataset.format() instanceof JsonlArrowFormat jsonl) {
            return dataset.as(jsonl.schemaOfSample()).read().next();
        }
        return FirstBatch.of(dataset, ReadSpec.create(), 1, RecordBatch::schema);
    }

    /**
     * As {@link #schema(Dataset)}, but inferred from all records, in parallel as {@code spec} says. Columns come in the order in which
     * they first appear, so the result is the same whatever the parallelism. Refused records are left to the error policy.
     *
     * @throws IllegalArgumentException for a spec with a limit: {@link ArrowSpec#sampleRecords} says how long a sample is
     */
    public static Mono<Schema> schema(Dataset<RecordBatch> dataset, ReadSpec spec) {
        if (spec.limit() != Long.MAX_VALUE) {
            throw new IllegalArgumentException("a schema of all records has no limit; see ArrowSpec.sampleRecords");
        }
        if (dataset.format() instanceof JsonlArrowFormat jsonl && jsonl.infers()) {
            return dataset.as(jsonl.schemaOfAll()).read(spec).singleOrEmpty();
        }
        return schema(dataset);
    }

    /**
     * About how many bytes of its allocator a full batch of the data set takes: by how much to limit the allocator, or {@link
     * ArrowSpec#batchRows} and {@link ArrowSpec#batchBytes}. JSONL and Avro: what the first rows (4,096 at most) take, carried on to as
     * many as a batch will have, with what the allocator adds by rounding. Other formats: what the first batch takes.
     *
     * <p>Of Avro that is the header and mostly one block, of JSONL the sample and mostly one block. Rows that grow longer later on make batches
     * that are larger than this, but never by more than {@code batchBytes}, what the allocator adds, and one row. Besides the batch that is being
     * assembled, there are as many as the subscriber has not closed.
     *
     * <p>Empty for data sets without a row. Errors as when they are read.
     */
    public static Mono<Long> estimateBatchBytes(Dataset<RecordBatch> dataset) {
        return BatchEstimate.of(Objects.requireNonNull(dataset, "dataset"));
    }

    // ---- Arrow IPC --------------------------------------------------------------------------------------------------

    /** {@link #ipcFile(BufferAllocator, IpcSpec)} with all defaults. */
    public static Format<RecordBatch> ipcFile(BufferAllocator allocator) {
        return ipcFile(allocator, IpcSpec.create());
    }

    /**
     * Arrow IPC files ({@code .arrow}, also known as Feather version 2). Reads streams as well: which of them a file is, its first
     * bytes say.
     *
     * <p><b>Reading</b> gives one batch for each that was written, over all shards, all of one schema; batches without rows are left
     * out. Files are read from front to back, so that they come from anywhere that has no random access, and dictionaries must come
     * before the batches that use them (polars writes them behind, into files; not into streams). What a message claims is checked against what it
     * holds before Arrow's vectors are made; a damaged batch is a {@link io.sluice.RecordException} under the error policy, which loses that
     * batch, and a file that lacks its footer is one at its end. Ownership as in {@link #jsonl(BufferAllocator, ArrowSpec)}.
     *
     * <p><b>Writing</b> takes the schema from a shard's first batch and refuses batches with another. The writer closes every
     * batch it was given, and requests two at a time, at most. Dictionaries are written when they change, as deltas; files can't
     * hold a dictionary that takes the place of another, streams can.
     *
     * @param allocator where batches live; never closed here
     */
    public static Format<RecordBatch> ipcFile(BufferAllocator allocator, IpcSpec spec) {
        return ipc(true, allocator, spec);
    }

    /** {@link #ipcStream(BufferAllocator, IpcSpec)} with all defaults. */
    public static Format<RecordBatch> ipcStream(BufferAllocator allocator) {
        return ipcStream(allocator, IpcSpec.create());
    }

    /** As {@link #ipcFile(BufferAllocator, IpcSpec)}, but writes streams ({@code .arrows}). */
    public static Format<RecordBatch> ipcStream(BufferAllocator allocator, IpcSpec spec) {
        return ipc(false, allocator, spec);
    }

    private static Format<RecordBatch> ipc(boolean isFile, BufferAllocator allocator, IpcSpec spec) {
        Objects.requireNonNull(allocator, "allocator");
        return new IpcFormat(isFile, allocator, Objects.requireNonNull(spec, "spec"));
    }

    /** {@link #ipcBytes(Publisher, IpcSpec)} with all defaults. */
    public static Flux<ByteBuffer> ipcBytes(Publisher<RecordBatch> batches) {
        return ipcBytes(batches, IpcSpec.create());
    }

    /**
     * Batches as the bytes of an Arrow IPC stream, such as the body of an HTTP response ({@code
     * application/vnd.apache.arrow.stream}).
     *
     * <p>Cold. Each batch is encoded on the thread that emits it, and closed there; the next one is requested when its bytes have been
     * taken. The buffers, of 256 KiB at most, are the receiver's to keep. Cancel reaches the batches' publisher at once.
     * Errors: those of the publisher, and {@link io.sluice.RecordException} for a batch that can't be written.
     */
    public static Flux<ByteBuffer> ipcBytes(Publisher<RecordBatch> batches, IpcSpec spec) {
        return new IpcBytes(Objects.requireNonNull(batches, "batches"), false, Objects.requireNonNull(spec, "spec"));
    }

    /** {@link #ipcBatches(Publisher, BufferAllocator, IpcSpec)} with all defaults. */
    public static Flux<RecordBatch> ipcBatches(Publisher<ByteBuffer> bytes, BufferAllocator allocator) {
        return ipcBatches(bytes, allocator, IpcSpec.create());
    }

    /**
     * The batches in the bytes of an Arrow IPC stream or file, such as the body of an HTTP request, however they are cut.
     *
     * <p>As cold as {@code bytes} is, of which at most {@link ReadSpec#DEFAULT_PREFETCH_BYTES} are requested ahead. The buffers are read
     * and not kept. Scheduler, ownership and errors as when a file is read, see {@link #ipcFile(BufferAllocator, IpcSpec)}.
     */
    public static Flux<RecordBatch> ipcBatches(Publisher<ByteBuffer> bytes, BufferAllocator allocator, IpcSpec spec) {
        Objects.requireNonNull(bytes, "bytes");
        return Dataset.at(new BodyStore(bytes), BodyStore.KEY, ipcStream(allocator, spec))
                .read();
    }
}
