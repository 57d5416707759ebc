package io.sluice.avro.internal;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;

/**
 * What a schema's values look like in the file: enough to walk over one without making anything of it. Immutable once
 * made, shared by all workers. Recursive schemas make it a graph.
 */
public final class Shape {

    public final Schema schema;
    public final Schema.Type type;

    /** Fields of a record, branches of a union, elements of an array, values of a map. */
    public final Shape[] children;

    private final int size;
    private int minBytes = -1;

    private Shape(Schema schema, int children, int size) {
        this.schema = schema;
        this.type = schema.getType();
        this.children = new Shape[children];
        this.size = size;
    }

    /** The shape of values written with a schema. */
    public static Shape of(Schema schema) {
        Shape shape = build(schema, new IdentityHashMap<>());
        shape.measure(new IdentityHashMap<>());
        return shape;
    }

    private static Shape build(Schema schema, Map<Schema, Shape> made) {
        Shape known = made.get(schema);
        if (known != null) {
            return known;
        }
        List<Schema> below = below(schema);
        int size = switch (schema.getType()) {
            case FIXED -> schema.getFixedSize();
            case ENUM -> schema.getEnumSymbols().size();
            default -> below.size();
        };
        Shape shape = new Shape(schema, below.size(), size);
        made.put(schema, shape);
        for (int i = 0; i < below.size(); i++) {
            shape.children[i] = build(below.get(i), made);
        }
        return shape;
    }

    private static List<Schema> below(Schema schema) {
        return switch (schema.getType()) {
            case RECORD -> schema.getFields().stream().map(Schema.Field::schema).toList();
            case UNION -> schema.getTypes();
            case ARRAY -> List.of(schema.getElementType());
            case MAP -> List.of(schema.getValueType());
            default -> List.of();
        };
    }

    /** Finds {@link #minBytes()}; a record inside itself is taken for a byte, which it can't do without. */
    private int measure(Map<Shape, Boolean> open) {
        if (minBytes >= 0) {
            return minBytes;
        }
        if (open.put(this, true) != null) {
            return 1;
        }
        for (Shape child : children) {
            if (type != Schema.Type.RECORD) {
                child.measure(open);
            }
        }
        long min = switch (type) {
            case NULL -> 0;
            case FLOAT -> 4;
            case DOUBLE -> 8;
            case FIXED -> size;
            case RECORD -> {
                long sum = 0;
                for (Shape child : children) {
                    sum += child.measure(open);
                }
                yield sum;
            }
            default -> 1;
        };
        open.remove(this);
        minBytes = (int) Math.min(min, Integer.MAX_VALUE);
        return minBytes;
    }

    /** The fewest bytes that a value can take; 0 only where every value takes none. */
    public int minBytes() {
        return minBytes;
    }

    /** Walks over a value as fast as can be: blocks of arrays and maps whose size is given are not looked into. */
    public void skip(BinaryInput in) {
        walk(in, JUMP);
    }

    /** Walks over a value and checks all there is to check, the encoding of strings apart. */
    public void check(BinaryInput in) {
        walk(in, STRUCTURE);
    }

    /** As {@link #check}, the encoding of strings included. */
    public void checkText(BinaryInput in) {
        walk(in, TEXT);
    }

    private static final int JUMP = 0;
    private static final int STRUCTURE = 1;
    private static final int TEXT = 2;

    private void walk(BinaryInput in, int depth) {
        switch (type) {
            case NULL -> {}
            case BOOLEAN -> in.readBoolean();
            case INT -> in.readInt();
            case LONG -> in.readLong();
            case FLOAT -> in.take(4);
            case DOUBLE -> in.take(8);
            case FIXED -> in.take(size);
            case BYTES -> in.take(in.readLength());
            case STRING -> string(in, depth);
            case ENUM -> in.readIndex(size, "enum");
            case UNION -> children[in.readIndex(size, "union")].walk(in, depth);
            case RECORD -> {
                in.enter();
                for (Shape child : children) {
                    child.walk(in, depth);
                }
                in.leave();
            }
            case ARRAY -> elements(in, children[0], false, depth);
            case MAP -> elements(in, children[0], true, depth);
        }
    }

    private static void elements(BinaryInput in, Shape element, boolean keyed, int depth) {
        in.enter();
        int min = element.minBytes + (keyed ? 1 : 0);
        while (true) {
            int count = depth != JUMP ? in.readCount(min) : in.readCountSkippingSized(min);
            if (count == 0) {
                in.leave();
                return;
            }
            if (min == 0) {
                continue;
            }
            for (int i = 0; i < count; i++) {
                if (keyed) {
                    string(in, depth);
                }
                element.walk(in, depth);
            }
        }
    }

    private static void string(BinaryInput in, int depth) {
        int length = in.readLength();
        int at = in.take(length);
        if (depth == TEXT && !Utf8Check.isValid(in.bytes, at, at + length)) {
            throw BinaryInput.invalidUtf8();
        }
    }
}
