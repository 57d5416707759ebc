package io.sluice.arrow.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.ipc.message.ArrowFieldNode;
import org.jspecify.annotations.Nullable;

/**
 * One column of the batch that is being assembled, in Arrow buffers. Only the emitting thread touches it. Values are copied
 * in bulk, one copy per buffer and run of rows; offsets are rebased; bits are collected on the heap, because they have to be
 * shifted, and copied once at the end.
 */
final class BatchColumn implements AutoCloseable {

    private static final int SCRATCH_ROWS = 2048;
    private static final int VIEW_BYTES = 16;
    private static final int VIEW_INLINE = 12;
    private static final long[] NO_BITS = {};

    private final ColumnPlan plan;
    private final BufferAllocator allocator;
    private final byte[] scratch;
    private final BatchColumn[] children;
    private final GrowingBuffer data;
    private final GrowingBuffer offsets;
    private final @Nullable BatchDictionary dictionary;

    private int rows;
    private int nullCount;
    /** Nulls behind {@link #rows} that have not been written down yet. */
    private int waitingNulls;

    private long[] nulls = NO_BITS;
    private long[] bools = NO_BITS;

    /** @param scratch shared by all columns of a batch, {@link #scratch()} made it */
    BatchColumn(ColumnPlan plan, BufferAllocator allocator, BatchProgress progress, byte[] scratch) {
        this.plan = plan;
        this.allocator = allocator;
        this.scratch = scratch;
        this.children = plan.children.stream()
                .map(child -> new BatchColumn(child, allocator, progress, scratch))
                .toArray(BatchColumn[]::new);
        this.data = new GrowingBuffer(allocator, progress);
        this.offsets = new GrowingBuffer(allocator, progress);
        this.dictionary = plan.layout == ColumnPlan.DICTIONARY ? new BatchDictionary(plan) : null;
    }

    static byte[] scratch() {
        return new byte[SCRATCH_ROWS * VIEW_BYTES];
    }

    /** All dictionaries, of this column and those below. */
    void dictionaries(List<BatchDictionary> into) {
        if (dictionary != null) {
            into.add(dictionary);
        }
        for (BatchColumn child : children) {
            child.dictionaries(into);
        }
    }

    /** Appends rows {@code [from, to)} of a finished column. */
    void append(Column column, int from, int to) {
        int count = to - from;
        if (count == 0) {
            return;
        }
        if (column.absent) {
            waitingNulls += count;
            return;
        }
        if (waitingNulls > 0) {
            writeNulls();
        }
        if (column.nullCount > 0) {
            int more = Bits.count(column.nulls, from, to);
            if (more > 0) {
                nulls = Bits.ensure(nulls, rows + count + 64);
                Bits.or(column.nulls, from, nulls, rows, count);
                nullCount += more;
            }
        }
        switch (plan.layout) {
            case ColumnPlan.BOOL -> appendBools(column.data, from, count);
            case ColumnPlan.FIXED -> data.append(column.data, from * plan.width, count * plan.width);
            case ColumnPlan.VAR, ColumnPlan.LARGE_VAR -> {
                int start = column.offsets[from];
                appendOffsets(column.offsets, from, count, data.used() - start);
                data.append(column.data, start, column.offsets[to] - start);
            }
            case ColumnPlan.VIEW -> appendViews(column, from, to);
            case ColumnPlan.LIST, ColumnPlan.LARGE_LIST -> {
                int start = column.offsets[from];
                appendOffsets(column.offsets, from, count, (long) children[0].rowCount() - start);
                children[0].append(column.children[0], start, column.offsets[to]);
            }
            case ColumnPlan.FIXED_LIST -> children[0].append(column.children[0], from * plan.width, to * plan.width);
            case ColumnPlan.STRUCT -> {
                for (int i = 0; i < children.length; i++) {
                    children[i].append(column.children[i], from, to);
                }
            }
            case ColumnPlan.UNION -> appendUnion(column, from, to);
            case ColumnPlan.DICTIONARY -> appendCodes(column, from, to);
            default -> {}
        }
        rows = Math.addExact(rows, count);
    }

    /** Writes down the nulls of stretches in which the column was absent. */
    private void writeNulls() {
        int count = waitingNulls;
        waitingNulls = 0;
        nulls = Bits.ensure(nulls, rows + count + 64);
        Bits.set(nulls, rows, rows + count);
        nullCount += count;
        switch (plan.layout) {
            case ColumnPlan.BOOL -> bools = Bits.ensure(bools, rows + count + 64);
            case ColumnPlan.FIXED, ColumnPlan.DICTIONARY -> data.appendZeros((long) count * plan.width);
            case ColumnPlan.VAR, ColumnPlan.LARGE_VAR -> repeatOffset(count, data.used());
            case ColumnPlan.LIST, ColumnPlan.LARGE_LIST -> repeatOffset(count, children[0].rowCount());
            case ColumnPlan.VIEW -> offsets.appendZeros((long) count * VIEW_BYTES);
            case ColumnPlan.FIXED_LIST -> children[0].appendNulls(count * plan.width);
            case ColumnPlan.STRUCT -> {
                for (BatchColumn child : children) {
                    child.appendNulls(count);
                }
            }
            default -> {}
        }
        rows = Math.addExact(rows, count);
    }

    private void appendNulls(int count) {
        if (plan.layout == ColumnPlan.UNION) {
            Column one = new Column(plan);
            one.fill(count);
            one.finish(count);
            append(one, 0, count);
        } else {
            waitingNulls += count;
        }
    }

    private int rowCount() {
        return rows + waitingNulls;
    }

    private void repeatOffset(int count, long offset) {
        firstOffset();
        checkOffset(offset);
        offsets.repeatOffset(count, offset, isWide());
    }

    private boolean isWide() {
        return plan.layout == ColumnPlan.LARGE_VAR || plan.layout == ColumnPlan.LARGE_LIST;
    }

    private void firstOffset() {
        if (offsets.used() == 0) {
            offsets.appendZeros(isWide() ? Long.BYTES : Integer.BYTES);
        }
    }

    private void checkOffset(long last) {
        if (!isWide() && last > Integer.MAX_VALUE) {
            throw new IllegalStateException("column '" + plan.field.getName() + "' outgrew 32-bit offsets");
        }
    }

    private void appendBools(byte[] values, int from, int count) {
        bools = Bits.ensure(bools, rows + count + 64);
        long[] bits = bools;
        int at = rows;
        for (int i = 0; i < count; i++, at++) {
            bits[at >> 6] |= (long) values[from + i] << at;
        }
    }

    private void appendOffsets(int[] source, int from, int count, long base) {
        firstOffset();
        checkOffset(base + source[from + count]);
        offsets.appendOffsets(source, from + 1, count, base, isWide());
    }

    /** Short values stand in their view, longer ones in the one data buffer that the view points into. */
    private void appendViews(Column column, int from, int to) {
        int pending = 0;
        for (int row = from; row < to; row++) {
            int start = column.offsets[row];
            int length = column.offsets[row + 1] - start;
            int at = pending * VIEW_BYTES;
            Column.LONGS.set(scratch, at, 0L);
            Column.LONGS.set(scratch, at + 8, 0L);
            Column.INTS.set(scratch, at, length);
            System.arraycopy(column.data, start, scratch, at + 4, length <= VIEW_INLINE ? length : 4);
            if (length > VIEW_INLINE) {
                Column.INTS.set(scratch, at + 12, Math.toIntExact(data.used()));
                data.append(column.data, start, length);
            }
            if (++pending == SCRATCH_ROWS || row + 1 == to) {
                offsets.append(scratch, 0, pending * VIEW_BYTES);
                pending = 0;
            }
        }
    }

    private void appendUnion(Column column, int from, int to) {
        int[] starts = new int[children.length];
        int[] ends = new int[children.length];
        java.util.Arrays.fill(starts, -1);
        for (int row = from; row < to; row++) {
            int child = column.data[row];
            if (starts[child] < 0) {
                starts[child] = column.offsets[row];
            }
            ends[child] = column.offsets[row] + 1;
        }
        int pending = 0;
        for (int row = from; row < to; row++) {
            int child = column.data[row];
            scratch[pending] = (byte) plan.typeIds[child];
            Column.INTS.set(
                    scratch,
                    SCRATCH_ROWS + pending * 4,
                    children[child].rowCount() + column.offsets[row] - starts[child]);
            if (++pending == SCRATCH_ROWS || row + 1 == to) {
                data.append(scratch, 0, pending);
                offsets.append(scratch, SCRATCH_ROWS, pending * 4);
                pending = 0;
            }
        }
        for (int i = 0; i < children.length; i++) {
            if (starts[i] >= 0) {
                children[i].append(column.children[i], starts[i], ends[i]);
            }
        }
    }

    private void appendCodes(Column column, int from, int to) {
        StringTable table = Objects.requireNonNull(column.table);
        BatchDictionary codes = Objects.requireNonNull(dictionary);
        int width = plan.width;
        int pending = 0;
        for (int row = from; row < to; row++) {
            long code = column.isNull(row) ? 0 : codes.code(table, (int) Column.INTS.get(column.data, row * 4));
            int at = pending * width;
            switch (width) {
                case 1 -> scratch[at] = (byte) code;
                case 2 -> Column.SHORTS.set(scratch, at, (short) code);
                case 4 -> Column.INTS.set(scratch, at, (int) code);
                default -> Column.LONGS.set(scratch, at, code);
            }
            if (++pending == SCRATCH_ROWS || row + 1 == to) {
                data.append(scratch, 0, pending * width);
                pending = 0;
            }
        }
    }

    /**
     * Moves everything into a vector made from the plan's field; this one begins anew.
     *
     * @param zeros for columns that are null throughout: of wide schemas, often most
     */
    void moveTo(FieldVector vector, SharedZeros zeros) {
        if (rows == 0 && waitingNulls > 0 && plan.layout != ColumnPlan.NULL) {
            moveNullsTo(vector, zeros);
            return;
        }
        if (waitingNulls > 0) {
            writeNulls();
        }
        List<ArrowBuf> buffers = new ArrayList<>(3);
        try {
            int nullRows = plan.layout == ColumnPlan.NULL ? rows : nullCount;
            if (plan.layout == ColumnPlan.UNION) {
                buffers.add(data.detach());
                buffers.add(offsets.detach());
            } else if (plan.layout != ColumnPlan.NULL) {
                // an empty validity buffer stands for all ones
                buffers.add(nullCount == 0 ? allocator.getEmpty() : bits(nulls, true));
                switch (plan.layout) {
                    case ColumnPlan.BOOL -> buffers.add(bits(bools, false));
                    case ColumnPlan.FIXED, ColumnPlan.DICTIONARY -> buffers.add(data.detach());
                    case ColumnPlan.VAR, ColumnPlan.LARGE_VAR -> {
                        buffers.add(offsets.detach());
                        buffers.add(data.detach());
                    }
                    case ColumnPlan.VIEW -> {
                        buffers.add(offsets.detach());
                        if (data.used() > 0) {
                            buffers.add(data.detach());
                        }
                    }
                    case ColumnPlan.LIST, ColumnPlan.LARGE_LIST -> buffers.add(offsets.detach());
                    default -> {}
                }
            }
            vector.loadFieldBuffers(new ArrowFieldNode(rows, nullRows), buffers);
        } finally {
            buffers.forEach(ArrowBuf::close);
        }
        rows = 0;
        nullCount = 0;
        nulls = NO_BITS;
        bools = NO_BITS;
        moveChildrenTo(vector, zeros);
    }

    private void moveChildrenTo(FieldVector vector, SharedZeros zeros) {
        List<FieldVector> below = vector.getChildrenFromFields();
        for (int i = 0; i < children.length; i++) {
            children[i].moveTo(below.get(i), zeros);
        }
    }

    /** A column that had no value in the whole batch: nothing of it has been written down, and nothing need be. */
    private void moveNullsTo(FieldVector vector, SharedZeros zeros) {
        int count = waitingNulls;
        waitingNulls = 0;
        long validity = (count + 63L) >> 6 << 3;
        List<ArrowBuf> buffers = new ArrayList<>(3);
        try {
            buffers.add(zeros.take(validity));
            switch (plan.layout) {
                case ColumnPlan.BOOL -> buffers.add(zeros.take(validity));
                case ColumnPlan.FIXED, ColumnPlan.DICTIONARY -> buffers.add(zeros.take((long) count * plan.width));
                case ColumnPlan.VAR, ColumnPlan.LARGE_VAR -> {
                    buffers.add(zeros.take((count + 1L) * (isWide() ? Long.BYTES : Integer.BYTES)));
                    buffers.add(allocator.getEmpty());
                }
                case ColumnPlan.LIST, ColumnPlan.LARGE_LIST ->
                    buffers.add(zeros.take((count + 1L) * (isWide() ? Long.BYTES : Integer.BYTES)));
                case ColumnPlan.VIEW -> buffers.add(zeros.take((long) count * VIEW_BYTES));
                default -> {
                    for (BatchColumn child : children) {
                        child.appendNulls(plan.layout == ColumnPlan.FIXED_LIST ? count * plan.width : count);
                    }
                }
            }
            vector.loadFieldBuffers(new ArrowFieldNode(count, count), buffers);
        } finally {
            buffers.forEach(ArrowBuf::close);
        }
        moveChildrenTo(vector, zeros);
    }

    /** The bits of all rows as an Arrow buffer of whole 8-byte words. */
    private ArrowBuf bits(long[] bits, boolean inverted) {
        int words = (rows + 63) >> 6;
        ArrowBuf buffer = allocator.buffer(words * 8L);
        for (int done = 0; done < words; ) {
            int run = Math.min(words - done, scratch.length / 8);
            for (int i = 0; i < run; i++) {
                long word = done + i < bits.length ? bits[done + i] : 0;
                Column.LONGS.set(scratch, i * 8, inverted ? ~word : word);
            }
            buffer.setBytes(done * 8L, scratch, 0, run * 8L);
            done += run;
        }
        buffer.writerIndex(words * 8L);
        return buffer;
    }

    @Override
    public void close() {
        data.close();
        offsets.close();
        rows = 0;
        nullCount = 0;
        waitingNulls = 0;
        for (BatchColumn child : children) {
            child.close();
        }
    }
}
