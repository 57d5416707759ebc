package io.sluice.arrow;

import io.sluice.arrow.internal.avro.BatchAccess;
import java.util.List;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryProvider;

/** Opens record batches to the Avro format. */
enum AvroBatchAccess implements BatchAccess<RecordBatch> {
    INSTANCE;

    @Override
    public RecordBatch create(VectorSchemaRoot root, List<Dictionary> dictionaries) {
        return RecordBatch.of(root, dictionaries);
    }

    @Override
    public VectorSchemaRoot root(RecordBatch batch) {
        return batch.root();
    }

    @Override
    public DictionaryProvider dictionaries(RecordBatch batch) {
        return batch.dictionaries();
    }

    @Override
    public void release(RecordBatch batch) {
        batch.close();
    }
}
