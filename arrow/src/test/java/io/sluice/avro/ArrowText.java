package io.sluice.avro;

import io.sluice.avro.internal.JsonText;
import io.sluice.codec.Output;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.arrow.vector.BaseIntVector;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.Decimal256Vector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.FixedSizeBinaryVector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.IntervalMonthDayNanoVector;
import org.apache.arrow.vector.NullVector;
import org.apache.arrow.vector.PeriodDuration;
import org.apache.arrow.vector.TimeMicroVector;
import org.apache.arrow.vector.TimeMilliVector;
import org.apache.arrow.vector.TimeStampVector;
import org.apache.arrow.vector.VarBinaryVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.complex.DenseUnionVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.MapVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.generic.IndexedRecord;

/** Rows of batches as text, and what that text should be for a value that Apache Avro's generic reader made. */
public final class ArrowText {

    private ArrowText() {}

    /** The text of every row. */
    public static List<String> rows(List<FieldVector> vectors, int count) {
        List<String> rows = new ArrayList<>();
        for (int row = 0; row < count; row++) {
            StringBuilder text = new StringBuilder();
            for (FieldVector vector : vectors) {
                text.append(vector.getName())
                        .append('=')
                        .append(of(vector, row))
                        .append("; ");
            }
            rows.add(text.toString());
        }
        return rows;
    }

    private static String of(FieldVector vector, int row) {
        if (vector instanceof NullVector) {
            return "null";
        }
        if (vector instanceof DenseUnionVector union) {
            byte id = union.getTypeId(row);
            return id + ":" + of((FieldVector) union.getVectorByType(id), union.getOffset(row));
        }
        if (vector.isNull(row)) {
            return "null";
        }
        if (vector instanceof BitVector bits) {
            return String.valueOf(bits.get(row) == 1);
        } else if (vector instanceof BigIntVector longs) {
            return String.valueOf(longs.get(row));
        } else if (vector instanceof BaseIntVector ints) {
            return String.valueOf(ints.getValueAsLong(row));
        } else if (vector instanceof DateDayVector days) {
            return String.valueOf(days.get(row));
        } else if (vector instanceof TimeMilliVector millis) {
            return String.valueOf(millis.get(row));
        } else if (vector instanceof TimeMicroVector micros) {
            return String.valueOf(micros.get(row));
        } else if (vector instanceof TimeStampVector stamps) {
            return String.valueOf(stamps.get(row));
        } else if (vector instanceof Float4Vector floats) {
            return String.valueOf(floats.get(row));
        } else if (vector instanceof Float8Vector doubles) {
            return String.valueOf(doubles.get(row));
        } else if (vector instanceof VarCharVector text
                && "json".equals(vector.getField().getMetadata().get("avro.type"))) {
            return json(new String(text.get(row), StandardCharsets.UTF_8));
        } else if (vector instanceof VarCharVector text) {
            return "'" + new String(text.get(row), StandardCharsets.UTF_8) + "'";
        } else if (vector instanceof VarBinaryVector bytes) {
            return HexFormat.of().formatHex(bytes.get(row));
        } else if (vector instanceof FixedSizeBinaryVector bytes) {
            return HexFormat.of().formatHex(bytes.get(row));
        } else if (vector instanceof DecimalVector decimals) {
            return decimals.getObject(row).toPlainString();
        } else if (vector instanceof Decimal256Vector decimals) {
            return decimals.getObject(row).toPlainString();
        } else if (vector instanceof IntervalMonthDayNanoVector intervals) {
            PeriodDuration value = intervals.getObject(row);
            return value.getPeriod().toTotalMonths() + "m" + value.getPeriod().getDays() + "d"
                    + value.getDuration().toNanos();
        } else if (vector instanceof MapVector map) {
            StructVector entries = (StructVector) map.getDataVector();
            Map<String, String> sorted = new TreeMap<>();
            for (int i = map.getElementStartIndex(row); i < map.getElementEndIndex(row); i++) {
                sorted.put(
                        of(entries.getChildrenFromFields().get(0), i),
                        of(entries.getChildrenFromFields().get(1), i));
            }
            return sorted.toString();
        } else if (vector instanceof ListVector list) {
            List<String> elements = new ArrayList<>();
            for (int i = list.getElementStartIndex(row); i < list.getElementEndIndex(row); i++) {
                elements.add(of(list.getDataVector(), i));
            }
            return elements.toString();
        } else if (vector instanceof StructVector struct) {
            StringBuilder text = new StringBuilder("{");
            for (FieldVector child : struct.getChildrenFromFields()) {
                text.append(child.getName()).append('=').append(of(child, row)).append(", ");
            }
            return text.append('}').toString();
        }
        throw new AssertionError("no text for " + vector.getClass());
    }

    /** The text of the row that a value should make. */
    public static String expectedRow(Schema schema, List<Field> columns, Object value) {
        StringBuilder text = new StringBuilder();
        if (schema.getType() == Schema.Type.RECORD) {
            for (Schema.Field field : schema.getFields()) {
                text.append(field.name())
                        .append('=')
                        .append(expected(
                                field.schema(), columns.get(field.pos()), ((IndexedRecord) value).get(field.pos())))
                        .append("; ");
            }
        } else {
            text.append("value=")
                    .append(expected(schema, columns.get(0), value))
                    .append("; ");
        }
        return text.toString();
    }

    private static String expected(Schema schema, Field column, Object value) {
        if ("json".equals(column.getMetadata().get("avro.type"))) {
            if (value == null) {
                return "null";
            }
            Output out = new Output(64);
            JsonText.write(GenericAsMaps.of(schema, value), out);
            return json(new String(out.array(), 0, out.position(), StandardCharsets.UTF_8));
        }
        String logical =
                schema.getLogicalType() == null ? "" : schema.getLogicalType().getName();
        switch (schema.getType()) {
            case NULL:
                return "null";
            case UNION:
                int index = GenericData.get().resolveUnion(schema, value);
                Schema branch = schema.getTypes().get(index);
                if (column.getType() instanceof ArrowType.Union) {
                    return index + ":" + expected(branch, column.getChildren().get(index), value);
                }
                return value == null ? "null" : expected(branch, column, value);
            case RECORD:
                StringBuilder struct = new StringBuilder("{");
                for (Schema.Field field : schema.getFields()) {
                    struct.append(field.name())
                            .append('=')
                            .append(expected(
                                    field.schema(),
                                    column.getChildren().get(field.pos()),
                                    ((IndexedRecord) value).get(field.pos())))
                            .append(", ");
                }
                return struct.append('}').toString();
            case ARRAY:
                List<String> elements = new ArrayList<>();
                Field item = column.getChildren().get(0);
                for (Object element : (Iterable<?>) value) {
                    elements.add(expected(schema.getElementType(), item, element));
                }
                return elements.toString();
            case MAP:
                Field values = column.getChildren().get(0).getChildren().get(1);
                Map<String, String> sorted = new TreeMap<>();
                ((Map<?, ?>) value)
                        .forEach((k, v) -> sorted.put("'" + k + "'", expected(schema.getValueType(), values, v)));
                return sorted.toString();
            case ENUM, STRING:
                return "'" + value + "'";
            case BYTES:
                ByteBuffer buffer = ((ByteBuffer) value).duplicate();
                byte[] bytes = new byte[buffer.remaining()];
                buffer.get(bytes);
                return bytes(schema, logical, bytes);
            case FIXED:
                return bytes(schema, logical, ((GenericFixed) value).bytes());
            default:
                return String.valueOf(value);
        }
    }

    private static String bytes(Schema schema, String logical, byte[] bytes) {
        if (schema.getLogicalType() instanceof LogicalTypes.Decimal decimal && decimal.getPrecision() <= 76) {
            return new BigDecimal(new BigInteger(bytes), decimal.getScale()).toPlainString();
        }
        if (logical.equals("duration")) {
            ByteBuffer parts = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
            return parts.getInt() + "m" + parts.getInt() + "d" + (parts.getInt() & 0xFFFFFFFFL) * 1_000_000;
        }
        return HexFormat.of().formatHex(bytes);
    }

    /** Keys in order: Apache Avro's maps have none. */
    private static String json(String text) {
        try {
            return SORTED.writeValueAsString(SORTED.readValue(text, Object.class));
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(text, e);
        }
    }

    private static final com.fasterxml.jackson.databind.ObjectMapper SORTED =
            new com.fasterxml.jackson.databind.ObjectMapper()
                    .configure(com.fasterxml.jackson.databind.SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS, true);
}
