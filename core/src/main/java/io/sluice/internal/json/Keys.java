package io.sluice.internal.json;

import org.jspecify.annotations.Nullable;

/** The keys of maps that share them, in order. Immutable, but for an index that is made when it is first needed. */
final class Keys {

    static final Keys NONE = new Keys(new String[0]);

    /** Up to so many keys are compared one by one. */
    private static final int FEW = 8;

    private final String[] names;
    /** Set without synchronisation: its final field makes it safe to see, and two of them are alike. */
    private @Nullable Index index;
    /** As the index is. */
    private @Nullable KeyTexts texts;

    private boolean used;

    /** @param names the keys, each once; not copied */
    Keys(String[] names) {
        this.names = names;
    }

    int size() {
        return names.length;
    }

    String name(int i) {
        return names[i];
    }

    /**
     * The keys as JSON text, as {@link KeyTexts} keeps them. Null at first: keys that are used once are not worth it.
     */
    @Nullable
    KeyTexts texts() {
        KeyTexts made = texts;
        if (made == null && used) {
            made = KeyTexts.of(names);
            texts = made;
        }
        used = true;
        return made;
    }

    /** Where {@code key} is, or -1. */
    int indexOf(@Nullable Object key) {
        if (!(key instanceof String)) {
            return -1;
        }
        String[] all = names;
        if (all.length <= FEW) {
            // the names are interned, so that a literal is found by identity
            for (int i = 0; i < all.length; i++) {
                if (all[i] == key) {
                    return i;
                }
            }
            for (int i = 0; i < all.length; i++) {
                if (all[i].equals(key)) {
                    return i;
                }
            }
            return -1;
        }
        Index made = index;
        if (made == null) {
            made = new Index(all);
            index = made;
        }
        return made.find(all, (String) key);
    }

    /** A hash table of positions plus one, 0 where free. */
    private static final class Index {
        private final int[] table;

        Index(String[] names) {
            int[] t = new int[Integer.highestOneBit(names.length * 2) * 2];
            for (int i = 0; i < names.length; i++) {
                int slot = slot(names[i], t.length);
                while (t[slot] != 0) {
                    slot = (slot + 1) & (t.length - 1);
                }
                t[slot] = i + 1;
            }
            this.table = t;
        }

        private static int slot(String name, int length) {
            int h = name.hashCode();
            return (h ^ h >>> 16) & (length - 1);
        }

        int find(String[] names, String key) {
            int[] t = table;
            for (int slot = slot(key, t.length); t[slot] != 0; slot = (slot + 1) & (t.length - 1)) {
                if (names[t[slot] - 1].equals(key)) {
                    return t[slot] - 1;
                }
            }
            return -1;
        }
    }
}
