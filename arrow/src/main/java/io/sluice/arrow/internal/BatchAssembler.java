package io.sluice.arrow.internal;

import io.sluice.SluiceException;
import io.sluice.codec.BlockEmitter;
import io.sluice.codec.BlockOrigin;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.OutOfMemoryException;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/**
 * Assembles the workers' chunks into batches of exactly {@code batchRows} rows, over block and shard borders, the last one
 * fewer; a batch ends early where its next row would take it over {@code batchBytes} (a row larger than that has a batch of
 * its own). Runs on the emitting thread, the only one that touches the allocator.
 *
 * <p>What was allocated and not handed out is given back by {@link #close}.
 *
 * @param <T> what a batch is made into
 */
public final class BatchAssembler<T> implements BlockEmitter<ColumnChunk, T> {

    /** The most bytes a batch may be asked to hold: beyond this, 32-bit offsets could overflow. */
    public static final long MAX_BATCH_BYTES = 1L << 30;

    /** Makes the value that is emitted; from here on it owns the root and the dictionaries. */
    @FunctionalInterface
    public interface Factory<T> {
        /** Wraps a finished batch. */
        T create(VectorSchemaRoot root, List<Dictionary> dictionaries);
    }

    /**
     * Where batches end, and which columns are added.
     *
     * @param batchRows rows of a batch
     * @param batchBytes bytes of a batch, buffers of values and offsets counted
     * @param pathColumn name of a column that holds the shard's key, or null for none
     * @param rowIndexColumn name of a 64-bit column that counts the stream's records from {@code firstRowIndex}, those that
     *     a filter left out included; or null for none
     */
    public record Options(
            int batchRows,
            long batchBytes,
            @Nullable String pathColumn,
            @Nullable String rowIndexColumn,
            long firstRowIndex) {

        public Options {
            if (batchRows < 1) {
                throw new IllegalArgumentException("batchRows must be positive: " + batchRows);
            }
            if (batchBytes < 1 || batchBytes > MAX_BATCH_BYTES) {
                throw new IllegalArgumentException(
                        "batchBytes must be between 1 and " + MAX_BATCH_BYTES + ": " + batchBytes);
            }
        }

        /** The schema of the batches: the columns that are read, and then the added ones. */
        public Schema schema(Schema columns) {
            List<Field> fields = new ArrayList<>();
            for (ColumnPlan plan : ColumnPlan.of(columns.getFields())) {
                fields.add(plan.field);
            }
            if (pathColumn != null) {
                fields.add(new Field(pathColumn, FieldType.notNullable(new ArrowType.Utf8()), List.of()));
            }
            if (rowIndexColumn != null) {
                fields.add(new Field(rowIndexColumn, FieldType.notNullable(new ArrowType.Int(64, true)), List.of()));
            }
            if (fields.stream().map(Field::getName).distinct().count() < fields.size()) {
                throw new IllegalArgumentException("two columns have the same name: "
                        + fields.stream().map(Field::getName).toList() + "; rename the path or row index column");
            }
            return new Schema(fields, columns.getCustomMetadata());
        }
    }

    private final Schema schema;
    private final Options options;
    private final BufferAllocator allocator;
    private final Factory<T> factory;
    private final BatchProgress progress = new BatchProgress();
    private final BatchColumn[] columns;
    private final List<BatchDictionary> dictionaries = new ArrayList<>();
    private final @Nullable Column paths;
    private final @Nullable Column indexes;
    private final @Nullable BatchColumn pathColumn;
    private final @Nullable BatchColumn indexColumn;

    private @Nullable ColumnChunk chunk;
    private byte[] path = {};
    private String pathKey = "";
    private long addedRowBytes;
    private int row;
    private int lastRow;
    private long measured;
    private int measuredFrom = -1;
    private int measuredTo;
    private int record;
    private int lastRecord;
    private long rowIndex;
    private int batchRows;
    private long batchBytes;
    private int batchRecords;
    private int polledRecords;
    private boolean ended;
    private boolean closed;

    /**
     * @param columns the schema of the chunks
     * @param allocator where batches live; not closed here
     */
    public BatchAssembler(Schema columns, Options options, BufferAllocator allocator, Factory<T> factory) {
        this.schema = options.schema(columns);
        this.options = options;
        this.allocator = allocator;
        this.factory = factory;
        this.rowIndex = options.firstRowIndex();
        byte[] scratch = BatchColumn.scratch();
        List<ColumnPlan> plans = ColumnPlan.of(schema.getFields());
        int given = columns.getFields().size();
        this.columns = plans.subList(0, given).stream()
                .map(plan -> new BatchColumn(plan, allocator, progress, scratch))
                .toArray(BatchColumn[]::new);
        for (BatchColumn column : this.columns) {
            column.dictionaries(dictionaries);
        }
        int next = given;
        if (options.pathColumn() != null) {
            ColumnPlan plan = plans.get(next++);
            paths = new Column(plan);
            pathColumn = new BatchColumn(plan, allocator, progress, scratch);
        } else {
            paths = null;
            pathColumn = null;
        }
        if (options.rowIndexColumn() != null) {
            ColumnPlan plan = plans.get(next);
            indexes = new Column(plan);
            indexColumn = new BatchColumn(plan, allocator, progress, scratch);
        } else {
            indexes = null;
            indexColumn = null;
        }
    }

    /** The schema of the batches. */
    public Schema schema() {
        return schema;
    }

    /** The row index of the next record. */
    public long nextRowIndex() {
        return rowIndex + (chunk == null ? 0 : lastRecord - record);
    }

    /** Sets the row index of the next record. */
    public void countFrom(long index) {
        rowIndex = index;
    }

    @Override
    public boolean holdsBack() {
        return true;
    }

    @Override
    public void accept(BlockOrigin origin, ColumnChunk values, int from, int to) {
        absorb();
        int[] ordinals = values.ordinals;
        chunk = values;
        measuredFrom = -1;
        record = from;
        lastRecord = to;
        row = ordinals == null ? from : lowerBound(ordinals, values.rows, from);
        lastRow = ordinals == null ? to : lowerBound(ordinals, values.rows, to);
        if (paths != null && !origin.key().equals(pathKey)) {
            pathKey = origin.key();
            path = pathKey.getBytes(StandardCharsets.UTF_8);
        }
        addedRowBytes = (paths == null ? 0 : path.length + 4L) + (indexes == null ? 0 : Long.BYTES);
        for (BatchDictionary dictionary : dictionaries) {
            dictionary.newChunk();
        }
        if (!hasNext()) {
            absorb(); // now, while the chunk is in the cache
        }
    }

    private static int lowerBound(int[] ordinals, int rows, int record) {
        int at = Arrays.binarySearch(ordinals, 0, rows, record);
        return at < 0 ? -at - 1 : at;
    }

    @Override
    public @Nullable T poll() {
        try {
            ColumnChunk from = chunk;
            while (from != null && row < lastRow) {
                int count = Math.min(lastRow - row, options.batchRows() - batchRows);
                int fitting = fitting(from, count);
                append(from, row + fitting);
                if (fitting < count || batchRows == options.batchRows()) {
                    return flush();
                }
            }
            release();
            return ended && batchRows > 0 ? flush() : null;
        } catch (OutOfMemoryException e) {
            throw outOfMemory(allocator, e);
        }
    }

    /** What to tell somebody whose allocator is full. */
    public static SluiceException outOfMemory(BufferAllocator allocator, OutOfMemoryException e) {
        return new SluiceException(
                null,
                -1,
                -1,
                "the Arrow allocator '" + allocator.getName() + "' (limit " + allocator.getLimit() + " bytes, "
                        + allocator.getAllocatedMemory()
                        + " in use) can't hold another batch: raise its limit, close"
                        + " batches earlier, or lower batchRows or batchBytes",
                e);
    }

    /** Whoever asked {@code hasNext} and got no may accept more without polling first. */
    private void absorb() {
        if (chunk != null && poll() != null) {
            throw new IllegalStateException("accept before poll returned null");
        }
    }

    private void release() {
        ColumnChunk from = chunk;
        if (from != null) {
            consume(lastRecord);
            chunk = null;
            if (lastRecord == from.records()) {
                from.release();
            }
        }
    }

    private boolean fits(ColumnChunk from, int count) {
        return batchBytes + bytes(from, row + count) <= options.batchBytes();
    }

    /** Bytes of the rows from {@link #row} to {@code to}; asked three times over for most runs, and not cheap for wide schemas. */
    private long bytes(ColumnChunk from, int to) {
        if (measuredFrom != row || measuredTo != to) {
            measured = from.bytes(row, to) + (to - row) * addedRowBytes;
            measuredFrom = row;
            measuredTo = to;
        }
        return measured;
    }

    /** How many of the next {@code count} rows the batch has room for; at least one in an empty batch. */
    private int fitting(ColumnChunk from, int count) {
        if (fits(from, count)) {
            return count;
        }
        int low = batchRows == 0 ? 1 : 0;
        int high = Math.max(low, count - 1);
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (fits(from, middle)) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    @Override
    public boolean hasNext() {
        ColumnChunk from = chunk;
        int waiting = from == null ? 0 : lastRow - row;
        if (ended && batchRows + waiting > 0 || waiting >= options.batchRows() - batchRows) {
            return true;
        }
        return from != null && batchRows + waiting > 1 && waiting > 0 && !fits(from, waiting);
    }

    private void append(ColumnChunk from, int to) {
        if (to == row) {
            return;
        }
        batchBytes += bytes(from, to);
        progress.set(batchRows + to - row, options.batchRows(), batchBytes, options.batchBytes());
        for (int i = 0; i < columns.length; i++) {
            columns[i].append(from.columns[i], row, to);
        }
        int count = to - row;
        if (paths != null && pathColumn != null) {
            paths.reset();
            for (int i = 0; i < count; i++) {
                paths.appendBytes(path, 0, path.length);
            }
            pathColumn.append(paths, 0, count);
        }
        if (indexes != null && indexColumn != null) {
            indexes.reset();
            for (int i = row; i < to; i++) {
                indexes.appendLong(rowIndex + ordinal(from, i) - record);
            }
            indexColumn.append(indexes, 0, count);
        }
        batchRows += count;
        row = to;
        consume(ordinal(from, to - 1) + 1);
    }

    private static int ordinal(ColumnChunk from, int row) {
        int[] ordinals = from.ordinals;
        return ordinals == null ? row : ordinals[row];
    }

    /** Records up to {@code next} are in the batch, or were left out before one that is. */
    private void consume(int next) {
        int more = next - record;
        batchRecords += more;
        rowIndex += more;
        record = next;
    }

    private T flush() {
        VectorSchemaRoot root = VectorSchemaRoot.create(schema, allocator);
        List<Dictionary> made = new ArrayList<>(dictionaries.size());
        try (SharedZeros zeros = new SharedZeros(allocator)) {
            List<FieldVector> vectors = root.getFieldVectors();
            int at = 0;
            for (BatchColumn column : columns) {
                column.moveTo(vectors.get(at++), zeros);
            }
            if (pathColumn != null) {
                pathColumn.moveTo(vectors.get(at++), zeros);
            }
            if (indexColumn != null) {
                indexColumn.moveTo(vectors.get(at), zeros);
            }
            for (BatchDictionary dictionary : dictionaries) {
                made.add(dictionary.toDictionary(allocator));
            }
            root.setRowCount(batchRows);
        } catch (RuntimeException e) {
            root.close();
            made.forEach(dictionary -> dictionary.getVector().close());
            throw e;
        }
        polledRecords = batchRecords;
        batchRecords = 0;
        batchRows = 0;
        batchBytes = 0;
        return factory.create(root, made);
    }

    @Override
    public int polledRecords() {
        return polledRecords;
    }

    @Override
    public void end() {
        ended = true;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            chunk = null;
            for (BatchColumn column : columns) {
                column.close();
            }
            if (pathColumn != null) {
                pathColumn.close();
            }
            if (indexColumn != null) {
                indexColumn.close();
            }
        }
    }
}
