package io.sluice.arrow;

import io.sluice.Dataset;
import io.sluice.ReadSpec;
import io.sluice.arrow.internal.BatchAssembler;
import io.sluice.arrow.internal.avro.AvroBatches;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.ReferenceManager;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.complex.DenseUnionVector;
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
        ReadSpec spec = ReadSpec.create().prefetchBytes(PREFETCH_BYTES);
        if (options == null) {
            return FirstBatch.of(
                    dataset,
                    spec,
                    1,
                    dataset.format() instanceof IpcFormat ? BatchEstimate::whole : BatchEstimate::allocated);
        }
        int sample = Math.min(SAMPLE_ROWS, options.batchRows());
        return FirstBatch.of(dataset, spec, sample, batch -> estimate(batch, sample, options));
    }

    /** A batch that ended before the sample did is one that reading makes, too: by its bytes, or because there is no more. */
    private static long estimate(RecordBatch batch, int sample, BatchAssembler.Options options) {
        if (batch.rowCount() < sample || sample == options.batchRows()) {
            return allocated(batch);
        }
        List<FieldVector> vectors = all(batch.root().getFieldVectors());
        long bytes = 0;
        for (FieldVector vector : vectors) {
            bytes += used(vector);
        }
        double times =
                Math.min((double) options.batchRows() / sample, (double) options.batchBytes() / Math.max(1, bytes));
        // by owner: columns without a value share their memory
        Map<ReferenceManager, Long> sizes = new IdentityHashMap<>();
        for (FieldVector vector : vectors) {
            for (ArrowBuf buffer : vector.getFieldBuffers()) {
                long carriedOn = (long) (buffer.readableBytes() * times * SPARE);
                if (carriedOn > 0) {
                    sizes.merge(
                            buffer.getReferenceManager(),
                            vector.getAllocator().getRoundingPolicy().getRoundedSize(carriedOn),
                            Math::max);
                }
            }
        }
        owners(dictionaries(batch), sizes); // these grow with the values, not with the rows
        return sum(sizes);
    }

    /** What an IPC batch took before it was cut short: all of it lies in one piece, which each part keeps; cutting adds smaller ones. */
    private static long whole(RecordBatch batch) {
        Map<ReferenceManager, Long> pieces = new IdentityHashMap<>();
        owners(all(batch.root().getFieldVectors()), pieces);
        Map<ReferenceManager, Long> words = new IdentityHashMap<>();
        owners(dictionaries(batch), words);
        return pieces.values().stream().mapToLong(Long::longValue).max().orElse(0) + sum(words);
    }

    /** What a batch takes as it is. */
    private static long allocated(RecordBatch batch) {
        Map<ReferenceManager, Long> sizes = new IdentityHashMap<>();
        owners(all(batch.root().getFieldVectors()), sizes);
        owners(dictionaries(batch), sizes);
        return sum(sizes);
    }

    /** Bytes that a limit on the bytes of a batch counts: no validity. */
    private static long used(FieldVector vector) {
        long bytes = 0;
        List<ArrowBuf> buffers = vector.getFieldBuffers();
        for (int i = vector instanceof DenseUnionVector ? 0 : 1; i < buffers.size(); i++) {
            bytes += buffers.get(i).readableBytes();
        }
        return bytes;
    }

    private static void owners(List<FieldVector> vectors, Map<ReferenceManager, Long> sizes) {
        for (FieldVector vector : vectors) {
            for (ArrowBuf buffer : vector.getFieldBuffers()) {
                ReferenceManager owner = buffer.getReferenceManager();
                sizes.put(owner, owner.getSize());
            }
        }
    }

    /** The vectors of the batch's dictionaries, and those below them. */
    private static List<FieldVector> dictionaries(RecordBatch batch) {
        List<FieldVector> words = new ArrayList<>();
        for (long id : batch.dictionaries().getDictionaryIds()) {
            words.add(batch.dictionaries().lookup(id).getVector());
        }
        return all(words);
    }

    /** The vectors, and those below them. */
    private static List<FieldVector> all(List<FieldVector> vectors) {
        List<FieldVector> all = new ArrayList<>(vectors);
        for (int i = 0; i < all.size(); i++) {
            all.addAll(all.get(i).getChildrenFromFields());
        }
        return all;
    }

    private static long sum(Map<ReferenceManager, Long> sizes) {
        return sizes.values().stream().mapToLong(Long::longValue).sum();
    }
}
