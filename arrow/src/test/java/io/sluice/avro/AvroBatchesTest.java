package io.sluice.avro;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.arrow.Arrow;
import io.sluice.arrow.ArrowSpec;
import io.sluice.arrow.RecordBatch;
import io.sluice.codec.ReadLimits;
import io.sluice.format.Format;
import java.io.ByteArrayInputStream;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.avro.Schema;
import org.apache.avro.file.CodecFactory;
import org.apache.avro.file.DataFileStream;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AvroBatchesTest {

    private final BufferAllocator allocator = new RootAllocator();

    @AfterEach
    void nothingIsLeft() {
        allocator.close();
    }

    private Format<RecordBatch> batches(AvroSpec spec, int rows) {
        return Arrow.avro(allocator, spec, ArrowSpec.create().batchRows(rows));
    }

    /** The text of all rows, and whether every batch but the last has exactly so many. */
    private static List<String> rows(Shard.Result<RecordBatch> result, int batchRows) {
        List<String> rows = new ArrayList<>();
        for (int i = 0; i < result.values().size(); i++) {
            try (RecordBatch batch = result.values().get(i)) {
                rows.addAll(ArrowText.rows(batch.root().getFieldVectors(), batch.rowCount()));
                if (i < result.values().size() - 1) {
                    assertThat(batch.rowCount()).isEqualTo(batchRows);
                }
            }
        }
        return rows;
    }

    @Test
    void readsWhatApacheAvroReadsOverRandomSchemas() throws Exception {
        for (int seed = 0; seed < 3000; seed++) {
            RandomAvro random = new RandomAvro(seed);
            Schema schema = seed % 5 == 0 ? random.schema(4) : random.record(4);
            List<Object> values = new ArrayList<>();
            for (int i = random.random().nextInt(12); i > 0; i--) {
                values.add(random.value(schema, 6));
            }
            byte[] file = RandomAvro.file(schema, values, CodecFactory.nullCodec(), 1 + seed % 7);
            ReadLimits limits = new ReadLimits(seed % 2 == 0 ? 100 : 1 << 18, 1 << 24, 1000);

            Shard.Result<RecordBatch> result = Shard.read(batches(AvroSpec.create(), 5), file, 1 << 20, limits);

            assertThat(result.bytes()).as("seed %s", seed).isEqualTo(file.length);
            assertThat(result.refused()).as("seed %s", seed).isEmpty();
            assertThat(result.values().isEmpty()).as("seed %s %s", seed, schema).isEqualTo(values.isEmpty());
            List<String> expected = expected(file, result);
            List<String> actual = rows(result, 5);
            AvroMapsTest.assertSame("seed " + seed, actual, expected);
        }
    }

    private static List<String> expected(byte[] file, Shard.Result<RecordBatch> result) throws Exception {
        List<String> expected = new ArrayList<>();
        try (DataFileStream<Object> stream = new DataFileStream<>(
                new ByteArrayInputStream(file), new GenericDatumReader<>(null, null, new GenericData()))) {
            for (Object value : stream) {
                expected.add(ArrowText.expectedRow(
                        stream.getSchema(), result.values().get(0).schema().getFields(), value));
            }
        }
        return expected;
    }

    private static final Schema ROW = org.apache.avro.SchemaBuilder.record("Row")
            .fields()
            .requiredInt("id")
            .optionalString("name")
            .name("at")
            .type()
            .record("Place")
            .fields()
            .requiredDouble("x")
            .name("tags")
            .type()
            .array()
            .items()
            .stringType()
            .noDefault()
            .endRecord()
            .noDefault()
            .requiredLong("n")
            .endRecord();

    private static byte[] rowsFile(int count, int perBlock) {
        List<Object> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            GenericData.Record place = new GenericData.Record(ROW.getField("at").schema());
            place.put("x", i / 2.0);
            place.put("tags", i % 2 == 0 ? List.of("a" + i, "long enough for two words") : List.of());
            GenericData.Record row = new GenericData.Record(ROW);
            row.put("id", i);
            row.put("name", i % 3 == 0 ? null : "name " + i);
            row.put("at", place);
            row.put("n", i * 1_000_000_007L);
            rows.add(row);
        }
        return RandomAvro.file(ROW, rows, CodecFactory.nullCodec(), perBlock);
    }

    @Test
    void selectsFieldsByPath() {
        byte[] file = rowsFile(10, 4);
        AvroSpec spec = AvroSpec.create().fields("at.tags", "id");

        List<String> rows = rows(Shard.read(batches(spec, 100), file), 100);

        assertThat(rows).hasSize(10);
        assertThat(rows.get(4)).isEqualTo("id=4; at={tags=['a4', 'long enough for two words'], }; ");
    }

    @Test
    void aFilterIsDecidedBeforeTheRowIsBuiltAndItsColumnsNeedNotBeRead() {
        byte[] file = rowsFile(50, 7);
        ArrowSpec spec = ArrowSpec.create()
                .columns("name")
                .filter(io.sluice.arrow.RowFilter.atLeast("at.x", 20))
                .rowIndexColumn("row", 1000);

        List<String> rows = rows(Shard.read(Arrow.avro(allocator, AvroSpec.create(), spec), file), 65536);

        assertThat(rows).hasSize(10);
        assertThat(rows.get(0)).isEqualTo("name='name 40'; row=1040; ");
        assertThat(rows.get(2)).isEqualTo("name=null; row=1042; ");
    }

    @Test
    void resolvesToAnotherSchema() {
        byte[] file = rowsFile(3, 4);
        Schema reader = org.apache.avro.SchemaBuilder.record("Row")
                .fields()
                .requiredDouble("n")
                .name("fresh")
                .type()
                .array()
                .items()
                .intType()
                .arrayDefault(List.of(7, 8))
                .requiredLong("id")
                .endRecord();

        List<String> rows = rows(Shard.read(batches(AvroSpec.create().schema(reader), 100), file), 100);

        assertThat(rows.get(2)).isEqualTo("n=2.000000014E9; fresh=[7, 8]; id=2; ");
    }

    /** A record that fails leaves no trace in any column, wherever in it the bytes break. */
    @Test
    void rowsAreRolledBackWhole() {
        byte[] good = rowsFile(20, 5);
        List<String> expected = rows(Shard.read(batches(AvroSpec.create(), 100), good), 100);
        int header = new String(good, java.nio.charset.StandardCharsets.ISO_8859_1).indexOf("avro.codec") + 32;
        for (int at = header; at < good.length; at++) {
            for (int flip : new int[] {0x01, 0x80, 0x7F}) {
                byte[] bad = good.clone();
                bad[at] ^= (byte) flip;
                Shard.Result<RecordBatch> result = Shard.read(batches(AvroSpec.create(), 100), bad);
                Shard.Result<java.util.Map<String, Object>> maps = Shard.read(Avro.maps(), bad);
                String where = "byte " + at + " ^ " + flip + " " + result.refused();
                assertThat(result.bytes()).as(where).isEqualTo(bad.length);
                List<String> rows = rows(result, 100);
                assertThat(rows).as(where).hasSameSizeAs(maps.values());
                assertThat(result.refused().stream()
                                .map(r ->
                                        (r.rejection().lost() ? "lost@" : "refused@") + r.offset() + "+" + r.length()))
                        .as(where)
                        .containsExactlyElementsOf(maps.refused().stream()
                                .map(r -> (r.rejection().lost() ? "lost@" : "refused@") + r.offset() + "+" + r.length())
                                .toList());
                // what is not in the damaged block is untouched
                assertThat(rows.stream().filter(expected::contains).count())
                        .as(where)
                        .isGreaterThanOrEqualTo(15);
            }
        }
    }
}
