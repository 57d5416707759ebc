package io.sluice.arrow;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.Dataset;
import io.sluice.ErrorPolicy;
import io.sluice.ReadSpec;
import io.sluice.Rejected;
import io.sluice.format.Jsonl;
import io.sluice.testing.ChunkedStore;
import io.sluice.testing.Corpora;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.types.pojo.Field;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Columns against what jackson-core reads from the same bytes, and refusals against those of maps. */
class JsonlDifferentialTest {

    private static final ArrowSpec ALL = ArrowSpec.create()
            .sampleRecords(Long.MAX_VALUE)
            .sampleBytes(Integer.MAX_VALUE)
            .batchRows(1000);

    private record Read(List<Field> fields, List<Map<String, Object>> rows, List<String> refused) {}

    private static Read read(byte[] text, int chunk, ArrowSpec spec, ReadSpec readSpec) {
        List<Map<String, Object>> rows = new ArrayList<>();
        List<Field> fields = new ArrayList<>();
        List<String> refused = new ArrayList<>();
        try (BufferAllocator allocator = new RootAllocator()) {
            Dataset.at(new ChunkedStore(chunk, null).with("a.jsonl", text), "a.jsonl", Arrow.jsonl(allocator, spec))
                    .read(readSpec.onError(ErrorPolicy.deadLetter(r -> refused.add(place(r)))))
                    .doOnNext(batch -> {
                        try (batch) {
                            fields.clear();
                            fields.addAll(batch.schema().getFields());
                            rows.addAll(Rows.of(batch));
                        }
                    })
                    .blockLast();
            assertThat(allocator.getAllocatedMemory()).isZero();
        }
        return new Read(fields, rows, refused);
    }

    private static String place(Rejected r) {
        return r.line() + "@" + r.offset() + "+" + r.length() + " " + r.cause().kind() + " "
                + r.cause().reason();
    }

    private static Read maps(byte[] text, List<Field> fields) {
        List<String> refused = new ArrayList<>();
        List<Map<String, Object>> rows = new ArrayList<>();
        // one after the other on this thread: a thread of the readers' own scheduler must not wait for another read
        List<ByteBuffer> lines = Dataset.at(
                        new ChunkedStore(1 << 20, null).with("a.jsonl", text), "a.jsonl", Jsonl.bytes())
                .read()
                .collectList()
                .block();
        for (ByteBuffer line : lines) {
            byte[] bytes = new byte[line.remaining()];
            line.duplicate().get(bytes);
            if (Dataset.at(new ChunkedStore(1 << 20, null).with("a.jsonl", bytes), "a.jsonl", Jsonl.maps())
                            .read(ReadSpec.create().onError(ErrorPolicy.skip()))
                            .blockLast()
                    != null) {
                String text8 = new String(bytes, StandardCharsets.UTF_8);
                rows.add(Rows.expected(fields, (Map<?, ?>) Rows.json(text8)));
            }
        }
        Dataset.at(new ChunkedStore(1 << 20, null).with("a.jsonl", text), "a.jsonl", Jsonl.maps())
                .read(ReadSpec.create().onError(ErrorPolicy.deadLetter(r -> refused.add(place(r)))))
                .blockLast();
        return new Read(fields, rows, refused);
    }

    @ParameterizedTest
    @ValueSource(strings = {"logs", "airline", "events", "chat"})
    void corporaGiveWhatJacksonReads(String name) throws Exception {
        Path path = Corpora.path("ndjson/" + name + ".ndjson");
        byte[] text = Files.readAllBytes(path);
        Read read = read(text, 1 << 16, ALL, ReadSpec.create().parallelism(2));
        List<Field> fields = read.fields;
        int row = 0;
        for (String line : new String(text, StandardCharsets.UTF_8).split("\n")) {
            assertThat(read.rows.get(row++)).as("%s row %d", name, row).isEqualTo(Rows.expected(fields, (Map<?, ?>)
                    Rows.json(line)));
        }
        assertThat(read.rows).hasSize(row);
        assertThat(read.refused).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    void randomRecordsGoodAndBadAreTakenAndRefusedAsMapsAre(int seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 40; round++) {
            byte[] text = RandomJson.lines(random, 60, round % 2 == 0 ? 0 : 4);
            Read whole = read(text, Integer.MAX_VALUE, ALL, ReadSpec.create());
            Read expected = maps(text, whole.fields);
            assertThat(whole.refused).as("seed %d round %d", seed, round).isEqualTo(expected.refused);
            assertThat(whole.rows).as("seed %d round %d", seed, round).isEqualTo(expected.rows);
            for (int chunk : new int[] {1, 2, 3, 7}) {
                ReadSpec blocks = ReadSpec.create().blockBytes(1024);
                if (round % 10 == 0) {
                    assertThat(read(text, chunk, ALL, blocks))
                            .as("seed %d round %d chunk %d", seed, round, chunk)
                            .isEqualTo(whole);
                }
            }
        }
    }

    /** Every file of the suite that is one line: taken or refused as maps take or refuse it. */
    @Test
    void theJsonTestSuiteIsTakenAsMapsTakeIt() throws Exception {
        for (Path file : Corpora.files("json/test_parsing")) {
            byte[] text = Files.readAllBytes(file);
            // as the value of a key as well, so that other roots than objects are tried
            byte[] wrapped =
                    concat("{\"k\":".getBytes(StandardCharsets.UTF_8), text, "}".getBytes(StandardCharsets.UTF_8));
            for (byte[] each : List.of(text, wrapped)) {
                List<String> refused = new ArrayList<>();
                Dataset.at(new ChunkedStore(1 << 20, null).with("a.jsonl", each), "a.jsonl", Jsonl.maps())
                        .read(ReadSpec.create().onError(ErrorPolicy.deadLetter(r -> refused.add(place(r)))))
                        .blockLast();
                assertThat(read(each, 1 << 20, ALL, ReadSpec.create()).refused)
                        .as(file.getFileName().toString())
                        .isEqualTo(refused);
            }
        }
    }

    private static byte[] concat(byte[]... parts) {
        int length = Arrays.stream(parts).mapToInt(p -> p.length).sum();
        byte[] all = new byte[length];
        int at = 0;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }

    @Test
    void unusualFormsOfKeysAndValues() {
        String text = String.join(
                "\n",
                "{\"a\":1,\"bb\":\"x\",\"c\":1.5}",
                " { \"a\" : 2 , \"bb\" : \"y\" , \"c\" : 2.5 } ",
                "{\"c\":3,\"bb\":null,\"\\u0061\":3}",
                "{\"a\":4,\"a\":5,\"bb\":\"z\",\"bb\":\"\",\"c\":-0}",
                "{\"c\":1e2,\"a\":-9223372036854775808}",
                "\t{}\r",
                "{\"a\":9223372036854775807,\"c\":12345678.12345678,\"bb\":\"\\ud83d\\ude00\\u00e4\\n\\/é中😀\"}");
        List<Map<String, Object>> rows = Rows.read(ALL, text);
        assertThat(rows)
                .containsExactly(
                        Map.of("a", 1L, "bb", "x", "c", 1.5),
                        Map.of("a", 2L, "bb", "y", "c", 2.5),
                        Map.of("a", 3L, "c", 3.0),
                        Map.of("a", 5L, "bb", "", "c", -0.0),
                        Map.of("a", Long.MIN_VALUE, "c", 100.0),
                        Map.of(),
                        Map.of("a", Long.MAX_VALUE, "c", 12345678.12345678, "bb", "😀ä\n/é中😀"));
    }

    @Test
    void aKeyThatEqualsAnotherInItsFirstEightBytesIsAnotherKey() {
        String keys = "abcdefghijklmnopqrstuvwxyz";
        for (int length = 1; length < 26; length++) {
            String key = keys.substring(0, length);
            String other = keys.substring(0, length - 1) + "_";
            String text = "{\"" + key + "\":1,\"" + other + "\":2,\"x\":9}\n{\"" + other + "\":3,\"" + key
                    + "\":4}\n{\"" + key + "\":5,\"" + other + "\":6}\n{\"" + key + key + "\":7}\n";
            assertThat(Rows.read(ALL, text))
                    .containsExactly(
                            Map.of(key, 1L, other, 2L, "x", 9L),
                            Map.of(other, 3L, key, 4L),
                            Map.of(key, 5L, other, 6L),
                            Map.of(key + key, 7L));
        }
    }

    @Test
    void numbersOfEveryLengthKeepTheirValue() {
        Random random = new Random(7);
        List<String> lines = new ArrayList<>();
        List<Map<String, Object>> expected = new ArrayList<>();
        for (int i = 0; i < 5000; i++) {
            long integer = random.nextLong() >> random.nextInt(64);
            String real = RandomJson.real(random);
            lines.add("{\"i\":" + integer + ",\"d\":" + real + "}");
            expected.add(Map.of("i", integer, "d", Double.parseDouble(real)));
        }
        List<Map<String, Object>> rows = Rows.read(ALL, lines.stream().collect(Collectors.joining("\n")));
        assertThat(rows).isEqualTo(expected);
    }
}
