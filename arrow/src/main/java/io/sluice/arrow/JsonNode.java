package io.sluice.arrow;

import io.sluice.arrow.internal.Column;
import io.sluice.arrow.internal.ColumnPlan;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.jspecify.annotations.Nullable;

/**
 * One field of the schema as a worker's parser sees it: how its JSON values are read, which keys its object has, and which
 * key most likely comes next. Single-threaded; belongs to one {@link JsonColumns}. Fields are open, for the parser's sake.
 */
final class JsonNode extends KeyNode {

    static final int NULL = 0;
    static final int BOOL = 1;
    static final int INT64 = 2;
    static final int INT = 3;
    static final int DOUBLE = 4;
    static final int FLOAT = 5;
    static final int STRING = 6;
    static final int DICTIONARY = 7;
    static final int LIST = 8;
    static final int STRUCT = 9;
    static final int FIXED_LIST = 10;
    static final int MAP = 11;
    static final int UNION = 12;
    static final int JSON = 13;
    static final int DECIMAL = 14;
    static final int BINARY = 15;
    static final int FIXED_BINARY = 16;
    static final int DATE = 17;
    static final int TIME = 18;
    static final int TIMESTAMP = 19;
    static final int DURATION = 20;
    static final int UINT64 = 21;
    static final int INTERVAL = 22;
    /** A key that is not in the schema and is passed over. */
    static final int SKIPPED = 23;

    /** How many keys outside the schema an object remembers, so that they too can be foreseen. */
    static final int MAX_SKIPPED = 1024;

    final int type;
    /** For messages; {@code a.b[].c}. */
    final String path;

    final @Nullable ColumnPlan plan;
    final boolean required;
    final @Nullable JsonNode parent;

    /** Where values go; set for every block. Never null while a value is read, except for the root and {@link #SKIPPED}. */
    @SuppressWarnings("NullAway.Init")
    Column column;

    /** Bounds of an {@link #INT}. */
    long min;

    long max;

    /** How many of {@link #fields}, the first ones, are of the schema. */
    int known;
    /** Whether keys outside the schema are left out by the projection, rather than unexpected. */
    boolean open;

    boolean hasRequired;
    /** For a {@link #SKIPPED} one that is not in the projection: false. Others are counted. */
    boolean counted;

    private long count;
    /** Of fields outside the schema that are not remembered. */
    private long otherCount;

    private JsonNode(int type, String path, @Nullable ColumnPlan plan, boolean required, @Nullable JsonNode parent) {
        this.type = type;
        this.path = path;
        this.plan = plan;
        this.required = required;
        this.parent = parent;
    }

    /** The record itself. */
    static JsonNode root(List<ColumnPlan> plans, Projection projection) {
        JsonNode root = new JsonNode(STRUCT, "", null, false, null);
        root.open = projection.leavesOut("");
        root.addFields(plans, projection);
        return root;
    }

    private void addFields(List<ColumnPlan> plans, Projection projection) {
        for (ColumnPlan child : plans) {
            String name = child.field.getName();
            JsonNode node = of(child, path.isEmpty() ? name : path + "." + name, this, projection);
            hasRequired |= node.required;
            add(name, node);
        }
        known = fields.length;
    }

    private static JsonNode of(ColumnPlan plan, String path, JsonNode parent, Projection projection) {
        Field field = plan.field;
        int type = typeOf(plan);
        JsonNode node = new JsonNode(type, path, plan, !field.isNullable(), parent);
        switch (type) {
            case STRUCT -> {
                node.open = projection.leavesOut(path);
                node.addFields(plan.children, projection);
            }
            case LIST, FIXED_LIST ->
                node.fields = new KeyNode[] {of(plan.children.get(0), path + "[]", node, projection)};
            case MAP -> {
                List<ColumnPlan> entry = plan.children.get(0).children;
                node.fields = new KeyNode[] {
                    of(entry.get(0), path + ".key", node, projection), of(entry.get(1), path + "{}", node, projection)
                };
            }
            case UNION -> {
                node.fields = new KeyNode[plan.children.size()];
                for (int i = 0; i < node.fields.length; i++) {
                    node.fields[i] = of(plan.children.get(i), path, node, projection);
                }
            }
            case INT64 -> node.max = Long.MAX_VALUE;
            case INT -> {
                ArrowType.Int integer = (ArrowType.Int) field.getType();
                int bits = integer.getBitWidth();
                node.min = integer.getIsSigned() ? -1L << (bits - 1) : 0;
                node.max = integer.getIsSigned() ? (1L << (bits - 1)) - 1 : (1L << bits) - 1;
            }
            default -> {}
        }
        return node;
    }

    private static int typeOf(ColumnPlan plan) {
        ArrowType type = plan.field.getType();
        if (plan.layout == ColumnPlan.DICTIONARY) {
            return DICTIONARY;
        }
        return switch (type.getTypeID()) {
            case Null -> NULL;
            case Bool -> BOOL;
            case Int ->
                ((ArrowType.Int) type).getBitWidth() < 64 ? INT : ((ArrowType.Int) type).getIsSigned() ? INT64 : UINT64;
            case FloatingPoint ->
                switch (((ArrowType.FloatingPoint) type).getPrecision()) {
                    case DOUBLE -> DOUBLE;
                    case SINGLE -> FLOAT;
                    case HALF -> throw unsupported(plan);
                };
            case Utf8, LargeUtf8, Utf8View -> JsonType.isJson(plan.field) ? JSON : STRING;
            case Binary, LargeBinary, BinaryView -> BINARY;
            case FixedSizeBinary -> FIXED_BINARY;
            case Decimal -> DECIMAL;
            case Date -> DATE;
            case Time -> TIME;
            case Timestamp -> TIMESTAMP;
            case Duration -> DURATION;
            case Interval -> throw unsupported(plan);
            case List, LargeList -> LIST;
            case FixedSizeList -> FIXED_LIST;
            case Map -> MAP;
            case Struct -> STRUCT;
            case Union -> UNION;
            default -> throw unsupported(plan);
        };
    }

    private static IllegalArgumentException unsupported(ColumnPlan plan) {
        return new IllegalArgumentException(
                "column '" + plan.field.getName() + "': JSON has no form for " + plan.field.getType());
    }

    /** A field for a key outside the schema, remembered if there is room. */
    JsonNode skipped(byte[] b, int from, int to, boolean isCounted) {
        String name = new String(b, from, to - from, StandardCharsets.UTF_8);
        JsonNode node = new JsonNode(SKIPPED, path.isEmpty() ? name : path + "." + name, null, false, this);
        node.counted = isCounted;
        if (fields.length - known < MAX_SKIPPED) {
            add(name, node);
        }
        return node;
    }

    /** This field, outside the schema, was passed over. */
    void passedOver() {
        if (keyLength > 0 || parent == null) {
            count++;
        } else {
            parent.otherCount++;
        }
    }

    /** One of the fields of an object or the members of a union; the element of a list is the only one. */
    JsonNode field(int index) {
        return (JsonNode) fields[index];
    }

    /** Points this node and all below it at the columns of a chunk. */
    void bind(Column[] columns) {
        for (int i = 0; i < known; i++) {
            field(i).bind(columns[i]);
        }
    }

    private void bind(Column to) {
        column = to;
        switch (type) {
            case STRUCT -> bind(to.children);
            case LIST, FIXED_LIST -> field(0).bind(to.children[0]);
            case MAP -> {
                field(0).bind(to.children[0].children[0]);
                field(1).bind(to.children[0].children[1]);
            }
            case UNION -> {
                for (int i = 0; i < fields.length; i++) {
                    field(i).bind(to.children[i]);
                }
            }
            default -> {}
        }
    }

    /** Whether this node is {@code other} or lies below it. */
    boolean isWithin(JsonNode other) {
        for (JsonNode node = this; node != null; node = node.parent) {
            if (node == other) {
                return true;
            }
        }
        return false;
    }

    /** Adds up how often keys outside the schema were passed over since the last time. */
    void takeCounts(Map<String, Long> counts) {
        if (count > 0) {
            counts.merge(path, count, Long::sum);
            count = 0;
        }
        if (otherCount > 0) {
            counts.merge(
                    path.isEmpty() ? ArrowSpec.OTHER_KEYS : path + "." + ArrowSpec.OTHER_KEYS, otherCount, Long::sum);
            otherCount = 0;
        }
        for (KeyNode field : fields) {
            ((JsonNode) field).takeCounts(counts);
        }
    }
}
