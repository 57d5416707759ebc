package io.sluice.avro;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.Dataset;
import io.sluice.ErrorPolicy;
import io.sluice.ReadSpec;
import io.sluice.RecordException;
import io.sluice.Rejected;
import io.sluice.RollingPolicy;
import io.sluice.SluiceException;
import io.sluice.WriteResult;
import io.sluice.WriteSpec;
import io.sluice.codec.Encoder;
import io.sluice.codec.Output;
import io.sluice.format.Format;
import io.sluice.storage.InMemoryObjectStore;
import java.io.ByteArrayInputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.file.DataFileStream;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.util.Utf8;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;

class AvroWritingTest {

    private static final List<AvroCodec> CODECS = List.of(
            AvroCodec.none(),
            AvroCodec.deflate(),
            AvroCodec.snappy(),
            AvroCodec.zstandard(),
            AvroCodec.bzip2(),
            AvroCodec.xz(1));

    private static <T> byte[] write(Format<T> format, List<T> values) {
        Output out = new Output(64);
        try (Encoder<T> encoder = format.encoder()) {
            encoder.start(out);
            values.forEach(value -> encoder.encode(value, out));
            encoder.finish(out);
        }
        return Arrays.copyOf(out.array(), out.position());
    }

    @Test
    @SuppressWarnings("unchecked")
    void apacheAvroReadsBackTheMapsThatWereWritten() throws Exception {
        for (int seed = 0; seed < 1500; seed++) {
            RandomAvro random = new RandomAvro(seed);
            Schema schema = random.record(4);
            List<Map<String, Object>> maps = new ArrayList<>();
            for (int i = random.random().nextInt(12); i > 0; i--) {
                maps.add((Map<String, Object>) GenericAsMaps.of(schema, random.value(schema, 6)));
            }
            AvroSpec spec =
                    AvroSpec.create().schema(schema).codec(CODECS.get(seed % 6)).blockBytes(1 + seed % 200);

            byte[] file = write(Avro.maps(spec), maps);

            AvroMapsTest.assertSame("seed " + seed, AvroMapsTest.oracle(file), maps);
        }
    }

    @Test
    void apacheAvroReadsBackTheRecordsThatWereWritten() throws Exception {
        for (int seed = 0; seed < 600; seed++) {
            RandomAvro random = new RandomAvro(seed);
            Schema schema = random.record(4);
            List<GenericRecord> records = new ArrayList<>();
            for (int i = 1 + random.random().nextInt(12); i > 0; i--) {
                records.add((GenericRecord) random.value(schema, 6));
            }
            AvroSpec spec = AvroSpec.create().codec(CODECS.get(seed % 6)).blockBytes(1 + seed % 200);

            byte[] file = write(Avro.records(spec), records);

            List<Object> expected = new ArrayList<>();
            records.forEach(record -> expected.add(GenericAsMaps.of(schema, record)));
            AvroMapsTest.assertSame("seed " + seed, AvroMapsTest.oracle(file), expected);
        }
    }

    @Test
    void recordsAreWrittenWithTheirOwnSchema() throws Exception {
        RandomAvro random = new RandomAvro(99);
        Schema schema = random.record(3);
        List<GenericRecord> records = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            records.add((GenericRecord) random.value(schema, 5));
        }

        byte[] file = write(
                Avro.records(AvroSpec.create().codec(AvroCodec.zstandard()).metadata("by", new byte[] {1})), records);

        assertThat(AvroMapsTest.oracle(file)).hasSize(20);
        List<GenericRecord> back = Shard.read(Avro.records(), file).values();
        for (int i = 0; i < 20; i++) {
            assertThat(GenericAsMaps.render(GenericAsMaps.of(schema, back.get(i))))
                    .isEqualTo(GenericAsMaps.render(GenericAsMaps.of(schema, records.get(i))));
        }
    }

    private static final Schema POINT = new Schema.Parser().parse("""
                    {"type":"record","name":"Point","fields":[
                      {"name":"x","type":"int"},
                      {"name":"label","type":["null","string"]},
                      {"name":"day","type":{"type":"int","logicalType":"date"},"default":0}]}""");

    private static Map<String, Object> map(Object... pairs) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            map.put((String) pairs[i], pairs[i + 1]);
        }
        return map;
    }

    @Test
    void aMissingKeyIsTheDefaultOrNullAndAStrangeOneIsRefused() {
        Format<Map<String, Object>> format = Avro.maps(AvroSpec.create().schema(POINT));

        byte[] file = write(format, List.of(map("x", 7L)));

        assertThat(Shard.read(Avro.maps(), file).values())
                .containsExactly(map("x", 7, "label", null, "day", LocalDate.EPOCH));
        for (Map<String, Object> bad : List.of(
                map("x", 1, "y", 2),
                map("label", "no x"),
                map("x", 1L << 40),
                map("x", "1"),
                map("x", 1, "label", "\uD800"))) {
            assertThatThrownBy(() -> write(format, List.of(bad))).as("%s", bad).isInstanceOf(RecordException.class);
        }
    }

    @Test
    void aRefusedOrUndoneValueLeavesNothingBehind() {
        AvroSpec spec = AvroSpec.create().schema(POINT).blockBytes(8);
        Output out = new Output(64);
        try (Encoder<Map<String, Object>> encoder = Avro.maps(spec).encoder()) {
            encoder.start(out);
            for (int i = 0; i < 40; i++) {
                int before = out.position();
                long pending = encoder.pendingBytes();
                if (i % 3 == 1) {
                    assertThatThrownBy(() -> encoder.encode(map("x", 1, "label", "ok", "day", "no"), out))
                            .isInstanceOf(RecordException.class)
                            .hasMessageContaining("day");
                    out.position(before);
                    assertThat(encoder.pendingBytes()).isEqualTo(pending);
                }
                encoder.encode(map("x", i, "label", "label " + i), out);
                if (i % 5 == 2) {
                    out.position(before);
                    encoder.undo();
                    assertThat(encoder.pendingBytes()).isEqualTo(pending);
                }
            }
            encoder.finish(out);
        }

        List<Map<String, Object>> back = Shard.read(Avro.maps(), Arrays.copyOf(out.array(), out.position()))
                .values();

        assertThat(back)
                .extracting(row -> row.get("x"))
                .containsExactlyElementsOf(java.util.stream.IntStream.range(0, 40)
                        .filter(i -> i % 5 != 2)
                        .boxed()
                        .map(i -> (Object) i)
                        .toList());
    }

    @Test
    void theHeaderHasTheMetadataAndEveryBlockEndsWithTheSyncMarker() throws Exception {
        AvroSpec spec = AvroSpec.create()
                .schema(POINT)
                .codec(AvroCodec.deflate(9))
                .blockBytes(100)
                .metadata("owner", "me".getBytes(StandardCharsets.UTF_8));
        List<Map<String, Object>> rows = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            rows.add(map("x", i, "label", "label " + i));
        }

        byte[] file = write(Avro.maps(spec), rows);

        try (DataFileStream<Object> stream =
                new DataFileStream<>(new ByteArrayInputStream(file), new GenericDatumReader<>())) {
            assertThat(stream.getMetaString("owner")).isEqualTo("me");
            assertThat(stream.getMetaString("avro.codec")).isEqualTo("deflate");
            assertThat(stream.getSchema()).isEqualTo(POINT);
            int blocks = 0;
            while (stream.hasNext()) {
                // a block ends with the record that takes it to its size
                assertThat(stream.getBlockCount()).as("block %s", blocks).isLessThan(15);
                stream.nextBlock();
                blocks++;
            }
            assertThat(blocks).isGreaterThan(9);
        }
        byte[] sync = Arrays.copyOfRange(file, file.length - 16, file.length);
        byte[] again = write(Avro.maps(spec), rows);
        assertThat(Arrays.copyOfRange(again, again.length - 16, again.length))
                .as("a marker of its own")
                .isNotEqualTo(sync);
    }

    @Test
    void aFileWithoutRecordsHasItsSchema() throws Exception {
        byte[] file = write(Avro.maps(AvroSpec.create().schema(POINT)), List.of());

        try (DataFileStream<Object> stream =
                new DataFileStream<>(new ByteArrayInputStream(file), new GenericDatumReader<>())) {
            assertThat(stream.getSchema()).isEqualTo(POINT);
            assertThat(stream.hasNext()).isFalse();
        }
        assertThatThrownBy(() -> write(Avro.records(), List.of()))
                .isInstanceOf(SluiceException.class)
                .hasMessageContaining("AvroSpec.schema");
        assertThatThrownBy(() -> Avro.maps().encoder())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("AvroSpec.schema");
    }

    @Test
    void generatedClassesAreWrittenAndReadBack() {
        byte[] file = write(
                Avro.of(Point.class, AvroSpec.create().codec(AvroCodec.xz())),
                List.of(new Point(1, "one"), new Point(2, null)));

        assertThat(Shard.read(Avro.of(Point.class), file).values())
                .containsExactly(new Point(1, "one"), new Point(2, null));
        assertThat(Shard.read(Avro.maps(), file).values())
                .containsExactly(map("x", 1, "label", "one"), map("x", 2, "label", null));
        AvroSpec other = AvroSpec.create().schema(POINT);
        assertThatThrownBy(() -> Avro.of(Point.class, other).encoder()).isInstanceOf(IllegalArgumentException.class);
    }

    /** What Avro's own encoder would write as something else. */
    @Test
    void recordsThatCantBeWrittenAsTheyAreAreRefused() {
        Schema fixed = Schema.createFixed("F", null, null, 4);
        Schema schema = SchemaBuilder.record("R")
                .fields()
                .requiredString("s")
                .name("f")
                .type(fixed)
                .noDefault()
                .endRecord();
        Schema renamed = SchemaBuilder.record("R2")
                .fields()
                .requiredString("s")
                .name("f")
                .type(fixed)
                .noDefault()
                .endRecord();
        GenericData.Fixed four = new GenericData.Fixed(fixed, new byte[4]);
        for (GenericRecord bad : List.of(
                record(schema, "a\uD800b", four),
                record(schema, "a\uDC00", four),
                record(schema, new Utf8(new byte[] {(byte) 0xC3}), four),
                record(schema, "x", new GenericData.Fixed(fixed, new byte[5])),
                record(schema, "x", new GenericData.Fixed(fixed, new byte[3])),
                record(schema, null, four),
                record(schema, 7, four),
                record(renamed, "x", four))) {
            GenericRecord good = record(schema, "x", four);
            Output out = new Output(64);
            try (Encoder<GenericRecord> encoder = Avro.records().encoder()) {
                encoder.start(out);
                encoder.encode(good, out);
                assertThatThrownBy(() -> encoder.encode(bad, out)).as("%s", bad).isInstanceOf(RecordException.class);
                encoder.encode(good, out);
                encoder.finish(out);
            }
            byte[] file = Arrays.copyOf(out.array(), out.position());
            assertThat(Shard.read(Avro.records(), file).values()).hasSize(2);
        }
    }

    private static GenericRecord record(Schema schema, Object... values) {
        GenericData.Record record = new GenericData.Record(schema);
        for (int i = 0; i < values.length; i++) {
            record.put(i, values[i]);
        }
        return record;
    }

    /** Unions inside unions are chosen without looking at everything below again and again. */
    @Test
    void aDeepTreeOfUnionsIsWrittenInReasonableTime() {
        Schema schema = new Schema.Parser().parse("""
                        {"type":"record","name":"A","fields":[{"name":"next","type":["null","A",
                          {"type":"record","name":"B","fields":[
                            {"name":"next","type":["null","A","B",{"type":"record","name":"C","fields":[
                              {"name":"next","type":["null","A","B","C"]},{"name":"c","type":"int"}]}]},
                            {"name":"b","type":"int"}]}]}]}""");
        Map<String, Object> value = map("next", null);
        for (int i = 0; i < 90; i++) {
            value = i % 3 == 0
                    ? map("next", value, "c", i)
                    : i % 3 == 1 ? map("next", value, "b", i) : map("next", value);
        }
        value = map("next", map("next", value, "b", 1));

        byte[] file = write(Avro.maps(AvroSpec.create().schema(schema)), List.of(value));

        assertThat(Shard.read(Avro.maps(), file).values()).containsExactly(value);
    }

    @Test
    void aValueInsideItselfIsRefusedAndLeavesNothingBehind() {
        Schema schema = new Schema.Parser().parse("""
                        {"type":"record","name":"Node","fields":[{"name":"next","type":["null","Node"]}]}""");
        Map<String, Object> loop = map("next", null);
        loop.put("next", loop);
        AvroSpec spec = AvroSpec.create().schema(schema);
        Dataset<Map<String, Object>> dataset = Dataset.at(InMemoryObjectStore.create(), "loop.avro", Avro.maps(spec));
        List<Rejected> rejected = new ArrayList<>();

        dataset.write(
                        Flux.just(map("next", null), loop, map("next", map("next", null))),
                        WriteSpec.create().onError(ErrorPolicy.deadLetter(rejected::add)))
                .block();

        assertThat(dataset.read().collectList().block())
                .containsExactly(map("next", null), map("next", map("next", null)));
        assertThat(rejected).singleElement().satisfies(r -> {
            assertThat(r.cause().kind()).isEqualTo(RecordException.Kind.TOO_DEEP);
            assertThat(r.value()).isSameAs(loop);
        });
    }

    private static final Map<String, Object> BAD = map("x", 1, "label", 3.5);

    private static Flux<Map<String, Object>> mixed() {
        return Flux.range(0, 300).map(i -> i % 10 == 4 ? BAD : map("x", i, "label", "label " + i));
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "deflate", "snappy", "zstandard", "bzip2", "xz"})
    void refusedValuesFollowThePolicyAndLeaveNoHalfRecord(String codec) {
        AvroSpec spec =
                AvroSpec.create().schema(POINT).codec(AvroCodec.named(codec)).blockBytes(200);
        List<Object> good = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            if (i % 10 != 4) {
                good.add(i);
            }
        }
        List<Rejected> letters = new ArrayList<>();
        for (ErrorPolicy policy : List.of(ErrorPolicy.skip(), ErrorPolicy.deadLetter(letters::add))) {
            Dataset<Map<String, Object>> dataset = Dataset.at(InMemoryObjectStore.create(), "d/", Avro.maps(spec));

            WriteResult result = dataset.write(
                            mixed(), WriteSpec.create().onError(policy).rolling(RollingPolicy.maxRecords(50)))
                    .block();

            assertThat(result.rejected()).isEqualTo(30);
            assertThat(result.shards())
                    .hasSize(6)
                    .extracting(io.sluice.Shard::records)
                    .startsWith(50L, 50L)
                    .endsWith(20L);
            assertThat(dataset.read().map(row -> row.get("x")).collectList().block())
                    .isEqualTo(good);
        }
        assertThat(letters).hasSize(30);
        assertThat(letters.get(1).value()).isSameAs(BAD);
        assertThat(letters.get(1).line()).isEqualTo(14);
        assertThat(letters.get(0).cause()).hasMessageContaining("label").hasMessageContaining("part-00000.avro");

        Dataset<Map<String, Object>> replaced = Dataset.at(InMemoryObjectStore.create(), "one.avro", Avro.maps(spec));
        replaced.write(mixed(), WriteSpec.create().onError(ErrorPolicy.replace(r -> map("x", -1))))
                .block();
        assertThat(replaced.read().map(row -> row.get("x")).collectList().block())
                .hasSize(300)
                .element(14)
                .isEqualTo(-1);
    }

    @Test
    void withoutAPolicyTheFirstRefusedValueEndsTheWriting() {
        AvroSpec spec = AvroSpec.create().schema(POINT);
        for (ErrorPolicy policy : List.of(ErrorPolicy.fail(), ErrorPolicy.skip().limit(2))) {
            InMemoryObjectStore store = InMemoryObjectStore.create();
            Dataset<Map<String, Object>> dataset = Dataset.at(store, "d/", Avro.maps(spec));

            assertThatThrownBy(() -> dataset.write(
                                    mixed(), WriteSpec.create().onError(policy).rolling(RollingPolicy.maxRecords(3)))
                            .block())
                    .isInstanceOfSatisfying(RecordException.class, e -> {
                        assertThat(e.key())
                                .endsWith(policy == ErrorPolicy.fail() ? "part-00001.avro" : "part-00007.avro");
                        assertThat(e.line()).isEqualTo(2);
                    });
            // whole shards of before, and no other
            assertThat(dataset.read().collectList().block().size() % 3).isZero();
        }
    }

    /** The limit counts the block that is still open, its count, size and marker included. */
    @Test
    void shardsOfAGivenSizeAreNotLonger() {
        InMemoryObjectStore store = InMemoryObjectStore.create();
        AvroSpec spec = AvroSpec.create().schema(POINT).blockBytes(100);
        Dataset<Map<String, Object>> dataset = Dataset.at(store, "d/", Avro.maps(spec));
        Flux<Map<String, Object>> rows = Flux.range(0, 500).map(i -> map("x", i, "label", "x".repeat(i % 37)));

        WriteResult first = dataset.write(rows, WriteSpec.create().rolling(RollingPolicy.maxBytes(1000)))
                .block();
        WriteResult appended =
                dataset.write(rows.take(7), WriteSpec.create().append()).block();

        int longest = 0;
        for (io.sluice.Shard shard : first.shards()) {
            assertThat(shard.bytes()).isLessThanOrEqualTo(1000).isEqualTo(shard.writtenBytes());
            longest = Math.max(longest, (int) shard.bytes());
        }
        assertThat(longest).as("filled up").isGreaterThan(1000 - 50);
        assertThat(appended.shards())
                .singleElement()
                .satisfies(shard -> assertThat(shard.key())
                        .endsWith(String.format(
                                Locale.ROOT, "part-%05d.avro", first.shards().size())));
        List<Object> expected =
                new ArrayList<>(java.util.stream.IntStream.range(0, 500).boxed().toList());
        expected.addAll(List.of(0, 1, 2, 3, 4, 5, 6));
        assertThat(dataset.read().map(row -> row.get("x")).collectList().block())
                .isEqualTo(expected);
    }

    private static final Schema ALL = new Schema.Parser().parse("""
                    {"type":"record","name":"All","namespace":"a.b","fields":[
                      {"name":"b","type":"boolean"},{"name":"i","type":"int"},{"name":"l","type":"long"},
                      {"name":"f","type":"float"},{"name":"d","type":"double"},{"name":"s","type":"string"},
                      {"name":"y","type":"bytes"},{"name":"x","type":{"type":"fixed","name":"X","size":3}},
                      {"name":"e","type":{"type":"enum","name":"E","symbols":["P","Q"]}},
                      {"name":"a","type":{"type":"array","items":["null","string"]}},
                      {"name":"m","type":{"type":"map","values":"long"}},
                      {"name":"r","type":{"type":"record","name":"In","fields":[{"name":"u","type":["null","int","string"]}]}},
                      {"name":"date","type":{"type":"int","logicalType":"date"}},
                      {"name":"ts","type":{"type":"long","logicalType":"timestamp-micros"}},
                      {"name":"dec","type":{"type":"bytes","logicalType":"decimal","precision":20,"scale":4}},
                      {"name":"id","type":{"type":"string","logicalType":"uuid"}}]}""");

    private static Map<String, Object> all(int i) {
        return map(
                "b",
                i % 2 == 0,
                "i",
                -i,
                "l",
                i * 10_000_000_000L,
                "f",
                i / 4f,
                "d",
                i / 8.0,
                "s",
                "näme 😀 " + i,
                "y",
                new byte[] {1, (byte) i},
                "x",
                new byte[] {3, 2, 1},
                "e",
                i % 2 == 0 ? "P" : "Q",
                "a",
                i % 3 == 0 ? List.of() : Arrays.asList("p", null),
                "m",
                Map.of("k" + i, (long) i),
                "r",
                map("u", i % 3 == 0 ? null : i % 3 == 1 ? (Object) i : "s" + i),
                "date",
                LocalDate.ofEpochDay(i),
                "ts",
                Instant.ofEpochSecond(i, i * 1000),
                "dec",
                new BigDecimal("-1.2345").add(BigDecimal.valueOf(i)),
                "id",
                new UUID(i, -i));
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "deflate", "snappy", "zstandard", "bzip2", "xz"})
    void fastavroReadsWhatIsWrittenHere(String codec, @TempDir Path dir) throws Exception {
        Python.assumeModule("fastavro");
        Path file = dir.resolve("all.avro");
        AvroSpec spec =
                AvroSpec.create().schema(ALL).codec(AvroCodec.named(codec)).blockBytes(1000);
        Dataset.at(file, Avro.maps(spec))
                .write(Flux.range(0, 100).map(AvroWritingTest::all))
                .block();

        Python.Ran ran = Python.run("""
                import fastavro, sys
                rows = list(fastavro.reader(open(sys.argv[1], 'rb')))
                for row in rows:
                    print(row['b'], row['i'], row['l'], row['f'], row['d'], ascii(row['s']), row['y'].hex(), row['x'].hex(),
                        row['e'], row['a'], row['m'], row['r']['u'], row['date'], row['ts'].isoformat(), row['dec'], row['id'])
                """, List.of(file.toString()));

        ran.assumeCodec(codec);
        assertThat(ran.code()).as(ran.out()).isZero();
        List<String> lines = ran.out().lines().toList();
        assertThat(lines).hasSize(100);
        assertThat(lines.get(7))
                .isEqualTo(
                        "False -7 70000000000 1.75 0.875 'n\\xe4me \\U0001f600 7' 0107 030201 Q ['p', None] {'k7': 7} 7"
                                + " 1970-01-08 1970-01-01T00:00:07.000007+00:00 5.7655 00000000-0000-0007-ffff-fffffffffff9");
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "deflate", "snappy", "zstandard", "bzip2", "xz"})
    void whatFastavroWritesIsReadHere(String codec, @TempDir Path dir) throws Exception {
        Python.assumeModule("fastavro");
        Path from = dir.resolve("from.avro");
        Path to = dir.resolve("to.avro");
        List<Map<String, Object>> rows =
                Flux.range(0, 100).map(AvroWritingTest::all).collectList().block();
        Dataset.at(from, Avro.maps(AvroSpec.create().schema(ALL)))
                .write(Flux.fromIterable(rows))
                .block();

        Python.Ran ran = Python.run("""
                import fastavro, sys
                reader = fastavro.reader(open(sys.argv[1], 'rb'))
                rows = list(reader)
                with open(sys.argv[2], 'wb') as out:
                    fastavro.writer(out, reader.writer_schema, rows, codec=sys.argv[3], sync_interval=500)
                """, List.of(from.toString(), to.toString(), codec));

        ran.assumeCodec(codec);
        assertThat(ran.code()).as(ran.out()).isZero();
        AvroMapsTest.assertSame(
                codec, Dataset.at(to, Avro.maps()).read().collectList().block(), rows);
    }

    @Test
    void aDatasetWritesShardsAndReadsThemBack(@TempDir Path dir) throws Exception {
        Schema schema = POINT;
        Format<Map<String, Object>> format = Avro.maps(
                AvroSpec.create().schema(schema).codec(AvroCodec.snappy()).blockBytes(200));
        Dataset<Map<String, Object>> dataset = Dataset.at(dir.toString() + "/", format);
        Flux<Map<String, Object>> rows =
                Flux.range(0, 1000).map(i -> map("x", i, "label", "label " + i, "day", LocalDate.ofEpochDay(i)));

        dataset.write(rows, WriteSpec.create().rolling(RollingPolicy.maxRecords(300)))
                .block();

        try (var files = Files.list(dir)) {
            assertThat(files.filter(f -> f.toString().endsWith(".avro"))).hasSize(4);
        }
        List<Map<String, Object>> back =
                dataset.read(ReadSpec.create().parallelism(2)).collectList().block();
        assertThat(back).hasSize(1000);
        assertThat(back.get(999)).isEqualTo(map("x", 999, "label", "label 999", "day", LocalDate.ofEpochDay(999)));
        // resuming at any position gives exactly the rest
        var positioned = dataset.readPositioned().collectList().block();
        for (int i = 0; i < 1000; i += 37) {
            List<Map<String, Object>> rest = dataset.read(
                            ReadSpec.create().from(positioned.get(i).position()))
                    .collectList()
                    .block();
            assertThat(rest).hasSize(999 - i);
        }
        assertThat(dataset.read(ReadSpec.create().limit(5)).collectList().block())
                .hasSize(5);
    }
}
