package io.sluice.arrow;

import static io.sluice.arrow.RowFilter.and;
import static io.sluice.arrow.RowFilter.atLeast;
import static io.sluice.arrow.RowFilter.equal;
import static io.sluice.arrow.RowFilter.greater;
import static io.sluice.arrow.RowFilter.in;
import static io.sluice.arrow.RowFilter.isNull;
import static io.sluice.arrow.RowFilter.less;
import static io.sluice.arrow.RowFilter.not;
import static io.sluice.arrow.RowFilter.notEqual;
import static io.sluice.arrow.RowFilter.or;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.Dataset;
import io.sluice.Positioned;
import io.sluice.ReadSpec;
import io.sluice.RecordException;
import io.sluice.testing.ChunkedStore;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.Test;

/** Batches over shards, added columns, projection, filters, limits, resuming. */
class ArrowOptionsTest {

    private static byte[] lines(int from, int to) {
        StringBuilder text = new StringBuilder();
        for (int i = from; i < to; i++) {
            text.append("{\"n\":")
                    .append(i)
                    .append(",\"s\":\"v")
                    .append(i % 10)
                    .append("\",\"o\":{\"d\":")
                    .append(i / 4.0)
                    .append(",\"u\":[")
                    .append(i)
                    .append("]},\"x\":")
                    .append(i % 3 == 0 ? "null" : "true")
                    .append("}\n");
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static ChunkedStore shards() {
        return new ChunkedStore(700, null)
                .with("d/part-00000.jsonl", lines(0, 130))
                .with("d/part-00001.jsonl", lines(130, 131))
                .with("d/part-00002.jsonl", new byte[0])
                .with("d/part-00003.jsonl", lines(131, 400));
    }

    private static <T> List<T> read(
            ArrowSpec spec, ReadSpec readSpec, java.util.function.Function<RecordBatch, T> each) {
        List<T> all = new ArrayList<>();
        try (BufferAllocator allocator = new RootAllocator()) {
            Dataset.at(shards(), "d/", Arrow.jsonl(allocator, spec))
                    .read(readSpec)
                    .doOnNext(batch -> {
                        try (batch) {
                            all.add(each.apply(batch));
                        }
                    })
                    .blockLast();
            assertThat(allocator.getAllocatedMemory()).isZero();
        }
        return all;
    }

    private static List<Map<String, Object>> rows(ArrowSpec spec, ReadSpec readSpec) {
        List<Map<String, Object>> rows = new ArrayList<>();
        read(spec, readSpec, Rows::of).forEach(rows::addAll);
        return rows;
    }

    @Test
    void batchesHaveExactlyTheirRowsOverBlocksAndShards() {
        for (int batchRows : new int[] {1, 7, 64, 399, 400, 1000}) {
            for (int blockBytes : new int[] {1024, 1 << 18}) {
                List<Integer> sizes = read(
                        ArrowSpec.create().batchRows(batchRows),
                        ReadSpec.create().blockBytes(blockBytes).parallelism(2),
                        RecordBatch::rowCount);
                assertThat(sizes.stream().mapToInt(i -> i).sum()).isEqualTo(400);
                assertThat(sizes.subList(0, sizes.size() - 1)).allMatch(size -> size == batchRows);
            }
        }
    }

    @Test
    void addedColumnsNameTheFileAndCountTheRows() {
        List<Map<String, Object>> rows = rows(
                ArrowSpec.create().batchRows(50).pathColumn("file").rowIndexColumn("row", 1000),
                ReadSpec.create().blockBytes(1024).parallelism(3));
        for (int i = 0; i < 400; i++) {
            assertThat(rows.get(i)).containsEntry("n", (long) i).containsEntry("row", 1000L + i);
            assertThat(rows.get(i).get("file"))
                    .asString()
                    .endsWith(i < 130 ? "part-00000.jsonl" : i == 130 ? "part-00001.jsonl" : "part-00003.jsonl");
        }
    }

    @Test
    void addedColumnsCountTowardsTheBytesOfABatch() {
        int keyBytes = "d/part-00000.jsonl".length();
        List<Integer> sizes = read(
                ArrowSpec.create()
                        .columns("x") // a byte a row
                        .pathColumn("file")
                        .rowIndexColumn("row")
                        .batchBytes(100L * (1 + keyBytes + 4 + 8)),
                ReadSpec.create(),
                RecordBatch::rowCount);
        assertThat(sizes.subList(0, 3)).containsExactly(100, 100, 100);
    }

    @Test
    void rowsWithoutColumnsMakeBatches() {
        List<Integer> sizes = new ArrayList<>();
        try (BufferAllocator allocator = new RootAllocator()) {
            byte[] text = "{}\n{ }\n\n{}\n{}\n{}".getBytes(StandardCharsets.UTF_8);
            Dataset.at(
                            new ChunkedStore(7, null).with("a.jsonl", text),
                            "a.jsonl",
                            Arrow.jsonl(allocator, ArrowSpec.create().batchRows(2)))
                    .read()
                    .doOnNext(batch -> {
                        try (batch) {
                            assertThat(batch.schema().getFields()).isEmpty();
                            sizes.add(batch.rowCount());
                        }
                    })
                    .blockLast();
        }
        assertThat(sizes).containsExactly(2, 2, 1);
    }

    @Test
    void projectionReadsOnlyWhatIsNamedAndPassesOverTheRest() {
        List<Map<String, Object>> rows = rows(ArrowSpec.create().columns("o.d", "s"), ReadSpec.create());
        assertThat(rows.get(7)).isEqualTo(Map.of("s", "v7", "o", Map.of("d", 1.75)));
        // what is passed over is checked nevertheless
        assertThatThrownBy(() -> Rows.read(ArrowSpec.create().columns("a"), "{\"a\":0}\n{\"a\":1,\"b\":\"x\\q\"}"))
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("line 2");
        assertThat(Rows.read(ArrowSpec.create().columns("a").sampleRecords(1), "{\"a\":1}\n{\"later\":{},\"a\":2}"))
                .containsExactly(Map.of("a", 1L), Map.of("a", 2L));
        assertThatThrownBy(() -> Rows.read(ArrowSpec.create().columns("nope"), "{\"a\":1}"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("nope");
        assertThat(Rows.read(ArrowSpec.create().columns("l.a"), "{\"l\":[{\"a\":1,\"b\":2},{\"b\":3}],\"m\":1}"))
                .containsExactly(Map.of("l", List.of(Map.of("a", 1L), Map.of())));
    }

    @Test
    void filtersKeepTheRowsForWhichTheyHold() {
        assertNumbers(greater("n", 395), IntStream.range(396, 400));
        assertNumbers(and(atLeast("o.d", 10), less("o.d", 11.25)), IntStream.range(40, 45));
        assertNumbers(in("s", "v3", "v4"), IntStream.range(0, 400).filter(i -> i % 10 == 3 || i % 10 == 4));
        assertNumbers(isNull("x"), IntStream.range(0, 400).filter(i -> i % 3 == 0));
        // neither true nor false for nulls
        assertNumbers(notEqual("x", false), IntStream.range(0, 400).filter(i -> i % 3 != 0));
        assertNumbers(not(equal("x", false)), IntStream.range(0, 400).filter(i -> i % 3 != 0));
        assertNumbers(
                or(equal("x", true), equal("n", 0)), IntStream.range(0, 400).filter(i -> i % 3 != 0 || i == 0));
        assertNumbers(equal("n", -1), IntStream.empty());
        assertThatThrownBy(() -> rows(ArrowSpec.create().filter(equal("n", "text")), ReadSpec.create()))
                .hasMessageContaining("can't be compared");
        assertThatThrownBy(() -> rows(ArrowSpec.create().filter(equal("m", 1)), ReadSpec.create()))
                .hasMessageContaining("'m'");
    }

    @Test
    void filtersAreDecidedBeforeTheOtherColumnsAreBuilt() {
        org.apache.arrow.vector.types.pojo.Schema schema = new org.apache.arrow.vector.types.pojo.Schema(
                List.of(Batches.field("a", Batches.integer(64, true)), Batches.field("b", Batches.integer(64, true))));
        ArrowSpec spec = ArrowSpec.create().schema(schema).filter(greater("a", 1));
        // a column that would refuse the record is not looked at where the filter leaves it out
        assertThat(Rows.read(spec, "{\"a\":1,\"b\":\"no number\"}\n{\"b\":7,\"a\":2}\n"))
                .containsExactly(Map.of("a", 2L, "b", 7L));
        assertThatThrownBy(() -> Rows.read(spec, "{\"a\":2,\"b\":\"no number\"}\n"))
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("'b'");
        // but what is no JSON is refused all the same
        assertThatThrownBy(() -> Rows.read(spec, "{\"a\":1,\"b\":x}\n")).isInstanceOf(RecordException.class);
    }

    private static void assertNumbers(RowFilter filter, IntStream expected) {
        long[] numbers = expected.asLongStream().toArray();
        for (ArrowSpec spec : List.of(ArrowSpec.create(), ArrowSpec.create().columns("n"))) {
            List<Map<String, Object>> rows = rows(
                    spec.filter(filter).batchRows(10).rowIndexColumn("row"),
                    ReadSpec.create().blockBytes(1024).parallelism(2));
            assertThat(rows.stream().mapToLong(row -> (Long) row.get("n"))).containsExactly(box(numbers));
            assertThat(rows).allMatch(row -> row.get("n").equals(row.get("row")));
        }
    }

    private static Long[] box(long[] values) {
        return java.util.Arrays.stream(values).boxed().toArray(Long[]::new);
    }

    @Test
    void theLimitEndsTheReadWithinItsShard() {
        assertThat(rows(ArrowSpec.create().batchRows(64), ReadSpec.create().limit(100)))
                .hasSize(100);
        ChunkedStore store = new ChunkedStore(700, null);
        for (int i = 0; i < 100; i++) {
            store.with("d/part-%05d.jsonl".formatted(i), lines(0, 130));
        }
        try (BufferAllocator allocator = new RootAllocator()) {
            Dataset.at(store, "d/", Arrow.jsonl(allocator, ArrowSpec.create().sampleBytes(1000)))
                    .read(ReadSpec.create().limit(5).prefetchBytes(4096))
                    .doOnNext(RecordBatch::close)
                    .blockLast();
        }
        assertThat(store.opened.get()).isLessThan(50);
    }

    @Test
    void readingGoesOnExactlyBehindAnyBatch() {
        List<Positioned<List<Map<String, Object>>>> all = new ArrayList<>();
        ArrowSpec spec = ArrowSpec.create().batchRows(37).filter(notEqual("s", "v5"));
        try (BufferAllocator allocator = new RootAllocator()) {
            Dataset<RecordBatch> dataset = Dataset.at(shards(), "d/", Arrow.jsonl(allocator, spec));
            List<Map<String, Object>> rows = new ArrayList<>();
            List<Integer> ends = new ArrayList<>();
            List<io.sluice.Position> positions = new ArrayList<>();
            dataset.readPositioned(ReadSpec.create().blockBytes(1024))
                    .doOnNext(positioned -> {
                        try (RecordBatch batch = positioned.value()) {
                            rows.addAll(Rows.of(batch));
                            ends.add(rows.size());
                            positions.add(positioned.position());
                        }
                    })
                    .blockLast();
            for (int i = 0; i < positions.size(); i++) {
                List<Map<String, Object>> rest = new ArrayList<>();
                dataset.read(ReadSpec.create().blockBytes(1024).from(positions.get(i)))
                        .doOnNext(batch -> {
                            try (batch) {
                                rest.addAll(Rows.of(batch));
                            }
                        })
                        .blockLast();
                assertThat(rest).as("after batch %d", i).isEqualTo(rows.subList(ends.get(i), rows.size()));
            }
        }
    }
}
