package io.sluice.arrow.internal.avro;

import io.sluice.arrow.internal.Column;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A run of instructions that reads one value, a whole record's mostly, into columns that share a row index. Belongs to
 * one worker: it is bound to the columns of the chunk in hand.
 */
final class Program {

    // what an instruction does, after its union index, if it has one, has said that there is a value
    static final int NULL = 0;
    static final int INT = 1;
    static final int LONG = 2;
    static final int FLOAT = 3;
    static final int DOUBLE = 4;
    static final int BOOLEAN = 5;
    static final int STRING = 6;
    static final int BYTES = 7;
    static final int FIXED = 8;
    static final int ENUM = 9;
    static final int ARRAY = 10;
    static final int MAP = 11;
    /** The program below it, in the same row. */
    static final int NESTED = 12;
    /** A union that picks one of the programs below it, in the same row. */
    static final int CHOICE = 13;
    /** A union whose branches are children of a union column. */
    static final int UNION = 14;
    /** A value without a union in the file, for a child of a union column. */
    static final int INTO_UNION = 15;
    /** A null without bytes in the file. */
    static final int SET_NULL = 16;

    static final int INT_TO_LONG = 17;
    static final int INT_TO_FLOAT = 18;
    static final int INT_TO_DOUBLE = 19;
    static final int LONG_TO_FLOAT = 20;
    static final int LONG_TO_DOUBLE = 21;
    static final int FLOAT_TO_DOUBLE = 22;
    static final int SKIP_VARINT = 23;
    static final int SKIP_FIXED = 24;
    static final int SKIP_BYTES = 25;
    static final int SKIP = 26;
    /** Anything that is rare or costly by itself. */
    static final int SLOW = 27;

    /** Of the instruction's union index, as a byte: there is no union. */
    static final int NO_UNION = -1;

    final int[] codes;
    /** The byte of the union index that means null, or {@link #NO_UNION}. */
    final int[] nulls;
    /** Which column of the chunk, in depth-first order, or -1. */
    final int[] columnIndexes;
    /** A number, by the instruction: bytes of a fixed value, the child of a union column. */
    final int[] numbers;
    /** What else an instruction needs. */
    final @Nullable Object[] details;
    /** Of strings that are skipped, see {@link Steps#skipBytes}. */
    final int[] lengths;
    /** The columns, of the chunk in hand. */
    final Column[] columns;
    /** The program as code of its own; null where the loop runs it. */
    @Nullable
    RowReader reader;

    Program(List<Instruction> instructions) {
        int n = instructions.size();
        codes = new int[n];
        nulls = new int[n];
        columnIndexes = new int[n];
        numbers = new int[n];
        details = new Object[n];
        lengths = new int[n];
        columns = new Column[n];
        for (int i = 0; i < n; i++) {
            Instruction instruction = instructions.get(i);
            codes[i] = instruction.code();
            nulls[i] = instruction.nullIndex();
            columnIndexes[i] = instruction.column();
            numbers[i] = instruction.number();
            details[i] = instruction.detail();
        }
    }

    Object detail(int i) {
        return Objects.requireNonNull(details[i]);
    }

    /** See the arrays of {@link Program}. */
    record Instruction(
            int code,
            int nullIndex,
            int column,
            int number,
            @Nullable Object detail) {

        static Instruction of(int code, int column) {
            return new Instruction(code, NO_UNION, column, 0, null);
        }

        Instruction orNull(int index) {
            return new Instruction(code, index, column, number, detail);
        }

        boolean isPlain() {
            return nullIndex == NO_UNION;
        }
    }

    /** The columns that a row index belongs to, and the program that fills a row of them. */
    static final class Domain {

        final Program program;
        final int[] columnIndexes;
        final Column[] columns;
        /** The fewest bytes of an element, its key included. */
        final int minBytes;
        /** The code of the only instruction, where that is all there is to do; else -1. */
        final int simple;
        /** The row begun last. */
        int row = -1;

        Domain(Program program, int[] columnIndexes, int minBytes) {
            this.program = program;
            this.columnIndexes = columnIndexes;
            this.columns = new Column[columnIndexes.length];
            this.minBytes = minBytes;
            this.simple = program.codes.length == 1 && program.nulls[0] == NO_UNION ? program.codes[0] : -1;
        }

        /** Room for rows up to {@code count}, and for their nulls. */
        void ensure(int count) {
            for (Column column : columns) {
                column.ensureRows(count);
                if (column.nulls.length << 6 < count && column.plan.field.isNullable()) {
                    column.nulls =
                            java.util.Arrays.copyOf(column.nulls, Math.max((count + 63) >> 6, 2 * column.nulls.length));
                }
            }
        }

        /** There are {@code count} rows now. */
        void rows(int count) {
            for (Column column : columns) {
                column.rows = count;
            }
        }
    }
}
