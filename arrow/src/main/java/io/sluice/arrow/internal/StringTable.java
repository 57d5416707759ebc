package io.sluice.arrow.internal;

import java.util.Arrays;

/** Distinct byte strings, numbered in the order of their first appearance. Open addressing; single-threaded. */
public final class StringTable {

    private static final int MIN_SLOTS = 64;

    private byte[] bytes = new byte[256];
    private int[] offsets = new int[MIN_SLOTS];
    private int[] hashes = new int[MIN_SLOTS];
    private int[] slots = new int[MIN_SLOTS];
    private int size;

    /** How many strings it holds. */
    public int size() {
        return size;
    }

    /** The bytes of all strings, one behind the other. */
    byte[] bytes() {
        return bytes;
    }

    /** {@code offsets()[i]} to {@code offsets()[i + 1]} is string {@code i}. */
    int[] offsets() {
        return offsets;
    }

    /** The number of a string, which is added if it is new. */
    public int code(byte[] from, int start, int length) {
        int hash = hash(from, start, length);
        int mask = slots.length - 1;
        int slot = hash & mask;
        for (int code; (code = slots[slot] - 1) >= 0; slot = slot + 1 & mask) {
            if (hashes[code] == hash
                    && Arrays.equals(bytes, offsets[code], offsets[code + 1], from, start, start + length)) {
                return code;
            }
        }
        return add(from, start, length, hash, slot);
    }

    /** Compares a string, by its number, with another, byte by byte. */
    public int compare(int code, byte[] other) {
        return Arrays.compareUnsigned(bytes, offsets[code], offsets[code + 1], other, 0, other.length);
    }

    private int add(byte[] from, int start, int length, int hash, int slot) {
        int code = size;
        if (code + 1 >= offsets.length) {
            offsets = Arrays.copyOf(offsets, offsets.length * 2);
            hashes = Arrays.copyOf(hashes, hashes.length * 2);
        }
        int at = offsets[code];
        int end = Math.addExact(at, length);
        if (end > bytes.length) {
            bytes = Arrays.copyOf(bytes, (int) Math.min(Integer.MAX_VALUE - 16, Math.max(end, bytes.length * 2L)));
        }
        System.arraycopy(from, start, bytes, at, length);
        offsets[code + 1] = end;
        hashes[code] = hash;
        slots[slot] = code + 1;
        size++;
        if (size * 2 > slots.length) {
            rehash(slots.length * 2);
        }
        return code;
    }

    private void rehash(int count) {
        int[] next = new int[count];
        for (int code = 0; code < size; code++) {
            int slot = hashes[code] & count - 1;
            while (next[slot] != 0) {
                slot = slot + 1 & count - 1;
            }
            next[slot] = code + 1;
        }
        slots = next;
    }

    private static int hash(byte[] from, int start, int length) {
        long hash = length * 0x9E3779B97F4A7C15L;
        int at = start;
        int end = start + length;
        for (; at + 8 <= end; at += 8) {
            hash = (hash ^ (long) Column.LONGS.get(from, at)) * 0x9FB21C651E98DF25L;
            hash ^= hash >>> 29;
        }
        for (; at < end; at++) {
            hash = (hash ^ from[at] & 0xFF) * 0x9FB21C651E98DF25L;
        }
        return (int) (hash ^ hash >>> 32);
    }

    /** Forgets all strings. */
    void reset() {
        size = 0;
        Arrays.fill(slots, 0);
    }
}
