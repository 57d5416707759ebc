package io.sluice.arrow.internal.avro;

import io.sluice.RecordException.Kind;
import io.sluice.arrow.internal.Column;
import io.sluice.arrow.internal.avro.Compiler.Branch;
import io.sluice.arrow.internal.avro.Program.Domain;
import io.sluice.avro.internal.BadRecord;
import io.sluice.avro.internal.BinaryInput;
import io.sluice.avro.internal.Shape;
import io.sluice.avro.internal.Utf8Check;
import org.jspecify.annotations.Nullable;

/**
 * Runs programs. Single-threaded.
 *
 * <p>What makes it fast: columns are written at the row's index, so neither their counts nor their room are looked at for
 * each value; positions are passed from step to step, not kept in a field; and see {@link Steps} and {@link RowReaders}.
 */
final class Machine {

    private byte[] bytes = new byte[0];
    private int limit;
    private int wordLimit;
    private int pairLimit;
    private int textLimit;
    private final BinaryInput input;
    private int empties;

    Machine(int maxNesting) {
        this.input = new BinaryInput(maxNesting);
    }

    /**
     * Begins a block's data.
     *
     * @param checks whether each string is looked at as it is read; else whoever calls looks at them afterwards
     */
    void reset(byte[] data, int to, boolean checks) {
        bytes = data;
        limit = to;
        wordLimit = Math.min(to, data.length - Long.BYTES);
        // with checks no string is far enough from the end, so that all take the way that looks at them
        pairLimit = checks ? -1 : to - Steps.TINY_LENGTH;
        textLimit = checks ? -1 : to;
        empties = 0;
    }

    /** The bytes from {@code pos} on, for reads that check each step. */
    BinaryInput input(int pos) {
        if (pos > limit) {
            throw BinaryInput.cutOff();
        }
        input.reset(bytes, pos, limit);
        return input;
    }

    /** Runs a program on bytes of its own. */
    void constant(Program program, byte[] constant, int row) {
        byte[] before = bytes;
        int limitBefore = limit;
        int wordLimitBefore = wordLimit;
        int pairLimitBefore = pairLimit;
        int textLimitBefore = textLimit;
        bytes = constant;
        limit = constant.length;
        wordLimit = constant.length - Long.BYTES;
        pairLimit = -1;
        textLimit = -1;
        try {
            run(program, row, 0);
        } finally {
            bytes = before;
            limit = limitBefore;
            wordLimit = wordLimitBefore;
            pairLimit = pairLimitBefore;
            textLimit = textLimitBefore;
        }
    }

    int limit() {
        return limit;
    }

    /** The last place at which {@link Steps#TINY_LENGTH} bytes can be read that are the block's. */
    int pairLimit() {
        return pairLimit;
    }

    /** Where the data ends for strings that are copied without being looked at. */
    int textLimit() {
        return textLimit;
    }

    /** Where a string must end so that it, and a word behind it, can be read in whole words. */
    int wordLimit() {
        return wordLimit;
    }

    /**
     * Reads one row.
     *
     * @return the position behind it, which may be beyond the limit: the caller checks
     * @throws BadRecord where there is no such row
     * @throws IndexOutOfBoundsException where the array ends inside it
     */
    int row(Domain domain, int row, int pos) {
        domain.row = row;
        return run(domain.program, row, pos);
    }

    private int run(Program program, int row, int from) {
        RowReader made = program.reader;
        if (made != null) {
            return made.read(this, bytes, program.columns, program, row, from);
        }
        int pos = from;
        for (int i = 0; i < program.codes.length; i++) {
            pos = step(program, i, row, pos);
        }
        return pos;
    }

    /** One instruction, with the union index before it. */
    int step(Program program, int i, int row, int from) {
        int nullByte = program.nulls[i];
        if (nullByte == Program.NO_UNION) {
            return value(program, i, row, from);
        }
        BinaryInput in = input(from);
        if (in.readIndex(2, "union") == nullByte >> 1) {
            if (program.columnIndexes[i] >= 0) {
                Steps.nullAt(program.columns[i], row);
            }
            return in.pos;
        }
        return value(program, i, row, in.pos);
    }

    private int value(Program program, int i, int row, int pos) {
        Column c = program.columns[i];
        return switch (program.codes[i]) {
            case Program.NULL -> pos;
            case Program.INT -> Steps.readInt(this, bytes, c, row, pos, 0);
            case Program.LONG -> Steps.readLong(this, bytes, c, row, pos, 0);
            case Program.FLOAT -> Steps.readFloat(this, bytes, c, row, pos, 0);
            case Program.DOUBLE -> Steps.readDouble(this, bytes, c, row, pos, 0);
            case Program.BOOLEAN -> Steps.readBoolean(this, bytes, c, row, pos, 0);
            case Program.STRING -> Steps.readString(this, bytes, c, row, pos, 0);
            case Program.ARRAY -> Steps.readArray(this, bytes, c, row, pos, program, i);
            case Program.SKIP_VARINT -> Steps.skipVarints(bytes, pos, program.numbers[i]);
            case Program.SKIP_BYTES -> Steps.skipBytes(this, bytes, pos, program.lengths, i);
            case Program.SKIP -> skip((Shape) program.detail(i), pos);
            default -> other(program, i, c, row, pos);
        };
    }

    /** A union index that is not the one byte it mostly is. */
    int oddUnion(Column c, int row, int from, int nullByte, int code) {
        BinaryInput in = input(from);
        if (in.readIndex(2, "union") == nullByte >> 1) {
            Steps.nullAt(c, row);
            return in.pos;
        }
        return switch (code) {
            case Program.INT -> Steps.readInt(this, bytes, c, row, in.pos, 0);
            case Program.LONG -> Steps.readLong(this, bytes, c, row, in.pos, 0);
            case Program.DOUBLE -> Steps.readDouble(this, bytes, c, row, in.pos, 0);
            case Program.FLOAT -> Steps.readFloat(this, bytes, c, row, in.pos, 0);
            case Program.BOOLEAN -> Steps.readBoolean(this, bytes, c, row, in.pos, 0);
            default -> Steps.readString(this, bytes, c, row, in.pos, 0);
        };
    }

    /**
     * As {@link #oddUnion(Column, int, int, int, int)}, for a value that is skipped.
     *
     * @return the position behind the index; negated where it says null
     */
    int oddUnion(int pos, int nullByte) {
        BinaryInput in = input(pos);
        return in.readIndex(2, "union") == nullByte >> 1 ? -in.pos : in.pos;
    }

    /** A string near the end of the bytes, or where its column has no room, or that is to be looked at. */
    void string(Column c, int row, int pos, int length) {
        if (length > limit - pos) {
            throw Steps.tooLong(length, limit - pos);
        }
        byte[] data = c.ensureBytes(length + Steps.MORE_ROOM); // and for the next, so that this is rare
        System.arraycopy(bytes, pos, data, c.end, length);
        if (!Utf8Check.isValid(data, c.end, c.end + length)) {
            throw BinaryInput.invalidUtf8();
        }
        c.end += length;
        c.offsets[row + 1] = c.end;
    }

    /** Instructions that are rarer, or do more. */
    private int other(Program program, int i, Column c, int row, int from) {
        int pos = from;
        switch (program.codes[i]) {
            case Program.NESTED:
                return run((Program) program.detail(i), row, pos);
            case Program.SKIP_FIXED: {
                int n = program.numbers[i];
                if (n > limit - pos) {
                    throw BinaryInput.cutOff();
                }
                return pos + n;
            }
            case Program.SLOW:
                return ((SlowRead) program.detail(i)).read(this, c, row, pos);
            case Program.SET_NULL:
                Steps.nullAt(c, row);
                return pos;
            case Program.BYTES: {
                BinaryInput in = input(pos);
                int length = in.readLength();
                Steps.putBytes(c, row, bytes, in.pos, length);
                return in.pos + length;
            }
            case Program.FIXED: {
                int n = program.numbers[i];
                if (n > limit - pos) {
                    throw BinaryInput.cutOff();
                }
                System.arraycopy(bytes, pos, c.data, row * n, n);
                return pos + n;
            }
            case Program.ENUM: {
                byte[] @Nullable [] symbols = (byte[] @Nullable []) program.detail(i);
                BinaryInput in = input(pos);
                byte[] symbol = symbols[in.readIndex(symbols.length, "enum")];
                if (symbol == null) {
                    throw BadRecord.refused(
                            Kind.UNEXPECTED_TYPE, "the reader's enum lacks the symbol, and has no default", null);
                }
                Steps.putBytes(c, row, symbol, 0, symbol.length);
                return in.pos;
            }
            case Program.CHOICE: {
                Program[] branches = (Program[]) program.detail(i);
                BinaryInput in = input(pos);
                int index = in.readIndex(branches.length, "union");
                return run(branches[index], row, in.pos);
            }
            case Program.UNION: {
                Branch[] branches = (Branch[]) program.detail(i);
                BinaryInput in = input(pos);
                Branch branch = branches[in.readIndex(branches.length, "union")];
                Domain domain = branch.domain();
                if (domain == null) {
                    throw BadRecord.refused(Kind.UNEXPECTED_TYPE, String.valueOf(branch.refusal()), null);
                }
                return intoUnion(c, branch.child(), domain, in.pos);
            }
            case Program.INTO_UNION:
                return intoUnion(c, program.numbers[i], (Domain) program.detail(i), pos);
            default: {
                BinaryInput in = input(pos);
                promoted(program.codes[i], c, row, in);
                return in.pos;
            }
        }
    }

    private static void promoted(int code, Column c, int row, BinaryInput in) {
        switch (code) {
            case Program.INT_TO_LONG -> Column.LONGS.set(c.data, row << 3, (long) in.readInt());
            case Program.INT_TO_FLOAT ->
                Column.INTS.set(c.data, row << 2, Float.floatToRawIntBits((float) in.readInt()));
            case Program.LONG_TO_FLOAT ->
                Column.INTS.set(c.data, row << 2, Float.floatToRawIntBits((float) in.readLong()));
            case Program.INT_TO_DOUBLE -> Column.LONGS.set(c.data, row << 3, Double.doubleToRawLongBits(in.readInt()));
            case Program.LONG_TO_DOUBLE ->
                Column.LONGS.set(c.data, row << 3, Double.doubleToRawLongBits((double) in.readLong()));
            case Program.FLOAT_TO_DOUBLE ->
                Column.LONGS.set(c.data, row << 3, Double.doubleToRawLongBits(in.readFloat()));
            default -> throw new IllegalStateException("no instruction " + code);
        }
    }

    private int intoUnion(Column union, int child, Domain domain, int from) {
        int row = union.children[child].rows;
        for (Column column : domain.columns) {
            column.fill(row);
        }
        domain.ensure(row + 1);
        int pos = row(domain, row, from);
        domain.rows(row + 1);
        union.endUnion(child);
        return pos;
    }

    /** The elements of an array, or the entries of a map. */
    int elements(Column list, int listRow, Domain domain, int from) {
        int at = list.children[0].rows;
        int pos = from;
        int min = domain.minBytes;
        while (true) {
            int b = bytes[pos];
            int count;
            if (b > 0 && (b & 1) == 0) {
                count = b >> 1;
                pos++;
                if ((long) count * min > limit - pos || min == 0) {
                    count = checkCount(count, min, pos);
                }
            } else if (b == 0) {
                pos++;
                break;
            } else {
                BinaryInput in = input(pos);
                long n = in.readLong();
                if (n < 0) {
                    n = -n;
                    long size = in.readLong();
                    if (size < 0 || size > in.remaining()) {
                        throw BadRecord.broken("a block of an array or map of " + size + " bytes");
                    }
                }
                pos = in.pos;
                if (n == 0) {
                    break;
                }
                count = checkCount(n, min, pos);
            }
            domain.ensure(at + count);
            int end = at + count;
            if (domain.simple == Program.STRING) {
                domain.row = end - 1;
                pos = Steps.readStrings(this, bytes, domain.program.columns[0], at, end, pos);
            } else if (domain.simple == Program.INT) {
                domain.row = end - 1;
                pos = Steps.readInts(bytes, domain.program.columns[0], at, end, pos);
            } else {
                for (int row = at; row < end; row++) {
                    pos = row(domain, row, pos);
                }
            }
            at = end;
            domain.rows(at);
        }
        list.offsets[listRow + 1] = at;
        return pos;
    }

    private int checkCount(long count, int min, int pos) {
        int left = limit - pos;
        if (min == 0) {
            if (count < 0 || count > BinaryInput.MAX_EMPTY - empties) {
                throw BadRecord.broken(
                        "a block with more than " + BinaryInput.MAX_EMPTY + " elements that have no bytes");
            }
            empties += (int) count;
        } else if (count < 0 || left < 0 || count > left / min) {
            throw BadRecord.broken("an array or map of " + count + " elements where " + left + " bytes are left");
        }
        return (int) count;
    }

    private int skip(Shape shape, int pos) {
        if (bytes[pos] == 0 && shape.type == org.apache.avro.Schema.Type.ARRAY) {
            return pos + 1;
        }
        BinaryInput in = input(pos);
        shape.skip(in);
        return in.pos;
    }
}
