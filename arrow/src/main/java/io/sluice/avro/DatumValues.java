package io.sluice.avro;

import io.sluice.RecordException.Kind;
import io.sluice.avro.internal.BadRecord;
import io.sluice.avro.internal.DatumEncoder;
import io.sluice.codec.Output;
import java.io.IOException;
import java.util.function.Function;
import org.apache.avro.Schema;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.DatumWriter;
import org.jspecify.annotations.Nullable;

/** Records written by Avro's own {@link DatumWriter}. Single-threaded. */
final class DatumValues<T extends IndexedRecord> implements ContainerEncoder.Values<T> {

    private final Function<Schema, DatumWriter<T>> writers;
    private @Nullable Schema schema;
    private @Nullable DatumWriter<T> writer;
    private @Nullable Schema accepted;

    /**
     * @param schema what to write with; null for the first record's own
     * @param writers makes the writer for a schema
     */
    DatumValues(@Nullable Schema schema, Function<Schema, DatumWriter<T>> writers) {
        this.schema = schema;
        this.writers = writers;
    }

    @Override
    public Schema schema(T first) {
        Schema known = schema;
        if (known == null) {
            schema = known = first.getSchema();
        }
        return known;
    }

    @Override
    public void write(T value, Output out) {
        Schema with = schema(value);
        // the writer goes by position, so a record of another schema would be written as something else
        Schema own = value.getSchema();
        if (own != with && own != accepted) {
            if (!own.equals(with)) {
                throw BadRecord.refused(
                        Kind.UNMAPPABLE,
                        "the record's schema is not the file's: it has " + own.getFullName() + ", the file "
                                + with.getFullName(),
                        null);
            }
            accepted = own;
        }
        DatumWriter<T> to = writer;
        if (to == null) {
            writer = to = writers.apply(with);
        }
        try {
            to.write(value, new DatumEncoder(out));
        } catch (IOException e) {
            throw BadRecord.refused(Kind.UNMAPPABLE, "Avro refuses the record: " + e, e);
        }
    }
}
