package io.sluice.arrow.internal.ipc;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.ipc.message.ArrowFieldNode;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.types.pojo.Field;

/** What a dictionary held when it was last written, to tell whether the next one has changed, and how. */
final class DictionaryImage {

    private final Field field;
    private final int rows;
    private final List<String> nodes;
    private final boolean hasNulls;
    private final List<byte[]> buffers;

    private DictionaryImage(Field field, ArrowRecordBatch batch) {
        this.field = field;
        this.rows = batch.getLength();
        this.nodes = batch.getNodes().stream().map(ArrowFieldNode::toString).toList();
        this.hasNulls = batch.getNodes().stream().anyMatch(node -> node.getNullCount() > 0);
        this.buffers = MessageWriter.copy(batch);
    }

    static DictionaryImage of(FieldVector vector) {
        try (ArrowRecordBatch batch = unload(vector)) {
            return new DictionaryImage(vector.getField(), batch);
        }
    }

    static ArrowRecordBatch unload(FieldVector vector) {
        VectorSchemaRoot root =
                new VectorSchemaRoot(List.of(vector.getField()), List.of(vector), vector.getValueCount());
        return new VectorUnloader(root).getRecordBatch();
    }

    int rows() {
        return rows;
    }

    boolean sameAs(DictionaryImage other) {
        if (rows != other.rows
                || !Objects.equals(field.getType(), other.field.getType())
                || !nodes.equals(other.nodes)
                || buffers.size() != other.buffers.size()) {
            return false;
        }
        for (int i = 0; i < buffers.size(); i++) {
            if (!Arrays.equals(buffers.get(i), other.buffers.get(i))) {
                return false;
            }
        }
        return true;
    }

    /** Whether these values are the first of {@code longer}; told for strings and bytes without nulls only. */
    boolean beginsLike(DictionaryImage longer) {
        int width = switch (field.getType().getTypeID()) {
            case Utf8, Binary -> 4;
            case LargeUtf8, LargeBinary -> 8;
            default -> 0;
        };
        if (width == 0
                || hasNulls
                || longer.hasNulls
                || rows == 0
                || rows > longer.rows
                || !field.getType().equals(longer.field.getType())) {
            return false;
        }
        byte[] offsets = buffers.get(1);
        int end = rows * width;
        if (!Arrays.equals(offsets, 0, end + width, longer.buffers.get(1), 0, end + width)) {
            return false;
        }
        int used = width == 4 ? Slice.intAt(offsets, end) : (int) Slice.longAt(offsets, end);
        return Arrays.equals(buffers.get(2), 0, used, longer.buffers.get(2), 0, used);
    }
}
