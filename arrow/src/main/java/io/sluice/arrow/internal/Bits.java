package io.sluice.arrow.internal;

import java.util.Arrays;

/** Runs of bits in {@code long[]}, least significant bit first, as Arrow lays them out. */
final class Bits {

    private Bits() {}

    static boolean at(long[] bits, int index) {
        return (bits[index >> 6] & 1L << index) != 0;
    }

    /** The array, grown so that it holds {@code count} bits. */
    static long[] ensure(long[] bits, int count) {
        int words = (int) ((count + 63L) >> 6);
        return words <= bits.length ? bits : Arrays.copyOf(bits, Math.max(words, bits.length * 2));
    }

    /** Sets {@code [from, to)}; the array is long enough. */
    static void set(long[] bits, int from, int to) {
        if (from >= to) {
            return;
        }
        int first = from >> 6;
        int last = (to - 1) >> 6;
        long head = -1L << from;
        long tail = -1L >>> -to;
        if (first == last) {
            bits[first] |= head & tail;
            return;
        }
        bits[first] |= head;
        Arrays.fill(bits, first + 1, last, -1L);
        bits[last] |= tail;
    }

    /** Clears {@code [from, to)}. */
    static void clear(long[] bits, int from, int to) {
        if (from >= to) {
            return;
        }
        int first = from >> 6;
        int last = (to - 1) >> 6;
        long head = -1L << from;
        long tail = -1L >>> -to;
        if (first == last) {
            bits[first] &= ~(head & tail);
            return;
        }
        bits[first] &= ~head;
        Arrays.fill(bits, first + 1, last, 0L);
        bits[last] &= ~tail;
    }

    /** How many of {@code [from, to)} are set. Bits behind the array's end count as clear. */
    static int count(long[] bits, int from, int to) {
        int count = 0;
        for (int at = from; at < to; at += 64) {
            count += Long.bitCount(word(bits, at, to - at));
        }
        return count;
    }

    /** Ors {@code length} bits from {@code from} of {@code source} into {@code target} at {@code to}, where they are clear. */
    static void or(long[] source, int from, long[] target, int to, int length) {
        for (int done = 0; done < length; done += 64) {
            long word = word(source, from + done, length - done);
            if (word == 0) {
                continue;
            }
            int at = to + done;
            int shift = at & 63;
            target[at >> 6] |= word << shift;
            if (shift != 0 && word >>> -shift != 0) {
                target[(at >> 6) + 1] |= word >>> -shift;
            }
        }
    }

    /** Up to 64 bits from {@code from}, those from {@code limit} on clear. */
    private static long word(long[] bits, int from, int limit) {
        int index = from >> 6;
        long word = index < bits.length ? bits[index] >>> from : 0;
        if ((from & 63) != 0 && index + 1 < bits.length) {
            word |= bits[index + 1] << -from;
        }
        return limit >= 64 ? word : word & (1L << limit) - 1;
    }
}
