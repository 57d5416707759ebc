package io.sluice.avro;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.file.CodecFactory;
import org.apache.avro.file.DataFileWriter;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;

/** Schemas and values out of a seed, and files of them written by Apache Avro. */
final class RandomAvro {

    private final Random random;
    private final List<Schema> named = new ArrayList<>();
    private int names;

    RandomAvro(long seed) {
        this.random = new Random(seed);
    }

    Random random() {
        return random;
    }

    Schema record(int depth) {
        String name = "R" + names++;
        Schema schema = Schema.createRecord(name, null, random.nextBoolean() ? "ns.a" : null, false);
        boolean recursive = depth > 0 && random.nextInt(6) == 0;
        int count = random.nextInt(depth > 2 ? 8 : 5);
        List<Schema.Field> fields = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            fields.add(new Schema.Field("f" + i, schema(depth - 1)));
        }
        if (recursive) {
            Schema self = switch (random.nextInt(3)) {
                case 0 -> Schema.createUnion(Schema.create(Schema.Type.NULL), schema);
                case 1 -> Schema.createArray(schema);
                default -> Schema.createMap(schema);
            };
            fields.add(new Schema.Field("self", self));
        }
        schema.setFields(fields);
        named.add(schema);
        return schema;
    }

    Schema schema(int depth) {
        if (depth <= 0 || random.nextInt(3) > 0) {
            return leaf();
        }
        switch (random.nextInt(6)) {
            case 0:
                return record(depth);
            case 1:
                return Schema.createArray(schema(depth - 1));
            case 2:
                return Schema.createMap(schema(depth - 1));
            case 3:
                return named.isEmpty() ? leaf() : named.get(random.nextInt(named.size()));
            default:
                return union(depth);
        }
    }

    private Schema union(int depth) {
        Map<String, Schema> branches = new LinkedHashMap<>();
        int count = 1 + random.nextInt(4);
        if (random.nextInt(3) > 0) {
            branches.put("null", Schema.create(Schema.Type.NULL));
        }
        for (int i = 0; i < count; i++) {
            Schema branch = schema(depth - 1);
            if (branch.getType() != Schema.Type.UNION) {
                branches.putIfAbsent(branch.getFullName(), branch);
            }
        }
        if (branches.isEmpty()) {
            return leaf();
        }
        List<Schema> all = new ArrayList<>(branches.values());
        if (random.nextInt(4) == 0) {
            java.util.Collections.reverse(all);
        }
        return Schema.createUnion(all);
    }

    private Schema leaf() {
        switch (random.nextInt(24)) {
            case 0:
                return Schema.create(Schema.Type.NULL);
            case 1:
                return Schema.create(Schema.Type.BOOLEAN);
            case 2, 3:
                return Schema.create(Schema.Type.INT);
            case 4, 5:
                return Schema.create(Schema.Type.LONG);
            case 6:
                return Schema.create(Schema.Type.FLOAT);
            case 7, 8:
                return Schema.create(Schema.Type.DOUBLE);
            case 9:
                return Schema.create(Schema.Type.BYTES);
            case 10:
                return Schema.createFixed("F" + names++, null, null, random.nextInt(20));
            case 11:
                List<String> symbols = new ArrayList<>();
                for (int i = 0; i <= random.nextInt(5); i++) {
                    symbols.add("S" + i);
                }
                return Schema.createEnum("E" + names++, null, null, symbols);
            case 12:
                return LogicalTypes.decimal(1 + random.nextInt(38), 0).addToSchema(Schema.create(Schema.Type.BYTES));
            case 13:
                return LogicalTypes.decimal(10, 3).addToSchema(Schema.createFixed("D" + names++, null, null, 6));
            case 14:
                return LogicalTypes.date().addToSchema(Schema.create(Schema.Type.INT));
            case 15:
                return LogicalTypes.timeMillis().addToSchema(Schema.create(Schema.Type.INT));
            case 16:
                return LogicalTypes.timeMicros().addToSchema(Schema.create(Schema.Type.LONG));
            case 17:
                return List.of(
                                LogicalTypes.timestampMillis(),
                                LogicalTypes.timestampMicros(),
                                LogicalTypes.timestampNanos(),
                                LogicalTypes.localTimestampMillis(),
                                LogicalTypes.localTimestampMicros(),
                                LogicalTypes.localTimestampNanos())
                        .get(random.nextInt(6))
                        .addToSchema(Schema.create(Schema.Type.LONG));
            case 18:
                return LogicalTypes.uuid().addToSchema(Schema.createFixed("U" + names++, null, null, 16));
            case 19:
                return LogicalTypes.duration().addToSchema(Schema.createFixed("P" + names++, null, null, 12));
            default:
                return Schema.create(Schema.Type.STRING);
        }
    }

    Object value(Schema schema, int depth) {
        String logical =
                schema.getLogicalType() == null ? "" : schema.getLogicalType().getName();
        switch (schema.getType()) {
            case NULL:
                return null;
            case BOOLEAN:
                return random.nextBoolean();
            case INT:
                if (logical.equals("time-millis")) {
                    return random.nextInt(86_400_000);
                }
                return (int) number();
            case LONG:
                if (logical.equals("time-micros")) {
                    return Math.floorMod(random.nextLong(), 86_400_000_000L);
                }
                return logical.isEmpty() ? number() : number() >> 12;
            case FLOAT:
                return random.nextInt(8) == 0 ? Float.NaN : (float) random.nextGaussian();
            case DOUBLE:
                return random.nextInt(8) == 0 ? Double.NEGATIVE_INFINITY : random.nextGaussian() * 1e9;
            case STRING:
                return text();
            case BYTES:
                if (logical.equals("decimal")) {
                    int precision = ((LogicalTypes.Decimal) schema.getLogicalType()).getPrecision();
                    return ByteBuffer.wrap(unscaled(precision).toByteArray());
                }
                return ByteBuffer.wrap(bytes(random.nextInt(30)));
            case FIXED:
                if (logical.equals("decimal")) {
                    byte[] small = unscaled(10).toByteArray();
                    byte[] all = new byte[schema.getFixedSize()];
                    java.util.Arrays.fill(all, small[0] < 0 ? (byte) -1 : 0);
                    System.arraycopy(small, 0, all, all.length - small.length, small.length);
                    return new GenericData.Fixed(schema, all);
                }
                if (logical.equals("duration")) {
                    byte[] all = bytes(12);
                    all[3] &= 0x7F;
                    all[7] &= 0x7F;
                    return new GenericData.Fixed(schema, all);
                }
                return new GenericData.Fixed(schema, bytes(schema.getFixedSize()));
            case ENUM:
                List<String> symbols = schema.getEnumSymbols();
                return new GenericData.EnumSymbol(schema, symbols.get(random.nextInt(symbols.size())));
            case ARRAY:
                List<Object> list = new ArrayList<>();
                for (int i = depth <= 0 ? 0 : random.nextInt(4); i > 0; i--) {
                    list.add(value(schema.getElementType(), depth - 1));
                }
                return new GenericData.Array<>(schema, list);
            case MAP:
                Map<String, Object> map = new LinkedHashMap<>();
                for (int i = depth <= 0 ? 0 : random.nextInt(4); i > 0; i--) {
                    map.put(text(), value(schema.getValueType(), depth - 1));
                }
                return map;
            case UNION:
                List<Schema> types = schema.getTypes();
                if (depth <= 0) {
                    for (Schema type : types) {
                        if (type.getType() == Schema.Type.NULL) {
                            return null;
                        }
                    }
                }
                return value(types.get(random.nextInt(types.size())), depth - 1);
            default:
                GenericData.Record record = new GenericData.Record(schema);
                for (Schema.Field field : schema.getFields()) {
                    record.put(field.pos(), value(field.schema(), depth - 1));
                }
                return record;
        }
    }

    private java.math.BigInteger unscaled(int precision) {
        java.math.BigInteger limit = java.math.BigInteger.TEN.pow(random.nextInt(precision) + 1);
        java.math.BigInteger value = new java.math.BigInteger(140, random).mod(limit);
        return random.nextBoolean() ? value : value.negate();
    }

    private long number() {
        return random.nextLong() >> random.nextInt(64);
    }

    private byte[] bytes(int n) {
        byte[] bytes = new byte[n];
        random.nextBytes(bytes);
        return bytes;
    }

    private String text() {
        int length = random.nextInt(random.nextInt(10) == 0 ? 60 : 12);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) {
            switch (random.nextInt(20)) {
                case 0 -> text.append('é');
                case 1 -> text.append('\uFFFD');
                case 2 -> text.appendCodePoint(0x1F600 + random.nextInt(50));
                case 3 -> text.append('漢');
                default -> text.append((char) (' ' + random.nextInt(95)));
            }
        }
        return text.toString();
    }

    /** A file of {@code count} values in blocks of a few. */
    static byte[] file(Schema schema, List<?> values, CodecFactory codec, int syncEvery) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (DataFileWriter<Object> writer =
                new DataFileWriter<>(new GenericDatumWriter<>(schema, new GenericData()))) {
            writer.setCodec(codec);
            byte[] sync = new byte[16];
            new Random(schema.toString().hashCode()).nextBytes(sync);
            writer.create(schema, out, sync);
            int n = 0;
            for (Object value : values) {
                writer.append(value);
                if (++n % syncEvery == 0) {
                    writer.sync();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }
}
