package io.sluice.avro.internal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Whether bytes are UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF (RFC 3629). */
public final class Utf8Check {

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long HIGH = 0x8080808080808080L;

    private Utf8Check() {}

    /** Whether no byte has its high bit set. */
    public static boolean isAscii(byte[] bytes, int from, int to) {
        long all = 0;
        int i = from;
        for (; i <= to - 32; i += 32) {
            all |= (long) LONG.get(bytes, i)
                    | (long) LONG.get(bytes, i + 8)
                    | (long) LONG.get(bytes, i + 16)
                    | (long) LONG.get(bytes, i + 24);
        }
        for (; i <= to - 8; i += 8) {
            all |= (long) LONG.get(bytes, i);
        }
        int last = 0;
        for (; i < to; i++) {
            last |= bytes[i];
        }
        return (all & HIGH) == 0 && last >= 0;
    }

    public static boolean isValid(byte[] bytes, int from, int to) {
        int i = from;
        while (i < to) {
            if (to - i >= 8 && ((long) LONG.get(bytes, i) & HIGH) == 0) {
                i += 8;
                continue;
            }
            int b = bytes[i];
            if (b >= 0) {
                i++;
            } else if ((b & 0xE0) == 0xC0) {
                if ((b & 0x1E) == 0 || to - i < 2 || !follows(bytes[i + 1])) {
                    return false;
                }
                i += 2;
            } else if ((b & 0xF0) == 0xE0) {
                if (to - i < 3 || !follows(bytes[i + 1]) || !follows(bytes[i + 2])) {
                    return false;
                }
                int high = (b & 0x0F) << 6 | bytes[i + 1] & 0x3F;
                if (high < 0x20 || (high >= 0x360 && high < 0x380)) {
                    return false;
                }
                i += 3;
            } else if ((b & 0xF8) == 0xF0) {
                if (to - i < 4 || !follows(bytes[i + 1]) || !follows(bytes[i + 2]) || !follows(bytes[i + 3])) {
                    return false;
                }
                int high = (b & 0x07) << 6 | bytes[i + 1] & 0x3F;
                if (high < 0x10 || high >= 0x110) {
                    return false;
                }
                i += 4;
            } else {
                return false;
            }
        }
        return true;
    }

    private static boolean follows(byte b) {
        return (b & 0xC0) == 0x80;
    }
}
