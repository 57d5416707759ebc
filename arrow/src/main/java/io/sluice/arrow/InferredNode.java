package io.sluice.arrow;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.arrow.vector.types.DateUnit;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.UnionMode;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.jspecify.annotations.Nullable;

/** All that was seen of the values in one place of the records, and the Arrow type that takes them all. Single-threaded. */
final class InferredNode extends KeyNode {

    static final int BOOL = 1;
    static final int INTEGER = 2;
    static final int DECIMAL = 4;
    static final int STRING = 8;
    static final int LIST = 16;
    static final int OBJECT = 32;
    private static final int NUMBER = INTEGER | DECIMAL;

    /** What strings may turn out to be; a set bit has not been ruled out. */
    static final int OFFSET_TIMESTAMP = 1;

    static final int LOCAL_TIMESTAMP = 2;
    static final int DATE = 4;
    static final int TIME = 8;
    static final int ANY_TEMPORAL = 15;

    /** Integers up to this are doubles without loss. */
    private static final long EXACT = 1L << 53;

    final String name;
    /** Which kinds of values there were, nulls not counted. */
    int kinds;

    int temporal = ANY_TEMPORAL;
    /** Whether a timestamp had digits beyond microseconds. */
    boolean nanos;

    long min = Long.MAX_VALUE;
    long max = Long.MIN_VALUE;
    /** Most digits of an integer that does not fit 64 bits; 0 where there was none. */
    int bigDigits;
    /** Most digits before and after the point of decimals, while these are counted. */
    int integerDigits;

    int fractionDigits;
    /** What lists in this place hold. */
    private @Nullable InferredNode element;

    InferredNode(String name) {
        this.name = name;
    }

    InferredNode field(int index) {
        return (InferredNode) fields[index];
    }

    InferredNode element() {
        InferredNode item = element;
        if (item == null) {
            item = new InferredNode("item");
            element = item;
        }
        return item;
    }

    InferredNode child(String key) {
        InferredNode node = new InferredNode(key);
        add(key, node);
        return node;
    }

    /** Number of places in this node and below it. */
    int size() {
        int size = 1 + (element == null ? 0 : element.size());
        for (KeyNode field : fields) {
            size += ((InferredNode) field).size();
        }
        return size;
    }

    void integer(long value) {
        kinds |= INTEGER;
        if (value < min) {
            min = value;
        }
        if (value > max) {
            max = value;
        }
    }

    /** What two walkers have seen, or what a schema already takes and what came later. */
    void merge(InferredNode other) {
        kinds |= other.kinds;
        temporal &= other.temporal;
        nanos |= other.nanos;
        min = Math.min(min, other.min);
        max = Math.max(max, other.max);
        bigDigits = Math.max(bigDigits, other.bigDigits);
        integerDigits = Math.max(integerDigits, other.integerDigits);
        fractionDigits = Math.max(fractionDigits, other.fractionDigits);
        if (other.element != null) {
            element().merge(other.element);
        }
        for (KeyNode field : other.fields) {
            InferredNode from = (InferredNode) field;
            byte[] key = from.name.getBytes(StandardCharsets.UTF_8);
            InferredNode to = (InferredNode) find(key, 0, key.length);
            (to == null ? child(from.name) : to).merge(from);
        }
    }

    /** The fields of the records that this node, the root, stands for. */
    List<Field> toFields(InferenceRules rules) {
        List<Field> made = new ArrayList<>(fields.length);
        for (int i = 0; i < fields.length; i++) {
            InferredNode field = field(i);
            made.add(field.toField(field.name, rules));
        }
        return made;
    }

    /** The narrowest type that takes everything seen without loss. */
    private Field toField(String fieldName, InferenceRules rules) {
        int number = kinds & NUMBER;
        int others = kinds & ~NUMBER;
        int groups = Integer.bitCount(others) + (number != 0 ? 1 : 0);
        if (groups == 0) {
            return field(fieldName, new ArrowType.Null());
        }
        if (groups > 1) {
            return rules.unions() ? union(fieldName, rules) : json(fieldName);
        }
        if (number != 0) {
            ArrowType type = numberType(rules);
            return type == null ? json(fieldName) : field(fieldName, type);
        }
        return switch (others) {
            case BOOL -> field(fieldName, new ArrowType.Bool());
            case STRING -> field(fieldName, stringType(rules));
            case LIST ->
                new Field(
                        fieldName,
                        FieldType.nullable(new ArrowType.List()),
                        List.of(element().toField("item", rules)));
            default -> new Field(fieldName, FieldType.nullable(new ArrowType.Struct()), toFields(rules));
        };
    }

    private Field union(String fieldName, InferenceRules rules) {
        List<Field> members = new ArrayList<>();
        for (int kind : new int[] {BOOL, NUMBER, STRING, LIST, OBJECT}) {
            if ((kinds & kind) != 0) {
                InferredNode member = new InferredNode(fieldName);
                member.merge(this);
                member.kinds &= kind;
                Field field = member.toField(fieldName, rules);
                String type = field.getType().getTypeID().name().toLowerCase(Locale.ROOT);
                members.add(
                        new Field(JsonType.isJson(field) ? "json" : type, field.getFieldType(), field.getChildren()));
            }
        }
        int[] ids = new int[members.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = i;
        }
        return new Field(fieldName, FieldType.nullable(new ArrowType.Union(UnionMode.Dense, ids)), members);
    }

    private @Nullable ArrowType numberType(InferenceRules rules) {
        boolean integers = (kinds & INTEGER) != 0;
        if ((kinds & DECIMAL) == 0) {
            return bigDigits == 0 ? new ArrowType.Int(64, true) : decimal(bigDigits, 0);
        }
        if (rules.decimals()) {
            int before = Math.max(integerDigits, Math.max(bigDigits, integers ? longDigits() : 0));
            return decimal(before + fractionDigits, fractionDigits);
        }
        boolean exact = bigDigits == 0 && (!integers || min >= -EXACT && max <= EXACT);
        return exact ? new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE) : null;
    }

    private int longDigits() {
        BigInteger largest =
                BigInteger.valueOf(min).abs().max(BigInteger.valueOf(max).abs());
        return largest.toString().length();
    }

    /** A decimal with all the digits that its width has room for, as there may be longer numbers than those seen. */
    private static @Nullable ArrowType decimal(int digits, int scale) {
        return digits <= 38
                ? new ArrowType.Decimal(38, scale, 128)
                : digits <= 76 ? new ArrowType.Decimal(76, scale, 256) : null;
    }

    private ArrowType stringType(InferenceRules rules) {
        if (rules.timestamps() && temporal != 0) {
            TimeUnit unit = nanos ? TimeUnit.NANOSECOND : TimeUnit.MICROSECOND;
            if ((temporal & OFFSET_TIMESTAMP) != 0) {
                return new ArrowType.Timestamp(unit, "UTC");
            }
            if ((temporal & LOCAL_TIMESTAMP) != 0) {
                return new ArrowType.Timestamp(unit, null);
            }
            return (temporal & DATE) != 0 ? new ArrowType.Date(DateUnit.DAY) : new ArrowType.Time(unit, 64);
        }
        return new ArrowType.Utf8();
    }

    private static Field field(String name, ArrowType type) {
        return new Field(name, FieldType.nullable(type), List.of());
    }

    private static Field json(String name) {
        return new Field(name, JsonType.fieldType(), List.of());
    }
}
