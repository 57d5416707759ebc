package io.sluice.arrow.internal.ipc;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** A stretch of a heap array: one buffer of a column. */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Slice(byte[] array, int offset, int length) {

    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    static final Slice EMPTY = new Slice(new byte[0], 0, 0);

    static int intAt(byte[] b, int at) {
        return (int) INTS.get(b, at);
    }

    static long longAt(byte[] b, int at) {
        return (long) LONGS.get(b, at);
    }

    static void putLong(byte[] b, int at, long value) {
        LONGS.set(b, at, value);
    }

    static void putInt(byte[] b, int at, int value) {
        INTS.set(b, at, value);
    }

    int int32(int index) {
        return intAt(array, offset + index * 4);
    }

    long int64(int index) {
        return longAt(array, offset + index * 8);
    }

    boolean bit(int index) {
        return (array[offset + (index >> 3)] >> (index & 7) & 1) != 0;
    }
}
