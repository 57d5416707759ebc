package io.sluice.arrow;

import io.sluice.SluiceException;
import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.BlockEmitter;
import io.sluice.codec.BlockOrigin;
import io.sluice.codec.DecodedBlock;
import io.sluice.codec.Encoder;
import io.sluice.codec.FormatReader;
import io.sluice.codec.Framer;
import io.sluice.codec.ReadLimits;
import io.sluice.format.Format;
import java.util.List;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/** JSONL as the one schema that is inferred from it. */
final class SchemaFormat implements Format<Schema> {

    private final JsonlArrowFormat records;
    private final ArrowSpec spec;
    private final boolean all;

    /** @param all whether to look at all records, or at the sample only */
    SchemaFormat(JsonlArrowFormat records, ArrowSpec spec, boolean all) {
        this.records = records;
        this.spec = spec;
        this.all = all;
    }

    @Override
    public String name() {
        return "jsonl schema";
    }

    @Override
    public List<String> extensions() {
        return records.extensions();
    }

    @Override
    public Framer framer(ReadLimits limits) {
        return records.framer(limits);
    }

    @Override
    public int sampleBytes() {
        return all ? 0 : records.sampleBytes();
    }

    @Override
    public FormatReader<?, Schema> reader(ReadLimits limits, List<Block> sample) {
        return new Reader(limits, all ? null : records.schema(limits, sample));
    }

    @Override
    public Encoder<Schema> encoder() {
        throw new UnsupportedOperationException("a schema is not written as " + name());
    }

    /** What the records of a block are like; {@code values} of a run. */
    private final class Reader implements FormatReader<InferredNode, Schema> {

        private final ReadLimits limits;
        private final @Nullable Schema known;

        Reader(ReadLimits limits, @Nullable Schema known) {
            this.limits = limits;
            this.known = known;
        }

        @Override
        public BlockDecoder<InferredNode> decoder() {
            JsonRules rules = spec.rules(limits.maxNesting(), Projection.ALL);
            return block -> known == null
                    ? new Inference(limits, rules, spec.inference()).decode(block)
                    : new DecodedBlock<>(new InferredNode(""), 0, 0, 0, 0, block.length(), List.of());
        }

        @Override
        public BlockEmitter<InferredNode, Schema> emitter() {
            return new Emitter(known);
        }
    }

    private final class Emitter implements BlockEmitter<InferredNode, Schema> {

        private final InferredNode root = new InferredNode("");
        private @Nullable Schema known;
        private @Nullable InferredNode last;

        Emitter(@Nullable Schema known) {
            this.known = known;
        }

        @Override
        @SuppressWarnings("ReferenceEquality") // a block that is accepted in several runs is one object
        public void accept(BlockOrigin origin, InferredNode block, int from, int to) {
            if (block == last) {
                return;
            }
            last = block;
            root.merge(block);
            if (root.size() > Inference.MAX_COLUMNS) {
                throw new SluiceException(origin.key(), -1, origin.offset(), Inference.TOO_MANY_KEYS, null);
            }
        }

        @Override
        public boolean hasNext() {
            return known != null;
        }

        @Override
        public @Nullable Schema poll() {
            Schema schema = known;
            known = null;
            return schema;
        }

        @Override
        public boolean holdsBack() {
            return true;
        }

        @Override
        public int polledRecords() {
            return 0;
        }

        @Override
        public void end() {
            if (all) {
                known = new Schema(root.toFields(spec.inference()));
            }
        }
    }
}
