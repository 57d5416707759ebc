package io.sluice.avro;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.Dataset;
import io.sluice.DatasetListener;
import io.sluice.ErrorPolicy;
import io.sluice.ReadSpec;
import io.sluice.Rejected;
import io.sluice.ShardReport;
import io.sluice.SluiceException;
import io.sluice.arrow.Arrow;
import io.sluice.arrow.ArrowSpec;
import io.sluice.arrow.RecordBatch;
import io.sluice.avro.AvroSpec.FileSchemas;
import io.sluice.format.Format;
import io.sluice.testing.ChunkedStore;
import io.sluice.testing.Corpora;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.file.CodecFactory;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Schedulers;

/** Container files through data sets: every policy, every chunk size, several files. */
class AvroDatasetTest {

    private final BufferAllocator allocator = new RootAllocator();

    @AfterEach
    void nothingIsLeft() {
        allocator.close();
    }

    /** What a read came to. */
    private record Outcome(
            List<String> values,
            List<Rejected> letters,
            List<ShardReport> reports,
            @Nullable Throwable error) {

        @Override
        public String toString() {
            return values + " " + letters + " " + reports + " " + error;
        }

        /** All of it that must not depend on how the bytes arrived. */
        String text() {
            List<String> refused = letters.stream()
                    .map(r -> r.cause().getMessage() + " " + r.offset() + "+" + r.length() + Arrays.toString(r.raw()))
                    .toList();
            return values + " " + refused + " " + reports + " " + error;
        }
    }

    /** Makes values text, and lets go of them. */
    private interface Render<T> extends Function<T, Stream<String>> {}

    private static final Render<Map<String, Object>> MAPS = map -> Stream.of(GenericAsMaps.render(map));
    private static final Render<GenericRecord> RECORDS =
            record -> Stream.of(GenericAsMaps.render(GenericAsMaps.of(record.getSchema(), record)));
    private static final Render<RecordBatch> BATCHES = batch -> {
        try (batch) {
            return ArrowText.rows(batch.root().getFieldVectors(), batch.rowCount()).stream();
        }
    };

    private static <T> Outcome read(
            Format<T> format,
            Render<T> render,
            ChunkedStore store,
            String where,
            Function<List<Rejected>, ErrorPolicy> policy) {
        List<String> values = new ArrayList<>();
        List<Rejected> letters = new ArrayList<>();
        List<ShardReport> reports = new ArrayList<>();
        Throwable error = null;
        DatasetListener listener = new DatasetListener() {
            @Override
            public void shardCompleted(ShardReport report) {
                reports.add(report);
            }
        };
        ReadSpec spec = ReadSpec.create()
                .blockBytes(1024)
                .parallelism(1)
                .scheduler(Schedulers.immediate())
                .listener(listener)
                .onError(policy.apply(letters));
        try {
            Dataset.at(store, where, format)
                    .read(spec)
                    .doOnNext(value -> render.apply(value).forEach(values::add))
                    .blockLast();
        } catch (RuntimeException e) {
            error = e;
        }
        return new Outcome(values, letters, reports, error);
    }

    private static final Function<List<Rejected>, ErrorPolicy> FAIL = letters -> ErrorPolicy.fail();
    private static final Function<List<Rejected>, ErrorPolicy> SKIP = letters -> ErrorPolicy.skip();
    private static final Function<List<Rejected>, ErrorPolicy> LETTERS =
            letters -> ErrorPolicy.deadLetter(letters::add);

    /** @param substitute what takes the place of what is refused, or null where nothing can */
    private <T> void everyByte(
            Format<T> format, Render<T> render, List<String> expected, CodecFactory codec, @Nullable T substitute) {
        byte[] good = AvroRecoveryTest.file(codec);
        int header = AvroRecoveryTest.blocks(good)[0];
        for (int at = 0; at < good.length; at++) {
            byte[] bad = good.clone();
            bad[at] ^= (byte) (at % 3 == 0 ? 0x80 : at % 3 == 1 ? 0x01 : 0x3E);
            String where = "byte " + at;
            ChunkedStore whole = new ChunkedStore(1 << 20, null).with("x.avro", bad);
            Outcome letters = read(format, render, whole, "x.avro", LETTERS);

            // bytes are conserved, and letters account for what is not delivered
            for (ShardReport report : letters.reports) {
                assertThat(report.conserved()).as("%s %s", where, report).isTrue();
            }
            if (letters.error == null) {
                ShardReport report = Shard.only(letters.reports);
                assertThat(report.bytesIn()).as(where).isEqualTo(bad.length);
                assertThat(letters.letters.stream().mapToLong(Rejected::length).sum())
                        .as(where)
                        .isEqualTo(report.bytesRejected() + report.bytesLost());
                assertThat(report.records()).as(where).isEqualTo(letters.values.size());
            } else {
                // a header that was changed into one of another schema
                assertThat(at).as("%s", letters.error).isLessThan(header);
                assertThat(letters.error).isInstanceOf(SluiceException.class).hasMessageContaining("x.avro");
            }
            // no duplicate, and at most one block is lost
            if (at >= header) {
                List<String> untouched = new ArrayList<>(letters.values);
                untouched.retainAll(expected);
                assertThat(expected).as(where).containsSubsequence(untouched);
                assertThat(untouched.size()).as(where).isGreaterThanOrEqualTo(4 * AvroRecoveryTest.PER_BLOCK);
            }
            // the policies differ in what they do of it, not in what they see
            Outcome skip = read(format, render, whole, "x.avro", SKIP);
            assertThat(skip.values).as(where).isEqualTo(letters.values);
            assertThat(skip.reports).as(where).isEqualTo(letters.reports);
            Outcome fail = read(format, render, whole, "x.avro", FAIL);
            Outcome limited = read(
                    format, render, whole, "x.avro", l -> ErrorPolicy.skip().limit(1));
            if (letters.letters.isEmpty()) {
                assertThat(fail.values).as(where).isEqualTo(letters.values);
                assertThat(limited.values).as(where).isEqualTo(letters.values);
            } else {
                assertThat(fail.error)
                        .as(where)
                        .isInstanceOf(SluiceException.class)
                        .hasMessageContaining("x.avro");
                assertThat(letters.values.subList(0, fail.values.size()))
                        .as(where)
                        .isEqualTo(fail.values);
                if (letters.error == null) {
                    assertThat(limited.error == null).as(where).isEqualTo(letters.letters.size() == 1);
                }
            }
            if (substitute != null) {
                // one for each that is refused, in its place
                Outcome replaced = read(
                        format,
                        render,
                        whole,
                        "x.avro",
                        l -> ErrorPolicy.replace(r -> {
                            l.add(r);
                            return substitute;
                        }));
                assertThat(String.valueOf(replaced.error)).as(where).isEqualTo(String.valueOf(letters.error));
                assertThat(replaced.letters.stream().map(r -> r.offset() + "+" + r.length()))
                        .as(where)
                        .containsExactlyElementsOf(letters.letters.stream()
                                .map(r -> r.offset() + "+" + r.length())
                                .toList());
                String text = Shard.only(render.apply(substitute).toList());
                List<String> others = new ArrayList<>(replaced.values);
                others.removeIf(text::equals);
                assertThat(others).as(where).isEqualTo(letters.values);
                assertThat(replaced.values).as(where).hasSize(letters.values.size() + letters.letters.size());
                if (fail.error != null && letters.error == null) {
                    assertThat(replaced.values.indexOf(text)).as(where).isEqualTo(fail.values.size());
                }
                // substitutes are records, but no bytes of the file's
                assertThat(replaced.reports.stream().map(r -> r.bytesDelivered() + " " + r.bytesLost()))
                        .as(where)
                        .containsExactlyElementsOf(letters.reports.stream()
                                .map(r -> r.bytesDelivered() + " " + r.bytesLost())
                                .toList());
                assertThat(replaced.reports).as(where).allMatch(ShardReport::conserved);
            }
            // however the bytes arrive
            for (int chunk : at % 4 == 0 ? new int[] {1, 2, 3, 7} : new int[] {1 + at % 7}) {
                ChunkedStore chunks = new ChunkedStore(chunk, null).with("x.avro", bad);
                assertThat(read(format, render, chunks, "x.avro", LETTERS).text())
                        .as("%s in chunks of %s", where, chunk)
                        .isEqualTo(letters.text());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "snappy"})
    void everyCorruptionUnderEveryPolicyAsMaps(String codec) {
        everyByte(
                Avro.maps(),
                MAPS,
                AvroRecoveryTest.EXPECTED,
                CodecFactory.fromString(codec),
                Map.of("id", -1, "instead", true));
    }

    @Test
    void everyCorruptionUnderEveryPolicyAsRecords() {
        GenericData.Record substitute = new GenericData.Record(FIRST);
        substitute.put("a", -1);
        substitute.put("b", "instead");
        everyByte(Avro.records(), RECORDS, AvroRecoveryTest.EXPECTED, CodecFactory.nullCodec(), substitute);
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "zstandard"})
    void everyCorruptionUnderEveryPolicyAsBatches(String codec) {
        Format<RecordBatch> format =
                Arrow.avro(allocator, AvroSpec.create(), ArrowSpec.create().batchRows(3));
        byte[] good = AvroRecoveryTest.file(CodecFactory.nullCodec());
        ChunkedStore store = new ChunkedStore(1 << 20, null).with("x.avro", good);
        List<String> expected = read(format, BATCHES, store, "x.avro", FAIL).values;
        assertThat(expected).hasSize(AvroRecoveryTest.RECORDS);

        everyByte(format, BATCHES, expected, CodecFactory.fromString(codec), null);
    }

    /** A record is no batch: what would have been replaced is an error, and not lost unheard. */
    @Test
    void replacingIsRefusedForBatches() {
        byte[] bad = AvroRecoveryTest.file(CodecFactory.nullCodec());
        bad[AvroRecoveryTest.blocks(bad)[2] - 5] ^= 1; // in a sync marker
        ChunkedStore store = new ChunkedStore(100, null).with("x.avro", bad);

        Outcome outcome =
                read(Arrow.avro(allocator), BATCHES, store, "x.avro", letters -> ErrorPolicy.replace(refused -> null));

        assertThat(outcome.error).isInstanceOf(SluiceException.class).hasMessageContaining("ErrorPolicy.replace");
    }

    private static <T> List<String> rows(Format<T> format, Render<T> render, ChunkedStore store, String where) {
        Outcome outcome = read(format, render, store, where, FAIL);
        assertThat(outcome.error).isNull();
        return outcome.values;
    }

    private ChunkedStore three(int damaged) {
        ChunkedStore store = new ChunkedStore(100, null);
        for (int i = 0; i < 3; i++) {
            byte[] file = AvroRecoveryTest.file(CodecFactory.nullCodec());
            if (i == damaged) {
                file[0] = 'X';
            }
            store.with("d/part-0000" + i + ".avro", file);
        }
        return store;
    }

    /** The first included, from which batches would have their schema. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void aBadHeaderAmongManyFilesCostsItsFile(int damaged) {
        ChunkedStore store = three(damaged);
        long length = store.objects.get("d/part-00000.avro").length;
        String name = "part-0000" + damaged + ".avro";
        Format<RecordBatch> batches =
                Arrow.avro(allocator, AvroSpec.create(), ArrowSpec.create().batchRows(7));

        Outcome maps = read(Avro.maps(), MAPS, store, "d/", LETTERS);
        Outcome rows = read(batches, BATCHES, store, "d/", LETTERS);

        List<String> expected = new ArrayList<>(AvroRecoveryTest.EXPECTED);
        expected.addAll(AvroRecoveryTest.EXPECTED);
        assertThat(maps.values).isEqualTo(expected);
        assertThat(rows.values).hasSize(2 * AvroRecoveryTest.RECORDS);
        for (Outcome outcome : List.of(maps, rows)) {
            assertThat(outcome.error).isNull();
            assertThat(outcome.letters)
                    .isNotEmpty()
                    .allSatisfy(r -> assertThat(r.key()).endsWith(name));
            assertThat(outcome.letters.get(0).cause()).hasMessageContaining("not an Avro container file");
            assertThat(outcome.reports).hasSize(3);
            ShardReport lost = outcome.reports.get(damaged);
            assertThat(lost.bytesLost()).isEqualTo(length).isEqualTo(lost.bytesIn());
            assertThat(lost.conserved()).isTrue();
        }
        Outcome failed = read(Avro.maps(), MAPS, store, "d/", FAIL);
        assertThat(failed.error).hasMessageContaining(name);
        assertThat(failed.values).hasSize(damaged * AvroRecoveryTest.RECORDS);
    }

    @Test
    void filesWithoutBlocksAndWithHalfAHeader() {
        byte[] good = AvroRecoveryTest.file(CodecFactory.nullCodec());
        int header = AvroRecoveryTest.blocks(good)[0];
        ChunkedStore store = new ChunkedStore(100, null)
                .with("header.avro", Arrays.copyOf(good, header))
                .with("empty.avro", new byte[0])
                .with("half.avro", Arrays.copyOf(good, header / 2));

        assertThat(rows(Avro.maps(), MAPS, store, "header.avro")).isEmpty();
        assertThat(rows(Arrow.avro(allocator), BATCHES, store, "header.avro")).isEmpty();
        // nothing is lost that was there; the documentation says so
        assertThat(rows(Avro.maps(), MAPS, store, "empty.avro")).isEmpty();
        assertThat(read(Avro.maps(), MAPS, store, "half.avro", FAIL).error)
                .isInstanceOf(SluiceException.class)
                .hasMessageContaining("half.avro")
                .hasMessageContaining("header");
    }

    // ---- several schemas --------------------------------------------------------------------------------------------

    private static final Schema FIRST = SchemaBuilder.record("R")
            .fields()
            .requiredInt("a")
            .requiredString("b")
            .endRecord();

    private static final Schema SECOND = SchemaBuilder.record("R")
            .fields()
            .requiredString("b")
            .requiredInt("a")
            .requiredDouble("c")
            .endRecord();

    private static byte[] file(Schema schema, int from) {
        List<Object> values = new ArrayList<>();
        for (int i = from; i < from + 3; i++) {
            GenericData.Record record = new GenericData.Record(schema);
            record.put("a", i);
            record.put("b", "b" + i);
            if (schema == SECOND) {
                record.put("c", i / 2.0);
            }
            values.add(record);
        }
        return RandomAvro.file(schema, values, CodecFactory.nullCodec(), 2);
    }

    private static ChunkedStore mixed() {
        return new ChunkedStore(50, null)
                .with("d/one.avro", file(FIRST, 0))
                .with("d/three.avro", file(FIRST, 20))
                .with("d/two.avro", file(SECOND, 10));
    }

    @Test
    void filesOfOtherSchemasAreReadAsWrittenByDefaultAndRefusedWhereTheyMustBeTheSame() {
        List<String> written = rows(Avro.maps(), MAPS, mixed(), "d/*.avro");
        assertThat(written).hasSize(9);
        assertThat(written.get(0)).contains("a").doesNotContain("c=");

        for (Outcome outcome : List.of(
                read(Avro.maps(AvroSpec.create().fileSchemas(FileSchemas.SAME)), MAPS, mixed(), "d/*.avro", SKIP),
                read(Arrow.avro(allocator), BATCHES, mixed(), "d/*.avro", SKIP))) {
            assertThat(outcome.values).hasSize(6);
            assertThat(outcome.error)
                    .isInstanceOf(SluiceException.class)
                    .hasMessageContaining("d/two.avro")
                    .hasMessageContaining("field 'c' is new")
                    .hasMessageContaining("FileSchemas.FIRST");
        }
        assertThat(rows(Arrow.avro(allocator), BATCHES, mixed(), "d/{one,three}.avro"))
                .hasSize(6);
    }

    @Test
    void filesAreResolvedToTheFirstOrToAGivenSchema() {
        List<String> expected = new ArrayList<>();
        for (int i : new int[] {0, 1, 2, 20, 21, 22, 10, 11, 12}) {
            expected.add("a=" + i + "; b='b" + i + "'; ");
        }
        AvroSpec first = AvroSpec.create().fileSchemas(FileSchemas.FIRST);
        AvroSpec given = AvroSpec.create().schema(FIRST);
        for (AvroSpec spec : List.of(first, given)) {
            assertThat(rows(Arrow.avro(allocator, spec, ArrowSpec.create().batchRows(4)), BATCHES, mixed(), "d/"))
                    .isEqualTo(expected);
            assertThat(rows(Avro.maps(spec), MAPS, mixed(), "d/")).hasSize(9);
            assertThat(rows(Avro.records(spec), RECORDS, mixed(), "d/"))
                    .isEqualTo(rows(Avro.maps(spec), MAPS, mixed(), "d/"));
        }
        // the other way round, a field has no value and no default
        ChunkedStore swapped =
                new ChunkedStore(50, null).with("d/a.avro", file(SECOND, 0)).with("d/b.avro", file(FIRST, 10));
        Outcome outcome = read(Avro.maps(first), MAPS, swapped, "d/", SKIP);
        assertThat(outcome.values).hasSize(3);
        assertThat(outcome.error).hasMessageContaining("d/b.avro").hasMessageContaining("c");
        assertThatThrownBy(() -> Arrow.avro(
                        allocator, AvroSpec.create().fileSchemas(FileSchemas.AS_WRITTEN), ArrowSpec.create()))
                .isInstanceOf(IllegalArgumentException.class);
    }

    // ---- batches ----------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 20, 59, 60, 100})
    void batchesHaveExactlyTheirRowsOverBlocksAndFiles(int batchRows) {
        ArrowSpec spec =
                ArrowSpec.create().batchRows(batchRows).rowIndexColumn("row", 5).pathColumn("file");
        List<Integer> sizes = new ArrayList<>();
        List<String> rows = new ArrayList<>();
        Dataset.at(three(-1), "d/", Arrow.avro(allocator, AvroSpec.create().fields("id"), spec))
                .read(ReadSpec.create().blockBytes(1024).parallelism(2))
                .doOnNext(batch -> {
                    sizes.add(batch.rowCount());
                    BATCHES.apply(batch).forEach(rows::add);
                })
                .blockLast();

        assertThat(sizes.subList(0, sizes.size() - 1)).allMatch(n -> n == batchRows);
        assertThat(sizes.stream().mapToInt(n -> n).sum()).isEqualTo(60);
        assertThat(rows.get(25)).isEqualTo("id=5; file='d/part-00001.avro'; row=30; ");
    }

    @Test
    void aLimitStopsAtOnceAndInsideABatch() {
        ChunkedStore store = three(-1);
        List<String> rows = new ArrayList<>();
        Dataset.at(
                        store,
                        "d/",
                        Arrow.avro(
                                allocator, AvroSpec.create(), ArrowSpec.create().batchRows(8)))
                .read(ReadSpec.create()
                        .blockBytes(1024)
                        .prefetchBytes(1)
                        .parallelism(1)
                        .limit(13))
                .doOnNext(batch -> BATCHES.apply(batch).forEach(rows::add))
                .blockLast();
        assertThat(rows).hasSize(13);
        // the first file twice at most (once for its schema), and the ones behind it not at all
        assertThat(store.opened.get()).isLessThanOrEqualTo(2);

        List<Map<String, Object>> maps = Dataset.at(three(-1), "d/", Avro.maps())
                .read(ReadSpec.create().limit(21))
                .collectList()
                .block();
        assertThat(maps).hasSize(21);
    }

    /** What bounds a record elsewhere does not bound a block, which has a limit of its own. */
    @Test
    void blocksMayBeLongerThanTheLongestRecord() {
        List<Object> values = new ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            GenericData.Record record = new GenericData.Record(FIRST);
            record.put("a", i);
            record.put("b", "value " + i);
            values.add(record);
        }
        byte[] file = RandomAvro.file(FIRST, values, CodecFactory.nullCodec(), 2000);
        ReadSpec spec = ReadSpec.create().blockBytes(1024).maxRecordBytes(1024);
        ChunkedStore store = new ChunkedStore(999, null).with("x.avro", file);

        assertThat(Dataset.at(store, "x.avro", Avro.maps()).read(spec).count().block())
                .isEqualTo(2000);
        assertThat(Dataset.at(store, "x.avro", Arrow.avro(allocator))
                        .read(spec)
                        .doOnNext(RecordBatch::close)
                        .count()
                        .block())
                .isEqualTo(1);
        AvroSpec bounded = AvroSpec.create().maxBlockBytes(1000);
        Outcome lost = read(Avro.maps(bounded), MAPS, store, "x.avro", LETTERS);
        assertThat(lost.values).isEmpty();
        assertThat(lost.letters.get(0).cause()).hasMessageContaining("maxBlockBytes");
    }

    @Test
    void aCancelledReadLeavesNothingBehind() {
        Flux<RecordBatch> batches = Dataset.at(
                        three(-1),
                        "d/",
                        Arrow.avro(
                                allocator, AvroSpec.create(), ArrowSpec.create().batchRows(3)))
                .read(ReadSpec.create().blockBytes(1024));

        batches.take(2).doOnNext(RecordBatch::close).blockLast();

        assertThat(allocator.getAllocatedMemory()).isZero();
    }

    // ---- corpora ----------------------------------------------------------------------------------------------------

    /** Every container file of Apache Avro's own test data, as Apache Avro reads it. */
    @Test
    void apachesTestData() throws Exception {
        List<Path> files;
        try (Stream<Path> all = Files.walk(Corpora.path("avro"))) {
            files = all.filter(Files::isRegularFile)
                    .filter(f -> f.toString().endsWith(".avro"))
                    .sorted()
                    .toList();
        }
        assertThat(files).hasSizeGreaterThanOrEqualTo(8);
        int records = 0;
        for (Path path : files) {
            byte[] file = Files.readAllBytes(path);
            List<Object> oracle = AvroMapsTest.oracle(file);
            List<String> expected = oracle.stream().map(GenericAsMaps::render).toList();
            for (int chunk : new int[] {1, 7, 1 << 20}) {
                ChunkedStore store = new ChunkedStore(chunk, null).with("x.avro", file);
                assertThat(rows(Avro.maps(), MAPS, store, "x.avro"))
                        .as("%s", path)
                        .isEqualTo(expected);
                assertThat(rows(Avro.records(), RECORDS, store, "x.avro"))
                        .as("%s", path)
                        .isEqualTo(expected);
                assertThat(rows(Arrow.avro(allocator), BATCHES, store, "x.avro"))
                        .as("%s", path)
                        .hasSize(oracle.size());
            }
            records += oracle.size();
        }
        assertThat(records).isPositive();
        // of before container files had their form
        assertThat(Shard.read(Avro.maps(), Corpora.bytes("avro/test.avro12")).refused())
                .first()
                .satisfies(r -> assertThat(r.rejection().reason()).contains("not an Avro container file"));
    }

    /** The same five records in every codec, and as JSON. */
    @Test
    void theWeatherIsTheSameInEveryCodec() throws Exception {
        List<String> stations = new ArrayList<>();
        for (String line : Files.readAllLines(Corpora.path("avro/weather.json"))) {
            stations.add(line.replaceAll(".*\"time\": ?(-?\\d+).*\"temp\": ?(-?\\d+).*", "$1 $2"));
        }
        assertThat(stations).hasSizeGreaterThan(3);
        for (String name : List.of("weather", "weather-deflate", "weather-snappy", "weather-zstd")) {
            byte[] file = Corpora.bytes("avro/" + name + ".avro");
            List<String> read = Shard.read(Avro.maps(), file).values().stream()
                    .map(row -> row.get("time") + " " + row.get("temp"))
                    .toList();
            assertThat(read).as(name).isEqualTo(stations);
        }
    }
}
