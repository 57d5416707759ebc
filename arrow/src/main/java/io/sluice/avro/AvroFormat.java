package io.sluice.avro;

import io.sluice.avro.AvroSpec.FileSchemas;
import io.sluice.avro.internal.AvroFramer;
import io.sluice.avro.internal.FileResolution;
import io.sluice.avro.internal.ValueDecoder;
import io.sluice.avro.internal.ValueReader;
import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.BlockEmitter;
import io.sluice.codec.Encoder;
import io.sluice.codec.FormatReader;
import io.sluice.codec.Framer;
import io.sluice.codec.ReadLimits;
import io.sluice.codec.ValueEmitter;
import io.sluice.format.Format;
import java.util.List;
import java.util.function.Supplier;
import org.apache.avro.Schema;

/** What the formats of whole values share; they differ in what they make of a record. */
final class AvroFormat<T> implements Format<T> {

    static final List<String> EXTENSIONS = List.of(".avro");

    /** Makes what reads the records of a file, for one worker. */
    interface Readers {
        ValueReader reader(AvroHeader file, Schema reader);
    }

    private final String name;
    private final AvroSpec spec;
    private final Readers readers;
    private final Supplier<Encoder<T>> encoders;

    AvroFormat(String name, AvroSpec spec, Readers readers, Supplier<Encoder<T>> encoders) {
        this.name = name;
        this.spec = spec;
        this.readers = readers;
        this.encoders = encoders;
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
    public int maxBlockBytes(ReadLimits limits) {
        return AvroFramer.mostBytes(spec);
    }

    @Override
    public Framer framer(ReadLimits limits) {
        return AvroFramer.create(spec, limits);
    }

    @Override
    public int sampleBytes() {
        return FileResolution.needsFirst(spec, FileSchemas.AS_WRITTEN) ? 1 : 0;
    }

    @Override
    public FormatReader<?, T> reader(ReadLimits limits, List<Block> sample) {
        AvroHeader first = sample.isEmpty() ? null : (AvroHeader) sample.get(0).header();
        FileResolution files = new FileResolution(spec, FileSchemas.AS_WRITTEN, first);
        return new FormatReader<Object[], T>() {
            @Override
            public BlockDecoder<Object[]> decoder() {
                return new ValueDecoder(
                        spec.maxBlockBytes(),
                        limits.maxNesting(),
                        file -> readers.reader(file, files.reader(file.schema())));
            }

            @Override
            public BlockEmitter<Object[], T> emitter() {
                return new ValueEmitter<>();
            }
        };
    }

    @Override
    public Encoder<T> encoder() {
        return encoders.get();
    }

    @Override
    public String toString() {
        return name;
    }
}
