package io.sluice.arrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.Dataset;
import io.sluice.RecordException;
import io.sluice.storage.InMemoryObjectStore;
import io.sluice.testing.ChunkedStore;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.complex.DenseUnionVector;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.ipc.WriteChannel;
import org.apache.arrow.vector.ipc.message.ArrowFieldNode;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import org.apache.arrow.vector.types.UnionMode;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;

/** Messages that are well-formed, and claim what is not so; and dictionaries from batch to batch. */
class IpcClaimsTest {

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

    /** A stream of one batch, as Arrow writes it, but with nodes changed. */
    private byte[] stream(VectorSchemaRoot root, UnaryOperator<List<ArrowFieldNode>> claim) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        WriteChannel channel = new WriteChannel(Channels.newChannel(out));
        MessageSerializer.serialize(channel, root.getSchema());
        try (ArrowRecordBatch batch = new VectorUnloader(root).getRecordBatch();
                ArrowRecordBatch forged =
                        new ArrowRecordBatch(batch.getLength(), claim.apply(batch.getNodes()), batch.getBuffers())) {
            MessageSerializer.serialize(channel, forged);
        }
        channel.writeIntLittleEndian(-1);
        channel.writeIntLittleEndian(0);
        return out.toByteArray();
    }

    private List<Map<String, Object>> read(byte[] bytes) {
        List<Map<String, Object>> rows = new ArrayList<>();
        Dataset.at(new ChunkedStore(1000, null).with("x.arrows", bytes), "x.arrows", Arrow.ipcStream(allocator))
                .read()
                .doOnNext(batch -> rows.addAll(Batches.rows(batch)))
                .blockLast();
        return rows;
    }

    private void isRefused(byte[] bytes) {
        assertThatThrownBy(() -> read(bytes))
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("x.arrows");
    }

    @Test
    void columnsHaveTheRowsOfTheBatchAndNoMoreNullsThanRows() throws Exception {
        Schema schema = new Schema(List.of(Batches.field("a", Batches.integer(32, true))));
        try (VectorSchemaRoot root = VectorSchemaRoot.create(schema, allocator)) {
            IntVector a = (IntVector) root.getVector(0);
            for (int i = 0; i < 10; i++) {
                a.setSafe(i, i);
            }
            root.setRowCount(10);
            assertThat(read(stream(root, nodes -> nodes))).hasSize(10);
            isRefused(stream(root, nodes -> List.of(new ArrowFieldNode(9, 0))));
            isRefused(stream(root, nodes -> List.of(new ArrowFieldNode(10, 11))));
            isRefused(stream(root, nodes -> List.of(new ArrowFieldNode(10, -1))));
        }
    }

    private VectorSchemaRoot unionOf(Consumer<DenseUnionVector> fill) {
        Field union = Batches.field(
                "u",
                new ArrowType.Union(UnionMode.Dense, new int[] {3, 5}),
                Batches.field("n", Batches.integer(32, true)),
                Batches.field("s", new ArrowType.Utf8()));
        VectorSchemaRoot root = VectorSchemaRoot.create(new Schema(List.of(union)), allocator);
        DenseUnionVector u = (DenseUnionVector) root.getVector(0);
        u.allocateNew();
        IntVector n = (IntVector) u.getVectorByType((byte) 3);
        for (int i = 0; i < 4; i++) {
            u.setTypeId(i, (byte) 3);
            u.setOffset(i, i);
            n.setSafe(i, i);
        }
        n.setValueCount(4);
        ((VarCharVector) u.getVectorByType((byte) 5)).setValueCount(0);
        fill.accept(u);
        u.setValueCount(4);
        root.setRowCount(4);
        return root;
    }

    @Test
    void unionsPointToMembersThatThereAreAndValuesThatTheyHave() throws Exception {
        try (VectorSchemaRoot root = unionOf(u -> {})) {
            assertThat(read(stream(root, nodes -> nodes)))
                    .extracting(row -> row.get("u"))
                    .containsExactly(0L, 1L, 2L, 3L);
        }
        try (VectorSchemaRoot root = unionOf(u -> u.getOffsetBuffer().setInt(8, 4))) {
            isRefused(stream(root, nodes -> nodes));
        }
        try (VectorSchemaRoot root = unionOf(u -> u.getOffsetBuffer().setInt(8, -1))) {
            isRefused(stream(root, nodes -> nodes));
        }
        for (byte id : new byte[] {4, -1, 0}) {
            try (VectorSchemaRoot root = unionOf(u -> u.getTypeBuffer().setByte(2, id))) {
                isRefused(stream(root, nodes -> nodes));
            }
        }
    }

    // ---- dictionaries -----------------------------------------------------------------------------------------------

    private static final DictionaryEncoding ENCODING = new DictionaryEncoding(1, false, new ArrowType.Int(32, true));

    private RecordBatch coded(int[] codes, String... words) {
        Field field = new Field("w", new FieldType(true, ENCODING.getIndexType(), ENCODING), List.of());
        VectorSchemaRoot root = VectorSchemaRoot.create(new Schema(List.of(field)), allocator);
        IntVector indexes = (IntVector) root.getVector(0);
        VarCharVector values = new VarCharVector("values", allocator);
        for (int i = 0; i < codes.length; i++) {
            indexes.setSafe(i, codes[i]);
        }
        for (int i = 0; i < words.length; i++) {
            values.setSafe(i, words[i].getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
        values.setValueCount(words.length);
        root.setRowCount(codes.length);
        return RecordBatch.of(root, List.of(new Dictionary(values, ENCODING)));
    }

    private byte[] written(Flux<RecordBatch> batches) {
        InMemoryObjectStore store = InMemoryObjectStore.create();
        Dataset.at(store, "x.arrows", Arrow.ipcStream(allocator)).write(batches).block();
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (ByteBuffer part : store.get("x.arrows").collectList().block()) {
            all.write(part.array(), part.arrayOffset() + part.position(), part.remaining());
        }
        return all.toByteArray();
    }

    @Test
    void indexesPointIntoTheirDictionary() {
        assertThat(read(written(Flux.defer(() -> Flux.just(coded(new int[] {1, 0}, "a", "b"))))))
                .hasSize(2);
        for (int code : new int[] {2, -1, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            isRefused(written(Flux.defer(() -> Flux.just(coded(new int[] {0, code}, "a", "b")))));
        }
    }

    @Test
    void aDictionaryIsWrittenOnceAndThenOnlyWhatIsNewInIt() {
        String[] words = new String[50];
        java.util.Arrays.setAll(words, i -> "word".repeat(50) + i);
        int first = written(Flux.defer(() -> Flux.just(coded(new int[] {49}, words)))).length;
        // the same again: a batch without a dictionary
        byte[] same = written(Flux.range(0, 5).map(i -> coded(new int[] {i}, words)));
        assertThat(same.length).isLessThan(first + 4 * 600);
        assertThat(read(same))
                .extracting(row -> row.get("w"))
                .containsExactly(words[0], words[1], words[2], words[3], words[4]);
        // a word more: just that word
        byte[] grown = written(Flux.range(45, 5).map(i -> coded(new int[] {i - 1}, java.util.Arrays.copyOf(words, i))));
        assertThat(grown.length).isLessThan(first + 4 * 1500);
        assertThat(read(grown))
                .extracting(row -> row.get("w"))
                .containsExactly(words[44], words[45], words[46], words[47], words[48]);
    }

    @Test
    void dictionariesAreBoundedAsMessagesAre() {
        // none of the messages is too long, all words together are
        byte[] bytes = written(Flux.range(1, 20).map(i -> {
            String[] words = new String[i];
            java.util.Arrays.setAll(words, k -> "word".repeat(500) + k);
            return coded(new int[] {i - 1}, words);
        }));
        IpcSpec spec = IpcSpec.create().maxMessageBytes(10_000);
        ChunkedStore store = new ChunkedStore(1000, null).with("x.arrows", bytes);
        List<RecordBatch> closed = new ArrayList<>();
        assertThatThrownBy(() -> Dataset.at(store, "x.arrows", Arrow.ipcStream(allocator, spec))
                        .read()
                        .doOnNext(batch -> {
                            batch.close();
                            closed.add(batch);
                        })
                        .blockLast())
                .isInstanceOf(RecordException.class)
                .hasMessageContaining("maxMessageBytes");
        assertThat(closed).isNotEmpty();
    }

    @Test
    void aPartOfABatchKeepsTheSchemasMetadata() {
        Schema schema = new Schema(List.of(Batches.field("a", Batches.integer(32, true))), Map.of("made", "here"));
        InMemoryObjectStore store = InMemoryObjectStore.create();
        Dataset<RecordBatch> dataset = Dataset.at(store, "x.arrow", Arrow.ipcFile(allocator));
        dataset.write(Flux.defer(() -> {
                    VectorSchemaRoot root = VectorSchemaRoot.create(schema, allocator);
                    ((IntVector) root.getVector(0)).setSafe(9, 9);
                    root.setRowCount(10);
                    return Flux.just(RecordBatch.of(root));
                }))
                .block();
        dataset.read(io.sluice.ReadSpec.create().limit(4))
                .doOnNext(batch -> {
                    try (batch) {
                        assertThat(batch.rowCount()).isEqualTo(4);
                        assertThat(batch.schema()).isEqualTo(schema);
                    }
                })
                .blockLast();
    }

    @Test
    void bytesComeInPiecesOfABoundedLength() {
        List<Integer> lengths = new ArrayList<>();
        Arrow.ipcBytes(Flux.defer(() -> {
                    VectorSchemaRoot root = VectorSchemaRoot.create(
                            new Schema(List.of(Batches.field("a", Batches.integer(32, true)))), allocator);
                    ((IntVector) root.getVector(0)).setSafe(299_999, 7);
                    root.setRowCount(300_000);
                    return Flux.just(RecordBatch.of(root));
                }))
                .doOnNext(buffer -> lengths.add(buffer.remaining()))
                .blockLast();
        assertThat(lengths).hasSizeGreaterThan(4).allMatch(length -> length <= 256 << 10);
    }
}
