package io.sluice.format;

import io.sluice.codec.Block;
import io.sluice.codec.Encoder;
import io.sluice.codec.FormatReader;
import io.sluice.codec.Framer;
import io.sluice.codec.ReadLimits;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/** What all JSONL formats share; they differ in their reader and their encoder. */
final class JsonlFormat<T> implements Format<T> {

    private static final List<String> EXTENSIONS = List.of(".jsonl", ".ndjson", ".json");

    private final String name;
    private final Function<ReadLimits, FormatReader<?, T>> reader;
    private final Supplier<Encoder<T>> encoder;

    JsonlFormat(String name, Function<ReadLimits, FormatReader<?, T>> reader, Supplier<Encoder<T>> encoder) {
        this.name = name;
        this.reader = reader;
        this.encoder = encoder;
    }

    /** The encoder of formats that can only be read. */
    static <T> Supplier<Encoder<T>> readOnly(String name) {
        return () -> {
            throw new UnsupportedOperationException(name + " can only be read");
        };
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public List<String> extensions() {
        return EXTENSIONS;
    }

    @Override
    public Framer framer(ReadLimits limits) {
        return new JsonlFramer(limits);
    }

    @Override
    public FormatReader<?, T> reader(ReadLimits limits, List<Block> sample) {
        return reader.apply(limits);
    }

    @Override
    public Encoder<T> encoder() {
        return encoder.get();
    }

    @Override
    public String toString() {
        return name;
    }
}
