package io.sluice.arrow;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.*;
import org.apache.arrow.vector.complex.DenseUnionVector;
import org.apache.arrow.vector.complex.FixedSizeListVector;
import org.apache.arrow.vector.complex.LargeListVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.MapVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.types.DateUnit;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.UnionMode;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;

/** Random batches with a column of every type, filled by Arrow's own setters. */
final class Batches {

    private static final DictionaryEncoding CODES = new DictionaryEncoding(7, false, new ArrowType.Int(32, true));

    private Batches() {}

    static Field field(String name, ArrowType type, Field... children) {
        return new Field(name, FieldType.nullable(type), List.of(children));
    }

    static ArrowType integer(int bits, boolean signed) {
        return new ArrowType.Int(bits, signed);
    }

    /** Every type that JSON has a form for. */
    static List<Field> fields() {
        List<Field> fields = new ArrayList<>();
        fields.add(field("bool", new ArrowType.Bool()));
        for (int bits : new int[] {8, 16, 32, 64}) {
            fields.add(field("i" + bits, integer(bits, true)));
            fields.add(field("u" + bits, integer(bits, false)));
        }
        fields.add(field("f32", new ArrowType.FloatingPoint(FloatingPointPrecision.SINGLE)));
        fields.add(field("f64", new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE)));
        fields.add(field("d128", new ArrowType.Decimal(30, 4, 128)));
        fields.add(field("d256", new ArrowType.Decimal(70, 10, 256)));
        fields.add(field("utf8", new ArrowType.Utf8()));
        fields.add(field("large", new ArrowType.LargeUtf8()));
        fields.add(field("view", new ArrowType.Utf8View()));
        fields.add(field("bin", new ArrowType.Binary()));
        fields.add(field("largebin", new ArrowType.LargeBinary()));
        fields.add(field("fixed", new ArrowType.FixedSizeBinary(5)));
        fields.add(field("day", new ArrowType.Date(DateUnit.DAY)));
        fields.add(field("dayms", new ArrowType.Date(DateUnit.MILLISECOND)));
        fields.add(field("t32", new ArrowType.Time(TimeUnit.SECOND, 32)));
        fields.add(field("t32ms", new ArrowType.Time(TimeUnit.MILLISECOND, 32)));
        fields.add(field("t64us", new ArrowType.Time(TimeUnit.MICROSECOND, 64)));
        fields.add(field("t64ns", new ArrowType.Time(TimeUnit.NANOSECOND, 64)));
        for (TimeUnit unit : TimeUnit.values()) {
            fields.add(field("ts" + unit, new ArrowType.Timestamp(unit, null)));
            fields.add(field("tz" + unit, new ArrowType.Timestamp(unit, "Europe/Berlin")));
            fields.add(field("dur" + unit, new ArrowType.Duration(unit)));
        }
        fields.add(field("null", new ArrowType.Null()));
        fields.add(new Field("dict", new FieldType(true, CODES.getIndexType(), CODES), List.of()));
        fields.add(field("list", new ArrowType.List(), field("item", new ArrowType.Utf8())));
        fields.add(field("largelist", new ArrowType.LargeList(), field("item", integer(32, true))));
        fields.add(field("pair", new ArrowType.FixedSizeList(2), field("item", integer(16, true))));
        fields.add(field(
                "struct",
                new ArrowType.Struct(),
                field("a", integer(64, true)),
                field(
                        "deep",
                        new ArrowType.List(),
                        field("item", new ArrowType.Struct(), field("x", new ArrowType.Utf8())))));
        fields.add(field(
                "map",
                new ArrowType.Map(false),
                new Field(
                        "entries",
                        FieldType.notNullable(new ArrowType.Struct()),
                        List.of(
                                new Field("key", FieldType.notNullable(new ArrowType.Utf8()), List.of()),
                                field("value", integer(64, true))))));
        fields.add(union("union"));
        fields.add(field("unions", new ArrowType.List(), union("item")));
        fields.add(field("largeunions", new ArrowType.LargeList(), union("item")));
        return fields;
    }

    private static Field union(String name) {
        return field(
                name,
                new ArrowType.Union(UnionMode.Dense, new int[] {0, 1}),
                field("int", integer(64, true)),
                field("utf8", new ArrowType.Utf8()));
    }

    static Schema schema() {
        return new Schema(fields(), Map.of("made", "by hand"));
    }

    /** The schema as a reader of JSONL is given it, which makes its dictionaries itself. */
    static RecordBatch random(BufferAllocator allocator, long seed, int rows) {
        return random(allocator, schema(), seed, rows, 20);
    }

    static RecordBatch random(BufferAllocator allocator, Schema schema, long seed, int rows, int dictionarySize) {
        SplittableRandom random = new SplittableRandom(seed);
        VectorSchemaRoot root = VectorSchemaRoot.create(schema, allocator);
        List<Dictionary> dictionaries = new ArrayList<>();
        for (FieldVector vector : root.getFieldVectors()) {
            vector.allocateNew();
            for (int i = 0; i < rows; i++) {
                fill(vector, i, random, dictionarySize);
            }
            vector.setValueCount(rows);
            if (vector.getField().getDictionary() != null) {
                VarCharVector values = new VarCharVector("values", allocator);
                values.allocateNew();
                for (int i = 0; i < dictionarySize; i++) {
                    values.setSafe(i, ("word " + i).getBytes(StandardCharsets.UTF_8));
                }
                values.setValueCount(dictionarySize);
                dictionaries.add(new Dictionary(values, vector.getField().getDictionary()));
            }
        }
        root.setRowCount(rows);
        return RecordBatch.of(root, dictionaries);
    }

    private static String text(SplittableRandom random) {
        String[] parts = {"a", "é", "\n", "\"", "\\", "漢字", "😀", "long enough for no inlining", "\u0001", " "};
        StringBuilder text = new StringBuilder();
        for (int n = random.nextInt(5); n > 0; n--) {
            text.append(parts[random.nextInt(parts.length)]);
        }
        return text.toString();
    }

    private static byte[] bytes(SplittableRandom random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private static long second(SplittableRandom random) {
        return random.nextLong(-5_000_000_000L, 5_000_000_000L);
    }

    private static void fill(ValueVector vector, int i, SplittableRandom random, int dictionarySize) {
        if (vector instanceof DenseUnionVector union) {
            byte type = (byte) random.nextInt(2);
            union.setTypeId(i, type);
            FieldVector member = (FieldVector) union.getVectorByType(type);
            int at = member.getValueCount();
            union.setOffset(i, at);
            if (member instanceof BigIntVector v) {
                v.setSafe(at, random.nextLong());
            } else {
                ((VarCharVector) member).setSafe(at, text(random).getBytes(StandardCharsets.UTF_8));
            }
            member.setValueCount(at + 1);
            return;
        }
        if (vector instanceof NullVector || random.nextInt(5) == 0) {
            if (vector instanceof FieldVector v) {
                v.setNull(i);
            }
            return;
        }
        if (vector.getField().getDictionary() != null) {
            ((IntVector) vector).setSafe(i, random.nextInt(dictionarySize));
        } else if (vector instanceof BitVector v) {
            v.setSafe(i, random.nextInt(2));
        } else if (vector instanceof TinyIntVector v) {
            v.setSafe(i, random.nextInt());
        } else if (vector instanceof UInt1Vector v) {
            v.setSafe(i, random.nextInt());
        } else if (vector instanceof SmallIntVector v) {
            v.setSafe(i, random.nextInt());
        } else if (vector instanceof UInt2Vector v) {
            v.setSafe(i, random.nextInt());
        } else if (vector instanceof IntVector v) {
            v.setSafe(i, random.nextInt());
        } else if (vector instanceof UInt4Vector v) {
            v.setSafe(i, random.nextInt());
        } else if (vector instanceof BigIntVector v) {
            v.setSafe(i, random.nextLong());
        } else if (vector instanceof UInt8Vector v) {
            v.setSafe(i, random.nextLong());
        } else if (vector instanceof Float4Vector v) {
            float f = Float.intBitsToFloat(random.nextInt());
            v.setSafe(i, Float.isFinite(f) ? f : 1.5f);
        } else if (vector instanceof Float8Vector v) {
            double d = Double.longBitsToDouble(random.nextLong());
            v.setSafe(i, Double.isFinite(d) ? d : 0.1);
        } else if (vector instanceof DecimalVector v) {
            v.setSafe(i, new BigDecimal(BigInteger.valueOf(random.nextLong()), 4));
        } else if (vector instanceof Decimal256Vector v) {
            v.setSafe(i, new BigDecimal(new BigInteger(bytes(random, 20)), 10));
        } else if (vector instanceof VarCharVector v) {
            v.setSafe(i, text(random).getBytes(StandardCharsets.UTF_8));
        } else if (vector instanceof LargeVarCharVector v) {
            v.setSafe(i, text(random).getBytes(StandardCharsets.UTF_8));
        } else if (vector instanceof ViewVarCharVector v) {
            v.setSafe(i, text(random).getBytes(StandardCharsets.UTF_8));
        } else if (vector instanceof VarBinaryVector v) {
            v.setSafe(i, bytes(random, random.nextInt(9)));
        } else if (vector instanceof LargeVarBinaryVector v) {
            v.setSafe(i, bytes(random, random.nextInt(9)));
        } else if (vector instanceof FixedSizeBinaryVector v) {
            v.setSafe(i, bytes(random, v.getByteWidth()));
        } else if (vector instanceof DateDayVector v) {
            v.setSafe(i, random.nextInt(-1_000_000, 1_000_000));
        } else if (vector instanceof DateMilliVector v) {
            v.setSafe(i, 86_400_000L * random.nextInt(-100_000, 100_000));
        } else if (vector instanceof TimeSecVector v) {
            v.setSafe(i, random.nextInt(86_400));
        } else if (vector instanceof TimeMilliVector v) {
            v.setSafe(i, random.nextInt(86_400_000));
        } else if (vector instanceof TimeMicroVector v) {
            v.setSafe(i, random.nextLong(86_400_000_000L));
        } else if (vector instanceof TimeNanoVector v) {
            v.setSafe(i, random.nextLong(86_400_000_000_000L));
        } else if (vector instanceof TimeStampVector v) {
            long perSecond =
                    Temporals.perSecond(((ArrowType.Timestamp) vector.getField().getType()).getUnit());
            v.setSafe(i, second(random) * perSecond + random.nextLong(perSecond));
        } else if (vector instanceof DurationVector v) {
            long perSecond =
                    Temporals.perSecond(((ArrowType.Duration) vector.getField().getType()).getUnit());
            v.setSafe(i, second(random) * perSecond + random.nextLong(perSecond));
        } else if (vector instanceof MapVector v) {
            int n = random.nextInt(4);
            int from = v.startNewValue(i);
            StructVector entries = (StructVector) v.getDataVector();
            for (int k = 0; k < n; k++) {
                entries.setIndexDefined(from + k);
                ((VarCharVector) entries.getChild("key"))
                        .setSafe(from + k, ("k" + k + text(random)).getBytes(StandardCharsets.UTF_8));
                fill(entries.getChild("value"), from + k, random, dictionarySize);
            }
            v.endValue(i, n);
        } else if (vector instanceof ListVector v) {
            int n = random.nextInt(4);
            int from = v.startNewValue(i);
            for (int k = 0; k < n; k++) {
                fill(v.getDataVector(), from + k, random, dictionarySize);
            }
            v.endValue(i, n);
        } else if (vector instanceof LargeListVector v) {
            int n = random.nextInt(4);
            int from = (int) v.startNewValue(i);
            for (int k = 0; k < n; k++) {
                fill(v.getDataVector(), from + k, random, dictionarySize);
            }
            v.endValue(i, n);
        } else if (vector instanceof FixedSizeListVector v) {
            int from = v.startNewValue(i);
            for (int k = 0; k < v.getListSize(); k++) {
                fill(v.getDataVector(), from + k, random, dictionarySize);
            }
        } else if (vector instanceof StructVector v) {
            v.setIndexDefined(i);
            for (FieldVector child : v.getChildrenFromFields()) {
                fill(child, i, random, dictionarySize);
            }
        } else {
            throw new AssertionError(vector.getClass());
        }
    }

    /** What is in batches, closed on the way. */
    static List<Map<String, Object>> rows(RecordBatch batch) {
        try (batch) {
            List<Map<String, Object>> rows = new ArrayList<>();
            for (Map<String, Object> row : Rows.of(batch)) {
                Map<String, Object> plain = new LinkedHashMap<>();
                row.forEach((key, value) -> plain.put(key, plain(value)));
                rows.add(plain);
            }
            return rows;
        }
    }

    /** Values that are equal where they should be: arrays of bytes are not. */
    private static Object plain(Object value) {
        if (value instanceof byte[] bytes) {
            List<Byte> list = new ArrayList<>();
            for (byte b : bytes) {
                list.add(b);
            }
            return list;
        }
        return value;
    }

    /** Waits until all is given back: what is cancelled lets go on the threads that were at work. */
    static void awaitEmpty(BufferAllocator allocator) {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (allocator.getAllocatedMemory() != 0) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("left in the allocator: " + allocator.toVerboseString());
            }
            Thread.yield();
        }
    }
}
