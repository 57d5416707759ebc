package io.sluice.arrow.internal.avro;

import io.sluice.avro.internal.BadRecord;
import io.sluice.avro.internal.BinaryOutput;
import io.sluice.codec.Output;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.apache.arrow.vector.BaseIntVector;
import org.apache.arrow.vector.ExtensionTypeVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.ValueVector;
import org.apache.arrow.vector.complex.BaseListVector;
import org.apache.arrow.vector.complex.DenseUnionVector;
import org.apache.arrow.vector.complex.LargeListVector;
import org.apache.arrow.vector.complex.LargeListViewVector;
import org.apache.arrow.vector.complex.RunEndEncodedVector;
import org.apache.arrow.vector.complex.UnionVector;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.jspecify.annotations.Nullable;

/** The cells of columns that hold others. */
final class NestedCells {

    private NestedCells() {}

    private abstract static class Nested extends CellWriter {

        @Nullable
        ValueVector vector;

        @Override
        boolean isNull(int row) {
            return vector().isNull(row);
        }

        ValueVector vector() {
            return Objects.requireNonNull(vector, "not bound");
        }

        static List<FieldVector> children(ValueVector vector) {
            return ((FieldVector) vector).getChildrenFromFields();
        }
    }

    /** A column by its name, which errors tell; with nulls as a union whose first branch is null, or without. */
    static final class Named extends CellWriter {

        private final CellWriter some;
        private final String name;
        private final boolean nullable;

        Named(CellWriter some, String name, boolean nullable) {
            this.some = some;
            this.name = name;
            this.nullable = nullable;
        }

        @Override
        void bind(ValueVector vector, DictionaryProvider dictionaries) {
            some.bind(vector, dictionaries);
        }

        @Override
        boolean isNull(int row) {
            return false;
        }

        @Override
        void write(int row, Output out) {
            try {
                if (nullable) {
                    boolean isNull = some.isNull(row);
                    out.write(isNull ? 0 : 2); // branch 0 or 1
                    if (isNull) {
                        return;
                    }
                } else if (some.isNull(row)) {
                    throw refused("null, where its field says that there are none");
                }
                some.write(row, out);
            } catch (BadRecord e) {
                throw BadRecord.refused(e.kind(), "column '" + name + "': " + e.reason(), e.getCause());
            }
        }
    }

    /** A struct's fields, one after the other. */
    static final class Struct extends Nested {

        private final CellWriter[] fields;

        Struct(List<CellWriter> fields) {
            this.fields = fields.toArray(new CellWriter[0]);
        }

        @Override
        void bind(ValueVector to, DictionaryProvider dictionaries) {
            vector = to;
            for (int i = 0; i < fields.length; i++) {
                fields[i].bind(children(to).get(i), dictionaries);
            }
        }

        @Override
        void write(int row, Output out) {
            for (CellWriter field : fields) {
                field.write(row, out);
            }
        }
    }

    /** Elements of any kind of list. */
    static final class Elements extends Nested {

        private final CellWriter element;

        Elements(CellWriter element) {
            this.element = element;
        }

        @Override
        void bind(ValueVector to, DictionaryProvider dictionaries) {
            vector = to;
            element.bind(children(to).get(0), dictionaries);
        }

        @Override
        void write(int row, Output out) {
            int from;
            int to;
            if (vector() instanceof BaseListVector lists) {
                from = lists.getElementStartIndex(row);
                to = lists.getElementEndIndex(row);
            } else if (vector() instanceof LargeListVector large) {
                from = (int) large.getElementStartIndex(row);
                to = (int) large.getElementEndIndex(row);
            } else {
                LargeListViewVector view = (LargeListViewVector) vector(); // its sizes are below 2^31 in Java
                from = (int) view.getOffsetBuffer().getLong(row * (long) LargeListViewVector.OFFSET_WIDTH);
                to = from + view.getSizeBuffer().getInt(row * (long) LargeListViewVector.SIZE_WIDTH);
            }
            if (to > from) {
                BinaryOutput.writeLong(to - from, out);
                for (int i = from; i < to; i++) {
                    element.write(i, out);
                }
            }
            out.write(0);
        }
    }

    /** A union of either mode. */
    static final class Union extends Nested {

        private static final int TYPE_IDS = 128;

        private final CellWriter[] branches;
        private final int[] indexes;
        private final int nullIndex;
        private final int[] branchOfType = new int[TYPE_IDS];

        /**
         * @param indexes of each child's branch in the Avro union
         * @param nullIndex index of the null branch, or -1
         */
        Union(List<CellWriter> branches, int[] indexes, int nullIndex) {
            this.branches = branches.toArray(new CellWriter[0]);
            this.indexes = indexes;
            this.nullIndex = nullIndex;
        }

        @Override
        void bind(ValueVector to, DictionaryProvider dictionaries) {
            vector = to;
            List<FieldVector> children = children(to);
            for (int i = 0; i < branches.length; i++) {
                branches[i].bind(children.get(i), dictionaries);
            }
            Arrays.fill(branchOfType, -1);
        }

        @Override
        boolean isNull(int row) {
            return false; // its branches are
        }

        @Override
        void write(int row, Output out) {
            byte id;
            int at;
            if (vector() instanceof DenseUnionVector dense) {
                id = dense.getTypeId(row);
                at = id < 0 ? 0 : dense.getOffset(row);
            } else {
                id = (byte) ((UnionVector) vector()).getTypeValue(row);
                at = row;
            }
            int branch = branch(id);
            if (branch >= 0 && !branches[branch].isNull(at)) {
                BinaryOutput.writeLong(indexes[branch], out);
                branches[branch].write(at, out);
            } else if (nullIndex >= 0) {
                BinaryOutput.writeLong(nullIndex, out);
            } else {
                throw refused("a union is null that has no branch for it");
            }
        }

        private int branch(byte id) {
            if (id < 0) {
                return -1;
            }
            int known = branchOfType[id];
            if (known >= 0) {
                return known;
            }
            ValueVector child = vector() instanceof DenseUnionVector dense
                    ? dense.getVectorByType(id)
                    : ((UnionVector) vector()).getVectorByType(id);
            List<FieldVector> children = children(vector());
            for (int i = 0; i < children.size(); i++) {
                if (children.get(i) == child) {
                    branchOfType[id] = i;
                    return i;
                }
            }
            return -1;
        }
    }

    /** Indexes into a dictionary. */
    static final class Encoded extends Nested {

        private final CellWriter values;
        private final long id;
        private int size;

        Encoded(CellWriter values, long id) {
            this.values = values;
            this.id = id;
        }

        @Override
        void bind(ValueVector to, DictionaryProvider dictionaries) {
            vector = to;
            Dictionary dictionary = dictionaries.lookup(id);
            if (dictionary == null) {
                throw refused("the batch lacks dictionary " + id);
            }
            size = dictionary.getVector().getValueCount();
            values.bind(dictionary.getVector(), dictionaries);
        }

        @Override
        boolean isNull(int row) {
            return vector().isNull(row) || values.isNull(index(row));
        }

        private int index(int row) {
            long index = ((BaseIntVector) vector()).getValueAsLong(row);
            if (index < 0 || index >= size) {
                throw refused("index " + index + " into a dictionary of " + size);
            }
            return (int) index;
        }

        @Override
        void write(int row, Output out) {
            values.write(index(row), out);
        }
    }

    /** Runs of equal values. */
    static final class Runs extends Nested {

        private final CellWriter values;

        Runs(CellWriter values) {
            this.values = values;
        }

        @Override
        void bind(ValueVector to, DictionaryProvider dictionaries) {
            vector = to;
            values.bind(((RunEndEncodedVector) to).getValuesVector(), dictionaries);
        }

        @Override
        boolean isNull(int row) {
            return values.isNull(((RunEndEncodedVector) vector()).getPhysicalIndex(row));
        }

        @Override
        void write(int row, Output out) {
            values.write(((RunEndEncodedVector) vector()).getPhysicalIndex(row), out);
        }
    }

    /** A type of somebody's own, as the one that carries it. */
    static final class Extension extends CellWriter {

        private final CellWriter storage;

        Extension(CellWriter storage) {
            this.storage = storage;
        }

        @Override
        void bind(ValueVector vector, DictionaryProvider dictionaries) {
            storage.bind(((ExtensionTypeVector<?>) vector).getUnderlyingVector(), dictionaries);
        }

        @Override
        boolean isNull(int row) {
            return storage.isNull(row);
        }

        @Override
        void write(int row, Output out) {
            storage.write(row, out);
        }
    }
}
