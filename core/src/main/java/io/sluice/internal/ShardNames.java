package io.sluice.internal;

import java.util.Comparator;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * What the names of a directory's files say: which of them are shards, in which order they are read, and which index a
 * {@code part-NNNNN} has. A name is what follows the last {@code /} of a key; methods take either.
 */
public final class ShardNames {

    /** What the name of a numbered shard begins with. */
    public static final String PREFIX = "part-";

    /** Digits of an index, more if it needs them. */
    public static final int MIN_DIGITS = 5;

    private static final int MAX_DIGITS = 18;

    /**
     * The order in which shards are read: numbered shards by their number, before all others; the others in natural order,
     * where a run of digits counts as a number ({@code log-9} before {@code log-10}). Directories compare first, so that it is
     * an order of keys as well. Never 0 for different names.
     */
    public static final Comparator<String> ORDER = ShardNames::compareKeys;

    private ShardNames() {}

    /** Whether a key or name is a shard's: not so if its last segment is empty or begins with {@code .} or {@code _}. */
    public static boolean isShard(String key) {
        String name = name(key);
        return !name.isEmpty() && name.charAt(0) != '.' && name.charAt(0) != '_';
    }

    /** The index in {@code part-00012.jsonl.zst}; empty for a name of another shape. */
    public static OptionalLong index(String key) {
        String name = name(key);
        if (!name.startsWith(PREFIX)) {
            return OptionalLong.empty();
        }
        int end = PREFIX.length();
        while (end < name.length() && isDigit(name.charAt(end))) {
            end++;
        }
        int digits = end - PREFIX.length();
        boolean wellFormed = digits > 0 && digits <= MAX_DIGITS && (end == name.length() || name.charAt(end) == '.');
        return wellFormed ? OptionalLong.of(Long.parseLong(name, PREFIX.length(), end, 10)) : OptionalLong.empty();
    }

    /**
     * The name of a numbered shard.
     *
     * @param extension with its dot: {@code ".jsonl.zst"}
     */
    public static String of(long index, String extension) {
        if (index < 0) {
            throw new IllegalArgumentException("an index must not be negative: " + index);
        }
        return PREFIX + String.format(Locale.ROOT, "%0" + MIN_DIGITS + "d", index) + extension;
    }

    private static String name(String key) {
        return key.substring(key.lastIndexOf('/') + 1);
    }

    private static int compareKeys(String a, String b) {
        int slashA = a.lastIndexOf('/');
        int slashB = b.lastIndexOf('/');
        int order = compareNatural(a.substring(0, slashA + 1), b.substring(0, slashB + 1));
        return order != 0 ? order : compareNames(a.substring(slashA + 1), b.substring(slashB + 1));
    }

    private static int compareNames(String a, String b) {
        OptionalLong indexA = index(a);
        OptionalLong indexB = index(b);
        if (indexA.isPresent() != indexB.isPresent()) {
            return indexA.isPresent() ? -1 : 1;
        }
        if (indexA.isPresent() && indexA.getAsLong() != indexB.getAsLong()) {
            return Long.compare(indexA.getAsLong(), indexB.getAsLong());
        }
        return compareNatural(a, b);
    }

    /** Text by code unit, runs of digits by value; names that differ in leading zeros only, by text. */
    private static int compareNatural(String a, String b) {
        int i = 0;
        int j = 0;
        while (i < a.length() && j < b.length()) {
            char x = a.charAt(i);
            char y = b.charAt(j);
            if (isDigit(x) && isDigit(y)) {
                int endA = endOfDigits(a, i);
                int endB = endOfDigits(b, j);
                int order = compareDigits(a, i, endA, b, j, endB);
                if (order != 0) {
                    return order;
                }
                i = endA;
                j = endB;
            } else if (x != y) {
                return Character.compare(x, y);
            } else {
                i++;
                j++;
            }
        }
        int order = Integer.compare(a.length() - i, b.length() - j);
        return order != 0 ? order : a.compareTo(b);
    }

    /** Of any length: compared without making a number of them. */
    private static int compareDigits(String a, int startA, int endA, String b, int startB, int endB) {
        int i = skipZeros(a, startA, endA);
        int j = skipZeros(b, startB, endB);
        if (endA - i != endB - j) {
            return Integer.compare(endA - i, endB - j);
        }
        while (i < endA) {
            int order = Character.compare(a.charAt(i++), b.charAt(j++));
            if (order != 0) {
                return order;
            }
        }
        return 0;
    }

    private static int skipZeros(String text, int start, int end) {
        int i = start;
        while (i < end && text.charAt(i) == '0') {
            i++;
        }
        return i;
    }

    private static int endOfDigits(String text, int start) {
        int i = start;
        while (i < text.length() && isDigit(text.charAt(i))) {
            i++;
        }
        return i;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }
}
