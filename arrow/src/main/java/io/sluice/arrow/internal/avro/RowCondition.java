package io.sluice.arrow.internal.avro;

import io.sluice.arrow.internal.ColumnChunk;
import io.sluice.arrow.internal.ColumnPlan;
import java.util.List;

/** Which records become rows. Immutable; compiled for each worker. */
public interface RowCondition {

    /** Paths of the columns it looks at. */
    List<String> columns();

    /**
     * The condition on chunks of these columns.
     *
     * @throws IllegalArgumentException where a column can't be compared so
     */
    Test compile(List<ColumnPlan> plans);

    /** A compiled condition. Single-threaded. */
    interface Test {

        /** Whether the record in this row is wanted. */
        boolean test(ColumnChunk chunk, int row);
    }
}
