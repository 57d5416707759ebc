package io.sluice.avro.internal;

import io.sluice.RecordException.Kind;
import io.sluice.codec.Output;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.apache.avro.Schema;

/** Values as the bytes that encode them: checked, and not made into anything. Single-threaded. */
public final class RawValues {

    private static final int MAX_NESTING = 1000;

    private RawValues() {}

    /** Copies a value's bytes once they are known to be of the schema. */
    public static ValueReader reader(Schema schema) {
        Shape shape = Shape.of(schema);
        return in -> {
            int from = in.pos;
            shape.checkText(in);
            return ByteBuffer.wrap(Arrays.copyOfRange(in.bytes, from, in.pos));
        };
    }

    /** Appends values once they are known to be of the schema. */
    public static final class Writer {

        private final Shape shape;
        private final BinaryInput in = new BinaryInput(MAX_NESTING);

        public Writer(Schema schema) {
            this.shape = Shape.of(schema);
        }

        /** @throws BadRecord where the bytes are not exactly one value */
        public void write(ByteBuffer value, Output out) {
            int length = value.remaining();
            byte[] array = out.ensure(length);
            int at = out.position();
            value.duplicate().get(array, at, length);
            in.reset(array, at, at + length);
            shape.checkText(in);
            if (in.remaining() > 0) {
                throw BadRecord.refused(
                        Kind.UNMAPPABLE, in.remaining() + " bytes follow the value of the file's schema", null);
            }
            out.position(at + length);
        }
    }
}
