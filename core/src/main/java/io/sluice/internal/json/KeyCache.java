package io.sluice.internal.json;

import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Remembers how keys look in JSON text: quoted, escaped, with their colon. One place for every hash, so that keys that
 * are chosen to collide cost no more than no cache.
 */
final class KeyCache {

    /** The longest text worth remembering, in bytes. */
    static final int LONGEST = 128;

    /** Bytes behind every text, so that it can be copied eight bytes at a time. */
    static final int PADDING = 8;

    private static final int PLACES = 1024;
    private static final VarHandle LONG = Newlines.LONG;

    private final @Nullable String[] names = new @Nullable String[PLACES];
    private final byte[][] texts = new byte[PLACES][];

    private static int place(String name) {
        int h = name.hashCode();
        return (h ^ h >>> 16) * 0x9E3779B9 >>> 22;
    }

    /** The text of a key followed by {@link #PADDING}, or null. */
    @SuppressWarnings("ReferenceEquality") // most often the same string, which is faster to see
    byte @Nullable [] find(String name) {
        int place = place(name);
        String known = names[place];
        return known == name || name.equals(known) ? texts[place] : null;
    }

    void add(String name, byte[] b, int from, int length) {
        int place = place(name);
        names[place] = name;
        texts[place] = Arrays.copyOf(Arrays.copyOfRange(b, from, from + length), length + PADDING);
    }

    /** Copies a text; may touch seven bytes beyond it. */
    static void copy(byte[] text, int length, byte[] b, int p) {
        if (length > 32) {
            System.arraycopy(text, 0, b, p, length);
            return;
        }
        for (int i = 0; i < length; i += 8) {
            LONG.set(b, p + i, (long) LONG.get(text, i));
        }
    }
}
