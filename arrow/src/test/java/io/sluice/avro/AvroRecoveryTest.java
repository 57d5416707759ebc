package io.sluice.avro;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.RecordException.Kind;
import io.sluice.SluiceException;
import io.sluice.codec.ReadLimits;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.file.CodecFactory;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecordBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Damaged files: every record that is delivered is one that was written, and every byte is accounted for. */
class AvroRecoveryTest {

    static final Schema SCHEMA = SchemaBuilder.record("Row")
            .fields()
            .requiredInt("id")
            .requiredString("name")
            .name("tags")
            .type()
            .array()
            .items()
            .longType()
            .noDefault()
            .optionalDouble("score")
            .endRecord();

    static final int PER_BLOCK = 4;
    static final int RECORDS = 5 * PER_BLOCK;

    private static final List<GenericData.Record> ROWS = rows();
    static final List<String> EXPECTED = expected();

    private static List<GenericData.Record> rows() {
        List<GenericData.Record> rows = new ArrayList<>();
        for (int i = 0; i < RECORDS; i++) {
            rows.add(new GenericRecordBuilder(SCHEMA)
                    .set("id", i)
                    .set("name", "näme " + i)
                    .set("tags", i % 3 == 0 ? List.of() : List.of((long) i, i * 1000L))
                    .set("score", i % 2 == 0 ? null : i / 2.0)
                    .build());
        }
        return rows;
    }

    private static List<String> expected() {
        return ROWS.stream()
                .map(row -> GenericAsMaps.render(GenericAsMaps.of(SCHEMA, row)))
                .toList();
    }

    static byte[] file(CodecFactory codec) {
        return RandomAvro.file(SCHEMA, ROWS, codec, PER_BLOCK);
    }

    private static List<String> render(Shard.Result<?> result) {
        return result.values().stream().map(GenericAsMaps::render).toList();
    }

    /** Where each block begins, and at last the file's end. */
    static int[] blocks(byte[] file) {
        byte[] sync = Arrays.copyOfRange(file, file.length - 16, file.length);
        List<Integer> ends = new ArrayList<>();
        for (int i = 0; i + 16 <= file.length; i++) {
            if (Arrays.equals(file, i, i + 16, sync, 0, 16)) {
                ends.add(i + 16);
            }
        }
        assertThat(ends).hasSize(6);
        return ends.stream().mapToInt(Integer::intValue).toArray();
    }

    private static Shard.Result<Map<String, Object>> read(byte[] file) {
        return Shard.read(Avro.maps(), file);
    }

    /** Under a checksum nothing wrong can get through, wherever the damage is. */
    @Test
    void withChecksumsEveryCorruptionOfEveryByteLeavesOnlyWhatWasWritten() {
        byte[] good = file(CodecFactory.snappyCodec());
        int header = blocks(good)[0];
        int lossless = 0;
        for (int at = header; at < good.length; at++) {
            for (int flip : new int[] {0x01, 0x80, 0xFF, 0x10}) {
                byte[] bad = good.clone();
                bad[at] ^= (byte) flip;
                Shard.Result<Map<String, Object>> result = read(bad);
                String where = "byte " + at + " ^ " + flip + " " + result.refused();
                assertThat(result.bytes()).as(where).isEqualTo(bad.length);
                List<String> values = render(result);
                assertThat(EXPECTED).as(where).containsSubsequence(values);
                assertThat(values.size()).as(where).isGreaterThanOrEqualTo(RECORDS - PER_BLOCK);
                assertThat(result.refused().isEmpty())
                        .as(where)
                        .isEqualTo(values.size() == RECORDS && !countGrew(result));
                lossless += values.size() == RECORDS ? 1 : 0;
            }
        }
        // a count that grew loses nothing but is told of; nothing else goes through
        assertThat(lossless).isBetween(1, 40);
    }

    private static boolean countGrew(Shard.Result<?> result) {
        return result.refused().stream().anyMatch(r -> r.rejection().reason().contains("but its data ends after"));
    }

    /** Without checksums a changed byte may be a changed value, in its own block. */
    @Test
    void withoutChecksumsTheOtherBlocksAreUntouched() {
        byte[] good = file(CodecFactory.nullCodec());
        int[] blocks = blocks(good);
        for (int at = blocks[0]; at < good.length; at++) {
            int block = 0;
            while (blocks[block + 1] <= at) {
                block++;
            }
            for (int flip : new int[] {0x01, 0x02, 0x80, 0xFF}) {
                byte[] bad = good.clone();
                bad[at] ^= (byte) flip;
                Shard.Result<Map<String, Object>> result = read(bad);
                String where = "byte " + at + " ^ " + flip + " " + result.refused();
                assertThat(result.bytes()).as(where).isEqualTo(bad.length);
                List<String> values = render(result);
                int before = block * PER_BLOCK;
                int after = RECORDS - before - PER_BLOCK;
                assertThat(values.size()).as(where).isGreaterThanOrEqualTo(before + after);
                assertThat(values.subList(0, before)).as(where).isEqualTo(EXPECTED.subList(0, before));
                assertThat(values.subList(values.size() - after, values.size()))
                        .as(where)
                        .isEqualTo(EXPECTED.subList(RECORDS - after, RECORDS));
            }
        }
    }

    @Test
    void damageInTheHeaderLosesTheFileOrNothing() {
        byte[] good = file(CodecFactory.deflateCodec(6));
        int header = blocks(good)[0];
        for (int at = 0; at < header; at++) {
            byte[] bad = good.clone();
            bad[at] ^= 0x11;
            try {
                Shard.Result<Map<String, Object>> result = read(bad);
                assertThat(result.bytes()).as("byte %s", at).isEqualTo(bad.length);
                assertThat(result.values().size() == RECORDS || result.lost() > 0)
                        .as("byte %s: %s", at, result.refused())
                        .isTrue();
            } catch (SluiceException e) {
                assertThat(e.reason()).as("byte %s", at).contains("schema");
            }
        }
    }

    @Test
    void aFileCutOffAnywhereGivesItsWholeBlocks() {
        byte[] good = file(CodecFactory.nullCodec());
        int[] blocks = blocks(good);
        for (int length = 1; length < good.length; length++) {
            Shard.Result<Map<String, Object>> result = read(Arrays.copyOf(good, length));
            int whole = 0;
            while (whole < 5 && blocks[whole + 1] <= length) {
                whole++;
            }
            List<String> values = render(result);
            assertThat(values).as("cut at %s", length).isEqualTo(EXPECTED.subList(0, whole * PER_BLOCK));
            assertThat(result.bytes()).isEqualTo(length);
            boolean between = length == blocks[whole];
            assertThat(result.refused()).as("cut at %s", length).hasSize(between ? 0 : 1);
            if (!between) {
                Shard.Refused tail = result.refused().get(0);
                assertThat(tail.rejection().kind()).as("cut at %s", length).isEqualTo(Kind.TRUNCATED);
                assertThat(tail.rejection().lost()).isTrue();
                assertThat(tail.offset()).isEqualTo(length < blocks[0] ? 0 : blocks[whole]);
                assertThat(tail.length()).isEqualTo(length - tail.offset());
                assertThat(tail.rejection().lostRecords())
                        .isEqualTo(length < blocks[0] || length - blocks[whole] < 3 ? 0 : PER_BLOCK);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7})
    void chunksDontMatter(int chunk) {
        byte[] good = file(CodecFactory.nullCodec());
        ReadLimits small = new ReadLimits(150, 1 << 20, 100);
        for (int at = 0; at < good.length; at += 3) {
            byte[] bad = good.clone();
            bad[at] ^= (byte) (at % 2 == 0 ? 0x80 : 0x15);
            String whole = outcome(bad, bad.length, small);
            assertThat(outcome(bad, chunk, small)).as("byte %s", at).isEqualTo(whole);
            byte[] cut = Arrays.copyOf(good, at + 1);
            assertThat(outcome(cut, chunk, small)).as("cut at %s", at).isEqualTo(outcome(cut, cut.length, small));
        }
    }

    private static String outcome(byte[] file, int chunk, ReadLimits limits) {
        try {
            Shard.Result<Map<String, Object>> result = Shard.read(Avro.maps(), file, chunk, limits);
            List<String> raw = result.refused().stream()
                    .map(r -> r + " " + Arrays.toString(r.rejection().raw())
                            + r.rejection().at())
                    .toList();
            return render(result) + " " + raw + " " + result.delivered() + " " + result.blank() + " " + result.lines();
        } catch (SluiceException e) {
            return e.toString();
        }
    }

    @Test
    void aBadSyncMarkerCostsItsOwnBlock() {
        byte[] bad = file(CodecFactory.nullCodec());
        int[] blocks = blocks(bad);
        bad[blocks[2] - 5] ^= 1;

        Shard.Result<Map<String, Object>> result = read(bad);

        List<String> kept = new ArrayList<>(EXPECTED);
        kept.subList(PER_BLOCK, 2 * PER_BLOCK).clear();
        assertThat(render(result)).isEqualTo(kept);
        Shard.Refused lost = Shard.only(result.refused());
        assertThat(lost.rejection().lostRecords()).isEqualTo(PER_BLOCK);
        assertThat(lost.offset()).isEqualTo(blocks[1]);
        assertThat(lost.length()).isEqualTo(blocks[2] - blocks[1]);
    }

    @Test
    void forgedCountsAndSizesAllocateNothing() {
        byte[] good = file(CodecFactory.nullCodec());
        int[] blocks = blocks(good);
        for (long count : new long[] {Long.MAX_VALUE, Long.MIN_VALUE, Integer.MAX_VALUE, -1, 1L << 40}) {
            for (long size : new long[] {Long.MAX_VALUE, Long.MIN_VALUE, Integer.MAX_VALUE, -1, 1L << 40, 60 << 20}) {
                io.sluice.codec.Output bad = new io.sluice.codec.Output(1024);
                bad.write(good, 0, blocks[2]);
                varint(count, bad);
                varint(size, bad);
                bad.write(good, blocks[2] + 3, good.length - blocks[2] - 3);
                byte[] file = Arrays.copyOf(bad.array(), bad.position());

                Shard.Result<Map<String, Object>> result = read(file);

                assertThat(result.bytes()).isEqualTo(file.length);
                List<String> kept = new ArrayList<>(EXPECTED);
                kept.subList(2 * PER_BLOCK, 3 * PER_BLOCK).clear();
                assertThat(render(result)).isEqualTo(kept);
                assertThat(Shard.only(result.refused()).length())
                        .isEqualTo(file.length - good.length + blocks[3] - blocks[2]);
            }
        }
    }

    @Test
    void recordsWithoutBytesAreNotBelievedWithoutBound() {
        Schema empty = Schema.createRecord("Empty", null, null, false, List.of());
        byte[] good = RandomAvro.file(empty, List.of(new GenericData.Record(empty)), CodecFactory.nullCodec(), 1);
        int head = good.length - 18;
        io.sluice.codec.Output bad = new io.sluice.codec.Output(1024);
        bad.write(good, 0, head);
        varint(1L << 50, bad);
        bad.write(good, head + 1, 17);

        Shard.Result<Map<String, Object>> result = read(Arrays.copyOf(bad.array(), bad.position()));

        assertThat(read(good).values()).containsExactly(Map.of());
        assertThat(result.values()).isEmpty();
        assertThat(Shard.only(result.refused()).rejection().kind()).isEqualTo(Kind.CORRUPT);
    }

    @Test
    void aRefusedRecordCostsOnlyItself() {
        byte[] bad = file(CodecFactory.nullCodec());
        byte[] name = "näme 9".getBytes(java.nio.charset.StandardCharsets.UTF_8);
        int at = indexOf(bad, name);
        bad[at + 2] = 'x'; // half of the ä

        Shard.Result<Map<String, Object>> result = read(bad);

        List<String> kept = new ArrayList<>(EXPECTED);
        kept.remove(9);
        assertThat(render(result)).isEqualTo(kept);
        Shard.Refused refused = Shard.only(result.refused());
        assertThat(refused.rejection().kind()).isEqualTo(Kind.INVALID_UNICODE);
        assertThat(refused.rejection().lost()).isFalse();
        assertThat(refused.offset()).isEqualTo(at - 2);
        assertThat(refused.valuesBefore()).isEqualTo(9);
        assertThat(result.lines()).isEqualTo(RECORDS);
    }

    @Test
    void aRecordThatBreaksCostsTheRestOfItsBlock() {
        byte[] bad = file(CodecFactory.nullCodec());
        int at = indexOf(bad, "näme 9".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        bad[at - 1] = 1; // the name's length: -1

        Shard.Result<Map<String, Object>> result = read(bad);

        List<String> kept = new ArrayList<>(EXPECTED);
        kept.subList(9, 12).clear();
        assertThat(render(result)).isEqualTo(kept);
        Shard.Refused refused = Shard.only(result.refused());
        assertThat(refused.rejection().lost()).isTrue();
        assertThat(refused.rejection().lostRecords()).isEqualTo(3);
        assertThat(refused.offset()).isEqualTo(at - 2);
    }

    private static int indexOf(byte[] in, byte[] what) {
        for (int i = 0; ; i++) {
            if (Arrays.equals(in, i, i + what.length, what, 0, what.length)) {
                return i;
            }
        }
    }

    private static void varint(long value, io.sluice.codec.Output out) {
        long raw = value << 1 ^ value >> 63;
        while ((raw & ~0x7FL) != 0) {
            out.write((int) (raw & 0x7F | 0x80));
            raw >>>= 7;
        }
        out.write((int) raw);
    }
}
