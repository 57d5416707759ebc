package io.sluice.arrow;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * A run of rows in Arrow's columnar layout, with memory of its own: no two batches share a {@link VectorSchemaRoot},
 * so a batch stays what it was however many others are prefetched behind it.
 *
 * <p><b>Ownership.</b> Whoever receives a batch owns it and closes it, on any thread; ownership moves with {@code
 * onNext}. Operators that drop elements (filter, cancel between two threads, {@code flatMap}) don't know that: {@code
 * doOnDiscard(RecordBatch.class, RecordBatch::close)} helps where the operators honour it.
 *
 * <p>Its vectors may be read from any thread, by one thread at a time.
 */
public final class RecordBatch implements AutoCloseable {

    private final VectorSchemaRoot root;
    private final Map<Long, Dictionary> dictionaries;
    private final int rowCount;
    private final AtomicBoolean closed = new AtomicBoolean();

    private RecordBatch(VectorSchemaRoot root, Map<Long, Dictionary> dictionaries) {
        this.root = root;
        this.dictionaries = dictionaries;
        this.rowCount = root.getRowCount();
    }

    /** A batch of the rows in {@code root}, which belongs to the batch from now on: don't reload or close it. */
    public static RecordBatch of(VectorSchemaRoot root) {
        return new RecordBatch(Objects.requireNonNull(root, "root"), Map.of());
    }

    /** As {@link #of(VectorSchemaRoot)}, with the dictionaries that its columns refer to; they belong to the batch too. */
    public static RecordBatch of(VectorSchemaRoot root, Collection<Dictionary> dictionaries) {
        return new RecordBatch(
                Objects.requireNonNull(root, "root"),
                dictionaries.stream()
                        .collect(Collectors.toUnmodifiableMap(
                                d -> d.getEncoding().getId(), Function.identity())));
    }

    /** The schema; dictionary-encoded columns show the type of their indexes, as Arrow's vectors do. */
    public Schema schema() {
        return root.getSchema();
    }

    /** Number of rows; also known after {@link #close()}. */
    public int rowCount() {
        return rowCount;
    }

    /**
     * The vectors, for Arrow's own API. Valid until {@link #close()}.
     *
     * @throws IllegalStateException after {@code close}
     */
    public VectorSchemaRoot root() {
        if (closed.get()) {
            throw new IllegalStateException("the batch is closed: its memory has gone back to the allocator");
        }
        return root;
    }

    /** The dictionaries of its dictionary-encoded columns, by id. Valid until {@link #close()}. */
    public DictionaryProvider dictionaries() {
        if (dictionaries.isEmpty()) {
            return new DictionaryProvider.MapDictionaryProvider();
        }
        return new DictionaryProvider.MapDictionaryProvider(
                List.copyOf(dictionaries.values()).toArray(new Dictionary[0]));
    }

    /** Whether it was closed. */
    public boolean isClosed() {
        return closed.get();
    }

    /** Gives its memory back. Idempotent; from any thread. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            root.close();
            dictionaries.values().forEach(d -> d.getVector().close());
        }
    }

    @Override
    public String toString() {
        return "RecordBatch[" + rowCount + " rows" + (closed.get() ? ", closed" : ", " + root.getSchema()) + "]";
    }
}
