package io.sluice.codec;

import java.util.Arrays;

/**
 * A growing heap buffer that encoders write to: {@code ensure(n)}, write to {@code array()} at {@code position()}, then
 * {@code position(p)}. Single-threaded. Not an OutputStream: nothing is copied or checked per byte.
 */
public final class Output {

    private byte[] array;
    private int position;

    /** @param capacity initial capacity in bytes */
    public Output(int capacity) {
        this.array = new byte[capacity];
    }

    /** The backing array; changes when {@link #ensure} grows it. */
    public byte[] array() {
        return array;
    }

    /** Bytes written so far. */
    public int position() {
        return position;
    }

    /** Moves the position, after direct writes or to roll back. */
    public void position(int newPosition) {
        this.position = newPosition;
    }

    /** Makes room for {@code more} bytes behind the position and returns the array. */
    public byte[] ensure(int more) {
        if (array.length - position < more) {
            int wanted = Math.addExact(position, more);
            long grown = Math.max(wanted, array.length * 2L);
            array = Arrays.copyOf(array, (int) Math.min(grown, Integer.MAX_VALUE - 16));
        }
        return array;
    }

    /** Appends one byte. */
    public void write(int b) {
        ensure(1)[position++] = (byte) b;
    }

    /** Appends bytes. */
    public void write(byte[] bytes, int from, int length) {
        System.arraycopy(bytes, from, ensure(length), position, length);
        position += length;
    }
}
