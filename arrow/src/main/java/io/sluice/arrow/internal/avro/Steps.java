package io.sluice.arrow.internal.avro;

import io.sluice.arrow.internal.Column;
import io.sluice.arrow.internal.ColumnPlan;
import io.sluice.avro.internal.BadRecord;
import io.sluice.avro.internal.BinaryInput;
import io.sluice.avro.internal.Utf8Check;
import java.util.Arrays;

/**
 * The common instructions, each a static method that reads a value at {@code pos} of {@code buf} into a row of a column and answers the
 * position behind it. {@link Machine} calls them from its loop; the classes that {@link RowReaders} makes call them one after the
 * other, so that each column has branches of its own for the processor to learn.
 *
 * <p>None of them checks that bytes are there: reading beyond the block's data but inside its array does no harm, because
 * the record's end is checked and the record rolled back; reading beyond the array throws, which means the same. Lengths,
 * which could lead further than that, are checked where they are read.
 */
final class Steps {

    private static final long HIGH_BITS = 0x8080808080808080L;
    private static final long LOW_56 = 0x00FFFFFFFFFFFFFFL;

    private static final long EACH_BYTE = 0x0101010101010101L;

    /** A length byte with one of these bits is not the whole of a length that is positive. */
    private static final int NOT_SHORT = 0x81;

    /** A string shorter than this is read and written as two words. */
    static final int TINY_LENGTH = 16;

    /** A length byte with one of these bits is not that of a string so short. */
    private static final int NOT_TINY = ~(2 * (TINY_LENGTH - 1));

    /** Room that is made behind a string for the next one. */
    static final int MORE_ROOM = 64;

    /** A length of one byte is less than this. */
    static final int SHORT_LENGTH = 64;

    private Steps() {}

    static int readInt(Machine machine, byte[] buf, Column c, int row, int from, int unused) {
        int pos = from;
        int raw = buf[pos++];
        if (raw < 0) {
            raw = raw & 0x7F | buf[pos++] << 7;
            if (raw < 0) {
                raw = raw & 0x3FFF | buf[pos++] << 14;
                if (raw < 0) {
                    raw = raw & 0x1FFFFF | buf[pos++] << 21;
                    if (raw < 0) {
                        int last = buf[pos++];
                        if ((last & 0xF0) != 0) {
                            throw tooManyBits(32);
                        }
                        raw = raw & 0xFFFFFFF | last << 28;
                    }
                }
            }
        }
        Column.INTS.set(c.data, row << 2, raw >>> 1 ^ -(raw & 1));
        return pos;
    }

    static int readIntOrNull(Machine machine, byte[] buf, Column c, int row, int pos, int nullByte) {
        int index = buf[pos];
        if ((index ^ nullByte) == 2) {
            return readInt(machine, buf, c, row, pos + 1, 0);
        }
        if (index != nullByte) {
            return machine.oddUnion(c, row, pos, nullByte, Program.INT);
        }
        return nullInt(c, row, pos + 1);
    }

    private static int nullInt(Column c, int row, int next) {
        Column.INTS.set(c.data, row << 2, 0);
        c.nulls[row >> 6] |= 1L << row;
        c.nullCount++;
        return next;
    }

    static int readLong(Machine machine, byte[] buf, Column c, int row, int from, int unused) {
        int pos = from;
        int raw = buf[pos++];
        if (raw < 0) {
            raw = raw & 0x7F | buf[pos++] << 7;
            if (raw < 0) {
                raw = raw & 0x3FFF | buf[pos++] << 14;
                if (raw < 0) {
                    raw = raw & 0x1FFFFF | buf[pos++] << 21;
                    if (raw < 0) {
                        return readLongerLong(machine, buf, c, row, from);
                    }
                }
            }
        }
        Column.LONGS.set(c.data, row << 3, (long) (raw >>> 1 ^ -(raw & 1)));
        return pos;
    }

    /** A number of five bytes or more. */
    private static int readLongerLong(Machine machine, byte[] buf, Column c, int row, int from) {
        long packed = varint(buf, from);
        if (packed == 0) {
            BinaryInput in = machine.input(from);
            Column.LONGS.set(c.data, row << 3, in.readLong());
            return in.pos;
        }
        long raw = packed & LOW_56;
        Column.LONGS.set(c.data, row << 3, raw >>> 1 ^ -(raw & 1));
        return from + (int) (packed >>> 56);
    }

    static int readLongOrNull(Machine machine, byte[] buf, Column c, int row, int pos, int nullByte) {
        int index = buf[pos];
        if ((index ^ nullByte) == 2) {
            return readLong(machine, buf, c, row, pos + 1, 0);
        }
        return index == nullByte ? nullLong(c, row, pos + 1) : machine.oddUnion(c, row, pos, nullByte, Program.LONG);
    }

    private static int nullLong(Column c, int row, int next) {
        Column.LONGS.set(c.data, row << 3, 0L);
        c.nulls[row >> 6] |= 1L << row;
        c.nullCount++;
        return next;
    }

    static int readDouble(Machine machine, byte[] buf, Column c, int row, int pos, int unused) {
        Column.LONGS.set(c.data, row << 3, (long) Column.LONGS.get(buf, pos));
        return pos + 8;
    }

    static int readDoubleOrNull(Machine machine, byte[] buf, Column c, int row, int pos, int nullByte) {
        int index = buf[pos];
        if ((index ^ nullByte) == 2) {
            return readDouble(machine, buf, c, row, pos + 1, 0);
        }
        return index == nullByte ? nullLong(c, row, pos + 1) : machine.oddUnion(c, row, pos, nullByte, Program.DOUBLE);
    }

    static int readFloat(Machine machine, byte[] buf, Column c, int row, int pos, int unused) {
        Column.INTS.set(c.data, row << 2, (int) Column.INTS.get(buf, pos));
        return pos + 4;
    }

    static int readFloatOrNull(Machine machine, byte[] buf, Column c, int row, int pos, int nullByte) {
        int index = buf[pos];
        if ((index ^ nullByte) == 2) {
            return readFloat(machine, buf, c, row, pos + 1, 0);
        }
        return index == nullByte ? nullInt(c, row, pos + 1) : machine.oddUnion(c, row, pos, nullByte, Program.FLOAT);
    }

    static int readBoolean(Machine machine, byte[] buf, Column c, int row, int pos, int unused) {
        byte b = buf[pos];
        if ((b & ~1) != 0) {
            throw BadRecord.broken("a boolean of " + b);
        }
        c.data[row] = b;
        return pos + 1;
    }

    static int readBooleanOrNull(Machine machine, byte[] buf, Column c, int row, int pos, int nullByte) {
        int index = buf[pos];
        if ((index ^ nullByte) == 2) {
            return readBoolean(machine, buf, c, row, pos + 1, 0);
        }
        if (index != nullByte) {
            return machine.oddUnion(c, row, pos, nullByte, Program.BOOLEAN);
        }
        c.data[row] = 0;
        c.nulls[row >> 6] |= 1L << row;
        c.nullCount++;
        return pos + 1;
    }

    /** Whether it is UTF-8 is asked later, of many at once ({@link RowSource#textIsSound}), unless the machine is to check. */
    static int readString(Machine machine, byte[] buf, Column c, int row, int from, int unused) {
        int first = buf[from];
        if ((first & NOT_TINY) != 0) {
            return readLongerString(machine, buf, c, row, from);
        }
        int pos = from + 1;
        int length = first >> 1;
        int end = c.end;
        byte[] data = c.data;
        if (pos > machine.pairLimit() || data.length - end < TINY_LENGTH) {
            machine.string(c, row, pos, length);
            return pos + length;
        }
        // without a loop or a branch on the length: what is too much is overwritten by the next value
        Column.LONGS.set(data, end, (long) Column.LONGS.get(buf, pos));
        Column.LONGS.set(data, end + 8, (long) Column.LONGS.get(buf, pos + 8));
        end += length;
        c.end = end;
        c.offsets[row + 1] = end;
        return pos + length;
    }

    /** A string of {@link #TINY_LENGTH} bytes or more. */
    private static int readLongerString(Machine machine, byte[] buf, Column c, int row, int from) {
        int pos = from + 1;
        int length = buf[from];
        if ((length & NOT_SHORT) != 0) {
            long packed = varint(buf, from);
            length = checkLength(packed) << 1;
            pos = from + (int) (packed >>> 56);
        }
        length >>= 1;
        int end = c.end;
        byte[] data = c.data;
        if (length > machine.textLimit() - pos || length > data.length - end) {
            machine.string(c, row, pos, length);
            return pos + length;
        }
        System.arraycopy(buf, pos, data, end, length);
        end += length;
        c.end = end;
        c.offsets[row + 1] = end;
        return pos + length;
    }

    static int readStringOrNull(Machine machine, byte[] buf, Column c, int row, int pos, int nullByte) {
        int index = buf[pos];
        if ((index ^ nullByte) == 2) {
            return readString(machine, buf, c, row, pos + 1, 0);
        }
        if (index != nullByte) {
            return machine.oddUnion(c, row, pos, nullByte, Program.STRING);
        }
        c.offsets[row + 1] = c.end;
        c.nulls[row >> 6] |= 1L << row;
        c.nullCount++;
        return pos + 1;
    }

    static int readInts(byte[] buf, Column c, int fromRow, int toRow, int from) {
        byte[] data = c.data;
        int pos = from;
        for (int row = fromRow; row < toRow; row++) {
            int raw = buf[pos];
            if (raw >= 0) {
                pos++;
            } else {
                long packed = varint(buf, pos);
                if (packed == 0 || (packed & 0x00FFFFFF00000000L) != 0) {
                    throw tooManyBits(32);
                }
                raw = (int) packed;
                pos += (int) (packed >>> 56);
            }
            Column.INTS.set(data, row << 2, raw >>> 1 ^ -(raw & 1));
        }
        return pos;
    }

    /** {@link #readString} for many rows, with what is the same for all held in local variables. */
    static int readStrings(Machine machine, byte[] buf, Column c, int fromRow, int toRow, int from) {
        int pos = from;
        int row = fromRow;
        int count = toRow - fromRow;
        if (count <= 1 << 16 && pos + count * SHORT_LENGTH <= machine.wordLimit()) {
            byte[] data = c.ensureBytes(count * SHORT_LENGTH + Long.BYTES);
            int[] offsets = c.offsets;
            int end = c.end;
            long high = 0;
            for (; row < toRow; row++) {
                int length = buf[pos];
                if ((length & NOT_SHORT) != 0) {
                    break;
                }
                length >>= 1;
                pos++;
                int i = 0;
                for (; i <= length - 8; i += 8) {
                    long word = (long) Column.LONGS.get(buf, pos + i);
                    Column.LONGS.set(data, end + i, word);
                    high |= word;
                }
                long word = (long) Column.LONGS.get(buf, pos + i);
                Column.LONGS.set(data, end + i, word);
                high |= word << (7 - (length - i) << 3) << 8;
                pos += length;
                end += length;
                offsets[row + 1] = end;
            }
            c.end = end;
            if ((high & HIGH_BITS) != 0) {
                checkEach(c, fromRow, row);
            }
        }
        for (; row < toRow; row++) {
            pos = readString(machine, buf, c, row, pos, 0);
        }
        return pos;
    }

    private static void checkEach(Column c, int fromRow, int toRow) {
        for (int row = fromRow; row < toRow; row++) {
            if (!Utf8Check.isValid(c.data, c.offsets[row], c.offsets[row + 1])) {
                throw BinaryInput.invalidUtf8();
            }
        }
    }

    static int readArray(Machine machine, byte[] buf, Column c, int row, int pos, Program program, int i) {
        if (buf[pos] == 0) {
            c.offsets[row + 1] = c.children[0].rows;
            return pos + 1;
        }
        return machine.elements(c, row, (Program.Domain) program.detail(i), pos);
    }

    static int skipVarints(byte[] buf, int from, int count) {
        int pos = from;
        int left = count;
        while (left >= 8 && pos <= buf.length - 8) {
            // the bytes without a high bit are the ends of varints
            left -= Long.bitCount(~(long) Column.LONGS.get(buf, pos) & HIGH_BITS);
            pos += 8;
        }
        while (left > 0) {
            if (buf[pos++] >= 0) {
                left--;
            }
        }
        return pos;
    }

    static int skipVarint(byte[] buf, int pos) {
        if (buf[pos] >= 0) {
            return pos + 1;
        }
        if (buf[pos + 1] >= 0) {
            return pos + 2;
        }
        return buf[pos + 2] >= 0 ? pos + 3 : skipLongerVarint(buf, pos + 3);
    }

    private static int skipLongerVarint(byte[] buf, int from) {
        int pos = from;
        while (buf[pos++] < 0) {}
        return pos;
    }

    static int skipVarintOrNull(Machine machine, byte[] buf, int pos, int nullByte) {
        int index = buf[pos];
        if (index == nullByte) {
            return pos + 1;
        }
        if ((index ^ nullByte) != 2) {
            int next = machine.oddUnion(pos, nullByte);
            return next < 0 ? -next : skipVarint(buf, next);
        }
        return skipVarint(buf, pos + 1);
    }

    /**
     * Skips a string. Where strings of a field have the same length, which the processor learns, it need not wait for
     * the length to be read to know where the next field begins.
     *
     * @param lengths for each instruction the first byte of the string that it skipped last, where that was the whole length
     */
    static int skipBytes(Machine machine, byte[] buf, int from, int[] lengths, int i) {
        int length = buf[from];
        int before = lengths[i];
        if (length == before) {
            return from + 1 + (before >> 1);
        }
        if ((length & NOT_SHORT) != 0) {
            return skipLongerBytes(machine, buf, from);
        }
        lengths[i] = length;
        return from + 1 + (length >> 1);
    }

    static int skipBytesOrNull(Machine machine, byte[] buf, int pos, int nullByte, int[] lengths, int i) {
        int index = buf[pos];
        if (index == nullByte) {
            return pos + 1;
        }
        if ((index ^ nullByte) != 2) {
            int next = machine.oddUnion(pos, nullByte);
            return next < 0 ? -next : skipBytes(machine, buf, next, lengths, i);
        }
        return skipBytes(machine, buf, pos + 1, lengths, i);
    }

    private static int skipLongerBytes(Machine machine, byte[] buf, int from) {
        long packed = varint(buf, from);
        int length = checkLength(packed);
        int pos = from + (int) (packed >>> 56);
        if (length > machine.limit() - pos) {
            throw tooLong(length, machine.limit() - pos);
        }
        return pos + length;
    }

    /** Whether so many unions, one behind the other, are null. */
    static boolean areNull(byte[] buf, int pos, int count, int nullByte) {
        if (pos > buf.length - count - 7) {
            return false;
        }
        long allNull = nullByte * EACH_BYTE;
        long other = 0;
        int i = 0;
        for (; i < count - 8; i += 8) {
            other |= (long) Column.LONGS.get(buf, pos + i) ^ allNull;
        }
        return (other | ((long) Column.LONGS.get(buf, pos + i) ^ allNull) << (64 - (count - i << 3))) == 0;
    }

    /**
     * A varint of up to 8 bytes that begins at {@code pos}, without a branch on its length: its length in the top byte, its
     * bits below. 0 where it is longer.
     */
    static long varint(byte[] buf, int pos) {
        if (pos > buf.length - 8) {
            return atEnd(buf, pos);
        }
        long x = (long) Column.LONGS.get(buf, pos);
        long stops = ~x & HIGH_BITS;
        if (stops == 0) {
            return 0;
        }
        long length = (Long.numberOfTrailingZeros(stops) + 1L) >>> 3;
        x &= stops ^ (stops - 1);
        x = (x & 0x007F007F007F007FL) | (x & 0x7F007F007F007F00L) >>> 1;
        x = (x & 0x00003FFF00003FFFL) | (x & 0x3FFF00003FFF0000L) >>> 2;
        x = (x & 0x000000000FFFFFFFL) | (x & 0x0FFFFFFF00000000L) >>> 4;
        return length << 56 | x;
    }

    private static long atEnd(byte[] buf, int pos) {
        long x = 0;
        for (int i = 0; i < 8; i++) {
            byte b = buf[pos + i];
            x |= (b & 0x7FL) << 7 * i;
            if (b >= 0) {
                return (i + 1L) << 56 | x;
            }
        }
        return 0;
    }

    private static int checkLength(long packed) {
        long raw = packed & LOW_56;
        if (packed == 0 || (raw & 1) != 0 || raw >>> 31 != 0) {
            throw BadRecord.broken("a length that is negative or too great");
        }
        return (int) (raw >>> 1);
    }

    static BadRecord tooLong(int length, int left) {
        return BadRecord.broken("a length of " + length + " where " + left + " bytes are left");
    }

    private static BadRecord tooManyBits(int bits) {
        return BadRecord.broken("a number of more than " + bits + " bits");
    }

    /** Puts bytes of varying length. */
    static void putBytes(Column c, int row, byte[] from, int pos, int length) {
        byte[] data = c.ensureBytes(length);
        System.arraycopy(from, pos, data, c.end, length);
        c.end += length;
        c.offsets[row + 1] = c.end;
    }

    /** Puts a null, and a value beneath it that is always the same. */
    static void nullAt(Column c, int row) {
        switch (c.layout) {
            case ColumnPlan.FIXED -> {
                if (c.width == 4) {
                    Column.INTS.set(c.data, row << 2, 0);
                } else if (c.width == 8) {
                    Column.LONGS.set(c.data, row << 3, 0L);
                } else {
                    Arrays.fill(c.data, row * c.width, (row + 1) * c.width, (byte) 0);
                }
            }
            case ColumnPlan.VAR -> c.offsets[row + 1] = c.end;
            case ColumnPlan.BOOL -> c.data[row] = 0;
            case ColumnPlan.LIST -> c.offsets[row + 1] = c.children[0].rows;
            case ColumnPlan.STRUCT -> {
                for (Column child : c.children) {
                    nullAt(child, row);
                }
            }
            case ColumnPlan.UNION -> {
                c.fill(row + 1);
                return;
            }
            default -> {
                return;
            }
        }
        if (c.nulls.length << 6 > row) {
            c.nulls[row >> 6] |= 1L << row;
            c.nullCount++;
        }
    }
}
