package io.sluice.arrow.internal.ipc;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.flatbuf.Endianness;
import org.apache.arrow.flatbuf.KeyValue;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * The schema of a stream of messages.
 *
 * @param columns as Arrow's vectors have it: dictionary-encoded fields with the type of their indexes
 * @param dictionaries the values' fields, by id
 * @param version of the metadata, see {@code MetadataVersion}
 */
record IpcSchema(Schema columns, Map<Long, Field> dictionaries, short version) {

    /** Deepest nesting of types: more is a forgery. */
    private static final int MAX_DEPTH = 128;

    private static final int MAX_FIELDS = 200_000;
    private static final ArrowType.Int DEFAULT_INDEX = new ArrowType.Int(32, true);

    /**
     * Reads a schema.
     *
     * @param bytes length of the message: what may be made of it is bounded by it
     */
    static IpcSchema of(org.apache.arrow.flatbuf.Schema message, short version, int bytes) {
        if (message.endianness() != Endianness.Little) {
            throw new BadMessage("its numbers are big-endian; only little-endian ones are read");
        }
        Budget budget = new Budget(Math.max(1 << 20, 8L * bytes));
        for (int i = 0; i < message.customMetadataLength(); i++) {
            budget.take(message.customMetadata(i));
        }
        for (int i = 0; i < message.fieldsLength(); i++) {
            budget.take(message.fields(i), 0);
        }
        Schema schema = Schema.convertSchema(message);
        Map<Long, Field> dictionaries = new HashMap<>();
        List<Field> fields = inMemory(schema.getFields(), dictionaries);
        return new IpcSchema(new Schema(fields, schema.getCustomMetadata()), Map.copyOf(dictionaries), version);
    }

    private static List<Field> inMemory(List<Field> fields, Map<Long, Field> dictionaries) {
        List<Field> all = new ArrayList<>(fields.size());
        for (Field field : fields) {
            List<Field> children = inMemory(field.getChildren(), dictionaries);
            DictionaryEncoding encoding = field.getDictionary();
            if (encoding == null) {
                all.add(new Field(field.getName(), field.getFieldType(), children));
                continue;
            }
            ArrowType.Int index = encoding.getIndexType() == null ? DEFAULT_INDEX : encoding.getIndexType();
            DictionaryEncoding full = new DictionaryEncoding(encoding.getId(), encoding.isOrdered(), index);
            Field values = new Field("DICT" + encoding.getId(), new FieldType(true, field.getType(), null), children);
            Field before = dictionaries.putIfAbsent(encoding.getId(), values);
            if (before != null && !before.equals(values)) {
                throw new BadMessage("two columns share dictionary " + encoding.getId() + " and have other types");
            }
            all.add(new Field(
                    field.getName(), new FieldType(field.isNullable(), index, full, field.getMetadata()), List.of()));
        }
        return all;
    }

    /** Tables of a flatbuffer may share their parts, so that a few bytes can unfold into a giant. */
    private static final class Budget {

        private long bytes;
        private int fields;

        Budget(long bytes) {
            this.bytes = bytes;
        }

        void take(org.apache.arrow.flatbuf.Field field, int depth) {
            if (++fields > MAX_FIELDS || depth > MAX_DEPTH) {
                throw new BadMessage("its schema has more than " + MAX_FIELDS + " fields, or is nested deeper than "
                        + MAX_DEPTH + " levels");
            }
            spend(field.name());
            for (int i = 0; i < field.customMetadataLength(); i++) {
                take(field.customMetadata(i));
            }
            for (int i = 0; i < field.childrenLength(); i++) {
                take(field.children(i), depth + 1);
            }
        }

        void take(KeyValue entry) {
            spend(entry.key());
            spend(entry.value());
        }

        private void spend(@org.jspecify.annotations.Nullable String text) {
            bytes -= 16 + (text == null ? 0 : text.length());
            if (bytes < 0) {
                throw new BadMessage("its schema unfolds into more than it can be made of");
            }
        }
    }
}
