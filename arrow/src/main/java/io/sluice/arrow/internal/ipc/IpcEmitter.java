package io.sluice.arrow.internal.ipc;

import io.sluice.RecordException;
import io.sluice.RecordException.Kind;
import io.sluice.SluiceException;
import io.sluice.arrow.internal.BatchAssembler;
import io.sluice.arrow.internal.ipc.IpcChunk.DictionaryChange;
import io.sluice.codec.BlockEmitter;
import io.sluice.codec.BlockOrigin;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.OutOfMemoryException;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorLoader;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.compression.NoCompressionCodec;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.arrow.vector.util.VectorBatchAppender;
import org.jspecify.annotations.Nullable;

/** Makes batches of what the decoders took apart: one for each message, with the dictionaries as they are at that point. */
final class IpcEmitter<T> implements BlockEmitter<IpcChunk, T> {

    private final BufferAllocator allocator;
    private final BatchAssembler.Factory<T> factory;
    private final @Nullable Set<String> wanted;
    private final long maxBytes;

    private @Nullable IpcSchema first;
    private String firstKey = "";
    private @Nullable Schema columns;
    private @Nullable IpcHeader header;
    private @Nullable IpcChunk last;
    private final Map<Long, List<HeapBatch>> dictionaries = new HashMap<>();
    private long dictionaryBytes;

    private @Nullable HeapBatch pending;
    private int from;
    private int to;
    private int polledRecords;

    IpcEmitter(
            BufferAllocator allocator, BatchAssembler.Factory<T> factory, @Nullable Set<String> wanted, long maxBytes) {
        this.allocator = allocator;
        this.factory = factory;
        this.wanted = wanted;
        this.maxBytes = maxBytes;
    }

    @Override
    public void accept(BlockOrigin origin, IpcChunk chunk, int fromRow, int toRow) {
        skipped(origin, chunk);
        pending = chunk.batch();
        from = fromRow;
        to = toRow;
    }

    /** Whatever becomes of its rows, a block's dictionaries count. */
    @Override
    @SuppressWarnings("ReferenceEquality") // a shard's header, and a block's chunk, are one object each
    public void skipped(BlockOrigin origin, IpcChunk chunk) {
        if (chunk.header() != header) {
            open(origin, chunk.header());
        }
        if (chunk != last) {
            last = chunk;
            chunk.changes().forEach(change -> change(origin, change));
            check(origin, chunk.batch());
        }
    }

    private void open(BlockOrigin origin, IpcHeader next) {
        IpcSchema schema = next.schema();
        IpcSchema known = first;
        if (known == null) {
            first = schema;
            firstKey = origin.key();
            columns = project(schema.columns());
        } else if (!known.columns().equals(schema.columns())
                || !known.dictionaries().equals(schema.dictionaries())) {
            throw new SluiceException(
                    origin.key(),
                    -1,
                    0,
                    "has another schema than " + firstKey + ", and a stream of batches has one: " + schema.columns()
                            + " instead of " + known.columns() + "; read the files by themselves, or only the columns"
                            + " they share",
                    null);
        }
        header = next;
        dictionaries.clear();
        dictionaryBytes = 0;
        for (byte[] message : next.dictionaries()) {
            DictionaryChange change;
            try {
                change = IpcDecoder.dictionary(schema, message, maxBytes);
            } catch (RuntimeException e) {
                throw bad(origin, BadMessage.reason(e));
            }
            change(origin, change);
        }
    }

    private Schema project(Schema all) {
        if (wanted == null) {
            return all;
        }
        Set<String> missing = new TreeSet<>(wanted);
        List<Field> kept = new ArrayList<>();
        for (Field field : all.getFields()) {
            if (wanted.contains(field.getName())) {
                missing.remove(field.getName());
                kept.add(field);
            }
        }
        if (!missing.isEmpty()) {
            throw new IllegalArgumentException("no columns " + missing + "; there are "
                    + all.getFields().stream().map(Field::getName).toList());
        }
        return new Schema(kept, all.getCustomMetadata());
    }

    private void change(BlockOrigin origin, DictionaryChange change) {
        List<HeapBatch> parts = dictionaries.computeIfAbsent(change.id(), id -> new ArrayList<>());
        if (!change.adds()) {
            parts.forEach(part -> dictionaryBytes -= part.bytes());
            parts.clear();
        } else if (parts.isEmpty()) {
            throw bad(origin, "dictionary " + change.id() + " is added to before it is there");
        }
        parts.add(change.values());
        dictionaryBytes += change.values().bytes();
        if (dictionaryBytes > maxBytes) {
            throw bad(
                    origin,
                    "the dictionaries take " + dictionaryBytes + " bytes, more than maxMessageBytes = " + maxBytes
                            + ": raise it");
        }
        change.values().highest().forEach((id, index) -> checkIndex(origin, id, index));
    }

    private void check(BlockOrigin origin, HeapBatch batch) {
        batch.highest().forEach((id, index) -> checkIndex(origin, id, index));
    }

    private void checkIndex(BlockOrigin origin, long id, long index) {
        long size = 0;
        for (HeapBatch part : dictionaries.getOrDefault(id, List.of())) {
            size += part.rows();
        }
        if (index >= size) {
            throw bad(
                    origin,
                    size == 0
                            ? "dictionary " + id
                                    + " does not come before the columns that refer to it: files are read from front to"
                                    + " back; let the program that wrote it write a stream"
                            : "there is an index " + index + " into dictionary " + id + ", which has " + size
                                    + " values");
        }
    }

    private static RecordException bad(BlockOrigin origin, String reason) {
        return new RecordException(Kind.CORRUPT, origin.key(), -1, origin.offset(), reason, null);
    }

    @Override
    public boolean hasNext() {
        return pending != null;
    }

    @Override
    public boolean holdsBack() {
        return true;
    }

    @Override
    public int polledRecords() {
        return polledRecords;
    }

    @Override
    public @Nullable T poll() {
        HeapBatch batch = pending;
        Schema schema = columns;
        if (batch == null || schema == null) {
            return null;
        }
        pending = null;
        polledRecords = to - from;
        List<Dictionary> made = new ArrayList<>();
        VectorSchemaRoot root = null;
        try {
            root = load(schema, batch);
            if (to - from < batch.rows()) {
                try (VectorSchemaRoot whole = root) {
                    VectorSchemaRoot part = whole.slice(from, to - from);
                    // a slice forgets the schema's metadata
                    root = new VectorSchemaRoot(schema, part.getFieldVectors(), part.getRowCount());
                }
            }
            dictionaries(schema.getFields(), new TreeSet<>(), made);
            return factory.create(root, made);
        } catch (RuntimeException e) {
            if (root != null) {
                root.close();
            }
            made.forEach(dictionary -> dictionary.getVector().close());
            throw e instanceof OutOfMemoryException full ? BatchAssembler.outOfMemory(allocator, full) : e;
        }
    }

    private VectorSchemaRoot load(Schema schema, HeapBatch batch) {
        VectorSchemaRoot root;
        try {
            root = VectorSchemaRoot.create(schema, allocator);
        } catch (OutOfMemoryException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new SluiceException(
                    null, -1, -1, "Arrow's vectors for Java can't hold this schema: " + schema + " (" + e + ")", e);
        }
        try {
            load(root, batch);
            return root;
        } catch (RuntimeException e) {
            root.close();
            throw e;
        }
    }

    /** One allocation for all columns, which its parts keep alive. */
    private void load(VectorSchemaRoot root, HeapBatch batch) {
        List<ArrowBuf> parts = new ArrayList<>(batch.buffers().size());
        try (ArrowBuf all = allocator.buffer(batch.bytes())) {
            long at = 0;
            for (Slice slice : batch.buffers()) {
                all.setBytes(at, slice.array(), slice.offset(), slice.length());
                ArrowBuf part = all.slice(at, slice.length());
                part.writerIndex(slice.length());
                parts.add(part);
                at += (slice.length() + 63L) & -64;
            }
            try (ArrowRecordBatch message = new ArrowRecordBatch(
                    batch.rows(),
                    batch.nodes(),
                    parts,
                    NoCompressionCodec.DEFAULT_BODY_COMPRESSION,
                    batch.variadicCounts(),
                    false)) {
                new VectorLoader(root).load(message);
            }
        }
    }

    /** The dictionaries that the fields refer to, in vectors of their own, and those that these refer to. */
    private void dictionaries(List<Field> fields, Set<Long> done, List<Dictionary> made) {
        for (Field field : fields) {
            dictionaries(field.getChildren(), done, made);
            if (field.getDictionary() != null && done.add(field.getDictionary().getId())) {
                long id = field.getDictionary().getId();
                Field values =
                        java.util.Objects.requireNonNull(first).dictionaries().get(id);
                if (values == null) {
                    continue;
                }
                dictionaries(values.getChildren(), done, made);
                made.add(new Dictionary(
                        vector(values, dictionaries.getOrDefault(id, List.of())), field.getDictionary()));
            }
        }
    }

    private FieldVector vector(Field values, List<HeapBatch> parts) {
        FieldVector vector = values.createVector(allocator);
        try {
            boolean begun = false;
            for (HeapBatch part : parts) {
                if (!begun) {
                    load(new VectorSchemaRoot(List.of(values), List.of(vector), 0), part);
                    begun = true;
                    continue;
                }
                try (FieldVector more = values.createVector(allocator)) {
                    load(new VectorSchemaRoot(List.of(values), List.of(more), 0), part);
                    VectorBatchAppender.batchAppend(vector, more);
                }
            }
            return vector;
        } catch (RuntimeException e) {
            vector.close();
            throw e;
        }
    }

    @Override
    public void close() {
        pending = null;
        last = null;
        header = null;
        dictionaries.clear();
    }
}
