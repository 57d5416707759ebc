package io.sluice.arrow.internal.avro;

import io.sluice.RecordException.Kind;
import io.sluice.arrow.internal.Column;
import io.sluice.avro.internal.BadRecord;
import io.sluice.avro.internal.BinaryInput;
import io.sluice.avro.internal.JsonText;
import io.sluice.avro.internal.ValueReader;
import io.sluice.codec.Output;
import java.math.BigInteger;
import java.util.Arrays;

/** Reads of logical types that are checked or laid out anew, and of recursive values. */
final class SlowReads {

    private static final int LAST_MILLI = 86_400_000 - 1;
    private static final long LAST_MICRO = 86_400_000_000L - 1;
    private static final int UUID_CHARS = 36;

    private SlowReads() {}

    private static BadRecord refused(String why) {
        return BadRecord.refused(Kind.UNMAPPABLE, why, null);
    }

    /** Any value as JSON text; a null is a null. */
    static SlowRead json(ValueReader values) {
        Output text = new Output(256);
        return (machine, column, row, pos) -> {
            BinaryInput in = machine.input(pos);
            Object value = values.read(in);
            if (value == null) {
                Steps.nullAt(column, row);
            } else {
                text.position(0);
                JsonText.write(value, text);
                Steps.putBytes(column, row, text.array(), 0, text.position());
            }
            return in.pos;
        };
    }

    static SlowRead timeMillis() {
        return (machine, column, row, pos) -> {
            BinaryInput in = machine.input(pos);
            int millis = in.readInt();
            if (millis < 0 || millis > LAST_MILLI) {
                throw refused("a time of day of " + millis + " units");
            }
            Column.INTS.set(column.data, row << 2, millis);
            return in.pos;
        };
    }

    static SlowRead timeMicros(boolean fromInt) {
        return (machine, column, row, pos) -> {
            BinaryInput in = machine.input(pos);
            long micros = fromInt ? in.readInt() : in.readLong();
            if (micros < 0 || micros > LAST_MICRO) {
                throw refused("a time of day of " + micros + " units");
            }
            Column.LONGS.set(column.data, row << 3, micros);
            return in.pos;
        };
    }

    static SlowRead uuidText() {
        return (machine, column, row, pos) -> {
            BinaryInput in = machine.input(pos);
            int length = in.readLength();
            int at = in.take(length);
            if (!isUuid(in.bytes, at, length)) {
                throw refused("not a UUID");
            }
            Steps.putBytes(column, row, in.bytes, at, length);
            return in.pos;
        };
    }

    private static boolean isUuid(byte[] bytes, int from, int length) {
        if (length != UUID_CHARS) {
            return false;
        }
        for (int i = 0; i < UUID_CHARS; i++) {
            byte b = bytes[from + i];
            boolean dash = i == 8 || i == 13 || i == 18 || i == 23;
            if (dash ? b != '-' : Character.digit(b, 16) < 0) {
                return false;
            }
        }
        return true;
    }

    /**
     * Big-endian two's complement to Arrow's little-endian of {@code width} bytes.
     *
     * @param size bytes in the file, -1 where it says so itself
     */
    static SlowRead decimal(int size, int precision, int width) {
        BigInteger limit = BigInteger.TEN.pow(precision);
        int safe = (limit.bitLength() - 1) / 8; // what has no more bytes can't have too many digits
        return (machine, column, row, pos) -> {
            BinaryInput in = machine.input(pos);
            int length = size < 0 ? in.readLength() : size;
            int at = in.take(length);
            byte[] bytes = in.bytes;
            if (length == 0) {
                throw refused("a decimal of no bytes");
            }
            if (length > safe && new BigInteger(bytes, at, length).abs().compareTo(limit) >= 0) {
                throw refused("a decimal of more than the " + precision + " digits that the schema allows");
            }
            byte[] data = column.data;
            int to = row * width;
            int significant = Math.min(length, width);
            for (int i = 0; i < significant; i++) {
                data[to + i] = bytes[at + length - 1 - i];
            }
            Arrays.fill(data, to + significant, to + width, bytes[at] < 0 ? (byte) -1 : 0);
            return in.pos;
        };
    }

    /** Months, days and milliseconds, unsigned, to Arrow's months, days and nanoseconds. */
    static SlowRead duration() {
        return (machine, column, row, pos) -> {
            BinaryInput in = machine.input(pos);
            int at = in.take(12);
            int months = (int) Column.INTS.get(in.bytes, at);
            int days = (int) Column.INTS.get(in.bytes, at + 4);
            long millis = (int) Column.INTS.get(in.bytes, at + 8) & 0xFFFFFFFFL;
            if (months < 0 || days < 0) {
                throw refused("a duration of more months or days than Arrow's 31 bits hold");
            }
            int to = row << 4;
            Column.INTS.set(column.data, to, months);
            Column.INTS.set(column.data, to + 4, days);
            Column.LONGS.set(column.data, to + 8, millis * 1_000_000);
            return in.pos;
        };
    }
}
