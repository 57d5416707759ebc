package io.sluice.arrow.internal.avro;

import io.sluice.arrow.internal.Column;

/** What one instruction does that is rare, or costly by itself. */
interface SlowRead {

    /**
     * Reads a value at {@code pos} of the machine's bytes into a row of a column.
     *
     * @return the position behind it
     */
    int read(Machine machine, Column column, int row, int pos);
}
