package io.sluice.avro;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.arrow.Arrow;
import io.sluice.arrow.ArrowSpec;
import io.sluice.arrow.RecordBatch;
import io.sluice.avro.internal.Utf8Check;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.file.CodecFactory;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.util.Utf8;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Files read with another schema than they were written with: what Apache Avro's own resolution makes of every value. */
class AvroResolutionTest {

    private static final int SEEDS = 900;

    /** Changes a schema in ways that resolution may bridge, and in some that it can't. */
    private static final class Evolution {

        private final Random random;
        private final Map<String, Schema> made = new HashMap<>();
        private int fresh;

        Evolution(long seed) {
            random = new Random(seed);
        }

        Schema of(Schema schema) {
            if (schema.getLogicalType() != null) {
                return schema;
            }
            switch (schema.getType()) {
                case RECORD:
                    return record(schema);
                case ENUM:
                    return made.computeIfAbsent(schema.getFullName(), name -> symbols(schema));
                case ARRAY:
                    return Schema.createArray(of(schema.getElementType()));
                case MAP:
                    return Schema.createMap(of(schema.getValueType()));
                case UNION:
                    return union(schema);
                case INT:
                    return promoted(schema, Schema.Type.LONG, Schema.Type.FLOAT, Schema.Type.DOUBLE);
                case LONG:
                    return promoted(schema, Schema.Type.FLOAT, Schema.Type.DOUBLE);
                case FLOAT:
                    return promoted(schema, Schema.Type.DOUBLE);
                case STRING:
                    return promoted(schema, Schema.Type.BYTES);
                case BYTES:
                    return promoted(schema, Schema.Type.STRING);
                default:
                    return schema;
            }
        }

        private Schema promoted(Schema schema, Schema.Type... types) {
            if (random.nextInt(3) > 0) {
                return schema;
            }
            Schema to = Schema.create(types[random.nextInt(types.length)]);
            return random.nextInt(4) == 0 ? Schema.createUnion(Schema.create(Schema.Type.NULL), to) : to;
        }

        private Schema record(Schema schema) {
            Schema known = made.get(schema.getFullName());
            if (known != null) {
                return known;
            }
            boolean renamed = random.nextInt(5) == 0;
            Schema to = Schema.createRecord(
                    renamed ? schema.getName() + "New" : schema.getName(), null, schema.getNamespace(), false);
            if (renamed) {
                to.addAlias(schema.getFullName());
            }
            made.put(schema.getFullName(), to);
            List<Schema.Field> fields = new ArrayList<>();
            for (Schema.Field field : schema.getFields()) {
                int what = random.nextInt(10);
                if (what == 0) {
                    continue; // removed
                }
                Schema.Field kept =
                        new Schema.Field(what == 1 ? field.name() + "New" : field.name(), of(field.schema()));
                if (what == 1) {
                    kept.addAlias(field.name());
                }
                fields.add(random.nextInt(3) == 0 ? random.nextInt(fields.size() + 1) : fields.size(), kept);
            }
            if (random.nextBoolean()) {
                fields.add(random.nextInt(fields.size() + 1), added());
            }
            to.setFields(fields);
            return to;
        }

        private Schema.Field added() {
            String name = "added" + fresh++;
            return switch (random.nextInt(6)) {
                case 0 -> new Schema.Field(name, Schema.create(Schema.Type.INT), null, 7);
                case 1 -> new Schema.Field(name, Schema.create(Schema.Type.STRING), null, "dé");
                case 2 ->
                    new Schema.Field(name, Schema.createArray(Schema.create(Schema.Type.LONG)), null, List.of(1L, 2L));
                case 3 ->
                    new Schema.Field(
                            name,
                            Schema.createUnion(Schema.create(Schema.Type.NULL), Schema.create(Schema.Type.INT)),
                            null,
                            org.apache.avro.JsonProperties.NULL_VALUE);
                case 4 ->
                    new Schema.Field(name, Schema.createMap(Schema.create(Schema.Type.DOUBLE)), null, Map.of("k", 0.5));
                default ->
                    new Schema.Field(
                            name,
                            Schema.createUnion(Schema.create(Schema.Type.STRING), Schema.create(Schema.Type.NULL)),
                            null,
                            "x");
            };
        }

        private Schema symbols(Schema schema) {
            List<String> symbols = new ArrayList<>(schema.getEnumSymbols());
            boolean withDefault = random.nextBoolean();
            if (random.nextBoolean() && symbols.size() > 1) {
                symbols.remove(random.nextInt(symbols.size()));
            }
            if (random.nextBoolean()) {
                symbols.add(random.nextInt(symbols.size() + 1), "MORE");
            }
            return Schema.createEnum(
                    schema.getName(), null, schema.getNamespace(), symbols, withDefault ? symbols.get(0) : null);
        }

        private Schema union(Schema schema) {
            Map<String, Schema> branches = new java.util.LinkedHashMap<>();
            for (Schema branch : schema.getTypes()) {
                if (random.nextInt(8) == 0 && schema.getTypes().size() > 1) {
                    continue;
                }
                Schema to = of(branch);
                if (to.getType() == Schema.Type.UNION) {
                    to = branch;
                }
                branches.putIfAbsent(to.getFullName(), to);
            }
            if (branches.isEmpty()) {
                return schema;
            }
            List<Schema> all = new ArrayList<>(branches.values());
            if (all.size() == 1 && random.nextBoolean()) {
                return all.get(0);
            }
            if (random.nextInt(4) == 0) {
                java.util.Collections.reverse(all);
            }
            return Schema.createUnion(all);
        }
    }

    /** What Apache Avro makes of one value, or null where it refuses it. */
    private static @Nullable Object resolved(Schema writer, Schema reader, Object value) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
        new GenericDatumWriter<>(writer, new GenericData()).write(value, encoder);
        encoder.flush();
        // Apache's reader takes the bytes that an array's elements will have for those that they have, and finds too
        // few
        out.write(new byte[1 << 12]);
        try {
            Object made = new GenericDatumReader<>(writer, reader, new GenericData())
                    .read(null, DecoderFactory.get().binaryDecoder(out.toByteArray(), null));
            return isText(made) ? made : null;
        } catch (RuntimeException e) {
            return null;
        }
    }

    /** Bytes that are read as a string must be one: here they are refused, there they are not looked at. */
    private static boolean isText(@Nullable Object value) {
        if (value instanceof Utf8 text) {
            return Utf8Check.isValid(text.getBytes(), 0, text.getByteLength());
        } else if (value instanceof IndexedRecord record) {
            return record.getSchema().getFields().stream().allMatch(field -> isText(record.get(field.pos())));
        } else if (value instanceof Collection<?> list) {
            return list.stream().allMatch(AvroResolutionTest::isText);
        } else if (value instanceof Map<?, ?> map) {
            return map.values().stream().allMatch(AvroResolutionTest::isText);
        }
        return true;
    }

    /** Whether some number where the schema wants a time of day is before or after the day. */
    private static boolean holdsNoTimeOfDay(Schema schema, @Nullable Object value) {
        return switch (schema.getType()) {
            case RECORD ->
                schema.getFields().stream()
                        .anyMatch(field -> holdsNoTimeOfDay(field.schema(), ((IndexedRecord) value).get(field.pos())));
            case ARRAY ->
                ((Collection<?>) value)
                        .stream().anyMatch(element -> holdsNoTimeOfDay(schema.getElementType(), element));
            case MAP ->
                ((Map<?, ?>) value)
                        .values().stream().anyMatch(element -> holdsNoTimeOfDay(schema.getValueType(), element));
            case UNION ->
                holdsNoTimeOfDay(schema.getTypes().get(GenericData.get().resolveUnion(schema, value)), value);
            case INT, LONG -> {
                long day = schema.getLogicalType() instanceof LogicalTypes.TimeMillis
                        ? 86_400_000L
                        : schema.getLogicalType() instanceof LogicalTypes.TimeMicros ? 86_400_000_000L : 0;
                long number = ((Number) value).longValue();
                yield day > 0 && (number < 0 || number >= day);
            }
            default -> false;
        };
    }

    @Test
    void everyReaderSchemaGivesWhatApachesResolutionGives() throws Exception {
        int whole = 0;
        int some = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            RandomAvro random = new RandomAvro(seed);
            Schema writer = random.record(4);
            Schema reader = new Evolution(seed).of(writer);
            List<Object> values = new ArrayList<>();
            for (int i = 1 + random.random().nextInt(8); i > 0; i--) {
                values.add(random.value(writer, 5));
            }
            List<Object> oracle = new ArrayList<>();
            for (Object value : values) {
                Object made = resolved(writer, reader, value);
                if (made != null) {
                    oracle.add(made);
                }
            }
            if (oracle.stream().anyMatch(value -> holdsNoTimeOfDay(reader, value))) {
                continue; // an int that was promoted to one: a map has no value for it, a record keeps the number
            }
            byte[] file = RandomAvro.file(writer, values, CodecFactory.nullCodec(), 3);
            AvroSpec spec = AvroSpec.create().schema(reader);
            String what = "seed " + seed + "\n" + writer + "\n" + reader;
            List<Object> expected = new ArrayList<>();
            oracle.forEach(value -> expected.add(GenericAsMaps.of(reader, value)));
            Shard.Result<Map<String, Object>> maps = Shard.read(Avro.maps(spec), file);
            AvroMapsTest.assertSame(what, maps.values(), expected);
            assertThat(maps.refused()).as(what).hasSize(values.size() - oracle.size());
            Shard.Result<GenericRecord> records = Shard.read(Avro.records(spec), file);
            List<Object> asMaps = new ArrayList<>();
            records.values().forEach(record -> asMaps.add(GenericAsMaps.of(reader, record)));
            AvroMapsTest.assertSame(what, asMaps, expected);
            batches(what, spec, file, reader, oracle);
            if (oracle.size() == values.size()) {
                whole++;
            } else {
                some++;
            }
        }
        assertThat(whole).isGreaterThan(SEEDS / 4);
        assertThat(some).isGreaterThan(SEEDS / 50);
    }

    private static void batches(String what, AvroSpec spec, byte[] file, Schema reader, List<Object> oracle) {
        try (BufferAllocator allocator = new RootAllocator()) {
            Shard.Result<RecordBatch> result = Shard.read(Arrow.avro(allocator, spec, ArrowSpec.create()), file);
            List<String> rows = new ArrayList<>();
            List<String> expected = new ArrayList<>();
            for (RecordBatch batch : result.values()) {
                try (batch) {
                    rows.addAll(ArrowText.rows(batch.root().getFieldVectors(), batch.rowCount()));
                    if (expected.isEmpty()) {
                        oracle.forEach(value -> expected.add(
                                ArrowText.expectedRow(reader, batch.schema().getFields(), value)));
                    }
                }
            }
            if (result.values().isEmpty()) {
                assertThat(oracle).as(what).isEmpty();
            }
            AvroMapsTest.assertSame(what, rows, expected);
        }
    }
}
