package io.sluice.arrow.internal.avro;

import io.sluice.avro.internal.MapReaders;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.DateUnit;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.avro.JsonProperties;
import org.apache.avro.LogicalType;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;

/**
 * Which Avro type an Arrow type becomes, and what writes its cells: the reverse of {@link ArrowTypes}, for every type that Arrow's
 * vectors for Java have.
 */
final class AvroTypes {

    /** An Avro type, and what writes a column's cells as such. */
    record Column(Schema schema, CellWriter writer) {}

    private static final String ROW = "Row";
    private static final int UNSIGNED_LONG_DIGITS = 20;
    private static final int DURATION_BYTES = 12;
    private static final int UUID_BYTES = 16;

    private final DictionaryProvider dictionaries;
    private final Set<String> names = new HashSet<>();

    private AvroTypes(DictionaryProvider dictionaries) {
        this.dictionaries = dictionaries;
        // no type may be named after one of Avro's own
        for (Schema.Type type : Schema.Type.values()) {
            names.add(type.getName());
        }
    }

    /** The columns of a batch, as an Avro record. */
    record Row(Schema schema, List<CellWriter> columns) {}

    /** @throws IllegalArgumentException for a column that can't be written */
    static Row row(List<Field> fields, DictionaryProvider dictionaries) {
        AvroTypes types = new AvroTypes(dictionaries);
        Schema schema = Schema.createRecord(types.unique(ROW), null, null, false);
        return new Row(schema, types.fields(schema, fields));
    }

    private List<CellWriter> fields(Schema record, List<Field> fields) {
        List<Schema.Field> made = new ArrayList<>();
        List<CellWriter> writers = new ArrayList<>();
        Set<String> used = new HashSet<>();
        for (Field field : fields) {
            Column column = field(field);
            String name = unique(fieldName(field.getName()), used);
            boolean nullable = column.schema.getType() == Schema.Type.UNION
                    && column.schema.getTypes().get(0).getType() == Schema.Type.NULL;
            made.add(new Schema.Field(name, column.schema, null, nullable ? JsonProperties.NULL_VALUE : null));
            writers.add(column.writer);
        }
        record.setFields(made);
        return writers;
    }

    /** What Avro allows for a name: anything else in it becomes an underscore. */
    static String fieldName(String name) {
        StringBuilder allowed = new StringBuilder(name.length() + 1);
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            boolean letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
            boolean digit = c >= '0' && c <= '9';
            if (digit && i == 0) {
                allowed.append('_');
            }
            allowed.append(letter || digit ? c : '_');
        }
        return allowed.isEmpty() ? "_" : allowed.toString();
    }

    private String unique(String name) {
        return unique(name, names);
    }

    private static String unique(String name, Set<String> used) {
        String made = name;
        for (int i = 2; !used.add(made); i++) {
            made = name + "_" + i;
        }
        return made;
    }

    private Column field(Field field) {
        Column some = value(field);
        Schema.Type type = some.schema.getType();
        if (type == Schema.Type.UNION || type == Schema.Type.NULL) {
            return some;
        }
        CellWriter writer = new NestedCells.Named(some.writer, field.getName(), field.isNullable());
        return new Column(
                field.isNullable() ? Schema.createUnion(Schema.create(Schema.Type.NULL), some.schema) : some.schema,
                writer);
    }

    /** What the field holds where it is not null. */
    private Column value(Field field) {
        if (field.getDictionary() != null) {
            long id = field.getDictionary().getId();
            Dictionary dictionary = dictionaries.lookup(id);
            if (dictionary == null) {
                throw new IllegalArgumentException(
                        "column '" + field.getName() + "': the batch lacks dictionary " + id);
            }
            Column values = value(dictionary.getVector().getField());
            return new Column(values.schema, new NestedCells.Encoded(values.writer, id));
        }
        ArrowType type = field.getType();
        if (type instanceof ArrowType.ExtensionType extension) {
            Field storage = new Field(
                    field.getName(),
                    new org.apache.arrow.vector.types.pojo.FieldType(
                            field.isNullable(), extension.storageType(), null, field.getMetadata()),
                    field.getChildren());
            Column stored = value(storage);
            return new Column(stored.schema, new NestedCells.Extension(stored.writer));
        }
        return switch (type.getTypeID()) {
            case Struct -> {
                Schema record = Schema.createRecord(unique(fieldName(field.getName())), null, null, false);
                yield new Column(record, new NestedCells.Struct(fields(record, field.getChildren())));
            }
            case List, LargeList, FixedSizeList, ListView, LargeListView -> list(field);
            case Map -> map(field);
            case Union -> union(field);
            case RunEndEncoded -> {
                Column values = value(field.getChildren().get(1));
                yield new Column(values.schema, new NestedCells.Runs(values.writer));
            }
            case Int -> integer((ArrowType.Int) type);
            case FixedSizeBinary -> fixed(field, (ArrowType.FixedSizeBinary) type);
            case Decimal -> decimal((ArrowType.Decimal) type);
            case Time -> time((ArrowType.Time) type);
            case Timestamp -> timestamp((ArrowType.Timestamp) type);
            case Interval -> interval(field, (ArrowType.Interval) type);
            default -> leaf(field, type);
        };
    }

    private static Column leaf(Field field, ArrowType type) {
        switch (type.getTypeID()) {
            case Null:
                return plain(Schema.Type.NULL, Cells.nothing());
            case Bool:
                return plain(Schema.Type.BOOLEAN, Cells.booleans());
            case FloatingPoint:
                boolean wide = ((ArrowType.FloatingPoint) type).getPrecision() == FloatingPointPrecision.DOUBLE;
                return wide ? plain(Schema.Type.DOUBLE, Cells.doubles()) : plain(Schema.Type.FLOAT, Cells.floats());
            case Utf8, LargeUtf8, Utf8View:
                return ArrowTypes.UUID.equals(field.getMetadata().get(ArrowTypes.NOTE))
                        ? logical(LogicalTypes.uuid(), Schema.Type.STRING, Cells.bytes(true))
                        : plain(Schema.Type.STRING, Cells.bytes(true));
            case Binary, LargeBinary, BinaryView:
                return plain(Schema.Type.BYTES, Cells.bytes(false));
            case Date:
                boolean days = ((ArrowType.Date) type).getUnit() == DateUnit.DAY;
                return logical(LogicalTypes.date(), Schema.Type.INT, days ? Cells.days() : Cells.millisAsDays());
            case Duration:
                return plain(Schema.Type.LONG, Cells.durations());
            default:
                throw new IllegalArgumentException(
                        "column '" + field.getName() + "': type " + type + " can't be written as Avro");
        }
    }

    private static Column plain(Schema.Type type, CellWriter writer) {
        return new Column(Schema.create(type), writer);
    }

    private static Column logical(LogicalType logical, Schema.Type type, CellWriter writer) {
        return new Column(logical.addToSchema(Schema.create(type)), writer);
    }

    private static Column integer(ArrowType.Int type) {
        int bits = type.getBitWidth();
        if (bits == 64 && !type.getIsSigned()) {
            return logical(LogicalTypes.decimal(UNSIGNED_LONG_DIGITS), Schema.Type.BYTES, Cells.unsignedLongs());
        }
        boolean narrow = bits < 32 || (bits == 32 && type.getIsSigned());
        return plain(narrow ? Schema.Type.INT : Schema.Type.LONG, Cells.integers());
    }

    private Column fixed(Field field, ArrowType.FixedSizeBinary type) {
        Schema schema = Schema.createFixed(unique(fieldName(field.getName())), null, null, type.getByteWidth());
        if (type.getByteWidth() == UUID_BYTES
                && ArrowTypes.UUID.equals(field.getMetadata().get(ArrowTypes.NOTE))) {
            schema = LogicalTypes.uuid().addToSchema(schema);
        }
        return new Column(schema, Cells.fixed());
    }

    private static Column decimal(ArrowType.Decimal type) {
        // Avro knows no scale below zero, and none above the precision
        int scale = Math.max(0, type.getScale());
        int precision = Math.max(scale, type.getPrecision() + Math.max(0, -type.getScale()));
        return logical(LogicalTypes.decimal(precision, scale), Schema.Type.BYTES, Cells.decimals(precision, scale));
    }

    private static Column time(ArrowType.Time type) {
        return switch (type.getUnit()) {
            case SECOND -> logical(LogicalTypes.timeMillis(), Schema.Type.INT, Cells.secondsOfDay());
            case MILLISECOND -> logical(LogicalTypes.timeMillis(), Schema.Type.INT, Cells.millisOfDay());
            case MICROSECOND -> logical(LogicalTypes.timeMicros(), Schema.Type.LONG, Cells.microsOfDay());
            // Avro has none of nanoseconds
            case NANOSECOND -> plain(Schema.Type.LONG, Cells.nanosOfDay());
        };
    }

    private static Column timestamp(ArrowType.Timestamp type) {
        boolean local = type.getTimezone() == null;
        LogicalType logical = switch (type.getUnit()) {
            case SECOND, MILLISECOND -> local ? LogicalTypes.localTimestampMillis() : LogicalTypes.timestampMillis();
            case MICROSECOND -> local ? LogicalTypes.localTimestampMicros() : LogicalTypes.timestampMicros();
            case NANOSECOND -> local ? LogicalTypes.localTimestampNanos() : LogicalTypes.timestampNanos();
        };
        return logical(
                logical,
                Schema.Type.LONG,
                type.getUnit() == TimeUnit.SECOND ? Cells.secondsAsMillis() : Cells.timestamps());
    }

    private Column interval(Field field, ArrowType.Interval type) {
        Schema schema = LogicalTypes.duration()
                .addToSchema(Schema.createFixed(unique(fieldName(field.getName())), null, null, DURATION_BYTES));
        return new Column(
                schema,
                switch (type.getUnit()) {
                    case YEAR_MONTH -> Cells.months();
                    case DAY_TIME -> Cells.daysAndMillis();
                    case MONTH_DAY_NANO -> Cells.monthsDaysAndNanos();
                });
    }

    private Column list(Field field) {
        Field item = field.getChildren().get(0);
        Column element = field(item);
        return new Column(Schema.createArray(element.schema), new NestedCells.Elements(element.writer));
    }

    private Column map(Field field) {
        Field entries = field.getChildren().get(0);
        Field keys = entries.getChildren().get(0);
        boolean text = switch (keys.getType().getTypeID()) {
            case Utf8, LargeUtf8, Utf8View -> keys.getDictionary() == null;
            default -> false;
        };
        if (!text) {
            Schema record = Schema.createRecord(unique(fieldName(field.getName())), null, null, false);
            List<CellWriter> both = fields(record, entries.getChildren());
            return new Column(Schema.createArray(record), new NestedCells.Elements(new NestedCells.Struct(both)));
        }
        CellWriter key = new NestedCells.Named(value(keys).writer, keys.getName(), false);
        Column value = field(entries.getChildren().get(1));
        return new Column(
                Schema.createMap(value.schema),
                new NestedCells.Elements(new NestedCells.Struct(List.of(key, value.writer))));
    }

    private Column union(Field field) {
        Map<String, Schema> branches = new LinkedHashMap<>();
        Map<String, Integer> positions = new HashMap<>();
        List<Field> children = field.getChildren();
        List<CellWriter> writers = new ArrayList<>();
        int[] indexes = new int[children.size()];
        boolean nulls = field.isNullable();
        for (int i = 0; i < indexes.length; i++) {
            Field child = children.get(i);
            Column column = value(child);
            Schema schema = column.schema;
            boolean isNull = schema.getType() == Schema.Type.NULL;
            nulls |= child.isNullable() && !isNull;
            if (!isNull && (schema.getType() == Schema.Type.UNION || branches.containsKey(schema.getFullName()))) {
                // Avro tells branches apart by their type alone
                Schema record = Schema.createRecord(unique(fieldName(child.getName())), null, null, false);
                record.setFields(List.of(new Schema.Field(MapReaders.VALUE_KEY, schema, null, null)));
                schema = record;
            }
            positions.putIfAbsent(schema.getFullName(), branches.size());
            branches.putIfAbsent(schema.getFullName(), schema);
            indexes[i] = positions.get(schema.getFullName());
            writers.add(column.writer);
        }
        String none = Schema.Type.NULL.getName();
        if (nulls && !branches.containsKey(none)) {
            positions.put(none, branches.size());
            branches.put(none, Schema.create(Schema.Type.NULL));
        }
        return new Column(
                Schema.createUnion(List.copyOf(branches.values())),
                new NestedCells.Union(writers, indexes, positions.getOrDefault(none, -1)));
    }
}
