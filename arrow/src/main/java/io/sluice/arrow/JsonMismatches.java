package io.sluice.arrow;

import io.sluice.RecordException.Kind;
import io.sluice.arrow.internal.Column;
import io.sluice.arrow.internal.ColumnChunk;
import io.sluice.internal.json.JsonFailure;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What did not fit the schema while one record was read, and what is done about it. Single-threaded, reused. */
final class JsonMismatches {

    /** How much of a value a message shows. */
    private static final int EXCERPT = 60;

    /** Under {@link Unexpected#WIDEN}: a good record that needs a wider schema. */
    static final class Misfit extends JsonFailure {
        private static final long serialVersionUID = 1L;

        private final String path;

        Misfit(String path, int recordEnd) {
            super(Kind.UNEXPECTED_TYPE, "column " + path, recordEnd);
            this.path = path;
        }

        /** The first column that does not fit, or the key that has none. */
        String path() {
            return path;
        }
    }

    /** A good record that does not fit the schema, and is refused for it. */
    static final class Mismatch extends JsonFailure {
        private static final long serialVersionUID = 1L;

        Mismatch(String reason, int at) {
            super(Kind.UNEXPECTED_TYPE, reason, at);
        }
    }

    private record Entry(JsonNode node, int from, int to, String why) {}

    private final Unexpected mode;
    private final List<Entry> entries = new ArrayList<>();
    private final StringBuilder escaped = new StringBuilder();
    private byte[] b = {};
    private int row;
    private @Nullable Column rest;

    JsonMismatches(JsonRules rules) {
        this.mode = rules.unexpected();
    }

    /** Whether keys outside the schema are of no concern. */
    boolean ignores() {
        return mode == Unexpected.IGNORE;
    }

    boolean collects() {
        return mode == Unexpected.COLLECT;
    }

    void open(ColumnChunk chunk) {
        rest = mode == Unexpected.COLLECT ? chunk.columns[chunk.columns.length - 1] : null;
    }

    void begin(byte[] bytes, int ofRow) {
        b = bytes;
        row = ofRow;
        entries.clear();
    }

    void add(JsonNode node, int from, int to, String why) {
        entries.add(new Entry(node, from, to, why));
    }

    void addUnknown(JsonNode node, int from, int to, int objectStart) {
        entries.removeIf(e -> e.from > objectStart && e.node.path.equals(node.path));
        entries.add(new Entry(node, from, to, ""));
    }

    /** The value that comes now replaces what an earlier one under the same key in the same object left. */
    void forget(JsonNode node, int objectStart) {
        entries.removeIf(e -> e.from > objectStart && e.node.isWithin(node));
    }

    boolean has(JsonNode node, int objectStart) {
        for (Entry e : entries) {
            if (e.from >= objectStart && e.node == node) {
                return true;
            }
        }
        return false;
    }

    /** Whether anything in the node's value that began at {@code from} did not fit; it is forgotten. */
    boolean takeWithin(JsonNode node, int from) {
        return entries.removeIf(e -> e.from >= from && e.node.isWithin(node));
    }

    /**
     * The record was read to its end, which is at {@code recordEnd}.
     *
     * @throws JsonFailure it is refused for what did not fit
     */
    void end(int recordEnd) {
        if (entries.isEmpty()) {
            return;
        }
        if (mode == Unexpected.WIDEN) {
            throw new Misfit(entries.get(0).node.path, recordEnd);
        }
        if (rest == null) {
            throw refusal(entries.get(0));
        }
        for (Entry e : entries) {
            if (e.node.required) {
                throw refusal(e);
            }
        }
        collect(rest);
    }

    private void collect(Column column) {
        column.fill(row);
        byte separator = '{';
        int end = column.end;
        for (Entry e : entries) {
            byte[] key = quoted(e.node.path);
            byte[] out = column.roomAt(end, key.length + e.to - e.from + 3);
            out[end++] = separator;
            System.arraycopy(key, 0, out, end, key.length);
            end += key.length;
            out[end++] = ':';
            System.arraycopy(b, e.from, out, end, e.to - e.from);
            end += e.to - e.from;
            separator = ',';
        }
        column.roomAt(end, 1)[end] = '}';
        column.endBytes(end + 1);
    }

    private byte[] quoted(String path) {
        escaped.setLength(0);
        escaped.append('"');
        for (int i = 0; i < path.length(); i++) {
            char c = path.charAt(i);
            if (c == '"' || c == '\\') {
                escaped.append('\\').append(c);
            } else if (c < ' ') {
                escaped.append("\\u00").append(c < 16 ? '0' : '1').append(Character.forDigit(c & 15, 16));
            } else {
                escaped.append(c);
            }
        }
        return escaped.append('"').toString().getBytes(StandardCharsets.UTF_8);
    }

    private JsonFailure refusal(Entry e) {
        String value = excerpt(e.from, e.to);
        String found = describe(e.from) + " " + value;
        String reason;
        if (e.node.type == JsonNode.SKIPPED) {
            reason = "key '" + e.node.path + "' (" + found
                    + ") is not in the schema: add it, infer the schema from a larger"
                    + " sample, leave it out by a projection, or choose Unexpected.COLLECT, IGNORE or WIDEN";
        } else if (e.why.equals("is missing")) {
            reason = "column '" + e.node.path + "' must not be null and is missing from " + value;
        } else {
            reason = "column '" + e.node.path + "' (" + typeName(e.node) + ") " + e.why + ": " + found
                    + "; declare a type that takes it, or choose Unexpected.COLLECT or WIDEN";
        }
        return new Mismatch(reason, e.from);
    }

    private static String typeName(JsonNode node) {
        return node.plan == null ? "?" : node.plan.field.getType().toString();
    }

    private String describe(int at) {
        return switch (b[at]) {
            case '"' -> "string";
            case '{' -> "object";
            case '[' -> "list";
            case 't', 'f' -> "boolean";
            case 'n' -> "null";
            default -> "number";
        };
    }

    private String excerpt(int from, int to) {
        byte[] bytes = Arrays.copyOfRange(b, from, Math.min(to, from + EXCERPT));
        return new String(bytes, StandardCharsets.UTF_8) + (to - from > EXCERPT ? "…" : "");
    }
}
