package io.sluice.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.avro.Schema;
import org.apache.avro.file.CodecFactory;
import org.apache.avro.file.DataFileReader;
import org.apache.avro.file.DataFileWriter;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;

/** The flat data sets as Avro files, written by Apache Avro: a field has the type of its values, with null where one is null or missing. */
final class AvroData {

    /** What can be had as Avro. */
    static final List<String> NAMES = List.of("airline", "logs");

    private static final int SYNC_INTERVAL = 64 << 10;

    private AvroData() {}

    /** The data set repeated to about {@code megabytes} of JSON, as an Avro file in {@code dir}. */
    static Path file(Path dir, String name, int megabytes, String codec) throws IOException {
        Path file = dir.resolve(name + "-" + megabytes + "-" + codec + ".avro");
        if (Files.exists(file)) {
            return file;
        }
        Path json = Data.file(dir, name, 1); // once over
        ObjectMapper mapper = new ObjectMapper();
        List<Map<String, Object>> records = new ArrayList<>();
        try (var values = mapper.readerForMapOf(Object.class).<Map<String, Object>>readValues(json.toFile())) {
            values.forEachRemaining(records::add);
        }
        Schema schema = schema(name, records);
        List<GenericRecord> made = records.stream().map(r -> record(schema, r)).toList();
        long times = Math.max(1, Math.round(megabytes * 1e6 / Files.size(json)));
        Path part = dir.resolve(name + ".avro.part");
        try (DataFileWriter<GenericRecord> writer =
                new DataFileWriter<>(new GenericDatumWriter<GenericRecord>(schema))) {
            writer.setCodec(
                    codec.equals("zstandard") ? CodecFactory.zstandardCodec(3) : CodecFactory.fromString(codec));
            writer.setSyncInterval(SYNC_INTERVAL);
            writer.create(schema, part.toFile());
            for (long i = 0; i < times; i++) {
                for (GenericRecord each : made) {
                    writer.append(each);
                }
            }
        }
        return Files.move(part, file);
    }

    /** Five of the file's fields, from all over it. */
    static List<String> fiveFields(Path file) throws IOException {
        try (DataFileReader<GenericRecord> reader =
                new DataFileReader<>(file.toFile(), new GenericDatumReader<GenericRecord>())) {
            List<Schema.Field> fields = reader.getSchema().getFields();
            return IntStream.range(0, 5)
                    .mapToObj(i -> fields.get(i * fields.size() / 5).name())
                    .toList();
        }
    }

    private static Schema schema(String name, List<Map<String, Object>> records) {
        Map<String, Schema.Type> types = new LinkedHashMap<>();
        Map<String, Integer> present = new LinkedHashMap<>();
        for (Map<String, Object> each : records) {
            each.forEach((key, value) -> {
                types.merge(key, typeOf(value), AvroData::wider);
                present.merge(key, value == null ? 0 : 1, Integer::sum);
            });
        }
        List<Schema.Field> fields = new ArrayList<>();
        types.forEach((key, type) -> {
            Schema plain = Schema.create(type);
            boolean always = present.getOrDefault(key, 0) == records.size();
            Schema of = always || type == Schema.Type.NULL
                    ? plain
                    : Schema.createUnion(Schema.create(Schema.Type.NULL), plain);
            fields.add(new Schema.Field(key, of));
        });
        return Schema.createRecord(name, null, "benchmark", false, fields);
    }

    private static Schema.Type typeOf(Object value) {
        if (value instanceof Integer || value instanceof Long) {
            return Schema.Type.LONG;
        }
        return value == null
                ? Schema.Type.NULL
                : value instanceof Number
                        ? Schema.Type.DOUBLE
                        : value instanceof Boolean ? Schema.Type.BOOLEAN : Schema.Type.STRING;
    }

    private static Schema.Type wider(Schema.Type a, Schema.Type b) {
        if (a == b || b == Schema.Type.NULL) {
            return a;
        }
        if (a == Schema.Type.NULL) {
            return b;
        }
        boolean numbers = a != Schema.Type.STRING && b != Schema.Type.STRING;
        return numbers ? Schema.Type.DOUBLE : Schema.Type.STRING;
    }

    private static GenericRecord record(Schema schema, Map<String, Object> from) {
        GenericRecord made = new GenericData.Record(schema);
        for (Schema.Field field : schema.getFields()) {
            Schema of = field.schema().isUnion() ? field.schema().getTypes().get(1) : field.schema();
            Object value = from.get(field.name());
            if (value != null) {
                made.put(field.pos(), as(of.getType(), value));
            }
        }
        return made;
    }

    private static Object as(Schema.Type type, Object value) {
        return switch (type) {
            case LONG -> ((Number) value).longValue();
            case DOUBLE -> ((Number) value).doubleValue();
            case STRING -> String.valueOf(value);
            default -> value;
        };
    }
}
