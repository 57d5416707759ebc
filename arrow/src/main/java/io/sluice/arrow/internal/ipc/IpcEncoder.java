package io.sluice.arrow.internal.ipc;

import io.sluice.RecordException;
import io.sluice.RecordException.Kind;
import io.sluice.codec.Output;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.message.ArrowBlock;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.arrow.vector.util.DictionaryUtility;
import org.apache.arrow.vector.util.TransferPair;
import org.jspecify.annotations.Nullable;

/**
 * Writes an Arrow IPC file or stream. Its schema is that of the first batch. Dictionaries are written when they have changed: what
 * was added to them as a delta; another one in its place only in a stream, since files don't know that. Single-threaded.
 */
public final class IpcEncoder {

    private final boolean isFile;
    private final MessageWriter writer;
    private final @Nullable Schema emptySchema;

    private State state = new State();
    private State before = state;

    /** All that changes with a batch. Changed copies take its place, so that a batch can be taken back. */
    private static final class State {
        @Nullable
        Schema schema;

        @Nullable
        Schema message;

        long offset;
        Map<Long, DictionaryImage> dictionaries = Map.of();
        List<ArrowBlock> dictionaryBlocks = new ArrayList<>();
        List<ArrowBlock> batchBlocks = new ArrayList<>();
        int dictionaryCount;
        int batchCount;

        State() {}

        State(State from) {
            schema = from.schema;
            message = from.message;
            offset = from.offset;
            dictionaries = new HashMap<>(from.dictionaries);
            // shared and cut off where an older state comes back
            dictionaryBlocks = from.dictionaryBlocks;
            batchBlocks = from.batchBlocks;
            dictionaryCount = from.dictionaryCount;
            batchCount = from.batchCount;
        }

        void trim() {
            dictionaryBlocks.subList(dictionaryCount, dictionaryBlocks.size()).clear();
            batchBlocks.subList(batchCount, batchBlocks.size()).clear();
        }
    }

    /**
     * @param isFile whether to write a file, with its footer, or a stream
     * @param codec how bodies are compressed; null for not at all
     * @param emptySchema the schema to write where there is no batch to take it from; null for one without columns
     */
    public IpcEncoder(boolean isFile, @Nullable BodyCodec codec, int level, @Nullable Schema emptySchema) {
        this.isFile = isFile;
        this.writer = new MessageWriter(codec, level);
        this.emptySchema = emptySchema;
    }

    /**
     * Writes a batch; where it throws, nothing has happened but to {@code out}.
     *
     * @throws RecordException where the batch has another schema than the ones before it, or can't be written
     */
    public void encode(VectorSchemaRoot root, DictionaryProvider dictionaries, Output out) {
        State now = new State(state);
        now.trim();
        int start = out.position();
        long base = now.offset - start;
        Schema schema = root.getSchema();
        if (now.schema == null) {
            begin(now, message(schema, dictionaries), out);
            now.schema = schema;
        } else if (!now.schema.equals(schema)) {
            throw refused("the batch has another schema than the ones before it, and a file of batches has one: "
                    + schema + " instead of " + now.schema);
        }
        dictionaries(now, schema.getFields(), dictionaries, new TreeSet<>(), base, out);
        long at = base + out.position();
        try (ArrowRecordBatch batch = new VectorUnloader(root).getRecordBatch()) {
            ArrowBlock block = writer.batch(batch, -1, false, out);
            now.batchBlocks.add(new ArrowBlock(at, block.getMetadataLength(), block.getBodyLength()));
        }
        now.batchCount = now.batchBlocks.size();
        now.dictionaryCount = now.dictionaryBlocks.size();
        now.offset = base + out.position();
        before = state;
        state = now;
    }

    private void begin(State now, Schema message, Output out) {
        if (isFile) {
            MessageWriter.magic(out);
        }
        MessageWriter.schema(message, out);
        now.message = message;
    }

    /** Takes the last batch back. */
    public void undo() {
        state = before;
    }

    /** Writes the end. */
    public void finish(Output out) {
        State now = state;
        now.trim();
        if (now.message == null) {
            begin(now, emptySchema == null ? new Schema(List.of()) : emptySchema, out);
        }
        MessageWriter.end(out);
        if (isFile) {
            MessageWriter.footer(
                    java.util.Objects.requireNonNull(now.message), now.dictionaryBlocks, now.batchBlocks, out);
        }
    }

    /** Dictionary-encoded fields with the type of their values, as messages have it. */
    private static Schema message(Schema schema, DictionaryProvider dictionaries) {
        Set<Long> used = new LinkedHashSet<>();
        List<Field> fields = new ArrayList<>();
        for (Field field : schema.getFields()) {
            fields.add(DictionaryUtility.toMessageFormat(field, dictionaries, used));
        }
        return new Schema(fields, schema.getCustomMetadata());
    }

    private void dictionaries(
            State now, List<Field> fields, DictionaryProvider provider, Set<Long> done, long base, Output out) {
        for (Field field : fields) {
            if (field.getDictionary() == null) {
                dictionaries(now, field.getChildren(), provider, done, base, out);
            } else if (done.add(field.getDictionary().getId())) {
                long id = field.getDictionary().getId();
                Dictionary dictionary = provider.lookup(id);
                if (dictionary == null) {
                    throw refused("column '" + field.getName() + "' refers to dictionary " + id
                            + ", which the batch does not have");
                }
                // its own values may refer to others, which come first
                dictionaries(now, dictionary.getVector().getField().getChildren(), provider, done, base, out);
                dictionary(now, id, field, dictionary.getVector(), base, out);
            }
        }
    }

    private void dictionary(State now, long id, Field field, FieldVector values, long base, Output out) {
        DictionaryImage image = DictionaryImage.of(values);
        DictionaryImage known = now.dictionaries.get(id);
        if (known != null && known.sameAs(image)) {
            return;
        }
        boolean adds = known != null && known.beginsLike(image);
        if (known != null && !adds && isFile) {
            throw refused("the dictionary of column '" + field.getName()
                    + "' is another one than in the batches before, which Arrow files can't hold: write a stream"
                    + " (.arrows), or keep one dictionary that only grows");
        }
        long at = base + out.position();
        ArrowBlock block;
        if (known != null && adds) {
            TransferPair rest = values.getTransferPair(values.getAllocator());
            rest.splitAndTransfer(known.rows(), image.rows() - known.rows());
            try (FieldVector added = (FieldVector) rest.getTo();
                    ArrowRecordBatch batch = DictionaryImage.unload(added)) {
                block = writer.batch(batch, id, true, out);
            }
        } else {
            try (ArrowRecordBatch batch = DictionaryImage.unload(values)) {
                block = writer.batch(batch, id, false, out);
            }
        }
        now.dictionaries.put(id, image);
        now.dictionaryBlocks.add(new ArrowBlock(at, block.getMetadataLength(), block.getBodyLength()));
    }

    private static RecordException refused(String reason) {
        return new RecordException(Kind.UNMAPPABLE, null, -1, -1, reason, null);
    }
}
