package io.sluice.arrow;

import io.sluice.RecordException;
import io.sluice.codec.Encoder;
import io.sluice.codec.Output;
import java.util.List;
import org.apache.arrow.vector.FieldVector;

/** The rows of batches as JSON objects, a line each, in the forms that the reader of JSONL takes for their columns' types. */
final class JsonlBatchEncoder implements Encoder<RecordBatch> {

    private final JsonValues values;

    JsonlBatchEncoder(boolean nonFinite) {
        this.values = new JsonValues(nonFinite);
    }

    @Override
    public int encode(RecordBatch value, Output out) {
        List<FieldVector> vectors = value.root().getFieldVectors();
        JsonValues.Column[] columns = new JsonValues.Column[vectors.size()];
        for (int i = 0; i < columns.length; i++) {
            FieldVector vector = vectors.get(i);
            columns[i] = values.column(vector, vector.getName(), value.dictionaries());
        }
        int rows = value.rowCount();
        for (int row = 0; row < rows; row++) {
            try {
                JsonValues.object(columns, row, out);
                out.write('\n');
            } catch (RecordException e) {
                throw new RecordException(e.kind(), null, row + 1L, -1, e.reason(), e.getCause());
            }
        }
        return rows;
    }
}
