package io.sluice.avro;

import io.sluice.RecordException;
import io.sluice.SluiceException;
import io.sluice.avro.internal.BadRecord;
import io.sluice.avro.internal.BlockWriter;
import io.sluice.codec.Encoder;
import io.sluice.codec.Output;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;

/** Writes values, one record each, into the blocks of a container file. */
final class ContainerEncoder<T> implements Encoder<T> {

    /** Appends a value's bytes. */
    interface Values<T> {

        /** The schema to write with, as this value, the shard's first, suggests it. */
        Schema schema(T first);

        /**
         * Writes a value.
         *
         * @throws BadRecord where it can't be written
         */
        void write(T value, Output out);
    }

    private final BlockWriter blocks;
    private final Values<T> values;
    private final @Nullable Schema schema;

    ContainerEncoder(AvroSpec spec, @Nullable Schema schema, Values<T> values) {
        this.blocks = new BlockWriter(spec.codec(), spec.blockBytes(), spec.metadata());
        this.values = values;
        this.schema = schema;
    }

    @Override
    public void start(Output out) {
        if (schema != null) {
            blocks.begin(schema, out);
        }
    }

    @Override
    public int encode(T value, Output out) {
        blocks.mark();
        try {
            if (!blocks.begun()) {
                blocks.begin(values.schema(value), out);
            }
            blocks.next(out);
            values.write(value, blocks.pending());
            blocks.added();
            return 1;
        } catch (BadRecord e) {
            blocks.reset();
            throw new RecordException(e.kind(), null, -1, -1, e.reason(), e.getCause());
        } catch (SluiceException | Error e) {
            blocks.reset();
            throw e;
        } catch (RuntimeException e) {
            blocks.reset();
            throw new RecordException(
                    RecordException.Kind.UNMAPPABLE, null, -1, -1, "Avro refuses the record: " + e, e);
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
            throw new SluiceException(
                    null,
                    -1,
                    -1,
                    "a file without records has a schema all the same: give one by AvroSpec.schema",
                    null);
        }
        blocks.flush(out);
    }
}
