package io.sluice.arrow;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;

/** Makes schemas wider: {@link Unexpected#WIDEN}. */
final class Widening {

    private Widening() {}

    /** A schema that has the columns of both, each as wide as both need. */
    static Schema merge(Schema old, Schema seen) {
        return new Schema(merge(old.getFields(), seen.getFields()), old.getCustomMetadata());
    }

    private static List<Field> merge(List<Field> old, List<Field> seen) {
        Map<String, Field> more = new HashMap<>();
        for (Field field : seen) {
            more.put(field.getName(), field);
        }
        List<Field> all = new ArrayList<>();
        for (Field field : old) {
            Field other = more.remove(field.getName());
            all.add(other == null ? nullable(field) : merge(field, other));
        }
        for (Field field : seen) {
            if (more.containsKey(field.getName())) {
                all.add(field);
            }
        }
        return all;
    }

    private static Field merge(Field a, Field b) {
        ArrowType left = a.getType();
        ArrowType right = b.getType();
        if (right instanceof ArrowType.Null) {
            return nullable(a);
        }
        if (left instanceof ArrowType.Null) {
            return b;
        }
        if (a.getDictionary() != null) {
            return right instanceof ArrowType.Utf8 ? a : json(a);
        }
        if (left instanceof ArrowType.Struct && right instanceof ArrowType.Struct) {
            return with(a, left, merge(a.getChildren(), b.getChildren()));
        }
        if (isList(left) && isList(right)) {
            Field item = merge(a.getChildren().get(0), b.getChildren().get(0));
            return with(a, left, List.of(item));
        }
        if (left instanceof ArrowType.Map && right instanceof ArrowType.Struct) {
            return a;
        }
        if (left.equals(right) && a.getMetadata().equals(b.getMetadata())) {
            return nullable(a);
        }
        if (JsonType.isJson(a)) {
            return a;
        }
        if (left instanceof ArrowType.Int && right instanceof ArrowType.Int) {
            return with(a, new ArrowType.Int(64, true), List.of());
        }
        boolean leftNumber = isNumber(left);
        if (leftNumber && isNumber(right)) {
            if (left instanceof ArrowType.Decimal || right instanceof ArrowType.Decimal) {
                return left instanceof ArrowType.Decimal x && right instanceof ArrowType.Int && x.getScale() == 0
                        ? a
                        : json(a);
            }
            return with(a, new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE), List.of());
        }
        if (isText(left) && isText(right) && !JsonType.isJson(b)) {
            // what was a timestamp before is a string like any other from now on
            return with(a, new ArrowType.Utf8(), List.of());
        }
        return json(a);
    }

    private static boolean isNumber(ArrowType type) {
        return type instanceof ArrowType.Int
                || type instanceof ArrowType.FloatingPoint
                || type instanceof ArrowType.Decimal;
    }

    /** Types whose values are strings in JSON. */
    private static boolean isText(ArrowType type) {
        return switch (type.getTypeID()) {
            case Utf8, LargeUtf8, Utf8View, Date, Time, Timestamp, Duration -> true;
            default -> false;
        };
    }

    private static boolean isList(ArrowType type) {
        return type instanceof ArrowType.List || type instanceof ArrowType.LargeList;
    }

    private static Field nullable(Field field) {
        return field.isNullable() ? field : with(field, field.getType(), field.getChildren());
    }

    private static Field with(Field field, ArrowType type, List<Field> children) {
        return new Field(field.getName(), new FieldType(true, type, null, field.getMetadata()), children);
    }

    private static Field json(Field field) {
        return new Field(field.getName(), JsonType.fieldType(), List.of());
    }

    /** The column at this path as JSON text, which takes anything. */
    static Schema toJson(Schema schema, String path) {
        return new Schema(toJson(schema.getFields(), "", path), schema.getCustomMetadata());
    }

    private static List<Field> toJson(List<Field> fields, String parent, String path) {
        List<Field> all = new ArrayList<>();
        for (Field field : fields) {
            String name = parent.isEmpty() ? field.getName() : parent + "." + field.getName();
            all.add(toJson(field, name, path));
        }
        return all;
    }

    private static Field toJson(Field field, String name, String path) {
        if (name.equals(path) || path.startsWith(name + ".key") && field.getType() instanceof ArrowType.Map) {
            return json(field);
        }
        if (!path.startsWith(name)) {
            return field;
        }
        return switch (field.getType().getTypeID()) {
            case Struct -> with(field, field.getType(), toJson(field.getChildren(), name, path));
            case List, LargeList, FixedSizeList ->
                with(field, field.getType(), List.of(toJson(field.getChildren().get(0), name + "[]", path)));
            case Map, Union -> path.startsWith(name + "{}") || path.equals(name) ? json(field) : field;
            default -> field;
        };
    }
}
