package io.sluice.avro.internal;

import io.sluice.RecordException.Kind;
import io.sluice.codec.Output;

/** Writes Avro's binary encoding (specification 1.12, "Binary Encoding"). */
public final class BinaryOutput {

    private BinaryOutput() {}

    /** An int or a long. */
    public static void writeLong(long value, Output out) {
        long raw = value << 1 ^ value >> 63;
        byte[] array = out.ensure(10);
        int at = out.position();
        while ((raw & ~0x7FL) != 0) {
            array[at++] = (byte) (raw | 0x80);
            raw >>>= 7;
        }
        array[at++] = (byte) raw;
        out.position(at);
    }

    /** A float. */
    public static void writeFloat(float value, Output out) {
        int bits = Float.floatToRawIntBits(value);
        byte[] array = out.ensure(4);
        int at = out.position();
        for (int i = 0; i < 4; i++) {
            array[at + i] = (byte) (bits >>> 8 * i);
        }
        out.position(at + 4);
    }

    /** A double. */
    public static void writeDouble(double value, Output out) {
        writeFixedLong(Double.doubleToRawLongBits(value), out);
    }

    /** Eight bytes, the lowest first. */
    static void writeFixedLong(long bits, Output out) {
        byte[] array = out.ensure(8);
        int at = out.position();
        for (int i = 0; i < 8; i++) {
            array[at + i] = (byte) (bits >>> 8 * i);
        }
        out.position(at + 8);
    }

    /** Bytes, their length first. */
    public static void writeBytes(byte[] bytes, Output out) {
        writeLong(bytes.length, out);
        out.write(bytes, 0, bytes.length);
    }

    /**
     * A string.
     *
     * @throws BadRecord where it has a surrogate without its other half
     */
    public static void writeString(CharSequence any, Output out) {
        String text = any.toString();
        int chars = text.length();
        int length = utf8Length(text, chars);
        writeLong(length, out);
        byte[] array = out.ensure(length);
        int at = out.position();
        if (length == chars) {
            for (int i = 0; i < chars; i++) {
                array[at++] = (byte) text.charAt(i);
            }
        } else {
            at = encode(text, chars, array, at);
        }
        out.position(at);
    }

    private static int encode(String text, int chars, byte[] array, int from) {
        int at = from;
        for (int i = 0; i < chars; i++) {
            int c = text.charAt(i);
            if (c < 0x80) {
                array[at++] = (byte) c;
            } else if (c < 0x800) {
                array[at++] = (byte) (0xC0 | c >> 6);
                array[at++] = (byte) (0x80 | c & 0x3F);
            } else if (!Character.isSurrogate((char) c)) {
                array[at++] = (byte) (0xE0 | c >> 12);
                array[at++] = (byte) (0x80 | c >> 6 & 0x3F);
                array[at++] = (byte) (0x80 | c & 0x3F);
            } else {
                c = Character.toCodePoint((char) c, text.charAt(++i));
                array[at++] = (byte) (0xF0 | c >> 18);
                array[at++] = (byte) (0x80 | c >> 12 & 0x3F);
                array[at++] = (byte) (0x80 | c >> 6 & 0x3F);
                array[at++] = (byte) (0x80 | c & 0x3F);
            }
        }
        return at;
    }

    private static int utf8Length(String text, int chars) {
        long length = chars;
        for (int i = 0; i < chars; i++) {
            char c = text.charAt(i);
            if (c < 0x80) {
                continue;
            }
            length += c < 0x800 ? 1 : 2;
            if (Character.isSurrogate(c)) {
                if (Character.isLowSurrogate(c) || i + 1 == chars || !Character.isLowSurrogate(text.charAt(i + 1))) {
                    throw BadRecord.refused(
                            Kind.INVALID_UNICODE, "a string has a surrogate without its other half", null);
                }
                i++; // two chars, four bytes
            }
        }
        return Math.toIntExact(length);
    }

    /** How many bytes {@link #writeLong} takes. */
    static int lengthOf(long value) {
        long raw = value << 1 ^ value >> 63;
        return raw == 0 ? 1 : (70 - Long.numberOfLeadingZeros(raw)) / 7;
    }
}
