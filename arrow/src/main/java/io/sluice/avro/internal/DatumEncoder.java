package io.sluice.avro.internal;

import io.sluice.RecordException.Kind;
import io.sluice.codec.Output;
import java.nio.ByteBuffer;
import org.apache.avro.io.Encoder;
import org.apache.avro.util.Utf8;

/**
 * Where Avro's own datum writers write to. Unlike Avro's encoders it replaces nothing and cuts nothing: text that has no UTF-8
 * and fixed values of another size are refused.
 */
public final class DatumEncoder extends Encoder {

    private final Output out;

    /** @param out what is appended to */
    public DatumEncoder(Output out) {
        this.out = out;
    }

    @Override
    public void writeNull() {}

    @Override
    public void writeBoolean(boolean value) {
        out.write(value ? 1 : 0);
    }

    @Override
    public void writeInt(int value) {
        BinaryOutput.writeLong(value, out);
    }

    @Override
    public void writeLong(long value) {
        BinaryOutput.writeLong(value, out);
    }

    @Override
    public void writeFloat(float value) {
        BinaryOutput.writeFloat(value, out);
    }

    @Override
    public void writeDouble(double value) {
        BinaryOutput.writeDouble(value, out);
    }

    @Override
    public void writeString(Utf8 text) {
        int length = text.getByteLength();
        byte[] bytes = text.getBytes();
        if (!Utf8Check.isValid(bytes, 0, length)) {
            throw BadRecord.refused(Kind.INVALID_UNICODE, "a string is not UTF-8", null);
        }
        BinaryOutput.writeLong(length, out);
        out.write(bytes, 0, length);
    }

    @Override
    public void writeString(String text) {
        BinaryOutput.writeString(text, out);
    }

    @Override
    public void writeString(CharSequence text) {
        if (text instanceof Utf8 utf8) {
            writeString(utf8);
        } else {
            BinaryOutput.writeString(text, out);
        }
    }

    @Override
    public void writeBytes(ByteBuffer bytes) {
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        BinaryOutput.writeBytes(copy, out);
    }

    @Override
    public void writeBytes(byte[] bytes, int start, int length) {
        BinaryOutput.writeLong(length, out);
        out.write(bytes, start, length);
    }

    @Override
    public void writeFixed(byte[] bytes, int start, int length) {
        if (bytes.length - start != length) {
            throw BadRecord.refused(
                    Kind.UNMAPPABLE,
                    "the schema wants a fixed of " + length + " bytes, not " + (bytes.length - start),
                    null);
        }
        out.write(bytes, start, length);
    }

    @Override
    public void writeEnum(int ordinal) {
        BinaryOutput.writeLong(ordinal, out);
    }

    @Override
    public void writeArrayStart() {}

    @Override
    public void setItemCount(long count) {
        if (count > 0) {
            BinaryOutput.writeLong(count, out);
        }
    }

    @Override
    public void startItem() {}

    @Override
    public void writeArrayEnd() {
        out.write(0);
    }

    @Override
    public void writeMapStart() {}

    @Override
    public void writeMapEnd() {
        out.write(0);
    }

    @Override
    public void writeIndex(int branch) {
        BinaryOutput.writeLong(branch, out);
    }

    @Override
    public void flush() {}
}
