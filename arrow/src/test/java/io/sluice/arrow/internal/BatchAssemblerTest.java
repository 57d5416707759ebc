package io.sluice.arrow.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.SluiceException;
import io.sluice.arrow.RecordBatch;
import io.sluice.codec.BlockOrigin;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryEncoder;
import org.apache.arrow.vector.types.DateUnit;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.UnionMode;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.arrow.vector.util.TransferPair;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BatchAssemblerTest {

    private static final List<ArrowType> LEAVES = List.of(
            new ArrowType.Bool(),
            new ArrowType.Int(8, true),
            new ArrowType.Int(16, true),
            new ArrowType.Int(32, true),
            new ArrowType.Int(64, true),
            new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE),
            new ArrowType.FixedSizeBinary(3),
            new ArrowType.Utf8(),
            new ArrowType.LargeUtf8(),
            new ArrowType.Utf8View(),
            new ArrowType.Binary(),
            new ArrowType.Null());

    private static Field field(String name, ArrowType type, Field... children) {
        return new Field(name, FieldType.nullable(type), List.of(children));
    }

    /** Of a fixed-size list, which alone of all lists can't hold unions. */
    private static Field randomFixedItem(Random random, int depth) {
        Field item;
        do {
            item = randomField(random, "item", depth);
        } while (item.getType() instanceof ArrowType.Union);
        return item;
    }

    private static Field randomField(Random random, String name, int depth) {
        int pick = random.nextInt(depth == 0 ? LEAVES.size() : LEAVES.size() + 8);
        if (pick < LEAVES.size()) {
            return field(name, LEAVES.get(pick));
        }
        switch (pick - LEAVES.size()) {
            case 0, 1:
                return field(name, new ArrowType.List(), randomField(random, "item", depth - 1));
            case 2:
                return field(name, new ArrowType.LargeList(), randomField(random, "item", depth - 1));
            case 3:
                return field(
                        name, new ArrowType.FixedSizeList(1 + random.nextInt(3)), randomFixedItem(random, depth - 1));
            case 4:
                Field key = new Field("key", FieldType.notNullable(new ArrowType.Utf8()), List.of());
                Field entries = new Field(
                        "entries",
                        FieldType.notNullable(new ArrowType.Struct()),
                        List.of(key, randomField(random, "value", depth - 1)));
                return field(name, new ArrowType.Map(false), entries);
            case 5:
                return field(
                        name,
                        new ArrowType.Union(UnionMode.Dense, new int[] {0, 1}),
                        field("a", new ArrowType.Int(64, true)),
                        field("b", new ArrowType.Utf8()));
            default:
                int n = 1 + random.nextInt(3);
                Field[] children = new Field[n];
                for (int i = 0; i < n; i++) {
                    children[i] = randomField(random, "f" + i, depth - 1);
                }
                return field(name, new ArrowType.Struct(), children);
        }
    }

    /** Appends a random value and returns it as the vector's {@code getObject} shows it, in plain collections. */
    private static Object append(Random random, Column column, boolean nullable) {
        ColumnPlan plan = column.plan;
        if (plan.layout == ColumnPlan.UNION) {
            int child = random.nextInt(2);
            Object value = append(random, column.children[child], true);
            column.endUnion(child);
            return value;
        }
        if (plan.layout == ColumnPlan.NULL || nullable && random.nextInt(5) == 0) {
            column.appendNull();
            return null;
        }
        switch (plan.layout) {
            case ColumnPlan.BOOL: {
                boolean value = random.nextBoolean();
                column.appendByte(value ? 1 : 0);
                return value;
            }
            case ColumnPlan.FIXED: {
                if (plan.field.getType() instanceof ArrowType.FixedSizeBinary) {
                    byte[] value = new byte[3];
                    random.nextBytes(value);
                    column.appendFixed(value, 0);
                    return new String(value, StandardCharsets.ISO_8859_1);
                }
                long value = random.nextLong();
                switch (plan.width) {
                    case 1:
                        column.appendByte((int) value);
                        return (byte) value;
                    case 2:
                        column.appendShort((int) value);
                        return (short) value;
                    case 4:
                        column.appendInt((int) value);
                        return (int) value;
                    default:
                        if (plan.field.getType() instanceof ArrowType.FloatingPoint) {
                            column.appendDouble(value);
                            return (double) value;
                        }
                        column.appendLong(value);
                        return value;
                }
            }
            case ColumnPlan.VAR, ColumnPlan.LARGE_VAR, ColumnPlan.VIEW, ColumnPlan.DICTIONARY: {
                String value = "x".repeat(random.nextInt(20)) + random.nextInt(30);
                byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
                column.appendBytes(bytes, 0, bytes.length);
                return value;
            }
            case ColumnPlan.LIST, ColumnPlan.LARGE_LIST: {
                List<Object> list = new ArrayList<>();
                boolean map = plan.field.getType() instanceof ArrowType.Map;
                for (int i = random.nextInt(4); i > 0; i--) {
                    list.add(append(random, column.children[0], !map));
                }
                column.endList();
                return list;
            }
            case ColumnPlan.FIXED_LIST: {
                List<Object> list = new ArrayList<>();
                column.children[0].fill(column.rows * plan.width);
                for (int i = 0; i < plan.width; i++) {
                    list.add(append(random, column.children[0], true));
                }
                column.endRow();
                return list;
            }
            default: {
                Map<String, Object> map = new LinkedHashMap<>();
                for (Column child : column.children) {
                    boolean key = child.plan.field.getName().equals("key");
                    if (!key && random.nextInt(4) == 0) {
                        continue; // a missing field
                    }
                    child.fill(column.rows);
                    Object value = append(random, child, !key);
                    if (value != null) {
                        map.put(child.plan.field.getName(), value);
                    }
                }
                column.endRow();
                return map;
            }
        }
    }

    private static Object plain(Object value) {
        if (value instanceof List<?> list) {
            List<Object> copy = new ArrayList<>();
            list.forEach(v -> copy.add(plain(v)));
            return copy;
        }
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> copy = new LinkedHashMap<>();
            map.forEach((k, v) -> {
                if (v != null) {
                    copy.put(k.toString(), plain(v));
                }
            });
            return copy;
        }
        if (value instanceof byte[] bytes) {
            return new String(bytes, StandardCharsets.ISO_8859_1);
        }
        return value == null || value instanceof Number || value instanceof Boolean ? value : value.toString();
    }

    private static BatchAssembler.Options options(int batchRows, long batchBytes) {
        return new BatchAssembler.Options(batchRows, batchBytes, null, null, 0);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void randomNestedColumnsComeOutAsTheyWentIn(int seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 25; round++) {
            List<Field> fields = new ArrayList<>();
            for (int i = random.nextInt(6); i >= 0; i--) {
                fields.add(randomField(random, "c" + i, 3));
            }
            Schema schema = new Schema(fields);
            int batchRows = 1 + random.nextInt(random.nextBoolean() ? 10 : 300);
            ChunkPool pool = new ChunkPool(ColumnPlan.of(schema.getFields()));
            List<List<Object>> expected = new ArrayList<>();
            List<List<Object>> actual = new ArrayList<>();
            List<Integer> sizes = new ArrayList<>();
            try (BufferAllocator allocator = new RootAllocator();
                    BatchAssembler<RecordBatch> assembler =
                            new BatchAssembler<>(schema, options(batchRows, 1 << 20), allocator, RecordBatch::of)) {
                boolean[] missing = new boolean[schema.getFields().size()];
                for (int block = 0; block < 12; block++) {
                    ColumnChunk chunk = pool.take();
                    if (block % 4 == 0) { // columns that nobody has for whole batches
                        for (int c = 0; c < missing.length; c++) {
                            missing[c] = random.nextInt(4) == 0;
                        }
                    }
                    int rows = random.nextInt(random.nextInt(5) == 0 ? 400 : 40);
                    for (int i = 0; i < rows; i++) {
                        if (random.nextInt(4) == 0) { // a record that breaks half-way
                            int some = random.nextInt(chunk.columns.length + 1);
                            for (int c = 0; c < some; c++) {
                                chunk.columns[c].fill(chunk.rows);
                                append(random, chunk.columns[c], true);
                            }
                            chunk.rollback();
                        }
                        List<Object> row = new ArrayList<>();
                        for (Column column : chunk.columns) {
                            boolean absent = missing[row.size()] || random.nextInt(6) == 0;
                            if (absent && column.layout != ColumnPlan.UNION) {
                                row.add(null); // missing
                                continue;
                            }
                            column.fill(chunk.rows);
                            row.add(append(random, column, true));
                        }
                        chunk.endRow();
                        expected.add(row);
                    }
                    chunk.finish(rows);
                    int at = 0;
                    while (at < rows) {
                        int to = random.nextBoolean() ? rows : at + 1 + random.nextInt(rows - at);
                        assembler.accept(new BlockOrigin("k", 0, 0, at), chunk, at, to);
                        drain(assembler, actual, sizes);
                        at = to;
                    }
                }
                assembler.end();
                drain(assembler, actual, sizes);
                assertThat(allocator.getAllocatedMemory()).isZero();
            }
            assertThat(actual).as("seed %s round %s %s", seed, round, schema).isEqualTo(expected);
            for (int i = 0; i < sizes.size() - 1; i++) {
                assertThat(sizes.get(i)).isEqualTo(batchRows);
            }
        }
    }

    /** A thousand columns of which a batch has two must not take the memory of a thousand. */
    @Test
    void columnsThatAreNullThroughoutShareTheirZeros() {
        List<Field> fields = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            fields.add(field("n" + i, new ArrowType.Int(64, true)));
            fields.add(field("s" + i, new ArrowType.Utf8()));
            fields.add(field("l" + i, new ArrowType.List(), field("item", new ArrowType.Utf8())));
            fields.add(field("o" + i, new ArrowType.Struct(), field("deep", new ArrowType.Int(64, true))));
        }
        Schema schema = new Schema(fields);
        int rows = 5000;
        try (BufferAllocator allocator = new RootAllocator();
                BufferAllocator other = allocator.newChildAllocator("other", 0, Long.MAX_VALUE);
                BatchAssembler<RecordBatch> assembler =
                        new BatchAssembler<>(schema, options(rows, 1 << 30), allocator, RecordBatch::of)) {
            ColumnChunk chunk = new ChunkPool(ColumnPlan.of(schema.getFields())).take();
            for (int i = 0; i < rows; i++) {
                chunk.columns[0].appendLong(i);
                chunk.endRow();
            }
            chunk.finish(rows);
            assembler.accept(new BlockOrigin("k", 0, 0, 0), chunk, 0, rows);
            RecordBatch batch = assembler.poll();
            assertThat(allocator.getAllocatedMemory()).isLessThan(rows * 8L * 20);
            List<FieldVector> moved = new ArrayList<>();
            for (FieldVector vector : batch.root().getFieldVectors()) {
                assertThat(vector.getValueCount()).isEqualTo(rows);
                assertThat(vector.getNullCount()).isEqualTo(vector.getName().equals("n0") ? 0 : rows);
                assertThat(vector.getObject(rows - 1))
                        .isEqualTo(vector.getName().equals("n0") ? rows - 1L : null);
                TransferPair pair = vector.getTransferPair(other);
                pair.transfer();
                moved.add((FieldVector) pair.getTo());
            }
            batch.close();
            moved.forEach(vector -> {
                assertThat(vector.isNull(0)).isEqualTo(!vector.getName().equals("n0"));
                vector.close();
            });
            assertThat(allocator.getAllocatedMemory()).isZero();
        }
    }

    /** Arrow's own validation knows neither maps nor fixed-size lists nor views. */
    private static boolean validates(Field field) {
        return !(field.getType() instanceof ArrowType.Map)
                && !(field.getType() instanceof ArrowType.FixedSizeList)
                && !(field.getType() instanceof ArrowType.Utf8View)
                && field.getChildren().stream().allMatch(BatchAssemblerTest::validates);
    }

    private static void drain(BatchAssembler<RecordBatch> assembler, List<List<Object>> rows, List<Integer> sizes) {
        while (true) {
            boolean announced = assembler.hasNext();
            RecordBatch batch = assembler.poll();
            assertThat(batch != null).as("hasNext").isEqualTo(announced);
            if (batch == null) {
                return;
            }
            try (batch) {
                assertThat(assembler.polledRecords()).isEqualTo(batch.rowCount());
                sizes.add(batch.rowCount());
                for (int i = 0; i < batch.rowCount(); i++) {
                    List<Object> row = new ArrayList<>();
                    for (FieldVector vector : batch.root().getFieldVectors()) {
                        row.add(plain(vector.getObject(i)));
                    }
                    rows.add(row);
                }
                batch.root().getFieldVectors().stream()
                        .filter(v -> validates(v.getField()))
                        .forEach(v -> v.validateFull());
            }
        }
    }

    @Test
    void aBatchEndsBeforeTheRowThatWouldTakeItOverTheBytesBoundWhateverTheBlocks() {
        Schema schema = new Schema(List.of(field("s", new ArrowType.Utf8())));
        int[] lengths = new Random(5).ints(500, 0, 60).toArray();
        lengths[100] = 5000; // larger than the bound: a batch of its own
        List<List<Integer>> all = new ArrayList<>();
        for (int blockRows : new int[] {1, 7, 64, 500}) {
            List<Integer> sizes = new ArrayList<>();
            try (BufferAllocator allocator = new RootAllocator();
                    BatchAssembler<RecordBatch> assembler =
                            new BatchAssembler<>(schema, options(50, 1000), allocator, RecordBatch::of)) {
                ChunkPool pool = new ChunkPool(ColumnPlan.of(schema.getFields()));
                for (int at = 0; at < lengths.length; at += blockRows) {
                    ColumnChunk chunk = pool.take();
                    int rows = Math.min(blockRows, lengths.length - at);
                    for (int i = 0; i < rows; i++) {
                        chunk.columns[0].appendBytes(new byte[lengths[at + i]], 0, lengths[at + i]);
                        chunk.endRow();
                    }
                    assembler.accept(new BlockOrigin("k", 0, 0, 0), chunk.finish(rows), 0, rows);
                    drain(assembler, new ArrayList<>(), sizes);
                }
                assembler.end();
                drain(assembler, new ArrayList<>(), sizes);
            }
            all.add(sizes);
        }
        assertThat(all).allMatch(sizes -> sizes.equals(all.get(0)));
        int row = 0;
        for (int size : all.get(0)) {
            long bytes = 0;
            for (int i = 0; i < size; i++) {
                bytes += lengths[row + i] + 4;
            }
            assertThat(bytes <= 1000 || size == 1).isTrue();
            row += size;
            if (row < lengths.length) {
                assertThat(bytes + lengths[row] + 4 > 1000 || size == 50).isTrue();
            }
        }
        assertThat(row).isEqualTo(lengths.length);
    }

    @Test
    void addedColumnsNameTheFileAndCountRecordsThoseLeftOutIncluded() {
        Schema schema = new Schema(List.of(field("n", new ArrowType.Int(32, true))));
        BatchAssembler.Options options = new BatchAssembler.Options(3, 1 << 20, "file", "row", 1000);
        List<List<Object>> rows = new ArrayList<>();
        List<Integer> covered = new ArrayList<>();
        try (BufferAllocator allocator = new RootAllocator();
                BatchAssembler<RecordBatch> assembler =
                        new BatchAssembler<>(schema, options, allocator, RecordBatch::of)) {
            ChunkPool pool = new ChunkPool(ColumnPlan.of(schema.getFields()));
            for (String key : new String[] {"a.jsonl", "b.jsonl"}) {
                ColumnChunk chunk = pool.take();
                chunk.ordinals = new int[] {1, 4}; // of six records
                for (int i = 0; i < 2; i++) {
                    chunk.columns[0].appendInt(i);
                    chunk.endRow();
                }
                assembler.accept(new BlockOrigin(key, 0, 0, 0), chunk.finish(6), 0, 6);
                for (RecordBatch batch; (batch = assembler.poll()) != null; ) {
                    covered.add(assembler.polledRecords());
                    read(batch, rows);
                }
            }
            assembler.end();
            RecordBatch last = assembler.poll();
            covered.add(assembler.polledRecords());
            read(last, rows);
            assertThat(assembler.poll()).isNull();
        }
        assertThat(rows)
                .containsExactly(
                        List.of(0, "a.jsonl", 1001L),
                        List.of(1, "a.jsonl", 1004L),
                        List.of(0, "b.jsonl", 1007L),
                        List.of(1, "b.jsonl", 1010L));
        assertThat(covered).containsExactly(8, 4);
    }

    private static void read(RecordBatch batch, List<List<Object>> rows) {
        try (batch) {
            for (int i = 0; i < batch.rowCount(); i++) {
                List<Object> row = new ArrayList<>();
                for (FieldVector vector : batch.root().getFieldVectors()) {
                    row.add(plain(vector.getObject(i)));
                }
                rows.add(row);
            }
        }
    }

    @Test
    void dictionariesGrowFromBatchToBatchAndDecode() {
        DictionaryEncoding encoding = new DictionaryEncoding(7, false, new ArrowType.Int(16, true));
        Field field = new Field("d", new FieldType(true, new ArrowType.Utf8(), encoding), List.of());
        Schema schema = new Schema(List.of(field));
        String[] words = {"b", "a", null, "b", "c", "a", "", "c", "d"};
        List<String> decoded = new ArrayList<>();
        List<Integer> sizes = new ArrayList<>();
        try (BufferAllocator allocator = new RootAllocator()) {
            try (BatchAssembler<RecordBatch> assembler =
                    new BatchAssembler<>(schema, options(3, 1 << 20), allocator, RecordBatch::of)) {
                ChunkPool pool = new ChunkPool(ColumnPlan.of(schema.getFields()));
                for (int at = 0; at < words.length; at++) {
                    ColumnChunk chunk = pool.take();
                    if (words[at] != null) {
                        byte[] bytes = words[at].getBytes(StandardCharsets.UTF_8);
                        chunk.columns[0].appendBytes(bytes, 0, bytes.length);
                    }
                    chunk.endRow();
                    assembler.accept(new BlockOrigin("k", 0, 0, 0), chunk.finish(1), 0, 1);
                    RecordBatch batch = assembler.poll();
                    if (batch != null) {
                        try (batch) {
                            Dictionary dictionary = batch.dictionaries().lookup(7);
                            sizes.add(dictionary.getVector().getValueCount());
                            FieldVector codes = batch.root().getVector(0);
                            try (var values = DictionaryEncoder.decode(codes, dictionary, allocator)) {
                                for (int i = 0; i < values.getValueCount(); i++) {
                                    Object value = values.getObject(i);
                                    decoded.add(value == null ? null : value.toString());
                                }
                            }
                        }
                    }
                }
            }
            assertThat(allocator.getAllocatedMemory()).isZero();
        }
        assertThat(decoded).containsExactly(words);
        assertThat(sizes).containsExactly(2, 3, 5);
    }

    @Test
    void whatWasNotHandedOutIsGivenBackOnCloseAndAFullAllocatorIsAClearError() {
        Schema schema = new Schema(List.of(field("s", new ArrowType.Utf8()), field("n", new ArrowType.Int(32, true))));
        ChunkPool pool = new ChunkPool(ColumnPlan.of(schema.getFields()));
        try (RootAllocator root = new RootAllocator();
                BufferAllocator allocator = root.newChildAllocator("small", 0, 100_000)) {
            BatchAssembler<RecordBatch> assembler =
                    new BatchAssembler<>(schema, options(1_000_000, 1 << 28), allocator, RecordBatch::of);
            assertThatThrownBy(() -> {
                        for (int block = 0; block < 1000; block++) {
                            ColumnChunk chunk = pool.take();
                            for (int i = 0; i < 100; i++) {
                                chunk.columns[0].appendBytes(new byte[100], 0, 100);
                                chunk.columns[1].appendInt(i);
                                chunk.endRow();
                            }
                            assembler.accept(new BlockOrigin("k", 0, 0, 0), chunk.finish(100), 0, 100);
                            assertThat(assembler.poll()).isNull();
                        }
                    })
                    .isInstanceOf(SluiceException.class)
                    .hasMessageContaining("'small'")
                    .hasMessageContaining("batchRows");
            assembler.close();
            assembler.close();
            assertThat(allocator.getAllocatedMemory()).isZero();
        }
    }

    @Test
    void rowsWithoutColumnsAreCounted() {
        try (BufferAllocator allocator = new RootAllocator();
                BatchAssembler<RecordBatch> assembler =
                        new BatchAssembler<>(new Schema(List.of()), options(4, 100), allocator, RecordBatch::of)) {
            ChunkPool pool = new ChunkPool(List.of());
            ColumnChunk chunk = pool.take();
            for (int i = 0; i < 6; i++) {
                chunk.endRow();
            }
            assembler.accept(new BlockOrigin("k", 0, 0, 0), chunk.finish(6), 0, 6);
            List<Integer> sizes = new ArrayList<>();
            drain(assembler, new ArrayList<>(), sizes);
            assembler.end();
            drain(assembler, new ArrayList<>(), sizes);
            assertThat(sizes).containsExactly(4, 2);
        }
    }

    @Test
    void datesAndAbsentColumnsReadAsArrowReadsThem() {
        Schema schema = new Schema(
                List.of(field("d", new ArrowType.Date(DateUnit.DAY)), field("never", new ArrowType.Int(32, true))));
        try (BufferAllocator allocator = new RootAllocator();
                BatchAssembler<RecordBatch> assembler =
                        new BatchAssembler<>(schema, options(10, 1000), allocator, RecordBatch::of)) {
            ColumnChunk chunk = new ChunkPool(ColumnPlan.of(schema.getFields())).take();
            chunk.columns[0].appendInt(20_000);
            chunk.endRow();
            assembler.accept(new BlockOrigin("k", 0, 0, 0), chunk.finish(1), 0, 1);
            assembler.end();
            try (RecordBatch batch = assembler.poll()) {
                assertThat(((DateDayVector) batch.root().getVector("d")).get(0)).isEqualTo(20_000);
                assertThat(((IntVector) batch.root().getVector("never")).isNull(0))
                        .isTrue();
            }
        }
    }
}
