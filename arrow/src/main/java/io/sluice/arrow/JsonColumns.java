package io.sluice.arrow;

import io.sluice.RecordException.Kind;
import io.sluice.arrow.internal.Column;
import io.sluice.arrow.internal.ColumnChunk;
import io.sluice.arrow.internal.ColumnPlan;
import io.sluice.internal.json.JsonFailure;
import io.sluice.internal.json.NumberScanner;
import io.sluice.internal.json.Words;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Parses JSON objects straight into the columns of a chunk, led by the schema: nothing stands between the text and the
 * column's array. Single-threaded; one per worker.
 *
 * <p>It bets on records being alike: the key that followed this one the last time is compared, eight bytes at a time, before
 * any key is looked up; small integers are read in one word; strings are copied while they are searched for their end. Each
 * bet that is lost falls back to a slower way with the same result. A record that does not fit the schema is read a second
 * time with {@link JsonMismatches} on watch, which decide what becomes of it.
 */
final class JsonColumns {

    /** Thrown at the first thing that does not fit: read the record again, on watch. */
    @SuppressWarnings("StaticAssignmentOfThrowable") // it has no stack trace, and never leaves this class
    private static final JsonFailure AGAIN = new JsonFailure(Kind.UNEXPECTED_TYPE, "again", 0);

    private static final JsonNode NO_NODE = JsonNode.root(List.of(), Projection.ALL);
    private static final double[] POWERS = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};

    final JsonNode root;
    private final JsonText text;
    private final JsonScalars scalars;
    private final JsonMismatches mismatches;
    private final boolean uniqueKeys;
    private final boolean nonFinite;
    private boolean watched;
    private byte[] b = {};
    private int depth;
    private int after;

    JsonColumns(List<ColumnPlan> plans, JsonRules rules) {
        this.root = JsonNode.root(plans, rules.projection());
        this.text = new JsonText(rules.maxNesting(), rules.maxNumberDigits(), rules.nonFinite());
        this.scalars = new JsonScalars(text, rules);
        this.mismatches = new JsonMismatches(rules);
        this.uniqueKeys = rules.uniqueKeys();
        this.nonFinite = rules.nonFinite();
    }

    /** Where the next records go. */
    void open(ColumnChunk chunk) {
        root.bind(chunk.columns);
        mismatches.open(chunk);
    }

    /**
     * Reads the record at {@code p} as row {@code row} of the chunk.
     *
     * @return the index of the line end behind it
     * @throws JsonFailure the record is refused; the caller rolls the chunk back
     */
    int record(byte[] bytes, int p, ColumnChunk chunk) {
        b = bytes;
        text.bytes(bytes);
        scalars.bytes(bytes);
        depth = 0;
        try {
            return line(p, chunk.rows);
        } catch (JsonFailure e) {
            if (e != AGAIN) {
                throw e;
            }
        }
        chunk.rollback();
        watched = true;
        try {
            depth = 0;
            mismatches.begin(bytes, chunk.rows);
            int end = line(p, chunk.rows);
            mismatches.end(end);
            return end;
        } finally {
            watched = false;
        }
    }

    private int line(int p, int row) {
        byte[] b = this.b;
        if (b[p] != '{') {
            int end = JsonText.space(b, text.skip(p, 0));
            if (b[end] == '\n') {
                throw new JsonFailure(Kind.UNEXPECTED_TYPE, "the record is not an object", p);
            }
            throw trailing(end);
        }
        p = object(root, row, p);
        if (b[p] != '\n') {
            p = JsonText.space(b, p);
            if (b[p] != '\n') {
                throw trailing(p);
            }
        }
        return p;
    }

    private static JsonFailure trailing(int p) {
        return new JsonFailure(Kind.MALFORMED, "something follows the record's object", p);
    }

    // ---- objects ----------------------------------------------------------------------------------------------------

    private int object(JsonNode node, int row, int p) {
        byte[] b = this.b;
        int objectStart = p;
        text.checkDepth(++depth, p);
        p++;
        if (b[p] <= ' ') {
            p = JsonText.space(b, p);
        }
        if (b[p] == '}') {
            depth--;
            return close(node, row, p, objectStart);
        }
        int slot = 0;
        while (true) {
            // the key
            KeyNode[] fields = node.fields;
            int guess = node.next[slot];
            JsonNode f = guess < fields.length ? (JsonNode) fields[guess] : NO_NODE;
            int v;
            if (((Words.load(b, p) ^ f.head) & f.headMask) == 0
                    && f.keyLength != 0
                    && (f.keyLength <= 8 || f.restMatches(b, p))) {
                v = p + f.keyLength;
            } else {
                f = key(node, slot, p);
                v = after;
            }
            slot = f.slot;
            if (b[v] <= ' ') {
                v = JsonText.space(b, v);
            }

            // the value
            Column column = f.column;
            if (f.type == JsonNode.SKIPPED) {
                v = unknown(f, v, objectStart);
            } else if (b[v] == 'n' && column.rows < row && !watched && isPlainNull(f, v)) {
                v += 4;
            } else {
                if (column.rows != row || watched) {
                    align(f, column, row, p, objectStart);
                }
                switch (f.type) {
                    case JsonNode.STRING -> v = b[v] == '"' ? text.string(column, v + 1) : absentField(f, v);
                    case JsonNode.INT64, JsonNode.INT -> {
                        long w = Words.unzeroed(Words.load(b, v));
                        int n = Long.numberOfTrailingZeros(Words.nonDigits(w)) >>> 3;
                        if (n - 1 < 7
                                && n > 0
                                && f.max > 9_999_999
                                && (n == 1 || b[v] != '0')
                                && endsNumber(b[v + n])) {
                            long value = Words.eightDigits(w << (64 - 8 * n));
                            if (f.type == JsonNode.INT64) {
                                column.appendLong(value);
                            } else {
                                column.appendInt((int) value);
                            }
                            v += n;
                        } else {
                            v = b[v] == 'n' ? absentField(f, v) : integer(f, v);
                        }
                    }
                    case JsonNode.DOUBLE -> v = b[v] == 'n' ? absentField(f, v) : decimal(f, column, v);
                    case JsonNode.STRUCT -> {
                        if (b[v] == '{') {
                            v = object(f, column.rows, v);
                            column.endRow();
                        } else {
                            v = absentField(f, v);
                        }
                    }
                    default -> v = b[v] == 'n' ? absentField(f, v) : value(f, v);
                }
            }

            // what follows
            byte c = b[v];
            if (c != ',') {
                if (c != '}') {
                    v = JsonText.space(b, v);
                    c = b[v];
                }
                if (c == '}') {
                    depth--;
                    return close(node, row, v, objectStart);
                }
                if (c != ',') {
                    throw JsonFailure.expected("',' or '}'", b, v);
                }
            }
            p = v + 1;
            if (b[p] <= ' ') {
                p = JsonText.space(b, p);
            }
        }
    }

    private int close(JsonNode node, int row, int p, int start) {
        if (node.hasRequired) {
            for (int i = 0; i < node.known; i++) {
                JsonNode field = node.field(i);
                if (field.required && field.column.rows <= row && !mismatches.has(field, start)) {
                    mismatch(field, start, p + 1, "is missing");
                }
            }
        }
        return p + 1;
    }

    private static boolean endsNumber(byte c) {
        return c == ',' || c == '}' || c == ']';
    }

    /** Pads the column with the nulls of rows that lacked the field; of two values under one key, the last wins. */
    private void align(JsonNode f, Column column, int row, int p, int objectStart) {
        if (column.rows < row) {
            column.fill(row);
        } else if (column.rows > row) {
            if (uniqueKeys) {
                throw duplicate(f, p);
            }
            column.truncate(row);
        }
        if (watched) {
            if (uniqueKeys && mismatches.has(f, objectStart)) {
                throw duplicate(f, p);
            }
            mismatches.forget(f, objectStart);
        }
    }

    private static JsonFailure duplicate(JsonNode f, int p) {
        return new JsonFailure(Kind.MALFORMED, "the key of '" + f.path + "' comes twice", p);
    }

    /** Reads the key at {@code p} the long way; leaves the index of its value in {@link #after}. */
    private JsonNode key(JsonNode node, int slot, int p) {
        byte[] b = this.b;
        if (b[p] != '"') {
            throw JsonFailure.expected("a key", b, p);
        }
        int v = JsonText.space(b, text.slice(p + 1));
        if (b[v] != ':') {
            throw JsonFailure.expected("':'", b, v);
        }
        after = v + 1;
        JsonNode f = (JsonNode) node.find(text.sliceBytes, text.sliceFrom, text.sliceTo);
        if (f == null) {
            f = node.skipped(text.sliceBytes, text.sliceFrom, text.sliceTo, !node.open);
        }
        if (f.slot > 0) {
            node.next[slot] = f.slot - 1;
        } else {
            f.slot = slot;
        }
        return f;
    }

    /** Passes over the value of a key outside the schema. */
    private int unknown(JsonNode f, int v, int objectStart) {
        if (!f.counted || mismatches.ignores()) {
            int end = text.skip(v, depth);
            if (f.counted) {
                f.passedOver();
            }
            return end;
        }
        if (!watched) {
            throw AGAIN;
        }
        int end = text.skip(v, depth);
        mismatches.addUnknown(f, v, end, objectStart);
        return end;
    }

    // ---- values -----------------------------------------------------------------------------------------------------

    /** Reads the value at {@code p} as one more row of the node's column. */
    private int value(JsonNode f, int p) {
        byte[] b = this.b;
        Column column = f.column;
        switch (f.type) {
            case JsonNode.STRING:
                return b[p] == '"' ? text.string(column, p + 1) : absent(f, p);
            case JsonNode.INT64, JsonNode.INT:
                return integer(f, p);
            case JsonNode.DOUBLE:
                return decimal(f, column, p);
            case JsonNode.BOOL:
                if (Words.loadInt(b, p) == JsonText.TRUE) {
                    column.appendByte(1);
                    return p + 4;
                }
                if (b[p] == 'f' && Words.loadInt(b, p + 1) == JsonText.ALSE) {
                    column.appendByte(0);
                    return p + 5;
                }
                return absent(f, p);
            case JsonNode.STRUCT:
                if (b[p] == '{') {
                    p = object(f, column.rows, p);
                    column.endRow();
                    return p;
                }
                return absent(f, p);
            case JsonNode.LIST:
                if (b[p] == '[') {
                    int from = p;
                    p = list(f, p);
                    return gathered(f, from, p) ? p : ended(column, p);
                }
                return absent(f, p);
            case JsonNode.FIXED_LIST:
                return b[p] == '[' ? fixedList(f, p) : absent(f, p);
            case JsonNode.MAP:
                return b[p] == '{' ? map(f, p) : absent(f, p);
            case JsonNode.UNION:
                return union(f, p);
            case JsonNode.NULL:
                return absent(f, p);
            case JsonNode.JSON:
                if (b[p] == 'n') {
                    return absent(f, p);
                }
                int end = text.skip(p, depth);
                column.appendBytes(b, p, end - p);
                return end;
            default:
                if (b[p] == 'n') {
                    return absent(f, p);
                }
                int next = scalars.read(f, column, p);
                return next >= 0 ? next : mismatch(f, p, text.skip(p, depth), scalars.why());
        }
    }

    /** A null, as good as no field at all and padded with others of its kind, or a value that does not fit. */
    private int absentField(JsonNode f, int p) {
        return isPlainNull(f, p) ? p + 4 : value(f, p);
    }

    private boolean isPlainNull(JsonNode f, int p) {
        return Words.loadInt(b, p) == JsonText.NULL && !f.required && !uniqueKeys;
    }

    /** A null, or a value that does not fit. */
    private int absent(JsonNode f, int p) {
        if (b[p] == 'n' && Words.loadInt(b, p) == JsonText.NULL) {
            if (f.required) {
                return mismatch(f, p, p + 4, "can't be null");
            }
            f.column.appendNull();
            return p + 4;
        }
        return mismatch(f, p, text.skip(p, depth), "does not take this value");
    }

    private int mismatch(JsonNode f, int p, int end, String why) {
        if (!watched) {
            throw AGAIN;
        }
        mismatches.add(f, p, end, why);
        return end;
    }

    private int integer(JsonNode f, int p) {
        byte c = b[p];
        if (c != '-' && !(c >= '0' && c <= '9')) {
            return absent(f, p);
        }
        if (nonFinite && text.isNonFinite(p)) {
            return mismatch(f, p, text.skip(p, depth), "is an integer");
        }
        NumberScanner numbers = text.numbers;
        if (numbers.scan(b, p) == NumberScanner.LONG) {
            long value = numbers.integer;
            if (f.type == JsonNode.INT64) {
                f.column.appendLong(value);
                return numbers.end;
            }
            if (value >= f.min && value <= f.max) {
                switch (f.column.width) {
                    case 1 -> f.column.appendByte((int) value);
                    case 2 -> f.column.appendShort((int) value);
                    default -> f.column.appendInt((int) value);
                }
                return numbers.end;
            }
            return mismatch(f, p, numbers.end, "has no room for this number");
        }
        return mismatch(f, p, numbers.end, "takes integers only, within its range");
    }

    private int decimal(JsonNode f, Column column, int p) {
        byte[] b = this.b;
        int start = p;
        boolean negative = b[p] == '-';
        if (negative) {
            p++;
        }
        long w = Words.unzeroed(Words.load(b, p));
        int n = Long.numberOfTrailingZeros(Words.nonDigits(w)) >>> 3;
        // up to seven digits, a point, up to seven digits: exact, as both parts of the quotient are
        if (n - 1 < 7 && n > 0 && (n == 1 || b[p] != '0')) {
            long value = Words.eightDigits(w << (64 - 8 * n));
            int q = p + n;
            int fraction = 0;
            if (b[q] == '.') {
                w = Words.unzeroed(Words.load(b, q + 1));
                fraction = Long.numberOfTrailingZeros(Words.nonDigits(w)) >>> 3;
                if (fraction - 1 >= 7 || fraction == 0) {
                    return scannedDecimal(f, column, start);
                }
                value = value * (long) POWERS[fraction] + Words.eightDigits(w << (64 - 8 * fraction));
                q += fraction + 1;
            }
            if (endsNumber(b[q])) {
                double magnitude = value / POWERS[fraction];
                column.appendDouble(negative ? -magnitude : magnitude);
                return q;
            }
        }
        return scannedDecimal(f, column, start);
    }

    private int scannedDecimal(JsonNode f, Column column, int p) {
        byte c = b[p];
        if (nonFinite && text.isNonFinite(p)) {
            column.appendDouble(c == 'N' ? Double.NaN : c == 'I' ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY);
            return text.skip(p, depth);
        }
        if (c != '-' && !(c >= '0' && c <= '9')) {
            return absent(f, p);
        }
        NumberScanner numbers = text.numbers;
        int kind = numbers.scan(b, p);
        if (kind == NumberScanner.DECIMAL) {
            column.appendDouble(numbers.decimal);
            return numbers.end;
        }
        if (kind == NumberScanner.LONG) {
            double value = numbers.integer;
            if ((long) value == numbers.integer && value != 0x1p63) {
                // -0 is a decimal's zero with its sign
                column.appendDouble(numbers.integer == 0 && c == '-' ? -0.0 : value);
                return numbers.end;
            }
        }
        return mismatch(f, p, numbers.end, "can't hold this integer exactly");
    }

    // ---- lists and the like -----------------------------------------------------------------------------------------

    private int list(JsonNode f, int p) {
        byte[] b = this.b;
        text.checkDepth(++depth, p);
        p++;
        if (b[p] <= ' ') {
            p = JsonText.space(b, p);
        }
        if (b[p] == ']') {
            depth--;
            return p + 1;
        }
        JsonNode item = f.field(0);
        Column column = item.column;
        boolean strings = item.type == JsonNode.STRING;
        while (true) {
            if (strings && b[p] == '"') {
                p = text.string(column, p + 1);
            } else {
                p = element(item, p);
            }
            byte c = b[p];
            if (c <= ' ') {
                p = JsonText.space(b, p);
                c = b[p];
            }
            if (c == ']') {
                depth--;
                return p + 1;
            }
            if (c != ',') {
                throw JsonFailure.expected("',' or ']'", b, p);
            }
            p++;
            if (b[p] <= ' ') {
                p = JsonText.space(b, p);
            }
        }
    }

    /** An element that does not fit is null until {@link JsonMismatches} have decided about the record. */
    private int element(JsonNode item, int p) {
        int rows = item.column.rows;
        int end = value(item, p);
        if (item.column.rows == rows) {
            item.column.fill(rows + 1);
        }
        return end;
    }

    private int fixedList(JsonNode f, int p) {
        int size = f.column.width;
        Column items = f.column.children[0];
        items.fill(f.column.rows * size);
        int from = items.rows;
        int end = list(f, p);
        if (items.rows - from != size) {
            items.truncate(from);
            return mismatch(f, p, end, "takes lists of " + size + " elements only");
        }
        if (!gathered(f, p, end)) {
            f.column.endRow();
        }
        return end;
    }

    private int map(JsonNode f, int p) {
        Column entries = f.column.children[0];
        int from = entries.rows;
        int end = entries(f, entries, p, null);
        if (entries.rows - from > 1) {
            int[] last = scalars.lastOccurrences(f.field(0).column, from, entries.rows);
            if (last.length < entries.rows - from) {
                if (uniqueKeys) {
                    throw duplicate(f, p);
                }
                entries.truncate(from);
                mismatches.takeWithin(f, p);
                entries(f, entries, p, last);
            }
        }
        return gathered(f, p, end) ? end : ended(f.column, end);
    }

    private static int ended(Column lists, int end) {
        lists.endList();
        return end;
    }

    /** What is collected from within a list or map takes the whole of it along: a lone element would have no place. */
    private boolean gathered(JsonNode f, int from, int end) {
        if (!watched || !mismatches.collects() || !mismatches.takeWithin(f, from)) {
            return false;
        }
        f.column.truncate(f.column.rows);
        mismatches.add(f, from, end, "does not take all elements of this value");
        return true;
    }

    /** @param wanted indexes of the entries that count, ascending; null for all */
    private int entries(JsonNode f, Column entries, int p, int @Nullable [] wanted) {
        byte[] b = this.b;
        JsonNode key = f.field(0);
        JsonNode value = f.field(1);
        text.checkDepth(++depth, p);
        p = JsonText.space(b, p + 1);
        int index = 0;
        int taken = 0;
        while (b[p] != '}') {
            if (index > 0) {
                if (b[p] != ',') {
                    throw JsonFailure.expected("',' or '}'", b, p);
                }
                p = JsonText.space(b, p + 1);
            }
            if (b[p] != '"') {
                throw JsonFailure.expected("a key", b, p);
            }
            boolean counts = wanted == null || taken < wanted.length && wanted[taken] == index;
            int keyAt = p;
            key.column.fill(entries.rows);
            value.column.fill(entries.rows);
            p = text.skipString(p + 1);
            if (counts && scalars.readKey(key, keyAt) < 0) {
                mismatch(key, keyAt, p, scalars.why());
                key.column.fill(entries.rows + 1);
            }
            p = JsonText.space(b, p);
            if (b[p] != ':') {
                throw JsonFailure.expected("':'", b, p);
            }
            p = JsonText.space(b, p + 1);
            if (counts) {
                p = element(value, p);
                entries.endRow();
                taken++;
            } else {
                p = text.skip(p, depth);
            }
            p = JsonText.space(b, p);
            index++;
        }
        depth--;
        return p + 1;
    }

    /** Tries the members in their order: the first that fits takes the value. */
    private int union(JsonNode f, int p) {
        for (int i = 0; i < f.fields.length; i++) {
            JsonNode member = f.field(i);
            if (JsonScalars.mayTake(member.type, b, p)) {
                int rows = member.column.rows;
                boolean wasWatched = watched;
                int depthBefore = depth;
                watched = false;
                try {
                    int end = value(member, p);
                    f.column.endUnion(i);
                    return end;
                } catch (JsonFailure e) {
                    if (e != AGAIN) {
                        throw e;
                    }
                    depth = depthBefore;
                    member.column.truncate(rows);
                } finally {
                    watched = wasWatched;
                }
            }
        }
        if (b[p] == 'n' && Words.loadInt(b, p) == JsonText.NULL && !f.required) {
            f.column.appendNull();
            return p + 4;
        }
        return mismatch(f, p, text.skip(p, depth), "has no member for this value");
    }
}
