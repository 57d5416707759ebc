package io.sluice.arrow;

import io.sluice.RecordException;
import io.sluice.RecordException.Kind;
import io.sluice.codec.Output;
import io.sluice.internal.json.JsonFailure;
import io.sluice.internal.json.JsonOptions;
import io.sluice.internal.json.JsonValidator;
import io.sluice.internal.json.JsonWriter;
import io.sluice.internal.json.Lines;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.apache.arrow.vector.BaseIntVector;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.Decimal256Vector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.ExtensionTypeVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.FixedSizeBinaryVector;
import org.apache.arrow.vector.Float2Vector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.UInt1Vector;
import org.apache.arrow.vector.UInt2Vector;
import org.apache.arrow.vector.UInt4Vector;
import org.apache.arrow.vector.UInt8Vector;
import org.apache.arrow.vector.ValueVector;
import org.apache.arrow.vector.VariableWidthFieldVector;
import org.apache.arrow.vector.complex.DenseUnionVector;
import org.apache.arrow.vector.complex.FixedSizeListVector;
import org.apache.arrow.vector.complex.LargeListVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.MapVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.arrow.vector.complex.UnionVector;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;

/** Writes the values of vectors as JSON text. Single-threaded, reusable. */
final class JsonValues {

    private static final byte[] NULL = "null".getBytes(StandardCharsets.ISO_8859_1);

    private final JsonWriter writer;
    private final JsonValidator validator =
            new JsonValidator(new JsonOptions(false, false, false, Integer.MAX_VALUE, JsonWriter.MAX_NESTING));
    private byte[] line = new byte[256];

    JsonValues(boolean nonFinite) {
        this.writer = new JsonWriter(nonFinite);
    }

    /** Writes one value, which may be null. */
    @FunctionalInterface
    interface Write {
        void write(int row, Output out);
    }

    /**
     * A column of a batch or a field of a struct.
     *
     * @param key its name as JSON text, and a colon
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Column(byte[] key, Write value) {}

    Column column(ValueVector vector, String path, DictionaryProvider dictionaries) {
        Output key = new Output(vector.getName().length() * 2 + 8);
        writer.write(vector.getName(), key);
        key.write(':');
        return new Column(Arrays.copyOf(key.array(), key.position()), value(vector, path, dictionaries));
    }

    static void object(Column[] columns, int row, Output out) {
        out.write('{');
        for (int i = 0; i < columns.length; i++) {
            if (i > 0) {
                out.write(',');
            }
            out.write(columns[i].key, 0, columns[i].key.length);
            columns[i].value.write(row, out);
        }
        out.write('}');
    }

    private Write value(ValueVector vector, String path, DictionaryProvider dictionaries) {
        if (vector instanceof DenseUnionVector union) {
            return union(union, path, dictionaries);
        }
        if (vector instanceof UnionVector union) {
            return sparseUnion(union, path, dictionaries);
        }
        Write present = present(vector, path, dictionaries);
        return (row, out) -> {
            if (vector.isNull(row)) {
                out.write(NULL, 0, NULL.length);
            } else {
                present.write(row, out);
            }
        };
    }

    private Write union(DenseUnionVector union, String path, DictionaryProvider dictionaries) {
        Write[] members = new Write[128];
        for (FieldVector member : union.getChildrenFromFields()) {
            for (byte id = 0; id >= 0; id++) {
                if (union.getVectorByType(id) == member) {
                    members[id] = value(member, path, dictionaries);
                }
            }
        }
        return (row, out) -> members[union.getTypeId(row)].write(union.getOffset(row), out);
    }

    private Write sparseUnion(UnionVector union, String path, DictionaryProvider dictionaries) {
        return (row, out) -> {
            ValueVector member = union.getVector(row);
            if (member == null) {
                out.write(NULL, 0, NULL.length);
            } else {
                value(member, path, dictionaries).write(row, out);
            }
        };
    }

    /** How values that are not null are written. */
    private Write present(ValueVector vector, String path, DictionaryProvider dictionaries) {
        if (vector instanceof ExtensionTypeVector<?> extension) {
            return present(extension.getUnderlyingVector(), path, dictionaries);
        }
        Field field = vector.getField();
        if (field.getDictionary() != null) {
            Dictionary dictionary = dictionaries.lookup(field.getDictionary().getId());
            if (dictionary == null) {
                throw refused(path, "refers to a dictionary that the batch does not have");
            }
            Write word = value(dictionary.getVector(), path, dictionaries);
            BaseIntVector codes = (BaseIntVector) vector;
            return (row, out) -> word.write((int) codes.getValueAsLong(row), out);
        }
        ArrowType type = field.getType();
        return switch (type.getTypeID()) {
            case Null -> (row, out) -> out.write(NULL, 0, NULL.length);
            case Bool -> (row, out) -> writer.write(((BitVector) vector).get(row) != 0, out);
            case Int -> integer(vector);
            case FloatingPoint -> floating(vector, path);
            case Decimal ->
                vector instanceof DecimalVector decimal
                        ? (row, out) -> ascii(decimal.getObject(row).toPlainString(), out)
                        : (row, out) ->
                                ascii(((Decimal256Vector) vector).getObject(row).toPlainString(), out);
            case Utf8, LargeUtf8, Utf8View -> {
                VariableWidthFieldVector texts = (VariableWidthFieldVector) vector;
                yield JsonType.isJson(field)
                        ? (row, out) -> json(texts.get(row), path, out)
                        : (row, out) -> string(texts.get(row), path, out);
            }
            case Binary, LargeBinary, BinaryView -> {
                VariableWidthFieldVector bytes = (VariableWidthFieldVector) vector;
                yield (row, out) -> base64(bytes.get(row), out);
            }
            case FixedSizeBinary -> (row, out) -> base64(((FixedSizeBinaryVector) vector).get(row), out);
            case Date, Time, Timestamp, Duration, Interval -> {
                TemporalText texts = TemporalText.of(vector);
                yield (row, out) -> {
                    String text = texts.text(row);
                    if (text == null) {
                        throw refused(path, "has a value that is no " + type);
                    }
                    ascii(text, out);
                };
            }
            case List, LargeList, FixedSizeList, Map, Struct -> nested(vector, path, dictionaries);
            default -> throw refused(path, "is of type " + type + ", which has no form in JSON");
        };
    }

    // ---- scalars ----------------------------------------------------------------------------------------------------

    private static void ascii(String text, Output out) {
        int length = text.length();
        byte[] b = out.ensure(length);
        int p = out.position();
        for (int i = 0; i < length; i++) {
            b[p + i] = (byte) text.charAt(i);
        }
        out.position(p + length);
    }

    private Write integer(ValueVector vector) {
        if (vector instanceof BigIntVector v) {
            return (row, out) -> writer.write(v.get(row), out);
        }
        if (vector instanceof UInt8Vector v) {
            return (row, out) -> ascii(Long.toUnsignedString(v.get(row)), out);
        }
        if (vector instanceof UInt4Vector v) {
            return (row, out) -> writer.write(v.get(row) & 0xFFFFFFFFL, out);
        }
        if (vector instanceof UInt2Vector v) {
            return (row, out) -> writer.write((int) v.get(row), out);
        }
        if (vector instanceof UInt1Vector v) {
            return (row, out) -> writer.write(v.get(row) & 0xFF, out);
        }
        BaseIntVector v = (BaseIntVector) vector;
        return (row, out) -> writer.write(v.getValueAsLong(row), out);
    }

    private Write floating(ValueVector vector, String path) {
        Write plain = vector instanceof Float8Vector v
                ? (row, out) -> writer.write(v.get(row), out)
                : vector instanceof Float4Vector v
                        ? (row, out) -> writer.write(v.get(row), out)
                        : (row, out) -> writer.write(((Float2Vector) vector).getValueAsFloat(row), out);
        return (row, out) -> {
            try {
                plain.write(row, out);
            } catch (RecordException e) {
                throw new RecordException(e.kind(), null, -1, -1, "column '" + path + "': " + e.reason(), e.getCause());
            }
        };
    }

    private void string(byte[] utf8, String path, Output out) {
        String text = new String(utf8, StandardCharsets.UTF_8);
        if (text.indexOf('\uFFFD') >= 0 && !isUtf8(utf8)) {
            throw new RecordException(
                    Kind.INVALID_UNICODE, null, -1, -1, "column '" + path + "' has a string that is no UTF-8", null);
        }
        writer.write(text, out);
    }

    private static boolean isUtf8(byte[] bytes) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }

    private static void base64(byte[] bytes, Output out) {
        byte[] text = Base64.getEncoder().encode(bytes);
        out.write('"');
        out.write(text, 0, text.length);
        out.write('"');
    }

    /** Whether an odd number of backslashes stands before {@code at}. */
    private static boolean escapes(byte[] text, int at) {
        int p = at;
        while (p > 0 && text[p - 1] == '\\') {
            p--;
        }
        return (at - p & 1) != 0;
    }

    /** JSON text as it is, on one line. */
    private void json(byte[] text, String path, Output out) {
        int length = text.length;
        if (line.length < length + 1 + Lines.PADDING) {
            line = new byte[(length + 1 + Lines.PADDING) * 2];
        }
        boolean quoted = false;
        for (int i = 0; i < length; i++) {
            byte c = text[i];
            if (c == '"' && (i == 0 || !escapes(text, i))) {
                quoted = !quoted;
            }
            line[i] = !quoted && (c == '\n' || c == '\r') ? (byte) ' ' : c; // outside of strings they are but space
        }
        line[length] = '\n';
        try {
            validator.check(line, 0);
        } catch (JsonFailure e) {
            throw refused(path, "has a value that is no JSON: " + e.getMessage());
        }
        out.write(line, 0, length);
    }

    // ---- nested -----------------------------------------------------------------------------------------------------

    private Write nested(ValueVector vector, String path, DictionaryProvider dictionaries) {
        if (vector instanceof StructVector struct) {
            List<FieldVector> children = struct.getChildrenFromFields();
            Column[] columns = new Column[children.size()];
            for (int i = 0; i < columns.length; i++) {
                columns[i] =
                        column(children.get(i), path + "." + children.get(i).getName(), dictionaries);
            }
            return (row, out) -> object(columns, row, out);
        }
        if (vector instanceof MapVector map) {
            return map(map, path, dictionaries);
        }
        if (vector instanceof ListVector list) {
            Write item = value(list.getDataVector(), path + "[]", dictionaries);
            return (row, out) -> items(item, list.getElementStartIndex(row), list.getElementEndIndex(row), out);
        }
        if (vector instanceof LargeListVector list) {
            Write item = value(list.getDataVector(), path + "[]", dictionaries);
            return (row, out) -> items(
                    item,
                    Math.toIntExact(list.getElementStartIndex(row)),
                    Math.toIntExact(list.getElementEndIndex(row)),
                    out);
        }
        FixedSizeListVector list = (FixedSizeListVector) vector;
        Write item = value(list.getDataVector(), path + "[]", dictionaries);
        int size = list.getListSize();
        return (row, out) -> items(item, row * size, (row + 1) * size, out);
    }

    private static void items(Write item, int from, int to, Output out) {
        out.write('[');
        for (int i = from; i < to; i++) {
            if (i > from) {
                out.write(',');
            }
            item.write(i, out);
        }
        out.write(']');
    }

    private Write map(MapVector map, String path, DictionaryProvider dictionaries) {
        StructVector entries = (StructVector) map.getDataVector();
        ValueVector keys = entries.getChildByOrdinal(0);
        ArrowType type = keys.getField().getType();
        boolean quoted = keys.getField().getDictionary() != null
                || switch (type.getTypeID()) {
                    case Utf8, LargeUtf8, Utf8View -> true;
                    case Int -> false;
                    default -> throw refused(path, "is a map whose keys are " + type + ", which have no form in JSON");
                };
        Write key = value(keys, path + ".key", dictionaries);
        Write value = value(entries.getChildByOrdinal(1), path + "{}", dictionaries);
        return (row, out) -> {
            out.write('{');
            int from = map.getElementStartIndex(row);
            int to = map.getElementEndIndex(row);
            for (int i = from; i < to; i++) {
                if (i > from) {
                    out.write(',');
                }
                if (quoted) {
                    key.write(i, out);
                } else {
                    out.write('"');
                    key.write(i, out);
                    out.write('"');
                }
                out.write(':');
                value.write(i, out);
            }
            out.write('}');
        };
    }

    private static RecordException refused(String path, String what) {
        return new RecordException(Kind.UNMAPPABLE, null, -1, -1, "column '" + path + "' " + what, null);
    }
}
