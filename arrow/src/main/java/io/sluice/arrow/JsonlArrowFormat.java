package io.sluice.arrow;

import io.sluice.arrow.internal.BatchAssembler;
import io.sluice.codec.Block;
import io.sluice.codec.Encoder;
import io.sluice.codec.FormatReader;
import io.sluice.codec.Framer;
import io.sluice.codec.ReadLimits;
import io.sluice.format.Format;
import io.sluice.format.Jsonl;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.types.pojo.Schema;

/** JSONL as batches of rows. */
final class JsonlArrowFormat implements Format<RecordBatch> {

    private static final Format<Map<String, Object>> LINES = Jsonl.maps();

    private final BufferAllocator allocator;
    private final ArrowSpec spec;

    JsonlArrowFormat(BufferAllocator allocator, ArrowSpec spec) {
        this.allocator = allocator;
        this.spec = spec;
    }

    @Override
    public String name() {
        return "jsonl arrow";
    }

    @Override
    public List<String> extensions() {
        return LINES.extensions();
    }

    @Override
    public Framer framer(ReadLimits limits) {
        return LINES.framer(limits);
    }

    @Override
    public int sampleBytes() {
        return spec.schema() == null ? spec.sampleBytes() : 0;
    }

    @Override
    public FormatReader<?, RecordBatch> reader(ReadLimits limits, List<Block> sample) {
        return new JsonlArrowReader(schema(limits, sample), spec, limits, allocator);
    }

    /** Where batches end, and the columns that are added to them. */
    BatchAssembler.Options options() {
        return spec.batches();
    }

    /** Whether there is no schema yet. */
    boolean infers() {
        return spec.schema() == null;
    }

    /** Emits the schema that reading begins with, and reads no more than it takes to know it. */
    Format<Schema> schemaOfSample() {
        return new SchemaFormat(this, spec, false);
    }

    /** Emits the schema of all records. */
    Format<Schema> schemaOfAll() {
        return new SchemaFormat(this, spec, true);
    }

    /** The schema, given or inferred. */
    Schema schema(ReadLimits limits, List<Block> sample) {
        Schema schema = spec.schema();
        if (schema == null) {
            JsonRules rules = spec.rules(limits.maxNesting(), Projection.ALL);
            schema = Inference.of(sample, spec.sampleRecords(), limits, rules, spec.inference());
        }
        return schema;
    }

    @Override
    public Encoder<RecordBatch> encoder() {
        return new JsonlBatchEncoder(spec.jsonl().acceptsNonFinite());
    }

    @Override
    public int maxBufferedValues() {
        return IpcFormat.MAX_BUFFERED_BATCHES;
    }

    @Override
    public void release(RecordBatch value) {
        value.close();
    }

    @Override
    public String toString() {
        return name();
    }
}
