package io.sluice.arrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.Dataset;
import io.sluice.ErrorPolicy;
import io.sluice.ReadSpec;
import io.sluice.RecordException;
import io.sluice.Rejected;
import io.sluice.testing.ChunkedStore;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.types.DateUnit;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.junit.jupiter.api.Test;

/** What turns up after the schema is fixed. */
class UnexpectedTest {

    private static final ArrowSpec FIRST_ONLY = ArrowSpec.create().sampleRecords(2);
    private static final String HEAD =
            "{\"a\":1,\"s\":{\"x\":\"p\"},\"l\":[1]}\n{\"a\":2,\"s\":{\"x\":\"q\"},\"l\":[2]}\n";

    @Test
    void failNamesKeyTypeLineAndWaysOut() {
        assertThatThrownBy(() -> Rows.read(FIRST_ONLY, HEAD + "{\"a\":3,\"s\":{\"new\":[true]}}\n"))
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("[a.jsonl] line 3 @ byte " + HEAD.length())
                .hasMessageContaining("'s.new'")
                .hasMessageContaining("[true]")
                .hasMessageContaining("COLLECT")
                .hasMessageContaining("projection");
        assertThatThrownBy(() -> Rows.read(FIRST_ONLY, HEAD + "{\"a\":\"three\"}\n"))
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("line 3")
                .hasMessageContaining("'a'")
                .hasMessageContaining("Int(64, true)")
                .hasMessageContaining("string \"three\"");
    }

    @Test
    void wholeRowsAreRefusedNeverShiftedColumns() {
        StringBuilder text = new StringBuilder(HEAD);
        List<Map<String, Object>> expected = new ArrayList<>(List.of(
                Map.of("a", 1L, "s", Map.of("x", "p"), "l", List.of(1L)),
                Map.of("a", 2L, "s", Map.of("x", "q"), "l", List.of(2L))));
        for (int i = 3; i < 300; i++) {
            switch (i % 4) {
                case 0 -> text.append("{\"a\":" + i + ",\"s\":{\"x\":\"" + i + "\"},\"l\":[" + i + ",false]}\n");
                case 1 -> text.append("{\"s\":{\"x\":\"" + i + "\"},\"a\":1.5}\n");
                case 2 -> text.append("{\"l\":[" + i + "],\"a\":" + i + ",\"s\":{\"x\":\"" + i + "\"}\n");
                default -> {
                    text.append("{\"l\":[" + i + "],\"a\":" + i + ",\"s\":{\"x\":\"" + i + "\"}}\n");
                    expected.add(Map.of("a", (long) i, "s", Map.of("x", "" + i), "l", List.of((long) i)));
                }
            }
        }
        List<Rejected> refused = new ArrayList<>();
        assertThat(Rows.read(
                        FIRST_ONLY.batchRows(7),
                        text.toString(),
                        ReadSpec.create().blockBytes(1024).onError(ErrorPolicy.deadLetter(refused::add))))
                .isEqualTo(expected);
        assertThat(refused).hasSize(299 - expected.size());
    }

    @Test
    void collectKeepsWhatDoesNotFitUnderItsPath() {
        ArrowSpec spec = FIRST_ONLY.unexpected(Unexpected.COLLECT);
        List<Map<String, Object>> rows = Rows.read(
                spec,
                HEAD
                        + "{\"a\":\"x\",\"s\":{\"x\":\"r\",\"n\":{\"deep\":[1,2.50]}},\"b\":null}\n"
                        + "{\"l\":[1,\"two\",3],\"a\":4}\n"
                        + "{\"a\":5,\"b\":1,\"b\":2,\"a\":\"\",\"a\":6}\n"
                        + "{\"a\":7}\n");
        assertThat(rows.subList(2, 6))
                .containsExactly(
                        Map.of(
                                "s",
                                Map.of("x", "r"),
                                "_rest",
                                nullable("a", "x", "s.n", Rows.json("{\"deep\":[1,2.50]}"), "b", null)),
                        Map.of("a", 4L, "_rest", Map.of("l", List.of(1, "two", 3))),
                        Map.of("a", 6L, "_rest", Map.of("b", 2)),
                        Map.of("a", 7L));
    }

    @Test
    void collectedKeysAreWrittenAsJsonWantsThem() {
        List<Map<String, Object>> rows = Rows.read(
                FIRST_ONLY.unexpected(Unexpected.COLLECT),
                HEAD + "{\"a\":3,\"q\\\"u\\\\o\":1,\"line\\n\\u0001\":2,\"é😀\":3}\n");
        assertThat(rows.get(2)).isEqualTo(Map.of("a", 3L, "_rest", Map.of("q\"u\\o", 1, "line\n\u0001", 2, "é😀", 3)));
    }

    @Test
    void whatAColumnMustHaveIsNotCollected() {
        Schema schema =
                new Schema(List.of(new Field("a", FieldType.notNullable(Batches.integer(64, true)), List.of())));
        ArrowSpec spec = ArrowSpec.create().schema(schema).unexpected(Unexpected.COLLECT);
        assertThat(Rows.read(spec, "{\"a\":1,\"b\":2}\n")).containsExactly(Map.of("a", 1L, "_rest", Map.of("b", 2)));
        assertThatThrownBy(() -> Rows.read(spec, "{\"a\":\"x\"}\n"))
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("'a'");
    }

    @Test
    void widenMakesStringsOfWhatIsNoDateAfterAll() {
        Schema schema = new Schema(List.of(Batches.field("day", new ArrowType.Date(DateUnit.DAY))));
        ArrowSpec spec = ArrowSpec.create().schema(schema).unexpected(Unexpected.WIDEN);
        assertThat(Rows.read(spec, "{\"day\":\"2026-01-31\"}\n{\"day\":\"soon\"}\n{}\n"))
                .containsExactly(Map.of("day", "2026-01-31"), Map.of("day", "soon"), Map.of());
    }

    /** Where the type that is inferred is the one that there was, the column becomes JSON text, wherever it is; no other one does. */
    @Test
    void widenMakesTextOfWhatNoWiderTypeTakes() {
        Field number = Batches.field("x", new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE));
        Field key = new Field("key", FieldType.notNullable(Batches.integer(64, true)), List.of());
        Field entries = new Field(
                "entries",
                FieldType.notNullable(new ArrowType.Struct()),
                List.of(key, Batches.field("value", Batches.integer(64, true))));
        Schema schema = new Schema(List.of(
                number,
                Batches.field("s", new ArrowType.Struct(), number, Batches.field("y", Batches.integer(64, true))),
                Batches.field("l", new ArrowType.List(), number),
                Batches.field("lists", new ArrowType.List(), Batches.field("item", new ArrowType.List(), number)),
                Batches.field("keys", new ArrowType.Map(false), entries),
                Batches.field("values", new ArrowType.Map(false), entries)));
        String alone = " ".repeat(1100); // so that each record is a block: what is inferred from it is what it has
        String fits =
                "{\"x\":1.5,\"s\":{\"x\":1.5,\"y\":7},\"l\":[1.5],\"lists\":[[1.5]],\"keys\":{\"1\":2},\"values\":{\"1\":2}"
                        + alone + "}\n";
        Map<String, String> misfits = Map.of(
                "x", "9007199254740993",
                "s", "{\"x\":9007199254740993,\"y\":8}",
                "l", "[9007199254740993]",
                "lists", "[[9007199254740993]]",
                "keys", "{\"one\":2}",
                "values", "{\"1\":\"two\"}");
        Map<String, List<String>> becomeText = Map.of(
                "x", List.of("x"),
                "s", List.of("s", "x"),
                "l", List.of("l", "x"),
                "lists", List.of("lists", "item", "x"),
                "keys", List.of("keys"),
                "values", List.of("values"));

        misfits.forEach((column, misfit) -> {
            List<Schema> schemas = new ArrayList<>();
            List<Map<String, Object>> rows = new ArrayList<>();
            try (BufferAllocator allocator = new RootAllocator()) {
                byte[] text = (fits + "{\"" + column + "\":" + misfit + alone + "}\n" + fits)
                        .getBytes(StandardCharsets.UTF_8);
                ArrowSpec spec = ArrowSpec.create()
                        .schema(schema)
                        .unexpected(Unexpected.WIDEN)
                        .batchRows(1);
                Dataset.at(new ChunkedStore(1000, null).with("a.jsonl", text), "a.jsonl", Arrow.jsonl(allocator, spec))
                        .read(ReadSpec.create().blockBytes(1024))
                        .doOnNext(batch -> {
                            try (batch) {
                                schemas.add(batch.schema());
                                rows.addAll(Rows.of(batch));
                            }
                        })
                        .blockLast();
            }

            assertThat(rows).hasSize(3);
            Field became = at(schemas.get(2).getFields(), becomeText.get(column));
            assertThat(JsonType.isJson(became)).as("%s: %s", column, became).isTrue();
            Object expected = Rows.json(misfit);
            assertThat(String.valueOf(rows.get(1).get(column))).isEqualTo(String.valueOf(expected));
            for (Field field : schemas.get(2).getFields()) {
                if (!field.getName().equals(column)) {
                    assertThat(field.toString())
                            .isEqualTo(schema.findField(field.getName()).toString());
                    assertThat(rows.get(2))
                            .containsEntry(field.getName(), rows.get(0).get(field.getName()));
                }
            }
            if (column.equals("s")) {
                assertThat(schemas.get(2).findField("s").getChildren().get(1).toString())
                        .isEqualTo("y: Int(64, true)");
            }
        });
    }

    private static Field at(List<Field> fields, List<String> path) {
        Field found = fields.stream()
                .filter(field -> field.getName().equals(path.get(0)))
                .findFirst()
                .orElseThrow();
        return path.size() == 1 ? found : at(found.getChildren(), path.subList(1, path.size()));
    }

    private static Map<String, Object> nullable(Object... pairs) {
        Map<String, Object> map = new HashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            map.put((String) pairs[i], pairs[i + 1]);
        }
        return map;
    }

    @Test
    void ignoreCountsKeysAndStillRefusesValues() {
        Map<String, Long> counts = new HashMap<>();
        List<Rejected> refused = new ArrayList<>();
        ArrowSpec spec = FIRST_ONLY.unexpected(Unexpected.IGNORE).onIgnored(counts::putAll);
        String text = HEAD + "{\"new\":1,\"a\":3,\"s\":{\"y\":{}}}\n{\"new\":[],\"a\":4}\n{\"a\":\"5\"}\n".repeat(100);
        List<Map<String, Object>> rows = Rows.read(
                spec,
                text,
                ReadSpec.create().blockBytes(1024).parallelism(2).onError(ErrorPolicy.deadLetter(refused::add)));
        assertThat(rows).hasSize(202);
        assertThat(refused).hasSize(100);
        assertThat(counts).isEqualTo(Map.of("new", 200L, "s.y", 100L));
    }

    /** Columns are the stream's, not those of a batch's first row. */
    @Test
    void everyBatchHasTheSameColumnsWhateverItsRowsHave() {
        String text = "{\"a\":1}\n{\"b\":\"x\"}\n{}\n{\"c\":[true],\"a\":2}\n{\"b\":\"y\",\"a\":3}\n";
        List<List<String>> columns = new ArrayList<>();
        List<Map<String, Object>> rows = new ArrayList<>();
        try (BufferAllocator allocator = new RootAllocator()) {
            ChunkedStore store = new ChunkedStore(7, null).with("a.jsonl", text.getBytes(StandardCharsets.UTF_8));
            Dataset.at(
                            store,
                            "a.jsonl",
                            Arrow.jsonl(allocator, ArrowSpec.create().batchRows(1)))
                    .read()
                    .doOnNext(batch -> {
                        try (batch) {
                            columns.add(batch.schema().getFields().stream()
                                    .map(Field::toString)
                                    .toList());
                            rows.addAll(Rows.of(batch));
                        }
                    })
                    .blockLast();
        }
        assertThat(columns).hasSize(5).containsOnly(List.of("a: Int(64, true)", "b: Utf8", "c: List<item: Bool>"));
        assertThat(rows)
                .containsExactly(
                        Map.of("a", 1L),
                        Map.of("b", "x"),
                        Map.of(),
                        Map.of("c", List.of(true), "a", 2L),
                        Map.of("b", "y", "a", 3L));
    }

    /** Data with keys without end must not fill the memory: the names beyond so many are not kept, but none goes uncounted. */
    @Test
    void ignoreCountsAllButNamesOnlySoMany() {
        Map<String, Long> counts = new HashMap<>();
        StringBuilder text = new StringBuilder("{");
        int objects = 2 + JsonlEmitter.MAX_IGNORED / 1000;
        for (int o = 0; o < objects; o++) {
            text.append("\"o").append(o).append("\":{},");
        }
        text.setCharAt(text.length() - 1, '}');
        text.append('\n');
        for (int k = 0; k < 1100; k++) {
            for (int o = 0; o < objects; o++) {
                text.append("{\"o").append(o).append("\":{\"k").append(k).append("\":1,\"k0\":2}}\n");
            }
        }
        ArrowSpec spec = ArrowSpec.create()
                .sampleRecords(1)
                .unexpected(Unexpected.IGNORE)
                .onIgnored(counts::putAll);
        Rows.read(spec, text.toString(), ReadSpec.create().blockBytes(64 << 10).parallelism(1));

        assertThat(counts.values().stream().mapToLong(count -> count).sum()).isEqualTo(2200L * objects);
        assertThat(counts).hasSizeBetween(JsonlEmitter.MAX_IGNORED, JsonlEmitter.MAX_IGNORED + 1);
        assertThat(counts).containsEntry("o0.k0", 1101L).containsKey(ArrowSpec.OTHER_KEYS);

        counts.clear();
        StringBuilder one = new StringBuilder("{\"o\":{}}\n");
        for (int k = 0; k < 1100; k++) {
            one.append("{\"o\":{\"k").append(k).append("\":1}}\n");
        }
        Rows.read(spec, one.toString());
        assertThat(counts)
                .hasSize(JsonNode.MAX_SKIPPED + 1)
                .containsEntry("o." + ArrowSpec.OTHER_KEYS, 1100L - JsonNode.MAX_SKIPPED);
    }

    /** Blocks that were decoded before the schema became wider, and would do under the one before. */
    @Test
    void whatWasDecodedAheadIsWidenedToo() {
        String fits = "{\"a\":1" + " ".repeat(1100) + "}\n";
        String text = HEAD + fits + "{\"a\":0.5" + " ".repeat(1100) + "}\n" + fits.repeat(6);
        List<Object> values = new ArrayList<>();
        try (BufferAllocator allocator = new RootAllocator()) {
            ChunkedStore store = new ChunkedStore(1 << 16, null).with("a.jsonl", text.getBytes(StandardCharsets.UTF_8));
            ArrowSpec spec =
                    FIRST_ONLY.sampleBytes(10).unexpected(Unexpected.WIDEN).batchRows(1);
            // on the thread that requests: after the first batch, it decodes as far ahead as it may
            ReadSpec ahead = ReadSpec.create()
                    .blockBytes(1024)
                    .parallelism(3)
                    .scheduler(reactor.core.scheduler.Schedulers.immediate());
            reactor.test.StepVerifier.create(
                            Dataset.at(store, "a.jsonl", Arrow.jsonl(allocator, spec))
                                    .read(ahead)
                                    .map(batch -> {
                                        try (batch) {
                                            return Rows.of(batch).get(0).get("a");
                                        }
                                    }),
                            1)
                    .consumeNextWith(values::add)
                    .thenRequest(Long.MAX_VALUE)
                    .thenConsumeWhile(more -> true, values::add)
                    .verifyComplete();
        }
        assertThat(values).containsExactly(1L, 2L, 1L, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0);
    }

    private record Widened(List<List<Field>> schemas, List<Map<String, Object>> rows) {}

    private static Widened widen(String text, int blockBytes, int parallelism, int batchRows) {
        List<List<Field>> schemas = new ArrayList<>();
        List<Map<String, Object>> rows = new ArrayList<>();
        try (BufferAllocator allocator = new RootAllocator()) {
            ChunkedStore store = new ChunkedStore(1 << 16, null).with("a.jsonl", text.getBytes(StandardCharsets.UTF_8));
            ArrowSpec spec =
                    FIRST_ONLY.unexpected(Unexpected.WIDEN).batchRows(batchRows).rowIndexColumn("row");
            Dataset.at(store, "a.jsonl", Arrow.jsonl(allocator, spec))
                    .read(ReadSpec.create()
                            .blockBytes(blockBytes)
                            .parallelism(parallelism)
                            .onError(ErrorPolicy.skip()))
                    .doOnNext(batch -> {
                        try (batch) {
                            if (schemas.isEmpty()
                                    || !schemas.get(schemas.size() - 1)
                                            .equals(batch.schema().getFields())) {
                                schemas.add(batch.schema().getFields());
                            }
                            rows.addAll(Rows.of(batch));
                        }
                    })
                    .blockLast();
            assertThat(allocator.getAllocatedMemory()).isZero();
        }
        return new Widened(schemas, rows);
    }

    @Test
    void widenGivesEveryRowUnderASchemaThatOnlyGrows() {
        StringBuilder text = new StringBuilder(HEAD);
        List<Object> expectedA = new ArrayList<>(List.of(1L, 2L));
        for (int i = 3; i < 2000; i++) {
            if (i % 97 == 0) {
                text.append("{\"a\":\n"); // refused under any schema
                continue;
            }
            Object a = i < 500 ? (Object) (long) i : i < 1000 ? (Object) (i + 0.5) : i < 1500 ? "t" + i : List.of(i);
            text.append("{\"a\":").append(a instanceof String ? "\"" + a + "\"" : a);
            if (i > 700) {
                text.append(",\"late\":").append(i > 1200 ? "9007199254740993" : i > 900 ? "0.5" : "1");
            }
            text.append("}\n");
            expectedA.add(a);
        }
        Widened first = widen(text.toString(), 1024, 1, 50);
        for (int parallelism : new int[] {1, 3}) {
            Widened again = widen(text.toString(), 1024, parallelism, 50);
            assertThat(again.rows).isEqualTo(first.rows);
            assertThat(again.schemas).isEqualTo(first.schemas);
        }
        assertThat(first.schemas.size()).isGreaterThan(3);
        assertThat(first.rows).hasSize(expectedA.size());
        for (int i = 0; i < expectedA.size(); i++) {
            Map<String, Object> row = first.rows.get(i);
            assertThat(row.get("row")).isEqualTo((long) i);
            assertThat(String.valueOf(row.get("a")).replaceAll("\\.0$", ""))
                    .isEqualTo(String.valueOf(expectedA.get(i)));
        }
        assertThat(String.valueOf(first.rows.get(first.rows.size() - 1).get("late")))
                .isEqualTo("9007199254740993");
    }
}
