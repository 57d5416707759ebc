package io.sluice.arrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.Dataset;
import io.sluice.ErrorPolicy;
import io.sluice.Position;
import io.sluice.ReadSpec;
import io.sluice.RecordException;
import io.sluice.RollingPolicy;
import io.sluice.ShardReport;
import io.sluice.SluiceException;
import io.sluice.WriteResult;
import io.sluice.WriteSpec;
import io.sluice.format.Format;
import io.sluice.storage.InMemoryObjectStore;
import io.sluice.testing.ChunkedStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.arrow.compression.CommonsCompressionFactory;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.compression.CompressionUtil;
import org.apache.arrow.vector.ipc.ArrowFileReader;
import org.apache.arrow.vector.ipc.ArrowFileWriter;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.ipc.ArrowStreamReader;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.apache.arrow.vector.ipc.ArrowWriter;
import org.apache.arrow.vector.ipc.SeekableReadChannel;
import org.apache.arrow.vector.ipc.message.IpcOption;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.arrow.vector.util.ByteArrayReadableSeekableByteChannel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;

/** Arrow IPC files and streams: what is written, by Arrow's own readers; what is read, by its own writers. */
class IpcTest {

    private static final int RUNS = Integer.getInteger("sluice.ipc.runs", 600);

    private BufferAllocator allocator;

    @BeforeEach
    void open() {
        allocator = new RootAllocator();
    }

    @AfterEach
    void nothingIsLeft() {
        Batches.awaitEmpty(allocator);
        allocator.close();
    }

    private Format<RecordBatch> format(boolean file, IpcSpec spec) {
        return file ? Arrow.ipcFile(allocator, spec) : Arrow.ipcStream(allocator, spec);
    }

    private static List<Map<String, Object>> rows(Flux<RecordBatch> batches) {
        List<Map<String, Object>> rows = new ArrayList<>();
        batches.doOnNext(batch -> rows.addAll(Batches.rows(batch))).blockLast();
        return rows;
    }

    private Flux<RecordBatch> batches(int count, int rows) {
        return Flux.range(0, count).map(i -> Batches.random(allocator, i, rows));
    }

    private List<Map<String, Object>> expected(int count, int rows) {
        return rows(batches(count, rows));
    }

    private byte[] written(boolean file, IpcSpec spec, Flux<RecordBatch> batches) {
        InMemoryObjectStore store = InMemoryObjectStore.create();
        Dataset.at(store, "x", format(file, spec)).write(batches).block();
        return bytes(store.get("x"));
    }

    private static byte[] bytes(Flux<ByteBuffer> content) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        content.doOnNext(b -> {
                    byte[] part = new byte[b.remaining()];
                    b.get(part);
                    all.writeBytes(part);
                })
                .blockLast();
        return all.toByteArray();
    }

    private Flux<RecordBatch> read(byte[] bytes, int chunk, ReadSpec spec) {
        return Dataset.at(new ChunkedStore(chunk, null).with("x.arrow", bytes), "x.arrow", Arrow.ipcFile(allocator))
                .read(spec);
    }

    private List<Map<String, Object>> readByArrow(boolean file, byte[] bytes) throws Exception {
        List<Map<String, Object>> rows = new ArrayList<>();
        try (ArrowReader reader = file
                ? new ArrowFileReader(
                        new SeekableReadChannel(new ByteArrayReadableSeekableByteChannel(bytes)),
                        allocator,
                        CommonsCompressionFactory.INSTANCE)
                : new ArrowStreamReader(
                        new ByteArrayInputStream(bytes), allocator, CommonsCompressionFactory.INSTANCE)) {
            while (reader.loadNextBatch()) {
                // of() takes over, so nothing is closed here: the reader does
                RecordBatch batch = RecordBatch.of(
                        reader.getVectorSchemaRoot(),
                        reader.getDictionaryVectors().values());
                rows.addAll(plain(batch));
            }
        }
        return rows;
    }

    private static List<Map<String, Object>> plain(RecordBatch batch) {
        List<Map<String, Object>> rows = new ArrayList<>();
        for (Map<String, Object> row : Rows.of(batch)) {
            row.replaceAll((k, v) -> v instanceof byte[] b
                    ? IntStream.range(0, b.length).mapToObj(i -> b[i]).toList()
                    : v);
            rows.add(row);
        }
        return rows;
    }

    static Stream<Arguments> kinds() {
        return Stream.of(true, false)
                .flatMap(file -> Stream.of(
                                IpcCompression.none(),
                                IpcCompression.zstd(),
                                IpcCompression.zstd(9),
                                IpcCompression.lz4())
                        .map(compression -> Arguments.of(file, compression)));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void everyTypeIsReadByArrowAndComesBackAtEveryChunkSize(boolean file, IpcCompression compression) throws Exception {
        IpcSpec spec = IpcSpec.create().compression(compression);
        byte[] bytes = written(file, spec, batches(3, 50));
        List<Map<String, Object>> expected = expected(3, 50);
        assertThat(readByArrow(file, bytes)).isEqualTo(expected);
        for (int parallelism : new int[] {1, 3}) {
            ReadSpec reading = ReadSpec.create().blockBytes(1024).parallelism(parallelism);
            assertThat(rows(read(bytes, 1000, reading))).isEqualTo(expected);
            assertThat(rows(read(bytes, bytes.length, reading))).isEqualTo(expected);
        }
        byte[] few = written(file, spec, batches(2, 4));
        List<Map<String, Object>> expectedFew = expected(2, 4);
        for (int chunk : new int[] {1, 2, 3, 7}) {
            assertThat(rows(read(few, chunk, ReadSpec.create())))
                    .as("chunks of %d", chunk)
                    .isEqualTo(expectedFew);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatArrowWritesIsRead(boolean file) throws Exception {
        for (CompressionUtil.CodecType codec : List.of(
                CompressionUtil.CodecType.NO_COMPRESSION,
                CompressionUtil.CodecType.ZSTD,
                CompressionUtil.CodecType.LZ4_FRAME)) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            try (RecordBatch batch = Batches.random(allocator, 5, 77)) {
                try (ArrowWriter writer = writer(file, batch, out, codec)) {
                    writer.start();
                    writer.writeBatch();
                    writer.writeBatch();
                    writer.end();
                }
            }
            List<Map<String, Object>> once = Batches.rows(Batches.random(allocator, 5, 77));
            List<Map<String, Object>> twice = new ArrayList<>(once);
            twice.addAll(once);
            assertThat(rows(read(out.toByteArray(), 1000, ReadSpec.create()))).isEqualTo(twice);
        }
    }

    private static ArrowWriter writer(
            boolean file, RecordBatch batch, ByteArrayOutputStream out, CompressionUtil.CodecType codec) {
        VectorSchemaRoot root = batch.root();
        var channel = Channels.newChannel(out);
        if (codec == CompressionUtil.CodecType.NO_COMPRESSION) {
            return file
                    ? new ArrowFileWriter(root, batch.dictionaries(), channel)
                    : new ArrowStreamWriter(root, batch.dictionaries(), channel);
        }
        CommonsCompressionFactory factory = CommonsCompressionFactory.INSTANCE;
        return file
                ? new ArrowFileWriter(root, batch.dictionaries(), channel, Map.of(), IpcOption.DEFAULT, factory, codec)
                : new ArrowStreamWriter(root, batch.dictionaries(), channel, IpcOption.DEFAULT, factory, codec);
    }

    @Test
    void schemasComeBackWithTheirMetadata() {
        byte[] bytes = written(true, IpcSpec.create(), batches(1, 3));
        read(bytes, 100, ReadSpec.create())
                .doOnNext(batch -> {
                    try (batch) {
                        assertThat(batch.schema()).isEqualTo(Batches.schema());
                    }
                })
                .blockLast();
    }

    @Test
    void shardsRotateAndAreReadAsOneStream() {
        InMemoryObjectStore store = InMemoryObjectStore.create();
        Dataset<RecordBatch> dataset = Dataset.at(store, "d/", Arrow.ipcFile(allocator));
        WriteResult result = dataset.write(batches(7, 20), WriteSpec.create().rolling(RollingPolicy.maxRecords(50)))
                .block();
        assertThat(result.shards()).hasSize(4);
        assertThat(result.shards().get(0).key()).endsWith("part-00000.arrow");
        assertThat(result.records()).isEqualTo(140);
        assertThat(rows(dataset.read())).isEqualTo(expected(7, 20));
        // by bytes, too: the batch that overflows is taken back, with its dictionaries, and opens the next shard
        Dataset<RecordBatch> byBytes = Dataset.at(store, "e/", Arrow.ipcFile(allocator));
        WriteResult small = byBytes.write(batches(7, 20), WriteSpec.create().rolling(RollingPolicy.maxBytes(30_000)))
                .block();
        assertThat(small.shards()).hasSizeGreaterThan(2);
        for (var shard : small.shards()) {
            assertThat(rows(Dataset.at(store, shard.key(), Arrow.ipcFile(allocator))
                            .read()))
                    .hasSize((int) shard.records());
        }
        assertThat(rows(byBytes.read())).isEqualTo(expected(7, 20));
    }

    @Test
    void columnsThatAreNotWantedAreNotBuilt() {
        byte[] bytes = written(true, IpcSpec.create().compression(IpcCompression.zstd()), batches(2, 30));
        ChunkedStore store = new ChunkedStore(500, null).with("x.arrow", bytes);
        List<Map<String, Object>> rows = rows(Dataset.at(
                        store,
                        "x.arrow",
                        Arrow.ipcFile(allocator, IpcSpec.create().columns("map", "i8", "dict")))
                .read());
        List<Map<String, Object>> expected = expected(2, 30);
        expected.forEach(row -> row.keySet().retainAll(List.of("map", "i8", "dict")));
        assertThat(rows).isEqualTo(expected);
        assertThatThrownBy(() -> Dataset.at(
                                store,
                                "x.arrow",
                                Arrow.ipcFile(allocator, IpcSpec.create().columns("nope")))
                        .read()
                        .blockLast())
                .hasMessageContaining("nope");
    }

    @Test
    void limitsEndWithinABatchAndReadingGoesOnBehindAnyRow() {
        for (boolean file : new boolean[] {true, false}) {
            // dictionaries grow, so a batch in the middle needs those before it
            Flux<RecordBatch> growing =
                    Flux.range(0, 6).map(i -> Batches.random(allocator, Batches.schema(), i, 17, 5 + i));
            byte[] bytes = written(file, IpcSpec.create(), growing);
            List<Map<String, Object>> all = rows(read(bytes, 300, ReadSpec.create()));
            assertThat(all).hasSize(102);
            for (int limit : new int[] {1, 16, 17, 18, 50, 102, 500}) {
                assertThat(rows(read(bytes, 300, ReadSpec.create().limit(limit))))
                        .isEqualTo(all.subList(0, Math.min(limit, 102)));
            }
            ChunkedStore store = new ChunkedStore(300, null).with("x.arrow", bytes);
            Dataset<RecordBatch> dataset = Dataset.at(store, "x.arrow", Arrow.ipcFile(allocator));
            List<Position> positions = new ArrayList<>();
            dataset.readPositioned(ReadSpec.create().limit(60))
                    .doOnNext(positioned -> {
                        positioned.value().close();
                        positions.add(positioned.position());
                    })
                    .blockLast();
            int[] behind = {17, 34, 51, 60};
            for (int i = 0; i < behind.length; i++) {
                assertThat(rows(dataset.read(ReadSpec.create().from(positions.get(i)))))
                        .as("file %s, behind row %d", file, behind[i])
                        .isEqualTo(all.subList(behind[i], 102));
            }
        }
    }

    @Test
    void dictionariesAreReplacedInStreamsAndRefusedInFiles() throws Exception {
        Flux<RecordBatch> changing = Flux.range(0, 4).map(i -> words(i % 2 == 0 ? "old" : "new", 3 + i / 2));
        byte[] stream = written(false, IpcSpec.create(), changing);
        List<Map<String, Object>> expected = rows(changing);
        assertThat(rows(read(stream, 100, ReadSpec.create()))).isEqualTo(expected);
        assertThat(readByArrow(false, stream)).isEqualTo(expected);
        assertThatThrownBy(() -> written(true, IpcSpec.create(), changing))
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("dictionary of column 'w'")
                .hasMessageContaining(".arrows");
    }

    private RecordBatch words(String prefix, int count) {
        var encoding = new org.apache.arrow.vector.types.pojo.DictionaryEncoding(1, false, new ArrowType.Int(16, true));
        var field = new org.apache.arrow.vector.types.pojo.Field(
                "w",
                new org.apache.arrow.vector.types.pojo.FieldType(true, encoding.getIndexType(), encoding),
                List.of());
        VectorSchemaRoot root = VectorSchemaRoot.create(new Schema(List.of(field)), allocator);
        var codes = (org.apache.arrow.vector.SmallIntVector) root.getVector(0);
        VarCharVector values = new VarCharVector("values", allocator);
        for (int i = 0; i < count; i++) {
            codes.setSafe(i, count - 1 - i);
            values.setSafe(i, (prefix + i).getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
        values.setValueCount(count);
        root.setRowCount(count);
        return RecordBatch.of(root, List.of(new org.apache.arrow.vector.dictionary.Dictionary(values, encoding)));
    }

    @Test
    void batchesOfAnotherSchemaAreRefused() {
        Flux<RecordBatch> mixed =
                Flux.just(true, false).map(all -> all ? Batches.random(allocator, 1, 5) : words("a", 2));
        assertThatThrownBy(() -> written(true, IpcSpec.create(), mixed))
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("another schema");
        InMemoryObjectStore store = InMemoryObjectStore.create();
        Dataset.at(store, "d/part-00000.arrow", Arrow.ipcFile(allocator))
                .write(batches(1, 3))
                .block();
        Dataset.at(store, "d/part-00001.arrow", Arrow.ipcFile(allocator))
                .write(Flux.defer(() -> Flux.just(words("a", 2))))
                .block();
        assertThatThrownBy(() ->
                        rows(Dataset.at(store, "d/", Arrow.ipcFile(allocator)).read()))
                .isInstanceOf(SluiceException.class)
                .hasMessageContaining("part-00001")
                .hasMessageContaining("another schema");
    }

    @Test
    void emptyFilesAndStreamsHaveASchema() throws Exception {
        for (boolean file : new boolean[] {true, false}) {
            Schema schema = new Schema(List.of(Batches.field("a", new ArrowType.Utf8())));
            byte[] bytes = written(file, IpcSpec.create().emptySchema(schema), Flux.empty());
            assertThat(rows(read(bytes, 10, ReadSpec.create()))).isEmpty();
            try (ArrowReader reader = file
                    ? new ArrowFileReader(
                            new SeekableReadChannel(new ByteArrayReadableSeekableByteChannel(bytes)), allocator)
                    : new ArrowStreamReader(new ByteArrayInputStream(bytes), allocator)) {
                assertThat(reader.getVectorSchemaRoot().getSchema()).isEqualTo(schema);
                assertThat(reader.loadNextBatch()).isFalse();
            }
            assertThat(written(file, IpcSpec.create(), Flux.empty())).isNotEmpty();
            assertThat(rows(read(written(file, IpcSpec.create(), batches(2, 0)), 10, ReadSpec.create())))
                    .isEmpty();
        }
    }

    // ---- as bytes ---------------------------------------------------------------------------------------------------

    @Test
    void batchesBecomeBytesAndBytesBatches() throws Exception {
        for (IpcCompression compression : List.of(IpcCompression.none(), IpcCompression.zstd())) {
            byte[] bytes = bytes(Arrow.ipcBytes(batches(5, 40), IpcSpec.create().compression(compression)));
            assertThat(readByArrow(false, bytes)).isEqualTo(expected(5, 40));
            for (int chunk : new int[] {1, 3, 777, bytes.length}) {
                List<ByteBuffer> chunks = new ArrayList<>();
                for (int at = 0; at < bytes.length; at += chunk) {
                    int length = Math.min(chunk, bytes.length - at);
                    ByteBuffer buffer = chunk == 777 ? ByteBuffer.allocateDirect(length) : ByteBuffer.allocate(length);
                    chunks.add(buffer.put(bytes, at, length).flip());
                }
                assertThat(rows(Arrow.ipcBatches(Flux.fromIterable(chunks), allocator)))
                        .isEqualTo(expected(5, 40));
            }
        }
    }

    @Test
    void bytesAreMadeOnDemandAndCancelStopsThem() {
        List<Integer> made = new ArrayList<>();
        Flux<RecordBatch> source = Flux.range(0, 100).map(i -> {
            made.add(i);
            return Batches.random(allocator, i, 50);
        });
        StepVerifier.create(Arrow.ipcBytes(source), 0)
                .expectSubscription()
                .then(() -> assertThat(made).isEmpty())
                .thenRequest(1)
                .expectNextCount(1)
                .then(() -> assertThat(made).hasSizeLessThanOrEqualTo(2))
                .thenRequest(2)
                .expectNextCount(2)
                .thenCancel()
                .verify();
        assertThat(made).hasSizeLessThanOrEqualTo(4);
        StepVerifier.create(Arrow.ipcBatches(Arrow.ipcBytes(batches(100, 50)), allocator), 0)
                .thenRequest(2)
                .consumeNextWith(RecordBatch::close)
                .consumeNextWith(RecordBatch::close)
                .thenCancel()
                .verify();
    }

    @Test
    void errorsOfBatchesComeThroughAfterTheBytesBefore() {
        StepVerifier.create(Arrow.ipcBytes(batches(1, 3).concatWith(Flux.error(new IllegalStateException("mine")))))
                .expectNextCount(1)
                .verifyErrorMessage("mine");
        StepVerifier.create(Arrow.ipcBytes(batches(1, 3).concatWith(Flux.defer(() -> Flux.just(words("a", 2))))))
                .expectNextCount(1)
                .verifyErrorSatisfies(e -> assertThat(e).isInstanceOf(RecordException.class));
        StepVerifier.create(Arrow.ipcBatches(Flux.error(new IllegalStateException("mine")), allocator))
                .verifyErrorSatisfies(e -> assertThat(e).hasStackTraceContaining("mine"));
    }

    // ---- hostile ----------------------------------------------------------------------------------------------------

    @Test
    void aFileCutAnywhereGivesWholeBatchesAndThenAnError() {
        for (boolean file : new boolean[] {true, false}) {
            byte[] bytes = written(file, IpcSpec.create(), Flux.range(0, 3).map(i -> words("w", 3 + i)));
            List<Map<String, Object>> all = rows(read(bytes, 64, ReadSpec.create()));
            for (int cut = 0; cut < bytes.length; cut++) {
                byte[] part = Arrays.copyOf(bytes, cut);
                List<Map<String, Object>> before = new ArrayList<>();
                Throwable error = null;
                try {
                    read(part, 64, ReadSpec.create())
                            .doOnNext(batch -> before.addAll(Batches.rows(batch)))
                            .blockLast();
                } catch (RuntimeException e) {
                    error = e;
                }
                assertThat(all.subList(0, before.size())).isEqualTo(before);
                boolean border = !file && error == null;
                if (border) {
                    // a stream may end between two messages without saying so
                    assertThat(before.size()).isIn(0, 3, 7, 12);
                } else {
                    assertThat(error)
                            .as("cut at %d", cut)
                            .isInstanceOf(SluiceException.class)
                            .hasMessageContaining("x.arrow");
                }
            }
        }
    }

    @Test
    void everyByteOfEveryReportIsAccountedForWhateverIsBroken() {
        SplittableRandom random = new SplittableRandom(42);
        byte[][] good = {
            written(true, IpcSpec.create(), batches(3, 10)),
            written(false, IpcSpec.create().compression(IpcCompression.zstd()), batches(3, 10)),
            written(false, IpcSpec.create().compression(IpcCompression.lz4()), batches(2, 10))
        };
        try (BufferAllocator small = new RootAllocator(64 << 20)) {
            for (int i = 0; i < RUNS; i++) {
                byte[] bytes = good[i % good.length].clone();
                int changes = 1 + random.nextInt(4);
                for (int k = 0; k < changes; k++) {
                    int at = random.nextInt(4) == 0 ? random.nextInt(bytes.length) : random.nextInt(6000);
                    switch (random.nextInt(3)) {
                        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                        case 1 -> bytes[at] = (byte) 0xFF;
                        default -> ByteBuffer.wrap(bytes).putInt(Math.min(at & -4, bytes.length - 4), random.nextInt());
                    }
                }
                List<ShardReport> reports = new ArrayList<>();
                ReadSpec spec = ReadSpec.create()
                        .parallelism(1)
                        .onError(ErrorPolicy.skip())
                        .listener(new io.sluice.DatasetListener() {
                            @Override
                            public void shardCompleted(ShardReport report) {
                                reports.add(report);
                            }
                        });
                try {
                    Dataset.at(new ChunkedStore(4000, null).with("x.arrow", bytes), "x.arrow", Arrow.ipcFile(small))
                            .read(spec)
                            .doOnNext(batch -> {
                                // every value can be looked at
                                Batches.rows(batch);
                            })
                            .blockLast();
                } catch (SluiceException expected) {
                    assertThat(expected.getMessage()).isNotBlank();
                } catch (IllegalArgumentException strange) {
                    // a decimal whose precision is forged, a code point that is none: the value's own error, when it is
                    // looked at
                    assertThat(small.getAllocatedMemory()).isZero();
                }
                for (ShardReport report : reports) {
                    assertThat(report.bytesDelivered()
                                    + report.bytesBlank()
                                    + report.bytesRejected()
                                    + report.bytesLost())
                            .isEqualTo(report.bytesIn());
                }
                assertThat(small.getAllocatedMemory()).isZero();
            }
        }
    }

    @Test
    void whatIsNoArrowIsSaidSo() {
        for (String text : List.of("", "{\"a\":1}\n{\"a\":2}\n", "PAR1aaaaaaaaaaaaaaaa", "x", "ARROW1", "ARROW1\0\0")) {
            assertThatThrownBy(() ->
                            rows(read(text.getBytes(java.nio.charset.StandardCharsets.UTF_8), 5, ReadSpec.create())))
                    .as(text)
                    .isInstanceOf(RecordException.class)
                    .hasMessageContaining("x.arrow");
        }
    }

    @Test
    void messagesThatAreTooLongArePassedOverWithoutBeingHeld() {
        byte[] bytes = written(false, IpcSpec.create(), Flux.concat(batches(1, 5), batches(1, 3000), batches(1, 5)));
        ChunkedStore store = new ChunkedStore(4000, null).with("x.arrows", bytes);
        IpcSpec spec = IpcSpec.create().maxMessageBytes(100_000);
        List<io.sluice.Rejected> refused = new ArrayList<>();
        List<Map<String, Object>> rows = rows(Dataset.at(store, "x.arrows", Arrow.ipcStream(allocator, spec))
                .read(ReadSpec.create().onError(ErrorPolicy.deadLetter(refused::add))));
        assertThat(rows).hasSize(10);
        assertThat(refused).hasSize(1);
        assertThat(refused.get(0).cause().kind()).isEqualTo(RecordException.Kind.TOO_LONG);
        assertThat(refused.get(0).cause()).hasMessageContaining("maxMessageBytes");
    }

    @Test
    void decompressionIsBoundedByWhatReallyComesOut() {
        // a buffer that claims a gigabyte, and one that holds more than it claims
        byte[] bytes = written(false, IpcSpec.create().compression(IpcCompression.zstd()), batches(1, 500));
        int changed = 0;
        for (int at = 0; at + 8 < bytes.length; at += 8) {
            long claimed = ByteBuffer.wrap(bytes)
                    .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                    .getLong(at);
            if (claimed < 100
                    || claimed > 100_000
                    || (bytes[at + 8] & 0xFF) != 0x28
                    || (bytes[at + 9] & 0xFF) != 0xB5) {
                continue;
            }
            changed++;
            for (long forged : new long[] {claimed - 1, claimed + 1, 1 << 28, 1L << 40, -7}) {
                byte[] copy = bytes.clone();
                ByteBuffer.wrap(copy).order(java.nio.ByteOrder.LITTLE_ENDIAN).putLong(at, forged);
                assertThatThrownBy(() -> rows(read(copy, 5000, ReadSpec.create())))
                        .isInstanceOf(RecordException.class);
            }
        }
        assertThat(changed).isGreaterThan(5);
    }

    @Test
    void aFullAllocatorIsAnErrorThatSaysSo() {
        byte[] bytes = written(true, IpcSpec.create(), batches(2, 2000));
        for (long limit = 1000; limit < 4_000_000; limit *= 2) {
            try (BufferAllocator small = new RootAllocator(limit)) {
                List<Integer> counts = new ArrayList<>();
                try {
                    Dataset.at(new ChunkedStore(5000, null).with("x.arrow", bytes), "x.arrow", Arrow.ipcFile(small))
                            .read()
                            .doOnNext(batch -> {
                                counts.add(batch.rowCount());
                                batch.close();
                            })
                            .blockLast();
                    assertThat(counts).containsExactly(2000, 2000);
                } catch (SluiceException e) {
                    assertThat(e).hasMessageContaining("limit " + limit);
                }
                assertThat(small.getAllocatedMemory()).isZero();
            }
        }
    }
}
