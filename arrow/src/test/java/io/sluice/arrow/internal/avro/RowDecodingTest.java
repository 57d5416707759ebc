package io.sluice.arrow.internal.avro;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.arrow.internal.ChunkPool;
import io.sluice.arrow.internal.Column;
import io.sluice.arrow.internal.ColumnChunk;
import io.sluice.arrow.internal.ColumnPlan;
import io.sluice.avro.AvroCodec;
import io.sluice.avro.AvroHeader;
import io.sluice.avro.AvroSpec;
import io.sluice.avro.AvroSpec.FileSchemas;
import io.sluice.avro.internal.BadRecord;
import io.sluice.avro.internal.BinaryInput;
import io.sluice.avro.internal.FileResolution;
import io.sluice.codec.Block;
import io.sluice.codec.DecodedBlock;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The short cuts taken for single values, at every length and right up to the end of the bytes. */
class RowDecodingTest {

    private static final int ROWS = 7;

    /** Decodes rows one after the other, looking at text at once and afterwards; throws what the first that fails throws. */
    private static ColumnChunk decode(Schema writer, Schema reader, byte[] data, int to, int rows) {
        ColumnChunk afterwards;
        try {
            afterwards = decode(writer, reader, data, to, rows, false);
        } catch (BadRecord | IndexOutOfBoundsException e) {
            assertThatThrownBy(() -> decode(writer, reader, data, to, rows, true))
                    .isInstanceOfAny(BadRecord.class, IndexOutOfBoundsException.class);
            throw e;
        }
        ColumnChunk atOnce;
        try {
            atOnce = decode(writer, reader, data, to, rows, true);
        } catch (BadRecord | IndexOutOfBoundsException e) {
            throw new AssertionError("passes where text is looked at afterwards", e);
        }
        for (int i = 0; i < atOnce.columns.length; i++) {
            Column a = atOnce.columns[i];
            Column b = afterwards.columns[i];
            assertThat(b.end).isEqualTo(a.end);
            assertThat(Arrays.copyOf(b.data, a.end)).isEqualTo(Arrays.copyOf(a.data, a.end));
        }
        return afterwards;
    }

    private static ColumnChunk decode(Schema writer, Schema reader, byte[] data, int to, int rows, boolean checks) {
        AvroSpec spec = AvroSpec.create().schema(reader);
        FileResolution files = new FileResolution(spec, FileSchemas.SAME, null);
        ChunkPool pool = new ChunkPool(ColumnPlan.of(ArrowTypes.schema(reader).getFields()));
        RowSource source = new RowSource(files, pool, 64);
        source.open(new AvroHeader(writer, writer.toString(), AvroCodec.none(), new byte[16], Map.of(), 0));
        ColumnChunk chunk = source.begin();
        source.data(data, to, checks);
        source.ensure(rows);
        int pos = 0;
        for (int row = 0; row < rows; row++) {
            pos = source.row(row, pos, to);
            source.rows(row + 1);
        }
        if (!source.textIsSound()) {
            assertThat(checks).as("rows that were looked at").isFalse();
            throw BinaryInput.invalidUtf8();
        }
        assertThat(pos).isEqualTo(to);
        return chunk.finish(rows);
    }

    private static Schema record(Schema... fields) {
        List<Schema.Field> all = new ArrayList<>();
        for (Schema field : fields) {
            all.add(new Schema.Field("f" + all.size(), field));
        }
        return Schema.createRecord("R", null, null, false, all);
    }

    private static Schema of(Schema.Type type) {
        return Schema.create(type);
    }

    private static Schema orNull(Schema.Type type, boolean nullFirst) {
        return nullFirst
                ? Schema.createUnion(of(Schema.Type.NULL), of(type))
                : Schema.createUnion(of(type), of(Schema.Type.NULL));
    }

    /** A number in at least so many bytes: longer forms than needed are legal. */
    private static void number(ByteArrayOutputStream out, long value, int bytes) {
        long raw = value << 1 ^ value >> 63;
        for (int i = 1; (raw & ~0x7FL) != 0 || i < bytes; i++) {
            out.write((int) (raw & 0x7F | 0x80));
            raw >>>= 7;
        }
        out.write((int) raw);
    }

    private static void text(ByteArrayOutputStream out, byte[] value, int bytes) {
        number(out, value.length, bytes);
        out.write(value, 0, value.length);
    }

    private static long longAt(Column column, int row) {
        return (long) Column.LONGS.get(column.data, row * 8);
    }

    private static byte[] textAt(Column column, int row) {
        return Arrays.copyOfRange(column.data, column.offsets[row], column.offsets[row + 1]);
    }

    @Test
    void numbersOfEveryLength() {
        Schema schema = record(
                of(Schema.Type.LONG),
                orNull(Schema.Type.LONG, true),
                orNull(Schema.Type.LONG, false),
                of(Schema.Type.INT));
        for (int bits = 0; bits < 64; bits++) {
            for (long value : new long[] {1L << bits, -1L << bits, (1L << bits) - 1, ~(1L << bits)}) {
                for (int least = 1; least <= 10; least++) {
                    ByteArrayOutputStream out = new ByteArrayOutputStream();
                    for (int row = 0; row < ROWS; row++) {
                        number(out, value, least);
                        number(out, row % 3 == 0 ? 0 : 1, row == 4 ? 3 : 1);
                        if (row % 3 != 0) {
                            number(out, value, 1);
                        }
                        number(out, row % 2, row == 5 ? 2 : 1);
                        if (row % 2 == 0) {
                            number(out, value, least);
                        }
                        number(out, (int) value, Math.min(least, 5));
                    }
                    byte[] data = out.toByteArray();
                    ColumnChunk chunk = decode(schema, schema, data, data.length, ROWS);
                    for (int row = 0; row < ROWS; row++) {
                        assertThat((int) Column.INTS.get(chunk.columns[3].data, row * 4))
                                .isEqualTo((int) value);
                        assertThat(longAt(chunk.columns[0], row)).isEqualTo(value);
                        assertThat(longAt(chunk.columns[1], row)).isEqualTo(row % 3 == 0 ? 0 : value);
                        assertThat(chunk.columns[1].isNull(row)).isEqualTo(row % 3 == 0);
                        assertThat(longAt(chunk.columns[2], row)).isEqualTo(row % 2 == 1 ? 0 : value);
                        assertThat(chunk.columns[2].isNull(row)).isEqualTo(row % 2 == 1);
                    }
                }
            }
        }
    }

    @Test
    void numbersOfTooManyBits() {
        byte[] eleven = new byte[40];
        Arrays.fill(eleven, 0, 10, (byte) 0x80);
        byte[] tenthTooGreat = new byte[40];
        Arrays.fill(tenthTooGreat, 0, 9, (byte) 0xFF);
        tenthTooGreat[9] = 2;
        for (byte[] data : List.of(eleven, tenthTooGreat)) {
            Schema schema = record(of(Schema.Type.LONG), of(Schema.Type.LONG));
            assertThatThrownBy(() -> decode(schema, schema, data, data.length, 1))
                    .isInstanceOf(BadRecord.class);
        }
        byte[] longInt = {(byte) 0xFF, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF, 0x10, 0, 0, 0};
        Schema ints = record(of(Schema.Type.INT), of(Schema.Type.INT));
        assertThatThrownBy(() -> decode(ints, ints, longInt, longInt.length, 1)).isInstanceOf(BadRecord.class);
    }

    @Test
    void stringsOfEveryLengthUpToTheEndOfTheBytes() {
        Schema schema =
                record(of(Schema.Type.STRING), orNull(Schema.Type.STRING, true), orNull(Schema.Type.STRING, false));
        Random random = new Random(3);
        for (int length = 0; length <= 140; length++) {
            for (int least = 1; least <= 3; least++) {
                for (int behind : new int[] {0, 1, 15, 100}) {
                    byte[] text = new byte[length];
                    for (int i = 0; i < length; i++) {
                        text[i] = (byte) ('a' + random.nextInt(26));
                    }
                    ByteArrayOutputStream out = new ByteArrayOutputStream();
                    for (int row = 0; row < ROWS; row++) {
                        text(out, text, least);
                        number(out, row % 3 == 0 ? 0 : 1, 1);
                        if (row % 3 != 0) {
                            text(out, text, 1);
                        }
                        number(out, row % 2, row == 5 ? 2 : 1);
                        if (row % 2 == 0) {
                            text(out, text, least);
                        }
                    }
                    int to = out.size();
                    out.writeBytes(new byte[behind]);
                    byte[] data = out.toByteArray();
                    Arrays.fill(data, to, data.length, (byte) 0xFF); // what follows is none of a string's business
                    ColumnChunk chunk = decode(schema, schema, data, to, ROWS);
                    for (int row = 0; row < ROWS; row++) {
                        assertThat(textAt(chunk.columns[0], row)).isEqualTo(text);
                        assertThat(textAt(chunk.columns[1], row)).isEqualTo(row % 3 == 0 ? new byte[0] : text);
                        assertThat(chunk.columns[1].isNull(row)).isEqualTo(row % 3 == 0);
                        assertThat(textAt(chunk.columns[2], row)).isEqualTo(row % 2 == 1 ? new byte[0] : text);
                        assertThat(chunk.columns[2].isNull(row)).isEqualTo(row % 2 == 1);
                    }
                }
            }
        }
    }

    /** Every byte of a string is looked at, and none beside it. */
    @Test
    void bytesThatAreNoUtf8AtEveryPlace() {
        Schema schema = record(of(Schema.Type.STRING), of(Schema.Type.STRING));
        for (int length = 1; length <= 70; length++) {
            for (int at = 0; at < length; at++) {
                byte[] text = new byte[length];
                Arrays.fill(text, (byte) 'x');
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                // a row before, which makes room in the columns
                text(out, new byte[90], 1);
                text(out, new byte[200], 1);
                int second = out.size();
                text[at] = (byte) 0xFF;
                text(out, text, 1);
                text(out, new byte[200], 1);
                byte[] data = out.toByteArray();
                assertThatThrownBy(() -> decode(schema, schema, data, data.length, 2))
                        .as("byte %d of %d", at, length)
                        .isInstanceOf(BadRecord.class)
                        .hasMessageContaining("UTF-8");
                if (at + 1 < length) {
                    System.arraycopy(
                            "é".getBytes(StandardCharsets.UTF_8), 0, data, second + (length > 63 ? 2 : 1) + at, 2);
                    ColumnChunk chunk = decode(schema, schema, data, data.length, 2);
                    assertThat(new String(textAt(chunk.columns[0], 1), StandardCharsets.UTF_8))
                            .contains("é");
                }
            }
        }
    }

    /** Two strings of which neither is text, though their bytes together are. */
    @Test
    void charactersCutInTwo() {
        Schema plain = record(of(Schema.Type.STRING), of(Schema.Type.STRING));
        Schema list = record(Schema.createMap(of(Schema.Type.STRING)), of(Schema.Type.LONG));
        for (int before = 0; before <= 70; before++) {
            byte[] first = new byte[before + 1];
            Arrays.fill(first, (byte) 'x');
            first[before] = (byte) 0xC3;
            byte[] second = {(byte) 0xA9, 'y'};
            ByteArrayOutputStream rows = new ByteArrayOutputStream();
            for (byte[] each : List.of(new byte[200], first, second, new byte[100])) {
                text(rows, each, 1);
                text(rows, new byte[20], 1);
            }
            byte[] data = rows.toByteArray();
            assertThatThrownBy(() -> decode(plain, plain, data, data.length, 4))
                    .as("cut at %d", before)
                    .hasMessageContaining("UTF-8");
            ByteArrayOutputStream entries = new ByteArrayOutputStream();
            number(entries, 4, 1);
            for (byte[] each : List.of(new byte[200], first, second, new byte[100])) {
                text(entries, new byte[3], 1);
                text(entries, each, 1);
            }
            number(entries, 0, 1);
            number(entries, 1, 1);
            entries.writeBytes(new byte[] {0, 0});
            byte[] map = entries.toByteArray();
            assertThatThrownBy(() -> decode(list, list, map, map.length, 2))
                    .as("entries cut at %d", before)
                    .hasMessageContaining("UTF-8");
        }
    }

    /** A record that is no text is refused by itself, whatever stands around it, and those around it are kept. */
    @Test
    void refusesJustTheRecordsWithoutText() {
        Schema schema = record(
                of(Schema.Type.STRING), Schema.createMap(of(Schema.Type.STRING)), orNull(Schema.Type.STRING, true));
        for (int seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            int rows = 1 + random.nextInt(60);
            double share = new double[] {0, 0.02, 0.3, 1}[seed % 4];
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            List<String> sound = new ArrayList<>();
            int bad = 0;
            for (int row = 0; row < rows; row++) {
                boolean isBad = random.nextDouble() < share;
                int where = random.nextInt(3);
                String value = "é".repeat(random.nextInt(2)) + "v".repeat(random.nextInt(90)) + row;
                byte[] good = value.getBytes(StandardCharsets.UTF_8);
                byte[] broken = good.clone();
                broken[random.nextInt(broken.length)] = (byte) 0xFE;
                text(out, isBad && where == 0 ? broken : good, 1);
                number(out, 1, 1);
                text(out, good, 1);
                text(out, isBad && where == 1 ? broken : good, 1);
                number(out, 0, 1);
                number(out, 1, 1);
                text(out, isBad && where == 2 ? broken : good, 1);
                if (isBad) {
                    bad++;
                } else {
                    sound.add(value);
                }
            }
            for (Boolean wanted : new Boolean[] {null, true, false}) {
                DecodedBlock<ColumnChunk> decoded = block(schema, out.toByteArray(), rows, wanted);
                assertThat(decoded.rejections()).as("seed %d", seed).hasSize(bad);
                int kept = wanted == null || wanted ? sound.size() : 0;
                assertThat(decoded.values().rows).isEqualTo(kept);
                for (int row = 0; row < kept; row++) {
                    for (int column : new int[] {0, 2}) {
                        assertThat(textAt(decoded.values().columns[column], row))
                                .asString(StandardCharsets.UTF_8)
                                .isEqualTo(sound.get(row));
                    }
                }
            }
        }
    }

    /**
     * What becomes of one container block.
     *
     * @param wanted what a filter says of each record, or null for none
     */
    private static DecodedBlock<ColumnChunk> block(Schema schema, byte[] data, int rows, @Nullable Boolean wanted) {
        FileResolution files = new FileResolution(AvroSpec.create().schema(schema), FileSchemas.SAME, null);
        ChunkPool pool = new ChunkPool(ColumnPlan.of(ArrowTypes.schema(schema).getFields()));
        RowGate gate = wanted == null ? null : new RowGate(new RowSource(files, pool, 64), (chunk, row) -> wanted);
        BatchDecoder decoder = new BatchDecoder(1 << 20, 64, new RowSource(files, pool, 64), gate);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        number(out, rows, 1);
        number(out, data.length, 1);
        out.writeBytes(data);
        out.writeBytes(new byte[16]);
        AvroHeader header = new AvroHeader(schema, schema.toString(), AvroCodec.none(), new byte[16], Map.of(), 0);
        return decoder.decode(new Block(out.toByteArray(), 0, out.size(), 0, header));
    }

    @Test
    void dataThatEndsAnywhere() {
        Schema schema = record(
                of(Schema.Type.LONG),
                of(Schema.Type.STRING),
                orNull(Schema.Type.STRING, true),
                orNull(Schema.Type.LONG, true),
                of(Schema.Type.DOUBLE));
        Schema last = record(of(Schema.Type.LONG));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        number(out, 1234567, 1);
        text(out, "a text of some length, here".getBytes(StandardCharsets.UTF_8), 1);
        number(out, 1, 1);
        text(out, "short".getBytes(StandardCharsets.UTF_8), 1);
        number(out, 1, 1);
        number(out, Long.MIN_VALUE, 1);
        out.writeBytes(new byte[8]);
        byte[] whole = out.toByteArray();
        for (int to = 0; to < whole.length; to++) {
            for (int behind : new int[] {0, 3, 64}) {
                byte[] data = Arrays.copyOf(Arrays.copyOf(whole, to), to + behind);
                int end = to;
                for (Schema reader : List.of(schema, last)) {
                    assertThatThrownBy(() -> decode(schema, reader, data, end, 1))
                            .as("cut at %d, %d behind", end, behind)
                            .isInstanceOfAny(BadRecord.class, IndexOutOfBoundsException.class);
                }
            }
        }
    }

    /** Runs of fields that are passed over, of all kinds and null or not, end where they should. */
    @Test
    void whatIsSkippedEndsWhereItShould() {
        for (int seed = 0; seed < 400; seed++) {
            Random random = new Random(seed);
            int skipped = random.nextInt(80);
            double nulls = new double[] {0, 0.5, 0.97, 1}[random.nextInt(4)];
            boolean sameNull = random.nextBoolean();
            Schema[] fields = new Schema[skipped + 1];
            for (int i = 0; i < skipped; i++) {
                Schema.Type type = List.of(
                                Schema.Type.LONG,
                                Schema.Type.LONG,
                                Schema.Type.INT,
                                Schema.Type.STRING,
                                Schema.Type.BYTES,
                                Schema.Type.DOUBLE,
                                Schema.Type.BOOLEAN)
                        .get(random.nextInt(7));
                fields[i] = random.nextInt(5) == 0 ? of(type) : orNull(type, sameNull || random.nextBoolean());
            }
            fields[skipped] = of(Schema.Type.LONG);
            Schema writer = record(fields);
            Schema reader = Schema.createRecord(
                    "R", null, null, false, List.of(new Schema.Field("f" + skipped, of(Schema.Type.LONG))));
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            int rows = 20;
            for (int row = 0; row < rows; row++) {
                for (int i = 0; i < skipped; i++) {
                    Schema.Type type = fields[i].getType();
                    if (type == Schema.Type.UNION) {
                        boolean isNull = random.nextDouble() < nulls;
                        boolean nullFirst = fields[i].getTypes().get(0).getType() == Schema.Type.NULL;
                        number(out, isNull == nullFirst ? 0 : 1, random.nextInt(30) == 0 ? 2 : 1);
                        if (isNull) {
                            continue;
                        }
                        type = fields[i].getTypes().get(nullFirst ? 1 : 0).getType();
                    }
                    switch (type) {
                        case LONG -> number(out, random.nextLong() >> random.nextInt(64), 1);
                        case INT -> number(out, random.nextInt() >> random.nextInt(32), 1);
                        case DOUBLE -> out.writeBytes(new byte[] {-1, -2, -3, 4, 5, 6, 7, 8});
                        case BOOLEAN -> out.write(1);
                        default -> text(out, new byte[random.nextInt(3) == 0 ? random.nextInt(300) : 5], 1);
                    }
                }
                number(out, row, 1);
            }
            byte[] data = out.toByteArray();
            ColumnChunk chunk = decode(writer, reader, data, data.length, rows);
            for (int row = 0; row < rows; row++) {
                assertThat(longAt(chunk.columns[0], row)).as("seed %d", seed).isEqualTo(row);
            }
        }
    }
}
