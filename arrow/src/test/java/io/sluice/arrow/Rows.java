package io.sluice.arrow;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sluice.Dataset;
import io.sluice.ReadSpec;
import io.sluice.format.Format;
import io.sluice.testing.ChunkedStore;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.ValueVector;
import org.apache.arrow.vector.complex.BaseListVector;
import org.apache.arrow.vector.complex.DenseUnionVector;
import org.apache.arrow.vector.complex.FixedSizeListVector;
import org.apache.arrow.vector.complex.LargeListVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;

/** Batches as plain Java values, and what these should be by another reader of JSON. Nulls in objects are left out. */
final class Rows {

    static final ObjectMapper JACKSON = new ObjectMapper()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private Rows() {}

    /** Reads text in chunks of one size; checks that nothing is left in the allocator. */
    static List<Map<String, Object>> read(
            java.util.function.Function<BufferAllocator, Format<RecordBatch>> format,
            byte[] text,
            int chunk,
            ReadSpec spec) {
        List<Map<String, Object>> rows = new ArrayList<>();
        try (BufferAllocator allocator = new RootAllocator()) {
            ChunkedStore store = new ChunkedStore(chunk, null).with("a.jsonl", text);
            try {
                Dataset.at(store, "a.jsonl", format.apply(allocator))
                        .read(spec)
                        .doOnNext(batch -> {
                            try (batch) {
                                rows.addAll(of(batch));
                            }
                        })
                        .blockLast();
            } finally {
                if (allocator.getAllocatedMemory() != 0) {
                    throw new AssertionError("left in the allocator: " + allocator.getAllocatedMemory());
                }
            }
        }
        return rows;
    }

    static List<Map<String, Object>> read(ArrowSpec spec, String text) {
        return read(spec, text, ReadSpec.create());
    }

    static List<Map<String, Object>> read(ArrowSpec spec, String text, ReadSpec readSpec) {
        return read(
                allocator -> Arrow.jsonl(allocator, spec), text.getBytes(StandardCharsets.UTF_8), 1 << 20, readSpec);
    }

    static List<Map<String, Object>> of(RecordBatch batch) {
        List<Map<String, Object>> rows = new ArrayList<>();
        for (int i = 0; i < batch.rowCount(); i++) {
            Map<String, Object> row = new LinkedHashMap<>();
            for (FieldVector vector : batch.root().getFieldVectors()) {
                Object value = value(vector, i, batch.dictionaries());
                if (value != null) {
                    row.put(vector.getName(), value);
                }
            }
            rows.add(row);
        }
        return rows;
    }

    static Object value(ValueVector vector, int i, DictionaryProvider dictionaries) {
        if (vector instanceof DenseUnionVector union) {
            byte type = union.getTypeId(i);
            return value(union.getVectorByType(type), union.getOffset(i), dictionaries);
        }
        if (vector.isNull(i)) {
            return null;
        }
        Field field = vector.getField();
        if (field.getDictionary() != null) {
            int code = ((Number) vector.getObject(i)).intValue();
            return value(dictionaries.lookup(field.getDictionary().getId()).getVector(), code, dictionaries);
        }
        if (vector instanceof StructVector struct) {
            Map<String, Object> map = new LinkedHashMap<>();
            for (FieldVector child : struct.getChildrenFromFields()) {
                Object value = value(child, i, dictionaries);
                if (value != null) {
                    map.put(child.getName(), value);
                }
            }
            return map;
        }
        if (vector instanceof FixedSizeListVector list) {
            return list(list.getDataVector(), i * list.getListSize(), (i + 1) * list.getListSize(), dictionaries);
        }
        if (vector instanceof BaseListVector list) {
            ValueVector data = list.getChildrenFromFields().get(0);
            return list(data, list.getElementStartIndex(i), list.getElementEndIndex(i), dictionaries);
        }
        if (vector instanceof LargeListVector list) {
            int from = (int) list.getElementStartIndex(i);
            return list(list.getDataVector(), from, (int) list.getElementEndIndex(i), dictionaries);
        }
        Object value = vector.getObject(i);
        if (JsonType.isJson(field)) {
            return json(value.toString());
        }
        return value instanceof Byte || value instanceof Short || value instanceof Integer
                ? (Object) ((Number) value).longValue()
                : value instanceof org.apache.arrow.vector.util.Text ? value.toString() : value;
    }

    private static List<Object> list(ValueVector data, int from, int to, DictionaryProvider dictionaries) {
        List<Object> list = new ArrayList<>();
        for (int i = from; i < to; i++) {
            list.add(value(data, i, dictionaries));
        }
        return list;
    }

    static Object json(String text) {
        try {
            return JACKSON.readValue(text, Object.class);
        } catch (JsonProcessingException e) {
            throw new AssertionError("no JSON: " + text, e);
        }
    }

    /** What a column of this type should hold for a value that Jackson read. */
    static Object expected(Field field, Object value) {
        if (value == null || JsonType.isJson(field)) {
            return value;
        }
        ArrowType type = field.getType();
        return switch (type.getTypeID()) {
            case Int -> ((Number) value).longValue();
            case FloatingPoint -> ((Number) value).doubleValue();
            case Decimal -> new BigDecimal(value.toString()).setScale(((ArrowType.Decimal) type).getScale());
            case Struct -> expected(field.getChildren(), (Map<?, ?>) value);
            case List -> {
                List<Object> list = new ArrayList<>();
                for (Object item : (List<?>) value) {
                    list.add(expected(field.getChildren().get(0), item));
                }
                yield list;
            }
            default -> value;
        };
    }

    static Map<String, Object> expected(List<Field> fields, Map<?, ?> record) {
        Map<String, Object> row = new LinkedHashMap<>();
        for (Field field : fields) {
            Object value = expected(field, record.get(field.getName()));
            if (value != null) {
                row.put(field.getName(), value);
            }
        }
        return row;
    }
}
