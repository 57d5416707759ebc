package io.sluice.arrow.internal.avro;

import io.sluice.arrow.internal.ColumnChunk;
import io.sluice.avro.AvroHeader;
import io.sluice.avro.internal.BinaryInput;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Reads what a filter looks at, skips the rest, and says whether the record is wanted. Single-threaded. */
final class RowGate {

    private final RowSource source;
    private final RowCondition.Test test;
    private @Nullable ColumnChunk seen;
    private int end;

    RowGate(RowSource source, RowCondition.Test test) {
        this.source = source;
        this.test = test;
    }

    void open(AvroHeader header) {
        source.open(header);
        seen = source.begin();
    }

    void data(byte[] data, int to, boolean checks) {
        source.data(data, to, checks);
    }

    /** Whether the record at {@code pos} becomes a row; {@link #end()} is where the next one begins. */
    boolean wants(int pos, int to) {
        source.ensure(1);
        try {
            end = source.row(0, pos, to);
            source.rows(1);
            if (!source.textIsSound()) {
                throw BinaryInput.invalidUtf8();
            }
            return test.test(Objects.requireNonNull(seen), 0);
        } finally {
            source.rollback(0);
        }
    }

    int end() {
        return end;
    }
}
