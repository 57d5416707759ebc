package io.sluice.arrow;

import io.sluice.Dataset;
import io.sluice.ReadSpec;
import io.sluice.arrow.internal.BatchAssembler;
import io.sluice.arrow.internal.avro.AvroBatches;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.ReferenceManager;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.complex.DenseUnionVector;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.types.pojo.Field;
import reactor.core.publisher.Mono;

/** How much memory a batch takes: what the first rows take, carried on to as many rows as a batch has. */
final class BatchEstimate {

    /** Rows that are looked at: enough for texts of different lengths to even out, and mostly within the first block. */
    static final int SAMPLE_ROWS = 4096;

    /** Nothing is read ahead but this: mostly a block, and never the files behind the first. */
    private static final int PREFETCH_BYTES = 1 << 20;

    /** What buffers have to spare that are made before it is known how long they will be. */
    private static final double SPARE = 1.0625;

    private BatchEstimate() {}

    static Mono<Long> of(Dataset<RecordBatch> dataset) {
        BatchAssembler.Options full = null;
        if (dataset.format() instanceof JsonlArrowFormat jsonl) {
            full = jsonl.options();
        } else if (dataset.format() instanceof AvroBatches<?> avro) {
            full = avro.options();
        }
        BatchAssembler.Options options = full;
        ReadSpec one = ReadSpec.create().parallelism(1).prefetchBytes(PREFETCH_BYTES);
        if (options == null) {
            return dataset.read(one)
                    .map(batch -> {
                        try (batch) {
                            return allocated(batch);
                        }
                    })
                    .next();
        }
        int sample = Math.min(SAMPLE_ROWS, options.batchRows());
        // at the end of the sample, when all memory is back: whoever waits may close the allocator then
        return dataset.read(one.limit(sample))
                .map(batch -> {
                    try (batch) {
                        return estimate(batch, sample, options);
                    }
                })
                .reduce((first, later) -> first);
    }

    /** A batch that ended before the sample did is one that reading makes, too: by its bytes, or because there is no more. */
    private static long estimate(RecordBatch batch, int sample, BatchAssembler.Options options) {
        if (batch.rowCount() < sample || sample == options.batchRows()) {
            return allocated(batch);
        }
        List<FieldVector> vectors = batch.root().getFieldVectors();
        long bytes = 0;
        for (FieldVector vector : vectors) {
            bytes += used(vector);
        }
        double times =
                Math.min((double) options.batchRows() / sample, (double) options.batchBytes() / Math.max(1, bytes));
        Map<ReferenceManager, Long> sizes = new IdentityHashMap<>();
        for (FieldVector vector : vectors) {
            carriedOn(vector, times, sizes);
        }
        return sum(sizes) + dictionaries(batch);
    }

    /** Bytes that a limit on the bytes of a batch counts: no validity. */
    private static long used(FieldVector vector) {
        long bytes = 0;
        List<ArrowBuf> buffers = vector.getFieldBuffers();
        for (int i = vector instanceof DenseUnionVector ? 0 : 1; i < buffers.size(); i++) {
            bytes += buffers.get(i).readableBytes();
        }
        for (FieldVector child : vector.getChildrenFromFields()) {
            bytes += used(child);
        }
        return bytes;
    }

    /** Memory by owner: columns without a value share theirs. */
    private static void carriedOn(FieldVector vector, double times, Map<ReferenceManager, Long> sizes) {
        BufferAllocator allocator = vector.getAllocator();
        for (ArrowBuf buffer : vector.getFieldBuffers()) {
            long bytes = (long) (buffer.readableBytes() * times * SPARE);
            if (bytes > 0) {
                sizes.merge(
                        buffer.getReferenceManager(),
                        allocator.getRoundingPolicy().getRoundedSize(bytes),
                        Math::max);
            }
        }
        for (FieldVector child : vector.getChildrenFromFields()) {
            carriedOn(child, times, sizes);
        }
    }

    private static long allocated(RecordBatch batch) {
        Map<ReferenceManager, Long> sizes = new IdentityHashMap<>();
        batch.root().getFieldVectors().forEach(vector -> allocated(vector, sizes));
        return sum(sizes) + dictionaries(batch);
    }

    private static void allocated(FieldVector vector, Map<ReferenceManager, Long> sizes) {
        for (ArrowBuf buffer : vector.getFieldBuffers()) {
            ReferenceManager owner = buffer.getReferenceManager();
            sizes.put(owner, owner.getSize());
        }
        vector.getChildrenFromFields().forEach(child -> allocated(child, sizes));
    }

    /** Dictionaries grow with the values, not with the rows. */
    private static long dictionaries(RecordBatch batch) {
        Map<ReferenceManager, Long> sizes = new IdentityHashMap<>();
        for (Field field : batch.schema().getFields()) {
            dictionaries(field, batch, sizes);
        }
        return sum(sizes);
    }

    private static void dictionaries(Field field, RecordBatch batch, Map<ReferenceManager, Long> sizes) {
        if (field.getDictionary() != null) {
            Dictionary dictionary =
                    batch.dictionaries().lookup(field.getDictionary().getId());
            if (dictionary != null) {
                allocated(dictionary.getVector(), sizes);
            }
        }
        field.getChildren().forEach(child -> dictionaries(child, batch, sizes));
    }

    private static long sum(Map<ReferenceManager, Long> sizes) {
        return sizes.values().stream().mapToLong(Long::longValue).sum();
    }
}
