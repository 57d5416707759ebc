package io.sluice.internal.json;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Eight bytes at a time: loads, and the masks that find bytes of a kind in a word (SWAR). Words are little-endian, so the
 * first byte is the lowest. In a mask the high bit of a byte marks a hit; only the <em>lowest</em> hit is sure, as a
 * subtraction may borrow from the bytes above it.
 */
public final class Words {

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    static final long ONES = 0x0101010101010101L;
    static final long HIGH = 0x8080808080808080L;
    static final long LOW = 0x7F7F7F7F7F7F7F7FL;

    private static final long SPACES = 0x2020202020202020L;
    private static final long QUOTES = 0x2222222222222222L;
    private static final long BACKSLASHES = 0x5C5C5C5C5C5C5C5CL;
    private static final long ZEROS = 0x3030303030303030L;

    private Words() {}

    /** Eight bytes from {@code p}. */
    public static long load(byte[] b, int p) {
        return (long) LONG.get(b, p);
    }

    /** Four bytes from {@code p}. */
    public static int loadInt(byte[] b, int p) {
        return (int) INT.get(b, p);
    }

    /** Stores eight bytes from {@code p}. */
    public static void store(byte[] b, int p, long word) {
        LONG.set(b, p, word);
    }

    /** Marks what a plain run of a JSON string stops at: quote, backslash, control character, anything beyond ASCII. */
    public static long stops(long w) {
        long quote = (w ^ QUOTES) - ONES;
        long backslash = (w ^ BACKSLASHES) - ONES;
        return (quote | backslash | (w - SPACES) | w) & HIGH;
    }

    /** Index (0 to 7) of the lowest byte that {@code mask} marks. */
    public static int lowest(long mask) {
        return Long.numberOfTrailingZeros(mask) >>> 3;
    }

    /** Marks the bytes that are no digits in a word that {@link #unzeroed} made. */
    public static long nonDigits(long unzeroed) {
        return ((unzeroed + 0x7676767676767676L) | unzeroed) & HIGH;
    }

    /** Takes {@code '0'} off every byte: digits become 0 to 9. */
    public static long unzeroed(long w) {
        return w ^ ZEROS;
    }

    /** The number that eight digits make, the first in the lowest byte; each is 0 to 9. */
    public static long eightDigits(long digits) {
        long pairs = digits * 10 + (digits >>> 8);
        return ((pairs & 0x000000FF000000FFL) * 0x000F424000000064L
                        + ((pairs >>> 16) & 0x000000FF000000FFL) * 0x0000271000000001L)
                >>> 32;
    }
}
