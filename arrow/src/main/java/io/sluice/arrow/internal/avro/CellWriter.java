package io.sluice.arrow.internal.avro;

import io.sluice.RecordException.Kind;
import io.sluice.avro.internal.BadRecord;
import io.sluice.codec.Output;
import org.apache.arrow.vector.ValueVector;
import org.apache.arrow.vector.dictionary.DictionaryProvider;

/** Writes the cells of one column, or of a column inside another, as Avro's binary encoding. Bound to one batch after the other. */
abstract class CellWriter {

    /** Takes up a batch's vector of this column. */
    abstract void bind(ValueVector vector, DictionaryProvider dictionaries);

    /** Whether the cell is null. */
    abstract boolean isNull(int row);

    /**
     * Writes a cell that is not null.
     *
     * @throws BadRecord where the value has no place in the Avro type
     */
    abstract void write(int row, Output out);

    static BadRecord refused(String why) {
        return BadRecord.refused(Kind.UNMAPPABLE, why, null);
    }
}
