package io.sluice.internal.json;

import org.jspecify.annotations.Nullable;

/**
 * Remembers the {@linkplain KeyTexts texts} of the keys of any maps. One place for every hash, so that keys that are chosen
 * to collide cost no more than no cache.
 */
final class KeyCache {

    /** The longest text worth remembering, in bytes. */
    static final int LONGEST = 128;

    private static final int PLACES = 1024;

    private final @Nullable String[] names = new @Nullable String[PLACES];
    private final byte[][] texts = new byte[PLACES][];

    private static int place(String name) {
        int h = name.hashCode();
        return (h ^ h >>> 16) * 0x9E3779B9 >>> 22;
    }

    /** The text of a key, or null. */
    byte @Nullable [] find(String name) {
        int place = place(name);
        String known = names[place];
        return name.equals(known) ? texts[place] : null;
    }

    void add(String name, byte[] b, int from, int length) {
        int place = place(name);
        names[place] = name;
        texts[place] = KeyTexts.text(b, from, length);
    }
}
