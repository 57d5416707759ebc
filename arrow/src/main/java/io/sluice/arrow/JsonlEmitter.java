package io.sluice.arrow;

import io.sluice.SluiceException;
import io.sluice.arrow.internal.BatchAssembler;
import io.sluice.codec.Block;
import io.sluice.codec.BlockEmitter;
import io.sluice.codec.BlockOrigin;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/** Assembles chunks into batches; widens the schema where it may, and counts what was passed over. */
@SuppressWarnings("ReferenceEquality") // another shape, or chunk, is another object
final class JsonlEmitter implements BlockEmitter<JsonlChunk, RecordBatch> {

    /** The most paths that are counted one by one. */
    static final int MAX_IGNORED = 10_000;

    private final JsonlArrowReader reader;
    private final Map<String, Long> ignored = new TreeMap<>();
    private JsonlArrowReader.Shape shape;
    private BatchAssembler<RecordBatch> assembler;
    /** The one with the narrower schema, which still has a batch to give. */
    private @Nullable BatchAssembler<RecordBatch> before;

    private int polled;
    private @Nullable JsonlChunk last;
    private @Nullable JsonlChunk lastAgain;
    private boolean closed;

    JsonlEmitter(JsonlArrowReader reader) {
        this.reader = reader;
        this.shape = reader.shape();
        this.assembler = reader.assembler(shape);
    }

    @Override
    public void accept(BlockOrigin origin, JsonlChunk values, int from, int to) {
        if (values != last) {
            last = values;
            lastAgain = values;
            values.ignored().forEach((path, count) -> {
                boolean known = ignored.size() < MAX_IGNORED || ignored.containsKey(path);
                ignored.merge(known ? path : ArrowSpec.OTHER_KEYS, count, Long::sum);
            });
        }
        JsonlChunk chunk = lastAgain == null ? values : lastAgain;
        if (values.block() != null) {
            chunk = fitting(chunk, values.block());
            lastAgain = chunk;
        }
        assembler.accept(origin, chunk.columns(), from, to);
    }

    /** The chunk, read again where its schema is not the one of today, and that one widened where it does not fit. */
    private JsonlChunk fitting(JsonlChunk chunk, Block block) {
        JsonlChunk fitting = chunk;
        boolean inferred = false;
        for (int i = 0; fitting.misfit() != null || fitting.shape() != shape; i++) {
            String misfit = fitting.misfit();
            if (misfit != null && fitting.shape() == shape) {
                Schema wider = inferred
                        ? shape.records()
                        : Widening.merge(shape.records(), Inference.of(block, reader, shape));
                inferred = true;
                if (wider.equals(shape.records())) {
                    wider = Widening.toJson(wider, misfit); // no type of the kind takes it
                }
                if (i > Inference.MAX_COLUMNS || wider.equals(shape.records())) {
                    throw new SluiceException(
                            null, -1, -1, "the schema can't be widened so that column '" + misfit + "' fits", null);
                }
                use(reader.widen(wider));
            }
            fitting = reader.again(block);
        }
        return fitting;
    }

    private void use(JsonlArrowReader.Shape next) {
        assembler.end();
        if (assembler.hasNext()) {
            before = assembler;
        } else {
            assembler.close();
        }
        long index = assembler.nextRowIndex();
        shape = next;
        assembler = reader.assembler(next);
        assembler.countFrom(index);
    }

    @Override
    public boolean hasNext() {
        return before != null && before.hasNext() || assembler.hasNext();
    }

    @Override
    public @Nullable RecordBatch poll() {
        BatchAssembler<RecordBatch> narrower = before;
        if (narrower != null) {
            RecordBatch batch = narrower.poll();
            if (batch != null) {
                polled = narrower.polledRecords();
                return batch;
            }
            narrower.close();
            before = null;
        }
        RecordBatch batch = assembler.poll();
        polled = assembler.polledRecords();
        return batch;
    }

    @Override
    public int polledRecords() {
        return polled;
    }

    @Override
    public void end() {
        assembler.end();
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (before != null) {
            before.close();
        }
        assembler.close();
        Consumer<? super Map<String, Long>> listener = reader.spec.ignoredListener();
        if (listener != null) {
            listener.accept(ignored);
        }
    }
}
