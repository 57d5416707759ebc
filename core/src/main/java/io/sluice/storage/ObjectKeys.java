package io.sluice.storage;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import java.util.Comparator;

/** The rules for keys that every {@link ObjectStore} keeps; for those who write a store. */
public final class ObjectKeys {

    /**
     * Order of keys in a listing: by their UTF-8 bytes, which is by code point. {@link String#compareTo} differs from it
     * above U+FFFF.
     */
    public static final Comparator<String> ORDER = ObjectKeys::compare;

    private ObjectKeys() {}

    /**
     * Checks that a key is relative, {@code /}-separated and free of empty, {@code .} and {@code ..} segments and of NUL.
     *
     * @return the key
     * @throws StorageException {@code INVALID_REQUEST}
     */
    public static String requireKey(String key) {
        if (key.isEmpty()) {
            throw new StorageException(Kind.INVALID_REQUEST, null, "a key must not be empty", null);
        }
        requireSegments(key, key.length(), "key");
        return key;
    }

    /**
     * Checks a listing's prefix: the directories in it like a key; what follows the last {@code /} may be anything, as it
     * is only the beginning of a name.
     *
     * @return the prefix
     * @throws StorageException {@code INVALID_REQUEST}
     */
    public static String requirePrefix(String prefix) {
        int slash = prefix.lastIndexOf('/');
        if (slash >= 0) {
            requireSegments(prefix, slash, "prefix");
        }
        requireNoNul(prefix, "prefix");
        return prefix;
    }

    private static void requireSegments(String text, int end, String what) {
        requireNoNul(text, what);
        int start = 0;
        while (true) {
            int slash = text.indexOf('/', start);
            int stop = slash < 0 || slash > end ? end : slash;
            int length = stop - start;
            if (length == 0) {
                throw invalid(
                        text,
                        what,
                        start == 0 ? "begins with '/'; it is relative to its store" : "has an empty segment");
            }
            if (text.charAt(start) == '.' && (length == 1 || (length == 2 && text.charAt(start + 1) == '.'))) {
                throw invalid(text, what, "has the segment '" + text.substring(start, stop) + "'");
            }
            if (stop == end) {
                return;
            }
            start = stop + 1;
        }
    }

    private static void requireNoNul(String text, String what) {
        if (text.indexOf('\0') >= 0) {
            throw invalid(text.replace('\0', '?'), what, "has a NUL character");
        }
    }

    private static StorageException invalid(String text, String what, String why) {
        return new StorageException(Kind.INVALID_REQUEST, text, "this " + what + " " + why, null);
    }

    private static int compare(String a, String b) {
        int length = Math.min(a.length(), b.length());
        for (int i = 0; i < length; i++) {
            char x = a.charAt(i);
            char y = b.charAt(i);
            if (x != y) {
                // surrogates stand for the code points above all other characters
                boolean highX = Character.isSurrogate(x);
                boolean highY = Character.isSurrogate(y);
                return highX == highY ? Character.compare(x, y) : highX ? 1 : -1;
            }
        }
        return Integer.compare(a.length(), b.length());
    }
}
