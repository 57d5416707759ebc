package io.sluice.arrow.internal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One column of a {@link ColumnChunk}: plain heap arrays that a worker appends to. Single-threaded. One final class for
 * all layouts and open fields, because parsers write into it once per value and a virtual call each would cost more than
 * the parsing.
 *
 * <p>Conventions that keep the common case short:
 *
 * <ul>
 *   <li>a value is appended at index {@link #rows}; whoever appends has made sure that {@code rows} is the index it means
 *       ({@link #fill} pads with nulls), so that a field missing from a record costs nothing until the column's next value;
 *   <li>only nulls are marked ({@link #nulls}), so a column without nulls never touches a validity bit;
 *   <li>{@link #truncate} takes rows back, at any depth: how a bad record is rolled back, and how the last of two
 *       duplicate keys wins.
 * </ul>
 */
public final class Column {

    /** Reads and writes little-endian shorts in a {@code byte[]}. */
    public static final VarHandle SHORTS = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    /** Reads and writes little-endian ints in a {@code byte[]}. */
    public static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    /** Reads and writes little-endian longs in a {@code byte[]}. */
    public static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private static final int FIRST_ROWS = 16;
    /** Arrays longer than this are not kept for the next block: one huge record must not be paid for ever after. */
    private static final int KEPT_BYTES = 8 << 20;

    private static final byte[] NO_BYTES = {};
    private static final int[] NO_INTS = {0};
    private static final long[] NO_LONGS = {};

    /** What it is a column of. */
    public final ColumnPlan plan;
    /** {@link ColumnPlan#layout}. */
    public final int layout;
    /** {@link ColumnPlan#width}, or 4 (the codes) for a dictionary. */
    public final int width;
    /** Rows appended so far. */
    public int rows;
    /** Values of fixed width, bytes of varying length, type ids of a union. */
    public byte[] data = NO_BYTES;
    /** For bytes of varying length: how many are used. */
    public int end;
    /** For bytes and lists: {@code offsets[i]} to {@code offsets[i + 1]} is row {@code i}. For a union: the child's row. */
    public int[] offsets = NO_INTS;
    /** A set bit is a null. Bits at and beyond {@link #rows} are clear; the array may be shorter than the rows. */
    public long[] nulls = NO_LONGS;
    /** How many rows are null. */
    public int nullCount;
    /** The children, in the schema's order. */
    public final Column[] children;
    /** For {@link ColumnPlan#DICTIONARY}: the distinct values of this chunk. */
    public final @Nullable StringTable table;

    /** After {@link #finish}: whether all rows are null, in which case neither they nor anything below has been written down. */
    boolean absent;

    /** For a union: rows of each child that belong to complete rows of the union. */
    private final int[] childRows;

    /** @param plan its shape */
    public Column(ColumnPlan plan) {
        this.plan = plan;
        this.layout = plan.layout;
        this.width = plan.layout == ColumnPlan.DICTIONARY ? 4 : plan.width;
        this.children = plan.children.stream().map(Column::new).toArray(Column[]::new);
        this.table = layout == ColumnPlan.DICTIONARY ? new StringTable() : null;
        this.childRows = new int[layout == ColumnPlan.UNION ? children.length : 0];
    }

    // ---- appending --------------------------------------------------------------------------------------------------

    /** Pads with nulls until there are {@code target} rows. */
    public void fill(int target) {
        if (rows < target) {
            fillMore(target);
        }
    }

    private void fillMore(int target) {
        int from = rows;
        switch (layout) {
            case ColumnPlan.NULL, ColumnPlan.STRUCT, ColumnPlan.FIXED_LIST -> {}
            case ColumnPlan.BOOL, ColumnPlan.FIXED, ColumnPlan.DICTIONARY -> {
                ensureRows(target);
                Arrays.fill(data, from * width, target * width, (byte) 0);
            }
            case ColumnPlan.UNION -> {
                // a union has no validity of its own: its null is a null of the first child that can be one
                for (; rows < target; rows++) {
                    int child = nullableChild();
                    Column column = children[child];
                    column.appendNull();
                    putUnion(child);
                }
                return;
            }
            default -> {
                ensureRows(target);
                Arrays.fill(offsets, from + 1, target + 1, offsets[from]);
            }
        }
        nulls = Bits.ensure(nulls, target);
        Bits.set(nulls, from, target);
        nullCount += target - from;
        rows = target;
    }

    private int nullableChild() {
        for (int i = 0; i < children.length; i++) {
            if (children[i].layout == ColumnPlan.NULL) {
                return i;
            }
        }
        return 0;
    }

    /** Appends a null. */
    public void appendNull() {
        fillMore(rows + 1);
    }

    /** Room for {@code count} rows in all. Not needed before the {@code append} methods, which do it themselves. */
    public void ensureRows(int count) {
        switch (layout) {
            case ColumnPlan.NULL, ColumnPlan.STRUCT, ColumnPlan.FIXED_LIST -> {}
            case ColumnPlan.BOOL, ColumnPlan.FIXED, ColumnPlan.DICTIONARY -> {
                if ((long) count * width > data.length) {
                    data = Arrays.copyOf(data, grown(count, data.length / Math.max(1, width), width));
                }
            }
            case ColumnPlan.UNION -> {
                if (count > data.length) {
                    data = Arrays.copyOf(data, grown(count, data.length, 1));
                }
                if (count > offsets.length) {
                    offsets = Arrays.copyOf(offsets, data.length);
                }
            }
            default -> {
                if (count >= offsets.length) {
                    offsets = Arrays.copyOf(offsets, grown(count + 1, offsets.length, 1));
                }
            }
        }
    }

    private static int grown(int wanted, int had, int width) {
        long rows = Math.max(Math.max(FIRST_ROWS, wanted), had + (long) (had >> 1));
        return (int) Math.min(Integer.MAX_VALUE - 16, Math.max(rows, wanted) * width);
    }

    /** Room for {@code more} bytes behind {@link #end}; the array, which may be a new one. */
    public byte[] ensureBytes(int more) {
        if (data.length - end < more) {
            int wanted = Math.addExact(end, more);
            data = Arrays.copyOf(data, (int) Math.min(Integer.MAX_VALUE - 16, Math.max(wanted, data.length * 2L)));
        }
        return data;
    }

    /** As {@link #ensureBytes}, in the middle of a value whose bytes already reach to {@code used}. */
    public byte[] roomAt(int used, int more) {
        long wanted = (long) used + more;
        if (wanted > data.length) {
            data = Arrays.copyOf(data, (int) Math.min(Integer.MAX_VALUE - 16, Math.max(wanted, data.length * 2L)));
        }
        return data;
    }

    /** Appends a value one byte wide, or a boolean as 0 or 1. */
    public void appendByte(int value) {
        int row = rows;
        if (row >= data.length) {
            ensureRows(row + 1);
        }
        data[row] = (byte) value;
        rows = row + 1;
    }

    /** Appends a value two bytes wide. */
    public void appendShort(int value) {
        int row = rows;
        if (row * 2 + 2 > data.length) {
            ensureRows(row + 1);
        }
        SHORTS.set(data, row * 2, (short) value);
        rows = row + 1;
    }

    /** Appends a value four bytes wide. */
    public void appendInt(int value) {
        int row = rows;
        if (row * 4 + 4 > data.length) {
            ensureRows(row + 1);
        }
        INTS.set(data, row * 4, value);
        rows = row + 1;
    }

    /** Appends a value eight bytes wide. */
    public void appendLong(long value) {
        int row = rows;
        if (row * 8 + 8 > data.length) {
            ensureRows(row + 1);
        }
        LONGS.set(data, row * 8, value);
        rows = row + 1;
    }

    /** Appends a float. */
    public void appendFloat(float value) {
        appendInt(Float.floatToRawIntBits(value));
    }

    /** Appends a double. */
    public void appendDouble(double value) {
        appendLong(Double.doubleToRawLongBits(value));
    }

    /** Appends {@link #width} bytes from an array. */
    public void appendFixed(byte[] bytes, int from) {
        ensureRows(rows + 1);
        System.arraycopy(bytes, from, data, rows * width, width);
        rows++;
    }

    /** Appends bytes of varying length; to a dictionary column, as a string. */
    public void appendBytes(byte[] bytes, int from, int length) {
        if (layout == ColumnPlan.DICTIONARY) {
            appendInt(Objects.requireNonNull(table).code(bytes, from, length));
            return;
        }
        ensureBytes(length);
        System.arraycopy(bytes, from, data, end, length);
        endBytes(end + length);
    }

    /** Ends a value whose bytes were written to {@link #data} from {@link #end} up to {@code newEnd}. */
    public void endBytes(int newEnd) {
        int row = rows + 1;
        if (row >= offsets.length) {
            ensureRows(row);
        }
        offsets[row] = newEnd;
        end = newEnd;
        rows = row;
    }

    /** Ends a list whose elements were appended to {@code children[0]}. */
    public void endList() {
        int row = rows + 1;
        if (row >= offsets.length) {
            ensureRows(row);
        }
        offsets[row] = children[0].rows;
        rows = row;
    }

    /** Ends a row of a struct, or of a fixed-size list; children that got no value are padded later. */
    public void endRow() {
        rows++;
    }

    /** Ends a union's row whose value was appended to the child with this index (not type id). */
    public void endUnion(int child) {
        putUnion(child);
        rows++;
    }

    private void putUnion(int child) {
        ensureRows(rows + 1);
        data[rows] = (byte) child;
        offsets[rows] = children[child].rows - 1;
        childRows[child] = children[child].rows;
    }

    /** Whether a row, already appended, is null. */
    public boolean isNull(int row) {
        return row >> 6 < nulls.length && Bits.at(nulls, row);
    }

    // ---- taking back ------------------------------------------------------------------------------------------------

    /** Takes back all rows from {@code count} on, here and below. */
    public void truncate(int count) {
        if (layout == ColumnPlan.STRUCT) {
            // its children may be ahead of it, in the middle of a row
            for (Column child : children) {
                child.truncate(count);
            }
        } else if (layout == ColumnPlan.FIXED_LIST) {
            children[0].truncate(count * width);
        } else if (layout == ColumnPlan.LIST || layout == ColumnPlan.LARGE_LIST) {
            children[0].truncate(offsets[Math.min(count, rows)]);
        } else if (layout == ColumnPlan.UNION) {
            truncateUnion(count);
        } else if (plan.isBytes()) {
            end = offsets[Math.min(count, rows)];
        }
        if (count == 0 && table != null) {
            table.reset();
        }
        if (count < rows) {
            if (nullCount > 0) {
                int to = Math.min(rows, nulls.length * 64);
                nullCount -= Bits.count(nulls, count, to);
                Bits.clear(nulls, count, to);
            }
            rows = count;
        }
    }

    private void truncateUnion(int count) {
        for (int row = rows - 1; row >= count; row--) {
            childRows[data[row]] = offsets[row];
        }
        for (int i = 0; i < children.length; i++) {
            children[i].truncate(childRows[i]);
        }
    }

    /** Brings the column and all below it to exactly {@code count} rows; after that it may be handed on. */
    public void finish(int count) {
        if (rows == 0 && count > 0 && layout != ColumnPlan.UNION) {
            absent = true;
            return;
        }
        fill(count);
        switch (layout) {
            case ColumnPlan.STRUCT -> {
                for (Column child : children) {
                    child.finish(count);
                }
            }
            case ColumnPlan.FIXED_LIST -> children[0].finish(Math.multiplyExact(count, width));
            case ColumnPlan.LIST, ColumnPlan.LARGE_LIST -> children[0].finish(offsets[count]);
            case ColumnPlan.UNION -> {
                for (Column child : children) {
                    child.finish(child.rows);
                }
            }
            default -> {}
        }
    }

    /** Empties it for the next block; arrays are kept unless they are huge. */
    public void reset() {
        if (absent) {
            absent = false;
            return;
        }
        if (nullCount > 0) {
            Arrays.fill(nulls, 0, Math.min(nulls.length, (rows + 63) >> 6), 0L);
        }
        if (data.length > KEPT_BYTES) {
            data = NO_BYTES;
        }
        if (offsets.length > KEPT_BYTES / 4) {
            offsets = NO_INTS;
        }
        rows = 0;
        end = 0;
        nullCount = 0;
        Arrays.fill(childRows, 0);
        if (table != null) {
            table.reset();
        }
        for (Column child : children) {
            child.reset();
        }
    }

    // ---- measuring --------------------------------------------------------------------------------------------------

    /** Bytes that rows {@code [from, to)} of a finished column take, validity left out: additive over rows. */
    long bytes(int from, int to) {
        if (absent) {
            return (to - from) * plan.rowBytes;
        }
        boolean hasOwn = layout != ColumnPlan.STRUCT && layout != ColumnPlan.FIXED_LIST;
        long bytes = hasOwn ? (to - from) * plan.rowBytes : 0;
        switch (layout) {
            case ColumnPlan.VAR, ColumnPlan.LARGE_VAR, ColumnPlan.VIEW -> bytes += offsets[to] - offsets[from];
            case ColumnPlan.LIST, ColumnPlan.LARGE_LIST -> bytes += children[0].bytes(offsets[from], offsets[to]);
            case ColumnPlan.FIXED_LIST -> bytes += children[0].bytes(from * width, to * width);
            case ColumnPlan.STRUCT -> {
                for (Column child : children) {
                    bytes += child.bytes(from, to);
                }
            }
            case ColumnPlan.UNION -> {
                for (int row = from; row < to; row++) {
                    bytes += children[data[row]].bytes(offsets[row], offsets[row] + 1);
                }
            }
            default -> {}
        }
        return bytes;
    }
}
