package io.sluice.arrow.internal.avro;

import io.sluice.RecordException;
import io.sluice.avro.AvroSpec;
import io.sluice.avro.internal.BadRecord;
import io.sluice.avro.internal.BinaryInput;
import io.sluice.avro.internal.BlockWriter;
import io.sluice.avro.internal.MapReaders;
import io.sluice.avro.internal.MapWriters;
import io.sluice.avro.internal.ValueReader;
import io.sluice.codec.Encoder;
import io.sluice.codec.Output;
import java.util.List;
import java.util.Objects;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/**
 * Writes batches as the records of one container file. All batches of a file have the first one's Arrow schema.
 *
 * <p>With a schema given, each row is made in the batch's own Avro type and from there taken over to the given one, as maps
 * are: slower, but the same rules for both.
 */
final class BatchEncoder<T> implements Encoder<T> {

    private static final int MAX_NESTING = 1000;

    private final BatchAccess<T> access;
    private final BlockWriter blocks;
    private final org.apache.avro.@Nullable Schema given;
    private final Output scratch = new Output(1024);
    private final BinaryInput in = new BinaryInput(MAX_NESTING);

    private @Nullable Schema columns;
    private AvroTypes.@Nullable Row row;
    private @Nullable ValueReader reader;
    private MapWriters.@Nullable ValueWriter writer;

    BatchEncoder(AvroSpec spec, BatchAccess<T> access) {
        this.access = access;
        this.blocks = new BlockWriter(spec.codec(), spec.blockBytes(), spec.metadata());
        this.given = spec.schema();
    }

    @Override
    public void start(Output out) {
        if (given != null) {
            blocks.begin(given, out);
        }
    }

    @Override
    public int encode(T batch, Output out) {
        VectorSchemaRoot root = access.root(batch);
        blocks.mark();
        int at = 0;
        try {
            AvroTypes.Row to = bind(root, access.dictionaries(batch));
            if (!blocks.begun()) {
                blocks.begin(to.schema(), out);
            }
            int rows = root.getRowCount();
            for (; at < rows; at++) {
                blocks.next(out);
                write(to.columns(), at);
                blocks.added();
            }
            return rows;
        } catch (BadRecord e) {
            blocks.reset();
            throw new RecordException(e.kind(), null, at + 1L, -1, e.reason(), e.getCause());
        } catch (RuntimeException | Error e) {
            blocks.reset();
            throw e;
        }
    }

    private AvroTypes.Row bind(VectorSchemaRoot root, DictionaryProvider dictionaries) {
        AvroTypes.Row known = row;
        if (known == null) {
            try {
                known = AvroTypes.row(root.getSchema().getFields(), dictionaries);
            } catch (IllegalArgumentException e) {
                throw CellWriter.refused(String.valueOf(e.getMessage()));
            }
            row = known;
            columns = root.getSchema();
            if (given != null) {
                reader = MapReaders.compile(known.schema(), known.schema(), MapReaders.Logical.VALUES);
                writer = MapWriters.compile(given);
            }
        } else if (!root.getSchema()
                .getFields()
                .equals(Objects.requireNonNull(columns).getFields())) {
            throw CellWriter.refused("the batch's schema is not that of the batches before it in this file: "
                    + root.getSchema() + " where they have " + columns);
        }
        for (int i = 0; i < known.columns().size(); i++) {
            known.columns().get(i).bind(root.getVector(i), dictionaries);
        }
        return known;
    }

    private void write(List<CellWriter> cells, int at) {
        MapWriters.ValueWriter other = writer;
        Output to = other == null ? blocks.pending() : scratch;
        if (other != null) {
            scratch.position(0);
        }
        for (CellWriter cell : cells) {
            cell.write(at, to);
        }
        if (other != null) {
            in.reset(scratch.array(), 0, scratch.position());
            Object values = Objects.requireNonNull(reader).read(in);
            if (Objects.requireNonNull(given).getType() != org.apache.avro.Schema.Type.RECORD) {
                values = MapReaders.unwrapped((java.util.Map<?, ?>) Objects.requireNonNull(values));
            }
            other.write(values, blocks.pending());
        }
    }

    @Override
    public void undo() {
        blocks.reset();
    }

    @Override
    public long pendingBytes() {
        return blocks.pendingBytes();
    }

    @Override
    public void finish(Output out) {
        if (!blocks.begun()) {
            throw new io.sluice.SluiceException(
                    null,
                    -1,
                    -1,
                    "a file without batches has a schema all the same: give one by AvroSpec.schema",
                    null);
        }
        blocks.flush(out);
    }
}
