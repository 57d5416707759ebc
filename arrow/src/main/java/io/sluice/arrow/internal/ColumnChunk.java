package io.sluice.arrow.internal;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One block's rows as heap columns: what travels from a worker to the emitting thread. A worker takes an empty one from a
 * {@link ChunkPool}, appends rows, {@linkplain #finish finishes} it and lets go of it; {@link BatchAssembler} gives it back.
 */
public final class ColumnChunk {

    /** The columns, in the schema's order. */
    public final Column[] columns;
    /** Rows that are complete in every column. */
    public int rows;
    /**
     * Where a row filter left records out: for each row the record's index among the block's records; null where every
     * record is a row.
     */
    public int @Nullable [] ordinals;

    private final ChunkPool pool;
    private int records;

    ColumnChunk(List<ColumnPlan> plans, ChunkPool pool) {
        this.columns = plans.stream().map(Column::new).toArray(Column[]::new);
        this.pool = pool;
    }

    /** A row is complete: columns that got no value in it are padded later. */
    public void endRow() {
        rows++;
    }

    /** Takes back everything behind the last complete row, in all columns: a record that was refused leaves no trace. */
    public void rollback() {
        for (Column column : columns) {
            column.truncate(rows);
        }
    }

    /**
     * Pads all columns to the same length.
     *
     * @param records records of the block that were decoded, those that a filter left out included
     */
    public ColumnChunk finish(int records) {
        for (Column column : columns) {
            column.finish(rows);
        }
        this.records = records;
        return this;
    }

    /** Records decoded, those that a filter left out included. */
    public int records() {
        return records;
    }

    /** Bytes that rows {@code [from, to)} take. */
    long bytes(int from, int to) {
        long bytes = 0;
        for (Column column : columns) {
            bytes += column.bytes(from, to);
        }
        return bytes;
    }

    /** Empties it and gives it back. Nobody may use it any more. */
    void release() {
        pool.put(this);
    }

    void reset() {
        for (Column column : columns) {
            column.reset();
        }
        rows = 0;
        records = 0;
        ordinals = null;
    }
}
