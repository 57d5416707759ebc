package io.sluice.arrow.internal.avro;

import io.sluice.arrow.internal.BatchAssembler;
import io.sluice.arrow.internal.ChunkPool;
import io.sluice.arrow.internal.ColumnChunk;
import io.sluice.arrow.internal.ColumnPlan;
import io.sluice.avro.AvroHeader;
import io.sluice.avro.AvroSpec;
import io.sluice.avro.AvroSpec.FileSchemas;
import io.sluice.avro.internal.AvroFramer;
import io.sluice.avro.internal.FileResolution;
import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.BlockEmitter;
import io.sluice.codec.Encoder;
import io.sluice.codec.FormatReader;
import io.sluice.codec.Framer;
import io.sluice.codec.ReadLimits;
import io.sluice.format.Format;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/**
 * Avro container files as record batches.
 *
 * @param <T> what a batch is made into
 */
public final class AvroBatches<T> implements Format<T> {

    private final AvroSpec spec;
    private final BatchAssembler.Options options;
    private final @Nullable RowCondition filter;
    private final BufferAllocator allocator;
    private final BatchAccess<T> access;

    /**
     * @param filter which records become rows, or null for all
     * @param allocator where batches live; not closed here
     */
    public AvroBatches(
            AvroSpec spec,
            BatchAssembler.Options options,
            @Nullable RowCondition filter,
            BufferAllocator allocator,
            BatchAccess<T> access) {
        if (spec.schema() == null && spec.fileSchemas() == FileSchemas.AS_WRITTEN) {
            throw new IllegalArgumentException(
                    "record batches have one schema a stream: FileSchemas.SAME, FIRST, or a schema of your own");
        }
        this.spec = spec;
        this.options = options;
        this.filter = filter;
        this.allocator = allocator;
        this.access = access;
    }

    /** Where batches end, and the columns that are added to them. */
    public BatchAssembler.Options options() {
        return options;
    }

    @Override
    public String name() {
        return "avro record batches";
    }

    @Override
    public List<String> extensions() {
        return List.of(".avro");
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
        return FileResolution.needsFirst(spec, FileSchemas.SAME) ? 1 : 0;
    }

    @Override
    public FormatReader<?, T> reader(ReadLimits limits, List<Block> sample) {
        AvroHeader first = sample.isEmpty() ? null : (AvroHeader) sample.get(0).header();
        Columns columns = new Columns(new FileResolution(spec, FileSchemas.SAME, first));
        Schema schema = columns.schema;
        options.schema(schema); // refuses names that collide
        RowCondition condition = filter;
        Columns lookedAt = condition == null || columns.none
                ? null
                : new Columns(new FileResolution(spec.fields(condition.columns()), FileSchemas.SAME, first));
        return new FormatReader<ColumnChunk, T>() {
            @Override
            public BlockDecoder<ColumnChunk> decoder() {
                RowSource rows = new RowSource(columns.files, columns.pool, limits.maxNesting());
                RowGate gate = condition == null || lookedAt == null
                        ? null
                        : new RowGate(
                                new RowSource(lookedAt.files, lookedAt.pool, limits.maxNesting()),
                                condition.compile(lookedAt.pool.plans()));
                return new BatchDecoder(spec.maxBlockBytes(), limits.maxNesting(), rows, gate);
            }

            @Override
            public BlockEmitter<ColumnChunk, T> emitter() {
                return new BatchAssembler<>(schema, options, allocator, access);
            }
        };
    }

    /** The columns that a selection of fields makes. */
    private static final class Columns {

        final FileResolution files;
        final boolean none;
        final Schema schema;
        final ChunkPool pool;

        Columns(FileResolution files) {
            org.apache.avro.Schema rows = files.columns();
            this.files = files;
            this.none = rows == null;
            this.schema = rows == null ? new Schema(List.of()) : ArrowTypes.schema(rows);
            this.pool = new ChunkPool(ColumnPlan.of(schema.getFields()));
        }
    }

    @Override
    public Encoder<T> encoder() {
        return new BatchEncoder<>(spec, access);
    }

    @Override
    public int maxBufferedValues() {
        return 2;
    }

    @Override
    public void release(T batch) {
        access.release(batch);
    }

    @Override
    public String toString() {
        return name();
    }
}
