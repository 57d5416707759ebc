package io.sluice.arrow.internal.avro;

import io.sluice.SluiceException;
import io.sluice.avro.internal.MapReaders;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.vector.types.DateUnit;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.IntervalUnit;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.UnionMode;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.avro.LogicalType;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;

/** Which Arrow type an Avro type becomes. */
public final class ArrowTypes {

    /** Key of a field's metadata: what Arrow's type does not say of the Avro type. */
    public static final String NOTE = "avro.type";

    /** The note of columns that hold recursive values as JSON text. */
    public static final String JSON = "json";

    /** The note of string columns that hold an enum's symbols. */
    public static final String ENUM = "enum";

    /** The note of string and 16-byte columns that hold UUIDs. */
    public static final String UUID = "uuid";

    private static final int MAX_PRECISION_128 = 38;
    private static final int MAX_PRECISION_256 = 76;

    /** Columns, nested ones counted: types that are used twice in each other could make any number of them. */
    private static final int MAX_COLUMNS = 1 << 16;

    /** Records around the type in hand. */
    private final Map<Schema, Boolean> open = new IdentityHashMap<>();

    private int columns;

    private ArrowTypes() {}

    /** The columns that values of a schema become: a record's fields, or the one column {@code value}. */
    public static org.apache.arrow.vector.types.pojo.Schema schema(Schema avro) {
        ArrowTypes types = new ArrowTypes();
        List<Field> fields = new ArrayList<>();
        if (avro.getType() == Schema.Type.RECORD) {
            types.fields(avro, fields);
        } else {
            fields.add(types.field(MapReaders.VALUE_KEY, avro));
        }
        return new org.apache.arrow.vector.types.pojo.Schema(fields);
    }

    private void fields(Schema record, List<Field> fields) {
        open.put(record, true);
        for (Schema.Field field : record.getFields()) {
            fields.add(field(field.name(), field.schema()));
        }
        open.remove(record);
    }

    /** Where a union is null and one other type: the other; else null. */
    static @Nullable Schema nullable(Schema schema) {
        if (schema.getType() != Schema.Type.UNION || schema.getTypes().size() != 2) {
            return null;
        }
        Schema a = schema.getTypes().get(0);
        Schema b = schema.getTypes().get(1);
        if (a.getType() == Schema.Type.NULL) {
            return b.getType() == Schema.Type.NULL ? null : b;
        }
        return b.getType() == Schema.Type.NULL ? a : null;
    }

    private Field field(String name, Schema schema) {
        Schema some = nullable(schema);
        if (some != null) {
            return plain(name, some, true);
        }
        if (schema.getType() == Schema.Type.UNION && schema.getTypes().size() == 1) {
            return field(name, schema.getTypes().get(0));
        }
        return plain(name, schema, false);
    }

    private Field plain(String name, Schema schema, boolean nullable) {
        if (++columns > MAX_COLUMNS) {
            throw new SluiceException(null, -1, -1, "the schema makes more than " + MAX_COLUMNS + " columns", null);
        }
        if (open.containsKey(schema)) {
            return new Field(
                    name, new FieldType(nullable, ArrowType.Utf8.INSTANCE, null, Map.of(NOTE, JSON)), List.of());
        }
        Map<String, String> notes = new HashMap<>();
        List<Field> children = new ArrayList<>();
        ArrowType type = switch (schema.getType()) {
            case RECORD -> {
                fields(schema, children);
                yield ArrowType.Struct.INSTANCE;
            }
            case ARRAY -> {
                children.add(field("item", schema.getElementType()));
                yield ArrowType.List.INSTANCE;
            }
            case MAP -> {
                children.add(new Field(
                        "entries",
                        FieldType.notNullable(ArrowType.Struct.INSTANCE),
                        List.of(
                                new Field("key", FieldType.notNullable(ArrowType.Utf8.INSTANCE), List.of()),
                                field("value", schema.getValueType()))));
                yield new ArrowType.Map(false);
            }
            case UNION -> {
                int[] ids = new int[schema.getTypes().size()];
                for (int i = 0; i < ids.length; i++) {
                    Schema branch = schema.getTypes().get(i);
                    ids[i] = i;
                    children.add(plain(branch.getFullName(), branch, branch.getType() == Schema.Type.NULL));
                }
                yield new ArrowType.Union(UnionMode.Dense, ids);
            }
            default -> leaf(schema, notes);
        };
        return new Field(name, new FieldType(nullable || type instanceof ArrowType.Null, type, null, notes), children);
    }

    private static ArrowType leaf(Schema schema, Map<String, String> notes) {
        LogicalType logical = schema.getLogicalType();
        String name = logical == null ? "" : logical.getName();
        switch (schema.getType()) {
            case NULL:
                return ArrowType.Null.INSTANCE;
            case BOOLEAN:
                return ArrowType.Bool.INSTANCE;
            case INT:
                return switch (name) {
                    case "date" -> new ArrowType.Date(DateUnit.DAY);
                    case "time-millis" -> new ArrowType.Time(TimeUnit.MILLISECOND, 32);
                    default -> new ArrowType.Int(32, true);
                };
            case LONG:
                return switch (name) {
                    case "time-micros" -> new ArrowType.Time(TimeUnit.MICROSECOND, 64);
                    case "timestamp-millis" -> new ArrowType.Timestamp(TimeUnit.MILLISECOND, "UTC");
                    case "timestamp-micros" -> new ArrowType.Timestamp(TimeUnit.MICROSECOND, "UTC");
                    case "timestamp-nanos" -> new ArrowType.Timestamp(TimeUnit.NANOSECOND, "UTC");
                    case "local-timestamp-millis" -> new ArrowType.Timestamp(TimeUnit.MILLISECOND, null);
                    case "local-timestamp-micros" -> new ArrowType.Timestamp(TimeUnit.MICROSECOND, null);
                    case "local-timestamp-nanos" -> new ArrowType.Timestamp(TimeUnit.NANOSECOND, null);
                    default -> new ArrowType.Int(64, true);
                };
            case FLOAT:
                return new ArrowType.FloatingPoint(FloatingPointPrecision.SINGLE);
            case DOUBLE:
                return new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE);
            case STRING:
                if (name.equals("uuid")) {
                    notes.put(NOTE, UUID);
                }
                return ArrowType.Utf8.INSTANCE;
            case ENUM:
                notes.put(NOTE, ENUM);
                return ArrowType.Utf8.INSTANCE;
            case BYTES, FIXED:
                if (logical instanceof LogicalTypes.Decimal decimal) {
                    int precision = decimal.getPrecision();
                    if (precision <= MAX_PRECISION_256) {
                        return new ArrowType.Decimal(
                                precision, decimal.getScale(), precision <= MAX_PRECISION_128 ? 128 : 256);
                    }
                }
                if (name.equals("duration")) {
                    return new ArrowType.Interval(IntervalUnit.MONTH_DAY_NANO);
                }
                if (name.equals("uuid")) {
                    notes.put(NOTE, UUID);
                }
                // Arrow's vectors for Java have no width of 0
                return schema.getType() == Schema.Type.BYTES || schema.getFixedSize() == 0
                        ? ArrowType.Binary.INSTANCE
                        : new ArrowType.FixedSizeBinary(schema.getFixedSize());
            default:
                throw new IllegalStateException("no leaf: " + schema);
        }
    }

    static boolean isDecimal(Field field) {
        return field.getType() instanceof ArrowType.Decimal;
    }
}
