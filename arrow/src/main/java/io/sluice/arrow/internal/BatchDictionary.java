package io.sluice.arrow.internal;

import io.sluice.SluiceException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.ipc.message.ArrowFieldNode;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.types.pojo.FieldType;

/**
 * The distinct values of a dictionary-encoded column. It only ever grows while a stream is read, so that the dictionary of
 * every batch begins with that of the batch before: what IPC files need, which know deltas but no replacement.
 */
final class BatchDictionary {

    private final ColumnPlan plan;
    private final DictionaryEncoding encoding;
    private final long maxCodes;
    private final StringTable values = new StringTable();
    private int[] codes = {};

    BatchDictionary(ColumnPlan plan) {
        this.plan = plan;
        this.encoding = Objects.requireNonNull(plan.encoding());
        ArrowType.Int index = encoding.getIndexType();
        int bits = Math.min(31, index.getIsSigned() ? index.getBitWidth() - 1 : index.getBitWidth());
        this.maxCodes = 1L << bits;
    }

    void newChunk() {
        Arrays.fill(codes, -1);
    }

    /** The stream's code for a chunk's code. */
    int code(StringTable chunk, int local) {
        if (local >= codes.length) {
            int had = codes.length;
            codes = Arrays.copyOf(codes, Math.max(chunk.size(), had * 2));
            Arrays.fill(codes, had, codes.length, -1);
        }
        int code = codes[local];
        if (code < 0) {
            int from = chunk.offsets()[local];
            code = values.code(chunk.bytes(), from, chunk.offsets()[local + 1] - from);
            if (values.size() > maxCodes) {
                throw new SluiceException(
                        null,
                        -1,
                        -1,
                        "column '" + plan.field.getName() + "' has more than " + maxCodes
                                + " distinct values, which its index type " + encoding.getIndexType()
                                + " can't number: use a wider index, or plain strings",
                        null);
            }
            codes[local] = code;
        }
        return code;
    }

    /** All values so far, as a dictionary with memory of its own. */
    Dictionary toDictionary(BufferAllocator allocator) {
        int size = values.size();
        VarCharVector vector =
                new VarCharVector(plan.field.getName(), FieldType.nullable(new ArrowType.Utf8()), allocator);
        try (ArrowBuf offsets = allocator.buffer((size + 1) * 4L);
                ArrowBuf data = allocator.buffer(values.offsets()[size])) {
            for (int i = 0; i <= size; i++) {
                offsets.setInt(i * 4L, values.offsets()[i]);
            }
            data.setBytes(0, values.bytes(), 0, (long) values.offsets()[size]);
            offsets.writerIndex((size + 1) * 4L);
            data.writerIndex(values.offsets()[size]);
            vector.loadFieldBuffers(new ArrowFieldNode(size, 0), List.of(allocator.getEmpty(), offsets, data));
            return new Dictionary(vector, encoding);
        } catch (RuntimeException e) {
            vector.close();
            throw e;
        }
    }
}
