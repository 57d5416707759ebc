package io.sluice.arrow;

import io.sluice.internal.json.Words;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A key of a JSON object, in the form in which it is compared with the text eight bytes at a time; and, where its value is an object
 * too, the keys below, with a bet on which follows which. Single-threaded. Fields are open, for the parsers' sake.
 */
abstract class KeyNode {

    /** {@code "key":} as it stands in the text. */
    byte[] key = {};
    /** Its length; 0 where the key needs escapes or is longer than what can be compared. */
    int keyLength;
    /** Its first eight bytes, and which bits of them count. */
    long head;

    long headMask;
    /** Its last eight bytes, where it has more than eight. */
    long tail;

    /** One more than the index among the parent's fields: the slot of {@link #next} that tells what follows it. */
    int slot;

    /** The keys of an object; the element of a list. */
    KeyNode[] fields = {};
    /** {@code next[slot]}: index of the field that came after it the last time. */
    int[] next = {0};

    private int[] table = new int[16];

    /** Adds a key, which is not there yet, behind the others. */
    final void add(String name, KeyNode node) {
        byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
        byte[] text = new byte[utf8.length + 3];
        text[0] = '"';
        System.arraycopy(utf8, 0, text, 1, utf8.length);
        text[utf8.length + 1] = '"';
        text[utf8.length + 2] = ':';
        node.key = text;
        boolean plain = true;
        for (byte c : utf8) {
            plain &= c != '"' && c != '\\' && (c < 0 || c >= ' ');
        }
        if (plain) {
            byte[] padded = Arrays.copyOf(text, Math.max(8, text.length));
            node.keyLength = text.length;
            node.head = Words.load(padded, 0);
            node.headMask = text.length >= 8 ? -1L : (1L << 8 * text.length) - 1;
            node.tail = Words.load(padded, padded.length - 8);
        } else {
            node.headMask = -1L;
            node.head = 0; // no text begins with a NUL
            node.keyLength = 8;
        }
        fields = Arrays.copyOf(fields, fields.length + 1);
        fields[fields.length - 1] = node;
        node.slot = fields.length;
        next = Arrays.copyOf(next, fields.length + 1);
        next[node.slot - 1] = node.slot - 1;
        if (fields.length * 2 > table.length) {
            table = new int[table.length * 2];
            for (KeyNode each : fields) {
                insert(each);
            }
        } else {
            insert(node);
        }
    }

    private void insert(KeyNode node) {
        int mask = table.length - 1;
        int at = hash(node.key, 1, node.key.length - 2) & mask;
        while (table[at] != 0) {
            at = at + 1 & mask;
        }
        table[at] = node.slot;
    }

    /** Whether the text at {@code p}, which begins with the first eight bytes of the key, goes on with the rest of it. */
    final boolean restMatches(byte[] b, int p) {
        int end = keyLength - 8;
        for (int i = 8; i < end; i += 8) {
            if (Words.load(b, p + i) != Words.load(key, i)) {
                return false;
            }
        }
        return Words.load(b, p + end) == tail;
    }

    /** The field whose key is these bytes, or null. */
    final @Nullable KeyNode find(byte[] b, int from, int to) {
        int mask = table.length - 1;
        int at = hash(b, from, to) & mask;
        for (int slot; (slot = table[at]) != 0; at = at + 1 & mask) {
            KeyNode node = fields[slot - 1];
            if (Arrays.equals(node.key, 1, node.key.length - 2, b, from, to)) {
                return node;
            }
        }
        return null;
    }

    private static int hash(byte[] b, int from, int to) {
        int length = to - from;
        int hash = length * 31 + (length > 0 ? b[from] + b[to - 1] * 7 + b[from + (length >> 1)] * 131 : 0);
        for (int i = from; i < to; i += 1 + (length >> 3)) {
            hash = hash * 31 + b[i];
        }
        return hash ^ hash >>> 15;
    }
}
