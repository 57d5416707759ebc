package io.sluice.avro.internal;

import io.sluice.RecordException.Kind;
import java.io.IOException;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DatumReader;
import org.apache.avro.io.DecoderFactory;
import org.jspecify.annotations.Nullable;

/**
 * Records made by Avro's own {@link DatumReader}. Each is walked through first, so that a claimed length is believed only
 * where its bytes are there, and so that a record that Avro refuses costs only itself. Single-threaded.
 */
public final class DatumReaders implements ValueReader {

    private final DatumReader<?> datums;
    private final Shape shape;
    private @Nullable BinaryDecoder decoder;

    /** @param datums set up for the file's schema */
    public DatumReaders(DatumReader<?> datums, Shape shape) {
        this.datums = datums;
        this.shape = shape;
    }

    @Override
    public @Nullable Object read(BinaryInput in) {
        int start = in.pos;
        shape.checkText(in);
        try {
            decoder = DecoderFactory.get().binaryDecoder(in.bytes, start, in.pos - start, decoder);
            return datums.read(null, decoder);
        } catch (IOException | AvroRuntimeException | ClassCastException | IndexOutOfBoundsException e) {
            throw BadRecord.refused(Kind.UNMAPPABLE, "Avro refuses the record: " + e, e);
        }
    }
}
