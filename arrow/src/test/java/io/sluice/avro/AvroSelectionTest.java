package io.sluice.avro;

import static io.sluice.arrow.RowFilter.and;
import static io.sluice.arrow.RowFilter.atLeast;
import static io.sluice.arrow.RowFilter.atMost;
import static io.sluice.arrow.RowFilter.equal;
import static io.sluice.arrow.RowFilter.greater;
import static io.sluice.arrow.RowFilter.in;
import static io.sluice.arrow.RowFilter.isNotNull;
import static io.sluice.arrow.RowFilter.isNull;
import static io.sluice.arrow.RowFilter.less;
import static io.sluice.arrow.RowFilter.not;
import static io.sluice.arrow.RowFilter.notEqual;
import static io.sluice.arrow.RowFilter.or;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.arrow.Arrow;
import io.sluice.arrow.ArrowSpec;
import io.sluice.arrow.RecordBatch;
import io.sluice.arrow.RowFilter;
import io.sluice.codec.ReadLimits;
import io.sluice.format.Format;
import java.io.ByteArrayInputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.function.Function;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.file.CodecFactory;
import org.apache.avro.file.DataFileStream;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Rows and fields that are picked: what Apache Avro reads, less what was not asked for. */
class AvroSelectionTest {

    private final BufferAllocator allocator = new RootAllocator();

    @AfterEach
    void nothingIsLeft() {
        allocator.close();
    }

    private List<String> rows(
            Format<RecordBatch> format, byte[] file, Schema schema, List<?> values, List<String> into) {
        ReadLimits limits = new ReadLimits(200, 1 << 24, 1000);
        List<String> rows = new ArrayList<>();
        Shard.Result<RecordBatch> result = Shard.read(format, file, 1 << 20, limits);
        assertThat(result.refused()).isEmpty();
        assertThat(result.bytes()).isEqualTo(file.length);
        for (RecordBatch batch : result.values()) {
            try (batch) {
                if (into.isEmpty()) {
                    values.forEach(value -> into.add(
                            ArrowText.expectedRow(schema, batch.schema().getFields(), value)));
                }
                rows.addAll(ArrowText.rows(batch.root().getFieldVectors(), batch.rowCount()));
            }
        }
        return rows;
    }

    private static List<Object> apache(byte[] file, @Nullable Schema reader) throws Exception {
        List<Object> values = new ArrayList<>();
        try (DataFileStream<Object> stream = new DataFileStream<>(
                new ByteArrayInputStream(file), new GenericDatumReader<>(null, reader, new GenericData()))) {
            stream.forEach(values::add);
        }
        return values;
    }

    // ---- rows -------------------------------------------------------------------------------------------------------

    private static final Schema INNER = SchemaBuilder.record("Inner")
            .fields()
            .requiredInt("n")
            .optionalString("text")
            .endRecord();

    private static final Schema ROW = SchemaBuilder.record("Row")
            .fields()
            .requiredInt("i")
            .requiredLong("l")
            .requiredFloat("f")
            .requiredDouble("d")
            .requiredBoolean("b")
            .requiredString("s")
            .optionalLong("ol")
            .optionalString("os")
            .name("e")
            .type()
            .enumeration("Color")
            .symbols("RED", "GREEN", "BLUE")
            .noDefault()
            .name("tags")
            .type()
            .array()
            .items()
            .stringType()
            .noDefault()
            .name("in")
            .type(INNER)
            .noDefault()
            .name("maybe")
            .type(Schema.createUnion(Schema.create(Schema.Type.NULL), INNER))
            .noDefault()
            .name("price")
            .type(LogicalTypes.decimal(12, 2).addToSchema(Schema.create(Schema.Type.BYTES)))
            .noDefault()
            .name("day")
            .type(LogicalTypes.date().addToSchema(Schema.create(Schema.Type.INT)))
            .noDefault()
            .name("at")
            .type(LogicalTypes.timestampMillis().addToSchema(Schema.create(Schema.Type.LONG)))
            .noDefault()
            .endRecord();

    private static GenericRecord row(Random random) {
        GenericData.Record inner = inner(random);
        GenericData.Record row = new GenericData.Record(ROW);
        row.put("i", random.nextInt(20) - 10);
        row.put("l", random.nextInt(4) == 0 ? random.nextLong() : random.nextInt(10));
        row.put("f", random.nextInt(9) == 0 ? Float.NaN : random.nextInt(10) / 10f);
        row.put("d", random.nextInt(9) == 0 ? Double.POSITIVE_INFINITY : random.nextInt(10) / 10.0);
        row.put("b", random.nextBoolean());
        row.put("s", "t" + random.nextInt(12));
        row.put("ol", random.nextBoolean() ? null : (Object) (long) random.nextInt(5));
        row.put("os", random.nextBoolean() ? null : "é" + random.nextInt(5));
        row.put(
                "e",
                new GenericData.EnumSymbol(
                        ROW.getField("e").schema(),
                        List.of("RED", "GREEN", "BLUE").get(random.nextInt(3))));
        row.put("tags", random.nextBoolean() ? List.of() : List.of("x", "y" + random.nextInt(100)));
        row.put("in", inner);
        row.put("maybe", random.nextBoolean() ? null : inner(random));
        row.put(
                "price",
                ByteBuffer.wrap(BigInteger.valueOf(random.nextInt(500) - 250).toByteArray()));
        row.put("day", random.nextInt(10));
        row.put("at", (long) random.nextInt(10) * 1000);
        return row;
    }

    private static GenericData.Record inner(Random random) {
        GenericData.Record inner = new GenericData.Record(INNER);
        inner.put("n", random.nextInt(6));
        inner.put("text", random.nextBoolean() ? null : "in" + random.nextInt(4));
        return inner;
    }

    /** A condition, and what SQL says of a record: true, false or null. */
    private record Condition(RowFilter filter, Function<GenericRecord, Boolean> holds) {}

    /** Kind of column, by its path, and constants that it may be compared with. */
    private static final Map<String, Function<Random, Object>> COLUMNS = Map.ofEntries(
            Map.entry("i", r -> r.nextInt(20) - 10),
            Map.entry("l", r -> r.nextInt(12)),
            Map.entry("f", r -> new BigDecimal(r.nextInt(10)).movePointLeft(1)),
            Map.entry("d", r -> r.nextInt(10) / 10.0),
            Map.entry("b", Random::nextBoolean),
            Map.entry("s", r -> "t" + r.nextInt(12)),
            Map.entry("ol", r -> (long) r.nextInt(5)),
            Map.entry("os", r -> "é" + r.nextInt(5)),
            Map.entry("e", r -> List.of("RED", "GREEN", "BLUE").get(r.nextInt(3))),
            Map.entry("in.n", r -> r.nextInt(6)),
            Map.entry("maybe.n", r -> r.nextInt(6)),
            Map.entry("maybe.text", r -> "in" + r.nextInt(4)),
            Map.entry("price", r -> new BigDecimal(r.nextInt(500) - 250).movePointLeft(2)),
            Map.entry("day", r -> "1970-01-%02d".formatted(1 + r.nextInt(10))),
            Map.entry("at", r -> "1970-01-01T00:00:0%dZ".formatted(r.nextInt(10))));

    private static @Nullable Object at(GenericRecord record, String path) {
        Object value = record;
        for (String name : path.split("\\.")) {
            if (value == null) {
                return null;
            }
            value = ((GenericRecord) value).get(name);
        }
        return value;
    }

    /** The order of a value and a constant; null where there is none. */
    private static @Nullable Integer order(String path, Object value, Object constant) {
        if (constant instanceof Boolean b) {
            return Boolean.compare((Boolean) value, b);
        }
        if (path.equals("day")) {
            return Integer.compare((Integer) value, Integer.parseInt(((String) constant).substring(8)) - 1);
        }
        if (path.equals("at")) {
            return Long.compare((Long) value, (((String) constant).charAt(18) - '0') * 1000L);
        }
        if (constant instanceof String text) {
            return Arrays.compareUnsigned(
                    value.toString().getBytes(StandardCharsets.UTF_8), text.getBytes(StandardCharsets.UTF_8));
        }
        if (value instanceof ByteBuffer bytes) {
            return new BigDecimal(new BigInteger(bytes.duplicate().array()), 2)
                    .compareTo(new BigDecimal(constant.toString()));
        }
        double real = ((Number) value).doubleValue();
        return Double.isFinite(real)
                ? new BigDecimal(value.toString()).compareTo(new BigDecimal(constant.toString()))
                : null;
    }

    private static Condition condition(Random random, int depth) {
        int pick = random.nextInt(depth > 0 ? 14 : 9);
        if (pick >= 12) {
            Condition of = condition(random, depth - 1);
            return new Condition(not(of.filter), row -> negated(of.holds.apply(row)));
        }
        if (pick >= 9) {
            Condition a = condition(random, depth - 1);
            Condition b = condition(random, depth - 1);
            boolean both = pick == 9;
            return new Condition(both ? and(a.filter, b.filter) : or(a.filter, b.filter), row -> {
                Boolean first = a.holds.apply(row);
                Boolean second = b.holds.apply(row);
                boolean decides = !both;
                if (Boolean.valueOf(decides).equals(first)
                        || Boolean.valueOf(decides).equals(second)) {
                    return decides;
                }
                return first == null || second == null ? null : (Boolean) both;
            });
        }
        List<String> paths = new ArrayList<>(new TreeSet<>(COLUMNS.keySet()));
        String path = paths.get(random.nextInt(paths.size()));
        Object constant = COLUMNS.get(path).apply(random);
        Object other = COLUMNS.get(path).apply(random);
        return switch (pick) {
            case 0 -> compared(path, equal(path, constant), constant, order -> order == 0);
            case 1 -> compared(path, notEqual(path, constant), constant, order -> order != 0);
            case 2 -> compared(path, less(path, constant), constant, order -> order < 0);
            case 3 -> compared(path, atMost(path, constant), constant, order -> order <= 0);
            case 4 -> compared(path, greater(path, constant), constant, order -> order > 0);
            case 5 -> compared(path, atLeast(path, constant), constant, order -> order >= 0);
            case 6 -> {
                Condition one = compared(path, equal(path, constant), constant, order -> order == 0);
                Condition two = compared(path, equal(path, other), other, order -> order == 0);
                yield new Condition(in(path, constant, other), row -> {
                    Boolean first = one.holds.apply(row);
                    return first == null ? null : (Boolean) (first || two.holds.apply(row));
                });
            }
            case 7 -> new Condition(isNull(path), row -> at(row, path) == null);
            default -> new Condition(isNotNull(path), row -> at(row, path) != null);
        };
    }

    private static @Nullable Boolean negated(@Nullable Boolean value) {
        return value == null ? null : (Boolean) !value;
    }

    private static Condition compared(
            String path, RowFilter filter, Object constant, Function<Integer, Boolean> holds) {
        return new Condition(filter, row -> {
            Object value = at(row, path);
            if (value == null) {
                return null;
            }
            Integer order = order(path, value, constant);
            return order != null && holds.apply(order);
        });
    }

    @Test
    void aFilterKeepsTheRecordsForWhichSqlSaysTrue() throws Exception {
        int kept = 0;
        int left = 0;
        for (int seed = 0; seed < 400; seed++) {
            Random random = new Random(seed);
            List<GenericRecord> all = new ArrayList<>();
            for (int i = 0; i < 60; i++) {
                all.add(row(random));
            }
            byte[] file = RandomAvro.file(ROW, all, CodecFactory.nullCodec(), 1 + seed % 9);
            Condition condition = condition(random, 3);
            List<Object> wanted = new ArrayList<>();
            for (Object record : apache(file, null)) {
                if (Boolean.TRUE.equals(condition.holds.apply((GenericRecord) record))) {
                    wanted.add(record);
                }
            }
            ArrowSpec spec = ArrowSpec.create().batchRows(7).filter(condition.filter);
            List<String> expected = new ArrayList<>();

            List<String> rows = rows(Arrow.avro(allocator, AvroSpec.create(), spec), file, ROW, wanted, expected);

            assertThat(rows).as("seed %s: %s", seed, condition.filter).isEqualTo(expected);
            assertThat(rows).as("seed %s: %s", seed, condition.filter).hasSameSizeAs(wanted);
            // the same rows, whatever else is read of them
            ArrowSpec one = spec.columns("in.text").rowIndexColumn("at");
            assertThat(rows(Arrow.avro(allocator, AvroSpec.create(), one), file, ROW, List.of(), new ArrayList<>()))
                    .as("seed %s: %s", seed, condition.filter)
                    .hasSameSizeAs(wanted);
            kept += wanted.size();
            left += all.size() - wanted.size();
        }
        assertThat(kept).isGreaterThan(3000);
        assertThat(left).isGreaterThan(3000);
    }

    @Test
    void whatCanNotBeComparedIsSaid() {
        byte[] file = RandomAvro.file(ROW, List.of(row(new Random(1))), CodecFactory.nullCodec(), 1);
        for (RowFilter bad : List.of(equal("i", "text"), equal("s", 5), equal("tags", "x"), less("b", 1))) {
            assertThatThrownBy(() -> Shard.read(
                            Arrow.avro(
                                    allocator,
                                    AvroSpec.create(),
                                    ArrowSpec.create().filter(bad)),
                            file))
                    .as("%s", bad)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("can't be compared");
        }
        assertThatThrownBy(() -> Shard.read(
                        Arrow.avro(
                                allocator, AvroSpec.create(), ArrowSpec.create().filter(equal("in.nope", 1))),
                        file))
                .hasMessageContaining("in.nope");
    }

    // ---- fields -----------------------------------------------------------------------------------------------------

    /** The schema less the fields that are not on a path, and the paths that were kept. */
    private static final class Pruning {

        private final Random random;
        private final List<String> paths = new ArrayList<>();

        Pruning(Random random) {
            this.random = random;
        }

        Schema record(Schema schema, String prefix) {
            Schema pruned = Schema.createRecord(schema.getName(), null, schema.getNamespace(), false);
            List<Schema.Field> fields = new ArrayList<>();
            for (Schema.Field field : schema.getFields()) {
                boolean last = field.pos() == schema.getFields().size() - 1;
                if (random.nextInt(3) > 0 && !(last && fields.isEmpty())) {
                    continue;
                }
                String path = prefix + field.name();
                fields.add(new Schema.Field(field.name(), below(field.schema(), path)));
            }
            pruned.setFields(fields);
            return pruned;
        }

        private Schema below(Schema schema, String path) {
            Schema record = schema;
            while (record.getType() == Schema.Type.ARRAY || record.getType() == Schema.Type.MAP) {
                record = record.getType() == Schema.Type.ARRAY ? record.getElementType() : record.getValueType();
            }
            boolean deeper = record.getType() == Schema.Type.RECORD
                    && !record.getFields().isEmpty()
                    && !record.toString().contains("\"self\"")
                    && random.nextBoolean();
            if (!deeper) {
                paths.add(path);
                return schema;
            }
            return around(schema, record(record, path + "."));
        }

        private static Schema around(Schema schema, Schema record) {
            return switch (schema.getType()) {
                case ARRAY -> Schema.createArray(around(schema.getElementType(), record));
                case MAP -> Schema.createMap(around(schema.getValueType(), record));
                default -> record;
            };
        }
    }

    @Test
    void fieldsByPathAreWhatApacheReadsByASchemaWithThemAlone() throws Exception {
        int nested = 0;
        for (int seed = 0; seed < 1500; seed++) {
            RandomAvro random = new RandomAvro(seed);
            Schema schema = random.record(4);
            if (schema.getFields().isEmpty()) {
                continue;
            }
            List<Object> values = new ArrayList<>();
            for (int i = random.random().nextInt(9); i >= 0; i--) {
                values.add(random.value(schema, 6));
            }
            byte[] file = RandomAvro.file(schema, values, CodecFactory.nullCodec(), 1 + seed % 4);
            Pruning pruning = new Pruning(random.random());
            Schema pruned = pruning.record(schema, "");
            String what = "seed " + seed + " " + pruning.paths + "\n" + schema;
            // record by record, as Apache's resolution wants named types that are used twice to be the same both times
            List<Object> oracle = new ArrayList<>();
            for (Object value : apache(file, null)) {
                oracle.add(pruned(pruned, value));
            }
            String[] paths = pruning.paths.toArray(new String[0]);
            List<Object> expectedMaps = new ArrayList<>();
            oracle.forEach(value -> expectedMaps.add(GenericAsMaps.of(pruned, value)));

            Shard.Result<Map<String, Object>> maps =
                    Shard.read(Avro.maps(AvroSpec.create().fields(paths)), file);

            AvroMapsTest.assertSame(what, maps.values(), expectedMaps);
            assertThat(maps.refused()).as(what).isEmpty();
            List<String> expected = new ArrayList<>();
            List<String> rows = rows(
                    Arrow.avro(allocator, AvroSpec.create(), ArrowSpec.create().columns(paths)),
                    file,
                    pruned,
                    oracle,
                    expected);
            AvroMapsTest.assertSame(what, rows, expected);
            nested += pruning.paths.stream().anyMatch(path -> path.contains(".")) ? 1 : 0;
        }
        assertThat(nested).isGreaterThan(40);
    }

    private static @Nullable Object pruned(Schema schema, @Nullable Object value) {
        return switch (schema.getType()) {
            case RECORD -> {
                GenericData.Record record = new GenericData.Record(schema);
                for (Schema.Field field : schema.getFields()) {
                    record.put(field.pos(), pruned(field.schema(), ((GenericRecord) value).get(field.name())));
                }
                yield record;
            }
            case ARRAY -> {
                List<Object> list = new ArrayList<>();
                ((Iterable<?>) value).forEach(element -> list.add(pruned(schema.getElementType(), element)));
                yield list;
            }
            case MAP -> {
                Map<Object, Object> map = new java.util.LinkedHashMap<>();
                ((Map<?, ?>) value).forEach((k, v) -> map.put(k, pruned(schema.getValueType(), v)));
                yield map;
            }
            default -> value;
        };
    }

    @Test
    void whatIsNotSelectedIsNotDecoded() {
        GenericRecord first = row(new Random(1));
        first.put("s", "needle");
        byte[] bad = RandomAvro.file(ROW, List.of(first, row(new Random(2))), CodecFactory.nullCodec(), 2);
        // no UTF-8, where a string of the first record begins
        bad[new String(bad, StandardCharsets.ISO_8859_1).indexOf("needle")] = (byte) 0xFF;
        assertThat(Shard.read(Avro.maps(), bad).refused()).hasSize(1);
        assertThat(Shard.read(Avro.maps(AvroSpec.create().fields("i", "in.n")), bad)
                        .refused())
                .isEmpty();
        assertThat(rows(
                        Arrow.avro(
                                allocator, AvroSpec.create(), ArrowSpec.create().columns("i", "in.n")),
                        bad,
                        ROW,
                        List.of(),
                        new ArrayList<>()))
                .hasSize(2);
    }

    @Test
    void aPathThatLeadsNowhereIsSaid() {
        byte[] file = RandomAvro.file(ROW, List.of(row(new Random(1))), CodecFactory.nullCodec(), 1);
        for (String path : List.of("nope", "in.nope", "maybe.nope", "i.deeper", "tags.x")) {
            assertThatThrownBy(() -> Shard.read(Avro.maps(AvroSpec.create().fields(path)), file))
                    .as(path)
                    .hasMessageContaining(path.substring(path.lastIndexOf('.') + 1));
            assertThatThrownBy(() -> Shard.read(
                            Arrow.avro(
                                    allocator,
                                    AvroSpec.create(),
                                    ArrowSpec.create().columns(path)),
                            file))
                    .as(path)
                    .hasMessageContaining(path.substring(path.lastIndexOf('.') + 1));
        }
    }
}
