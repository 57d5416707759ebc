package io.sluice.arrow.internal.avro;

import io.sluice.arrow.internal.ColumnChunk;
import io.sluice.avro.AvroHeader;
import io.sluice.avro.internal.AvroBlockDecoder;
import io.sluice.avro.internal.BadRecord;
import io.sluice.avro.internal.BinaryInput;
import io.sluice.avro.internal.Shape;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Decodes container blocks into column chunks. */
final class BatchDecoder extends AvroBlockDecoder<ColumnChunk> {

    /** Rows that room is made for at once. */
    private static final int STEP = 1024;

    private final RowSource source;
    private final @Nullable RowGate gate;
    private @Nullable ColumnChunk chunk;
    private int[] ordinals = new int[0];
    private int decoded;
    private int room;

    /** A stretch of a block, where {@code troubledTo} is not negative, in which a record has failed. */
    private int troubledFrom;

    private int troubledTo = -1;

    /** @param gate which records become rows, or null for all */
    BatchDecoder(int maxBlockBytes, int maxNesting, RowSource source, @Nullable RowGate gate) {
        super(maxBlockBytes, maxNesting);
        this.source = source;
        this.gate = gate;
    }

    @Override
    protected void open(AvroHeader header, Shape shape) {
        source.open(header);
        if (gate != null) {
            gate.open(header);
        }
    }

    @Override
    protected void begin() {
        chunk = source.begin();
        decoded = 0;
        room = 0;
        ordinals = new int[gate == null ? 0 : 64];
    }

    @Override
    protected int records(byte[] data, int from, int to, int most) {
        int before = decoded;
        int rows = Objects.requireNonNull(chunk).rows;
        if (to != troubledTo || from < troubledFrom) {
            troubledTo = -1;
            read(data, from, to, most, false);
        }
        if (troubledTo >= 0 || failure != null || !source.textIsSound()) {
            // again from the start, looking at every string, so that the first record at fault is the one that fails;
            // and so to the block's end, lest a block with many of them be read as often
            troubledFrom = from;
            troubledTo = to;
            source.rollback(rows);
            decoded = before;
            read(data, from, to, most, true);
            if (failure != null) {
                source.rollback(Objects.requireNonNull(chunk).rows);
            }
        }
        return decoded - before;
    }

    private void read(byte[] data, int from, int to, int most, boolean checks) {
        failure = null;
        source.data(data, to, checks);
        RowGate only = gate;
        try {
            if (only == null) {
                all(from, to, most);
            } else {
                only.data(data, to, checks);
                some(only, from, to, most);
            }
        } catch (BadRecord e) {
            failure = e;
        } catch (IndexOutOfBoundsException e) {
            requireCutOff(data, stoppedAt, to, e);
            failure = BinaryInput.cutOff();
        }
    }

    private void all(int from, int to, int most) {
        int first = Objects.requireNonNull(chunk).rows;
        int last = first + most;
        int row = first;
        stoppedAt = from;
        try {
            while (row < last) {
                int end = Math.min(last, row + STEP);
                source.ensure(end);
                while (row < end) {
                    stoppedAt = source.row(row, stoppedAt, to);
                    row++;
                }
            }
        } finally {
            source.rows(row);
            decoded += row - first;
        }
    }

    private void some(RowGate only, int from, int to, int most) {
        ColumnChunk into = Objects.requireNonNull(chunk);
        stoppedAt = from;
        for (int i = 0; i < most; i++) {
            int row = into.rows;
            if (only.wants(stoppedAt, to)) {
                if (row >= room) {
                    room = row + Math.min(STEP, most - i);
                    source.ensure(room);
                }
                source.row(row, stoppedAt, to);
                source.rows(row + 1);
                if (row == ordinals.length) {
                    ordinals = Arrays.copyOf(ordinals, row * 2);
                }
                ordinals[row] = decoded;
            }
            stoppedAt = only.end();
            decoded++;
        }
    }

    /** Out of bounds must mean that the data ends inside the record; anything else is a mistake of ours. */
    private void requireCutOff(byte[] data, int from, int to, IndexOutOfBoundsException e) {
        BinaryInput in = new BinaryInput(Integer.MAX_VALUE);
        in.reset(data, from, to);
        try {
            shape().check(in);
        } catch (BadRecord bad) {
            return;
        }
        throw e;
    }

    @Override
    protected ColumnChunk end() {
        ColumnChunk done = Objects.requireNonNull(chunk);
        chunk = null;
        if (gate != null) {
            done.ordinals = ordinals;
        }
        return done.finish(decoded);
    }
}
