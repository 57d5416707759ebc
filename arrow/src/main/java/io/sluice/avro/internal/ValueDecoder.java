package io.sluice.avro.internal;

import io.sluice.avro.AvroHeader;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Decodes blocks with a {@link ValueReader} made for each file's schema. */
public final class ValueDecoder extends AvroBlockDecoder<Object[]> {

    private final Function<AvroHeader, ValueReader> readers;
    private final BinaryInput in;
    private @Nullable ValueReader reader;
    private Object[] values = new Object[0];
    private int count;

    /** @param readers makes the reader for a file, or throws where its schema does not fit */
    public ValueDecoder(int maxBlockBytes, int maxNesting, Function<AvroHeader, ValueReader> readers) {
        super(maxBlockBytes, maxNesting);
        this.readers = readers;
        this.in = new BinaryInput(maxNesting);
    }

    @Override
    protected void open(AvroHeader header, Shape shape) {
        reader = readers.apply(header);
    }

    @Override
    protected void begin() {
        values = new Object[64];
        count = 0;
    }

    @Override
    protected int records(byte[] data, int from, int to, int most) {
        ValueReader r = Objects.requireNonNull(reader);
        in.reset(data, from, to);
        int before = count;
        for (int i = 0; i < most; i++) {
            stoppedAt = in.pos;
            try {
                Object value = r.read(in);
                if (count == values.length) {
                    values = Arrays.copyOf(values, count * 2);
                }
                values[count++] = Objects.requireNonNull(value);
            } catch (BadRecord e) {
                failure = e;
                in.at(stoppedAt);
                return count - before;
            }
        }
        stoppedAt = in.pos;
        return count - before;
    }

    @Override
    protected Object[] end() {
        Object[] done = values;
        values = new Object[0];
        return done;
    }
}
