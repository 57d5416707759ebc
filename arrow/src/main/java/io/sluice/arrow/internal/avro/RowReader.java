package io.sluice.arrow.internal.avro;

import io.sluice.arrow.internal.Column;

/** A program as code of its own. Its subclasses are made by {@link RowReaders}. Stateless, so shared by all workers. */
abstract class RowReader {

    /** As {@link Machine#run}; {@code buf} is the machine's, {@code columns} the program's. */
    abstract int read(Machine machine, byte[] buf, Column[] columns, Program program, int row, int pos);
}
