package io.sluice.internal.json;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** How keys look in JSON text, quoted, escaped, with their colon. Immutable. */
final class KeyTexts {

    /** Bytes behind every text, so that it can be copied in words. */
    static final int PADDING = 16;

    /** What {@link #copy} may touch beyond a text. */
    static final int TOUCHED = 16;

    private final byte[][] texts;

    private KeyTexts(byte[][] texts) {
        this.texts = texts;
    }

    /** Null where one of them can't be written. */
    static @Nullable KeyTexts of(String[] names) {
        byte[][] texts = new byte[names.length][];
        byte[] b = new byte[0];
        char[] scratch = new char[JsonStrings.CHARS];
        for (int i = 0; i < names.length; i++) {
            String name = names[i];
            if (name.length() > JsonStrings.PART) {
                return null;
            }
            if (b.length < JsonStrings.room(name.length())) {
                b = new byte[JsonStrings.room(name.length())];
            }
            int end = JsonStrings.write(name, scratch, b, 0);
            if (end < 0) {
                return null;
            }
            b[end] = ':';
            texts[i] = text(b, 0, end + 1);
        }
        return new KeyTexts(texts);
    }

    /** A text that lies in {@code b}, with its padding. */
    static byte[] text(byte[] b, int from, int length) {
        return Arrays.copyOf(Arrays.copyOfRange(b, from, from + length), length + PADDING);
    }

    byte[] at(int i) {
        return texts[i];
    }

    /** Copies a text to {@code p} and answers the index behind it; {@link #TOUCHED} bytes beyond may be touched. */
    static int copy(byte[] text, byte[] b, int p) {
        int length = text.length - PADDING;
        Words.store(b, p, Words.load(text, 0));
        Words.store(b, p + 8, Words.load(text, 8));
        for (int i = 16; i < length; i += 8) {
            Words.store(b, p + i, Words.load(text, i));
        }
        return p + length;
    }
}
