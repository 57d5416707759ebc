package io.sluice.arrow.internal.ipc;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.arrow.flatbuf.BodyCompression;
import org.apache.arrow.flatbuf.BodyCompressionMethod;
import org.apache.arrow.flatbuf.Buffer;
import org.apache.arrow.flatbuf.FieldNode;
import org.apache.arrow.flatbuf.MetadataVersion;
import org.apache.arrow.flatbuf.RecordBatch;
import org.apache.arrow.vector.ipc.message.ArrowFieldNode;
import org.apache.arrow.vector.types.UnionMode;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.jspecify.annotations.Nullable;

/**
 * Takes the body of a record batch apart: walks over its columns as the schema has them, decompresses their buffers, and checks
 * all that Arrow's vectors take for granted, so that no offset, index or type id of a forged or damaged message ever points
 * outside its buffer. Single-threaded, for one batch.
 */
final class BodyReader {

    private static final int VIEW_BYTES = 16;
    private static final int VIEW_INLINE = 12;

    private final RecordBatch batch;
    private final short version;
    private final byte[] bytes;
    private final int bodyFrom;
    private final int bodyLength;
    private final @Nullable BodyCodec codec;
    private long budget;

    private final List<ArrowFieldNode> nodes = new ArrayList<>();
    private final List<Slice> buffers = new ArrayList<>();
    private final List<Long> variadicCounts = new ArrayList<>();
    private final Map<Long, Long> highest = new HashMap<>();
    private int nextNode;
    private int nextBuffer;
    private int nextVariadic;

    private BodyReader(RecordBatch batch, short version, byte[] bytes, int bodyFrom, int bodyLength, long maxBytes) {
        this.batch = batch;
        this.version = version;
        this.bytes = bytes;
        this.bodyFrom = bodyFrom;
        this.bodyLength = bodyLength;
        this.budget = maxBytes;
        BodyCompression compression = batch.compression();
        if (compression == null) {
            codec = null;
        } else if (compression.method() != BodyCompressionMethod.BUFFER) {
            throw new BadMessage("its body is compressed in a way that is not known");
        } else {
            codec = BodyCodec.of(compression.codec());
        }
    }

    /**
     * Reads the columns of a batch.
     *
     * @param wanted names of the top-level columns to keep; null for all
     * @param maxBytes how much may come out of the decompression
     * @throws RuntimeException where the message is bad
     */
    static HeapBatch read(
            RecordBatch batch,
            short version,
            byte[] bytes,
            int bodyFrom,
            int bodyLength,
            List<Field> fields,
            @Nullable Set<String> wanted,
            long maxBytes) {
        BodyReader reader = new BodyReader(batch, version, bytes, bodyFrom, bodyLength, maxBytes);
        int rows = reader.count(batch.length(), "rows");
        for (Field field : fields) {
            boolean keep = wanted == null || wanted.contains(field.getName());
            int own = reader.column(field, keep);
            if (own != rows) {
                throw new BadMessage("column '" + field.getName() + "' has " + own + " rows in a batch of " + rows);
            }
        }
        return new HeapBatch(rows, reader.nodes, reader.buffers, reader.variadicCounts, reader.highest);
    }

    private int count(long claimed, String what) {
        if (claimed < 0 || claimed > Integer.MAX_VALUE - 64) {
            throw new BadMessage("a batch claims " + claimed + " " + what);
        }
        return (int) claimed;
    }

    /** Walks over a column; the number of its rows. */
    private int column(Field field, boolean keep) {
        if (nextNode >= batch.nodesLength()) {
            throw bad(field, "is missing from a batch");
        }
        FieldNode node = batch.nodes(nextNode++);
        int rows = count(node.length(), "rows in column '" + field.getName() + "'");
        int nulls = count(node.nullCount(), "nulls in column '" + field.getName() + "'");
        if (nulls > rows) {
            throw bad(field, "has " + nulls + " nulls in " + rows + " rows");
        }
        if (keep) {
            nodes.add(new ArrowFieldNode(rows, nulls));
        }
        ArrowType type = storage(field.getType());
        Slice validity = Slice.EMPTY;
        if (hasValidity(type)) {
            validity = buffer(field, keep);
            if (keep && nulls > 0 && validity.length() == 0) {
                throw bad(field, "has nulls and no buffer that says which");
            }
            if (validity.length() > 0) {
                require(field, keep, validity, (rows + 7L) / 8);
            }
        }
        layout(field, type, rows, validity, keep);
        return rows;
    }

    private static ArrowType storage(ArrowType type) {
        return type instanceof ArrowType.ExtensionType extension ? storage(extension.storageType()) : type;
    }

    private static boolean hasValidity(ArrowType type) {
        return switch (type.getTypeID()) {
            case Null, Union, RunEndEncoded -> false;
            default -> true;
        };
    }

    private void layout(Field field, ArrowType type, int rows, Slice validity, boolean keep) {
        List<Field> children = field.getChildren();
        switch (type.getTypeID()) {
            case Null -> {}
            case Bool -> require(field, keep, buffer(field, keep), (rows + 7L) / 8);
            case Utf8, Binary -> {
                Slice offsets = offsets(field, rows, 4, keep);
                Slice data = buffer(field, keep);
                checkOffsets32(field, offsets, rows, data.length(), keep);
            }
            case LargeUtf8, LargeBinary -> {
                Slice offsets = offsets(field, rows, 8, keep);
                Slice data = buffer(field, keep);
                checkOffsets64(field, offsets, rows, data.length(), keep);
            }
            case Utf8View, BinaryView -> views(field, rows, validity, keep);
            case List, Map -> {
                Slice offsets = offsets(field, rows, 4, keep);
                checkOffsets32(field, offsets, rows, column(only(field), keep), keep);
            }
            case LargeList -> {
                Slice offsets = offsets(field, rows, 8, keep);
                checkOffsets64(field, offsets, rows, column(only(field), keep), keep);
            }
            case FixedSizeList -> {
                long wanted = (long) rows * ((ArrowType.FixedSizeList) type).getListSize();
                if (wanted < 0 || column(only(field), keep) < wanted) {
                    throw bad(field, "has fewer items than its lists need");
                }
            }
            case Struct -> {
                for (Field child : children) {
                    if (column(child, keep) != rows) {
                        throw bad(child, "has other rows than its struct");
                    }
                }
            }
            case Union -> union(field, (ArrowType.Union) type, rows, keep);
            case Int -> {
                int width = ((ArrowType.Int) type).getBitWidth() / 8;
                Slice data = require(field, keep, buffer(field, keep), (long) rows * width);
                if (keep && field.getDictionary() != null) {
                    indexes(field, (ArrowType.Int) type, data, rows, validity);
                }
            }
            default -> require(field, keep, buffer(field, keep), (long) rows * width(field, type));
        }
    }

    private static Field only(Field field) {
        if (field.getChildren().size() != 1) {
            throw bad(field, "has " + field.getChildren().size() + " children, not one");
        }
        return field.getChildren().get(0);
    }

    private static int width(Field field, ArrowType type) {
        return switch (type.getTypeID()) {
            case FloatingPoint ->
                switch (((ArrowType.FloatingPoint) type).getPrecision()) {
                    case HALF -> 2;
                    case SINGLE -> 4;
                    case DOUBLE -> 8;
                };
            case Decimal -> ((ArrowType.Decimal) type).getBitWidth() / 8;
            case FixedSizeBinary -> ((ArrowType.FixedSizeBinary) type).getByteWidth();
            case Date -> ((ArrowType.Date) type).getUnit() == org.apache.arrow.vector.types.DateUnit.DAY ? 4 : 8;
            case Time -> ((ArrowType.Time) type).getBitWidth() / 8;
            case Timestamp, Duration -> 8;
            case Interval ->
                switch (((ArrowType.Interval) type).getUnit()) {
                    case YEAR_MONTH -> 4;
                    case DAY_TIME -> 8;
                    case MONTH_DAY_NANO -> 16;
                };
            default -> throw bad(field, "has type " + type + ", which is not read here");
        };
    }

    // ---- buffers ----------------------------------------------------------------------------------------------------

    private Slice buffer(Field field, boolean keep) {
        if (nextBuffer >= batch.buffersLength()) {
            throw bad(field, "lacks a buffer");
        }
        Buffer claimed = batch.buffers(nextBuffer++);
        long from = claimed.offset();
        long length = claimed.length();
        if (from < 0 || length < 0 || from > bodyLength - length) {
            throw bad(
                    field,
                    "claims bytes " + from + " to " + (from + length) + " of a body of " + bodyLength + " bytes");
        }
        if (!keep) {
            return Slice.EMPTY;
        }
        Slice slice = new Slice(bytes, bodyFrom + (int) from, (int) length);
        if (codec != null && length > 0) {
            slice = decompressed(field, slice, codec);
        }
        budget -= slice.length();
        if (budget < 0) {
            throw bad(field, "decompresses to more than maxMessageBytes: raise it, or write smaller batches");
        }
        buffers.add(slice);
        return slice;
    }

    private Slice decompressed(Field field, Slice slice, BodyCodec with) {
        if (slice.length() < 8) {
            throw bad(field, "has a compressed buffer without a length");
        }
        long claimed = slice.int64(0);
        Slice rest = new Slice(slice.array(), slice.offset() + 8, slice.length() - 8);
        if (claimed == -1) {
            return rest; // was not worth it
        }
        if (claimed < 0 || claimed > budget) {
            throw bad(
                    field,
                    "claims to decompress to " + claimed
                            + " bytes, which is more than maxMessageBytes: raise it, or write smaller batches");
        }
        byte[] out = with.decompress(rest, (int) claimed);
        return new Slice(out, 0, out.length);
    }

    private static Slice require(Field field, boolean keep, Slice slice, long length) {
        if (keep && slice.length() < length) {
            throw bad(field, "has a buffer of " + slice.length() + " bytes where " + length + " are needed");
        }
        return slice;
    }

    // ---- what points somewhere --------------------------------------------------------------------------------------

    private Slice offsets(Field field, int rows, int width, boolean keep) {
        Slice offsets = buffer(field, keep);
        // without rows, there may be no offset at all
        return rows == 0 ? offsets : require(field, keep, offsets, (rows + 1L) * width);
    }

    private static void checkOffsets32(Field field, Slice offsets, int rows, int end, boolean keep) {
        if (!keep || rows == 0) {
            return;
        }
        int before = offsets.int32(0);
        boolean ascending = before >= 0;
        for (int i = 1; i <= rows; i++) {
            int next = offsets.int32(i);
            ascending &= next >= before;
            before = next;
        }
        if (!ascending || before > end) {
            throw bad(field, "has offsets that point outside of its values");
        }
    }

    private static void checkOffsets64(Field field, Slice offsets, int rows, int end, boolean keep) {
        if (!keep || rows == 0) {
            return;
        }
        long before = offsets.int64(0);
        boolean ascending = before >= 0;
        for (int i = 1; i <= rows; i++) {
            long next = offsets.int64(i);
            ascending &= next >= before;
            before = next;
        }
        if (!ascending || before > end) {
            throw bad(field, "has offsets that point outside of its values");
        }
    }

    private void views(Field field, int rows, Slice validity, boolean keep) {
        Slice views = require(field, keep, buffer(field, keep), (long) rows * VIEW_BYTES);
        if (nextVariadic >= batch.variadicBufferCountsLength()) {
            throw bad(field, "does not say how many buffers it has");
        }
        int count = count(batch.variadicBufferCounts(nextVariadic++), "buffers");
        if (count > batch.buffersLength() - nextBuffer) {
            throw bad(field, "claims " + count + " buffers");
        }
        int[] lengths = new int[count];
        for (int i = 0; i < count; i++) {
            lengths[i] = buffer(field, keep).length();
        }
        if (!keep) {
            return;
        }
        variadicCounts.add((long) count);
        for (int i = 0; i < rows; i++) {
            int length = views.int32(i * 4);
            if (length <= VIEW_INLINE && length >= 0 || validity.length() > 0 && !validity.bit(i)) {
                continue;
            }
            int buffer = views.int32(i * 4 + 2);
            int from = views.int32(i * 4 + 3);
            if (length < 0 || buffer < 0 || buffer >= count || from < 0 || from > lengths[buffer] - length) {
                throw bad(field, "has a view that points outside of its buffers");
            }
        }
    }

    private void union(Field field, ArrowType.Union type, int rows, boolean keep) {
        if (version < MetadataVersion.V5) {
            throw bad(field, "is a union as they were before version 1.0 of the format, which is not read here");
        }
        List<Field> children = field.getChildren();
        Slice ids = require(field, keep, buffer(field, keep), rows);
        boolean dense = type.getMode() == UnionMode.Dense;
        Slice offsets = dense ? require(field, keep, buffer(field, keep), rows * 4L) : Slice.EMPTY;
        int[] lengths = new int[children.size()];
        for (int i = 0; i < lengths.length; i++) {
            lengths[i] = column(children.get(i), keep);
            if (!dense && lengths[i] != rows) {
                throw bad(field, "has members of other lengths than its own");
            }
        }
        if (!keep) {
            return;
        }
        int[] childOf = new int[128];
        java.util.Arrays.fill(childOf, -1);
        int[] declared = type.getTypeIds();
        for (int i = 0; i < lengths.length; i++) {
            int id = declared == null || declared.length != lengths.length ? i : declared[i];
            if (id < 0 || id > 127) {
                throw bad(field, "has a member with type id " + id);
            }
            childOf[id] = i;
        }
        for (int i = 0; i < rows; i++) {
            int id = ids.array()[ids.offset() + i];
            int child = id < 0 ? -1 : childOf[id];
            if (child < 0) {
                throw bad(field, "has a value of a member that it does not have (type id " + id + ")");
            }
            if (dense && (offsets.int32(i) < 0 || offsets.int32(i) >= lengths[child])) {
                throw bad(field, "has offsets that point outside of its values");
            }
        }
    }

    private void indexes(Field field, ArrowType.Int type, Slice data, int rows, Slice validity) {
        long max = -1;
        for (int i = 0; i < rows; i++) {
            if (validity.length() > 0 && !validity.bit(i)) {
                continue;
            }
            long index = switch (type.getBitWidth()) {
                case 8 -> {
                    byte b = data.array()[data.offset() + i];
                    yield type.getIsSigned() ? b : b & 0xFF;
                }
                case 16 -> {
                    byte[] b = data.array();
                    int p = data.offset() + i * 2;
                    int v = b[p] & 0xFF | b[p + 1] << 8;
                    yield type.getIsSigned() ? v : v & 0xFFFF;
                }
                case 32 -> type.getIsSigned() ? data.int32(i) : data.int32(i) & 0xFFFFFFFFL;
                default -> data.int64(i);
            };
            if (index < 0) {
                throw bad(field, "has the index " + index + " into its dictionary");
            }
            max = Math.max(max, index);
        }
        highest.merge(field.getDictionary().getId(), max, Math::max);
    }

    private static BadMessage bad(Field field, String what) {
        return new BadMessage("column '" + field.getName() + "' " + what);
    }
}
