package io.sluice.arrow.internal;

import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.UnionMode;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.jspecify.annotations.Nullable;

/**
 * What a field of an Arrow schema needs in memory. Immutable and shared by all workers; the layout numbers are constants
 * so that hot code can {@code switch} on them.
 */
public final class ColumnPlan {

    /** No buffers at all. */
    public static final int NULL = 0;
    /** One byte a row here, one bit a row in Arrow. */
    public static final int BOOL = 1;
    /** {@link #width} bytes a row, little-endian. */
    public static final int FIXED = 2;
    /** Bytes with 32-bit offsets. */
    public static final int VAR = 3;
    /** Bytes with 64-bit offsets in Arrow; 32-bit here, where a column never holds more than a block. */
    public static final int LARGE_VAR = 4;
    /** Bytes here, views in Arrow. */
    public static final int VIEW = 5;
    /** Offsets into the one child. A map is a list of its entries. */
    public static final int LIST = 6;
    /** As {@link #LIST}, with 64-bit offsets in Arrow. */
    public static final int LARGE_LIST = 7;
    /** {@link #width} rows of the one child a row. */
    public static final int FIXED_LIST = 8;
    /** One row of every child a row. */
    public static final int STRUCT = 9;
    /** A type id a row, and the row of that child. */
    public static final int UNION = 10;
    /** A code a row; the distinct values are kept beside. */
    public static final int DICTIONARY = 11;

    /** The field, dictionary-encoded ones with the type of their indexes. */
    public final Field field;
    /** One of the constants of this class. */
    public final int layout;
    /** Bytes a value of {@link #FIXED}, bytes an index of {@link #DICTIONARY}, rows a list of {@link #FIXED_LIST}. */
    public final int width;
    /** The children, in the schema's order. */
    public final List<ColumnPlan> children;
    /** For {@link #UNION}: the type id of each child. */
    public final int[] typeIds;

    /** Bytes that a row takes in buffers of fixed width, here and below: all that a null takes. */
    final long rowBytes;

    private ColumnPlan(Field field, int layout, int width, List<ColumnPlan> children, int[] typeIds) {
        this.field = field;
        this.layout = layout;
        this.width = width;
        this.children = children;
        this.typeIds = typeIds;
        this.rowBytes = rowBytes();
    }

    /** Plans for the fields of a schema. */
    public static List<ColumnPlan> of(Iterable<Field> fields) {
        List<ColumnPlan> plans = new ArrayList<>();
        for (Field field : fields) {
            plans.add(of(field));
        }
        return List.copyOf(plans);
    }

    /**
     * The plan for one field and all below it.
     *
     * @throws IllegalArgumentException for types that can't be filled (run-end encoding, list views, sparse unions, fixed-size lists of unions)
     */
    public static ColumnPlan of(Field given) {
        Field field = inMemory(given);
        if (field.getDictionary() != null) {
            return new ColumnPlan(
                    field, DICTIONARY, ((ArrowType.Int) field.getType()).getBitWidth() / 8, List.of(), new int[0]);
        }
        List<ColumnPlan> children = of(field.getChildren());
        field = withChildren(field, children);
        if (field.getType() instanceof ArrowType.FixedSizeList && children.get(0).layout == UNION) {
            // they look for the member types before these are there, and find another union; other lists don't look
            throw new IllegalArgumentException("column '" + field.getName()
                    + "': Arrow's vectors for Java can't hold fixed-size lists of unions; use a list");
        }
        ArrowType type = field.getType();
        int[] none = new int[0];
        switch (type.getTypeID()) {
            case Null:
                return new ColumnPlan(field, NULL, 0, children, none);
            case Bool:
                return new ColumnPlan(field, BOOL, 1, children, none);
            case Utf8, Binary:
                return new ColumnPlan(field, VAR, 0, children, none);
            case LargeUtf8, LargeBinary:
                return new ColumnPlan(field, LARGE_VAR, 0, children, none);
            case Utf8View, BinaryView:
                return new ColumnPlan(field, VIEW, 0, children, none);
            case List, Map:
                return new ColumnPlan(field, LIST, 0, children, none);
            case LargeList:
                return new ColumnPlan(field, LARGE_LIST, 0, children, none);
            case FixedSizeList:
                return new ColumnPlan(
                        field, FIXED_LIST, ((ArrowType.FixedSizeList) type).getListSize(), children, none);
            case Struct:
                return new ColumnPlan(field, STRUCT, 0, children, none);
            case Union:
                ArrowType.Union union = (ArrowType.Union) type;
                if (union.getMode() != UnionMode.Dense) {
                    throw unsupported(field);
                }
                return new ColumnPlan(field, UNION, 0, children, typeIds(union, children.size()));
            default:
                return new ColumnPlan(field, FIXED, fixedWidth(field), children, none);
        }
    }

    private static int[] typeIds(ArrowType.Union union, int children) {
        int[] ids = union.getTypeIds();
        if (ids != null && ids.length == children) {
            return ids;
        }
        int[] counted = new int[children];
        for (int i = 0; i < children; i++) {
            counted[i] = i;
        }
        return counted;
    }

    private static Field withChildren(Field field, List<ColumnPlan> plans) {
        List<Field> children = plans.stream().map(plan -> plan.field).toList();
        return children.equals(field.getChildren())
                ? field
                : new Field(field.getName(), field.getFieldType(), children);
    }

    /** Arrow's vectors carry the index type of a dictionary-encoded field; a schema may name the value type instead. */
    private static Field inMemory(Field field) {
        DictionaryEncoding encoding = field.getDictionary();
        if (encoding == null || field.getType().equals(encoding.getIndexType())) {
            return field;
        }
        switch (field.getType().getTypeID()) {
            case Utf8, LargeUtf8:
                return new Field(
                        field.getName(),
                        new FieldType(field.isNullable(), encoding.getIndexType(), encoding, field.getMetadata()),
                        List.of());
            default:
                throw new IllegalArgumentException("column '" + field.getName()
                        + "': only strings can be dictionary-encoded, not " + field.getType());
        }
    }

    private static int fixedWidth(Field field) {
        ArrowType type = field.getType();
        switch (type.getTypeID()) {
            case Int:
                return ((ArrowType.Int) type).getBitWidth() / 8;
            case FloatingPoint:
                FloatingPointPrecision precision = ((ArrowType.FloatingPoint) type).getPrecision();
                return precision == FloatingPointPrecision.DOUBLE
                        ? 8
                        : precision == FloatingPointPrecision.SINGLE ? 4 : 2;
            case Decimal:
                int bits = ((ArrowType.Decimal) type).getBitWidth();
                if (bits != 128 && bits != 256) {
                    throw unsupported(field);
                }
                return bits / 8;
            case FixedSizeBinary:
                return ((ArrowType.FixedSizeBinary) type).getByteWidth();
            case Date:
                return ((ArrowType.Date) type).getUnit() == org.apache.arrow.vector.types.DateUnit.DAY ? 4 : 8;
            case Time:
                return ((ArrowType.Time) type).getBitWidth() / 8;
            case Timestamp, Duration:
                return 8;
            case Interval:
                return switch (((ArrowType.Interval) type).getUnit()) {
                    case YEAR_MONTH -> 4;
                    case DAY_TIME -> 8;
                    case MONTH_DAY_NANO -> 16;
                };
            default:
                throw unsupported(field);
        }
    }

    private static IllegalArgumentException unsupported(Field field) {
        return new IllegalArgumentException(
                "column '" + field.getName() + "': type " + field.getType() + " can't be filled here; use a plain one");
    }

    /** The index of the child with this name, or -1. */
    public int indexOf(String name) {
        for (int i = 0; i < children.size(); i++) {
            if (children.get(i).field.getName().equals(name)) {
                return i;
            }
        }
        return -1;
    }

    private long rowBytes() {
        return switch (layout) {
            case BOOL -> 1;
            case FIXED, DICTIONARY -> width;
            case VAR, LIST -> 4;
            case LARGE_VAR, LARGE_LIST -> 8;
            case VIEW -> 16;
            case UNION -> 5;
            case STRUCT -> children.stream().mapToLong(child -> child.rowBytes).sum();
            case FIXED_LIST -> width * children.get(0).rowBytes;
            default -> 0;
        };
    }

    @Override
    public String toString() {
        return field.toString();
    }

    /** Whether the values are bytes of varying length. */
    public boolean isBytes() {
        return layout == VAR || layout == LARGE_VAR || layout == VIEW;
    }

    /** The dictionary's encoding, for {@link #DICTIONARY}. */
    @Nullable
    DictionaryEncoding encoding() {
        return field.getDictionary();
    }
}
