package io.sluice.internal.json;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What a decoder has learned of its records, to foresee the next one. A {@link Site} is a place where objects stand (the
 * root, or under a key, or in an array under a key); its {@link Node}s are the sequences of keys seen there, as a tree; each remembers
 * which key came next the last time. All of it is bounded: what does not fit is read without being foreseen.
 */
final class Shapes {

    /** Longest key, quotes and colon included, that is remembered. */
    static final int MAX_TOKEN = 60;

    private static final int MAX_SITES = 1024;
    private static final int MAX_NODES = 8192;
    private static final int MAX_CHILDREN = 24;
    private static final int MAX_FIELDS = 512;
    private static final int MAX_ALL_FIELDS = 16_384;
    private static final int MAX_PROBES = 8;

    private int sites;
    private int nodes;
    private int allFields;

    final Site root = new Site();

    /** Whether it has stopped learning. */
    boolean isFull() {
        return nodes >= MAX_NODES || sites >= MAX_SITES || allFields >= MAX_ALL_FIELDS;
    }

    /** A place where objects, or arrays of them, stand. */
    final class Site {
        final Node start = new Node(null, Field.NONE, 0);
        /** How many values the last object here had. */
        int values = 4;
        /** How many elements the last array here had. */
        int elements;

        /** Numbers the objects of this site whose keys came in an order of their own. */
        int round;

        private @Nullable Site inner;
        private @Nullable Field[] table = new Field[16];
        private int fields;

        /** Where the elements of an array that stands here stand; null where there are too many sites. */
        @Nullable
        Site inner() {
            if (inner == null && sites < MAX_SITES) {
                sites++;
                inner = new Site();
            }
            return inner;
        }

        /** The site of a field's values. */
        @Nullable
        Site of(Field field) {
            if (field.site == null && sites < MAX_SITES) {
                sites++;
                field.site = new Site();
            }
            return field.site;
        }

        /** The field whose name has the raw bytes {@code [from, to)}, or null. */
        @Nullable
        Field find(byte[] b, int from, int to) {
            int slot = hash(b, from, to);
            for (int i = 0; i < MAX_PROBES; i++) {
                Field f = table[slot + i & table.length - 1];
                if (f == null) {
                    return null;
                }
                if (f.length == to - from + 3 && Arrays.equals(f.token, 1, f.length - 2, b, from, to)) {
                    return f;
                }
            }
            return null;
        }

        /** Remembers a name; null where it can't. */
        @Nullable
        Field add(byte[] b, int from, int to, String name) {
            if (to - from + 3 > MAX_TOKEN || fields == MAX_FIELDS || allFields == MAX_ALL_FIELDS) {
                return null;
            }
            if (fields * 2 >= table.length && !grow()) {
                return null;
            }
            Field added = new Field(b, from, to, name);
            if (!place(added, table)) {
                return null;
            }
            fields++;
            allFields++;
            return added;
        }

        /** False where a field would find no place: one that is forgotten, but still in a sequence, would come twice. */
        private boolean grow() {
            Field[] larger = new Field[table.length * 2];
            for (Field f : table) {
                if (f != null && !place(f, larger)) {
                    return false;
                }
            }
            table = larger;
            return true;
        }

        private static boolean place(Field f, @Nullable Field[] into) {
            int slot = hash(f.token, 1, f.length - 2);
            for (int i = 0; i < MAX_PROBES; i++) {
                int at = slot + i & into.length - 1;
                if (into[at] == null) {
                    into[at] = f;
                    return true;
                }
            }
            return false;
        }

        private static int hash(byte[] b, int from, int to) {
            int h = to - from;
            for (int i = from; i < to; i++) {
                h = h * 31 + b[i];
            }
            h *= 0x9E3779B9;
            return h >>> 16;
        }
    }

    /** A key of a site. */
    static final class Field {
        static final Field NONE = new Field();

        final String name;
        /** The key as it is written, quotes and colon included. */
        final byte[] token;

        final int length;
        /** The first eight bytes of the token under their mask, and the last eight: the whole of it up to 16 bytes. */
        final long mask;

        final long head;
        final long tail;
        final int tailAt;

        private @Nullable Site site;
        /** In which round it was seen last, and at which index. */
        int round;

        int index;

        /** Matches nothing. */
        private Field() {
            this.name = "";
            this.token = new byte[0];
            this.length = 0;
            this.mask = -1;
            this.head = 0;
            this.tail = 1;
            this.tailAt = 0;
        }

        Field(byte[] b, int from, int to, String name) {
            this.name = name.intern(); // so that a literal finds it by identity
            this.length = to - from + 3;
            this.token = new byte[Math.max(8, length)];
            token[0] = '"';
            System.arraycopy(b, from, token, 1, to - from);
            token[length - 2] = '"';
            token[length - 1] = ':';
            this.mask = length >= 8 ? -1 : (1L << 8 * length) - 1;
            this.head = Words.load(token, 0);
            this.tailAt = Math.max(0, length - 8);
            this.tail = Words.load(token, tailAt);
        }

        /** Whether the bytes at {@code p} are this key; 64 readable bytes follow. */
        boolean isAt(byte[] b, int p) {
            long other = (Words.load(b, p) ^ head) | (Words.load(b, p + tailAt) ^ tail);
            return (other & mask) == 0 && (length <= 16 || isMiddleAt(b, p));
        }

        private boolean isMiddleAt(byte[] b, int p) {
            byte[] t = token;
            for (int i = 8; i < length - 8; i += 8) {
                if (Words.load(b, p + i) != Words.load(t, i)) {
                    return false;
                }
            }
            return true;
        }
    }

    /** A sequence of keys. */
    final class Node {
        private static final Node[] NO_NODES = new Node[0];

        final @Nullable Node parent;
        final Field field;
        final int size;

        /** The child that was taken last; at first one that matches nothing. */
        Node next;

        private Node[] children = NO_NODES;
        private @Nullable Keys keys;

        Node(@Nullable Node parent, Field field, int size) {
            this.parent = parent;
            this.field = field;
            this.size = size;
            this.next = size < 0 ? this : nothing();
        }

        /** The sequence that goes on with {@code f}: null where {@code f} is in it already, or there are too many. */
        @Nullable
        Node child(Field f) {
            for (Node c : children) {
                if (c.field == f) {
                    next = c;
                    return c;
                }
            }
            if (children.length == MAX_CHILDREN || nodes >= MAX_NODES) {
                return null;
            }
            for (Node n = this; n != null; n = n.parent) {
                if (n.field == f) {
                    return null;
                }
            }
            nodes++;
            Node added = new Node(this, f, size + 1);
            children = Arrays.copyOf(children, children.length + 1);
            children[children.length - 1] = added;
            next = added;
            return added;
        }

        Keys keys() {
            Keys k = keys;
            if (k == null) {
                k = new Keys(names(size));
                keys = k;
            }
            return k;
        }

        /** Its names, in an array of a length. */
        String[] names(int length) {
            String[] names = new String[length];
            for (Node n = this; n != null && n.size > 0; n = n.parent) {
                names[n.size - 1] = n.field.name;
            }
            return names;
        }
    }

    private @Nullable Node nothing;

    private Node nothing() {
        if (nothing == null) {
            nothing = new Node(null, Field.NONE, -1);
        }
        return nothing;
    }
}
