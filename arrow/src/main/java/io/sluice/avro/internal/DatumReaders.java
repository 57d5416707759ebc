package io.sluice.avro.internal;

import io.sluice.RecordException.Kind;
import java.io.EOFException;
import java.io.IOException;
import java.util.Collection;
import java.util.Map;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Resolver.Action;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DatumReader;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.util.Utf8;
import org.jspecify.annotations.Nullable;

/**
 * Records made by Avro's own {@link DatumReader}. Each is walked through first, so that a claimed length is believed only
 * where its bytes are there, and so that a record that Avro refuses costs only itself. Single-threaded.
 */
public final class DatumReaders implements ValueReader {

    private static final int PADDING = 64;
    private static final int MAX_PROMOTED_BYTES = 8;

    private final DatumReader<?> datums;
    private final Shape shape;
    private final boolean looksAtText;
    private @Nullable BinaryDecoder decoder;

    /**
     * @param datums set up for the file's schema
     * @param action how its values become the reader's
     */
    public DatumReaders(DatumReader<?> datums, Action action) {
        this.datums = datums;
        this.shape = Shape.of(action.writer);
        this.looksAtText = Resolution.readsBytesAsText(action);
    }

    @Override
    public @Nullable Object read(BinaryInput in) {
        int start = in.pos;
        shape.checkText(in);
        try {
            Object made = datum(in.bytes, start, in.pos - start);
            if (looksAtText && !isText(made)) {
                throw BadRecord.refused(Kind.INVALID_UNICODE, "bytes that are read as a string are not UTF-8", null);
            }
            return made;
        } catch (IOException
                | AvroRuntimeException
                | ClassCastException
                | IndexOutOfBoundsException
                | ArithmeticException e) {
            throw BadRecord.refused(Kind.UNMAPPABLE, "Avro refuses the record: " + e, e);
        }
    }

    private @Nullable Object datum(byte[] bytes, int from, int length) throws IOException {
        try {
            decoder = DecoderFactory.get().binaryDecoder(bytes, from, length, decoder);
            return datums.read(null, decoder);
        } catch (EOFException e) {
            // it has all its bytes, but Avro wants as many as an array's elements would take in the reader's type
            byte[] padded = new byte[Math.addExact(PADDING, Math.multiplyExact(length, 1 + MAX_PROMOTED_BYTES))];
            System.arraycopy(bytes, from, padded, 0, length);
            decoder = DecoderFactory.get().binaryDecoder(padded, 0, padded.length, decoder);
            return datums.read(null, decoder);
        }
    }

    private static boolean isText(@Nullable Object value) {
        if (value instanceof Utf8 text) {
            return Utf8Check.isValid(text.getBytes(), 0, text.getByteLength());
        } else if (value instanceof IndexedRecord record) {
            int fields = record.getSchema().getFields().size();
            for (int i = 0; i < fields; i++) {
                if (!isText(record.get(i))) {
                    return false;
                }
            }
        } else if (value instanceof Collection<?> list) {
            return list.stream().allMatch(DatumReaders::isText);
        } else if (value instanceof Map<?, ?> map) {
            return map.values().stream().allMatch(DatumReaders::isText);
        }
        return true;
    }
}
