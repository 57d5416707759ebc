package io.sluice.avro.internal;

import io.sluice.RecordException.Kind;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A cursor over Avro's binary encoding (specification 1.12, "Binary Encoding"). Never reads or believes beyond its limit. */
public final class BinaryInput {

    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /** Elements without bytes that one block may hold: nothing else bounds what it claims. */
    public static final int MAX_EMPTY = 1 << 22;

    public byte[] bytes = new byte[0];
    public int pos;
    public int limit;

    private final int maxNesting;
    private int depth;
    private int empties;

    /** @param maxNesting how deep records, arrays and maps may be nested in the data */
    public BinaryInput(int maxNesting) {
        this.maxNesting = maxNesting;
    }

    /** Starts a block's data. */
    public void reset(byte[] data, int from, int to) {
        bytes = data;
        pos = from;
        limit = to;
        depth = 0;
        empties = 0;
    }

    /** Starts at a record: forgets the depth at which the last one failed. */
    public void at(int newPos) {
        pos = newPos;
        depth = 0;
    }

    public int remaining() {
        return limit - pos;
    }

    public void enter() {
        if (++depth > maxNesting) {
            throw BadRecord.tooDeep(maxNesting);
        }
    }

    public void leave() {
        depth--;
    }

    public boolean readBoolean() {
        if (pos >= limit) {
            throw cutOff();
        }
        byte b = bytes[pos];
        if ((b & ~1) != 0) {
            throw BadRecord.broken("a boolean of " + b);
        }
        pos++;
        return b == 1;
    }

    public int readInt() {
        if (pos < limit && bytes[pos] >= 0) {
            int b = bytes[pos++];
            return (b >>> 1) ^ -(b & 1);
        }
        long raw = varint();
        if (raw >>> 32 != 0) {
            throw BadRecord.broken("an int of more than 32 bits");
        }
        return (int) (raw >>> 1) ^ -(int) (raw & 1);
    }

    public long readLong() {
        if (pos < limit && bytes[pos] >= 0) {
            long b = bytes[pos++];
            return (b >>> 1) ^ -(b & 1);
        }
        long raw = varint();
        return (raw >>> 1) ^ -(raw & 1);
    }

    private long varint() {
        long raw = 0;
        int at = pos;
        for (int shift = 0; shift <= 63; shift += 7) {
            if (at >= limit) {
                throw cutOff();
            }
            byte b = bytes[at++];
            raw |= (b & 0x7FL) << shift;
            if (b >= 0) {
                if (shift == 63 && b > 1) {
                    break;
                }
                pos = at;
                return raw;
            }
        }
        throw BadRecord.broken("a number of more than 64 bits");
    }

    public float readFloat() {
        int at = take(4);
        return Float.intBitsToFloat((int) INT.get(bytes, at));
    }

    public double readDouble() {
        int at = take(8);
        return Double.longBitsToDouble((long) LONG.get(bytes, at));
    }

    /** Takes {@code n} bytes and answers where they begin. */
    public int take(int n) {
        if (n > limit - pos) {
            throw cutOff();
        }
        int at = pos;
        pos += n;
        return at;
    }

    /** Reads the length of bytes or of a string, all of which are there. */
    public int readLength() {
        long length = readLong();
        if (length < 0) {
            throw BadRecord.broken("a length of " + length);
        }
        if (length > limit - pos) {
            throw BadRecord.broken("a length of " + length + " where " + (limit - pos) + " bytes are left");
        }
        return (int) length;
    }

    public byte[] readBytes() {
        int length = readLength();
        int at = take(length);
        return Arrays.copyOfRange(bytes, at, at + length);
    }

    public byte[] readFixed(int length) {
        int at = take(length);
        return Arrays.copyOfRange(bytes, at, at + length);
    }

    public String readString() {
        int length = readLength();
        int at = take(length);
        String text = new String(bytes, at, length, StandardCharsets.UTF_8);
        if (text.indexOf('\uFFFD') >= 0 && !Utf8Check.isValid(bytes, at, at + length)) {
            throw invalidUtf8();
        }
        return text;
    }

    public static BadRecord invalidUtf8() {
        return BadRecord.refused(Kind.INVALID_UNICODE, "a string is not valid UTF-8", null);
    }

    /** Reads an index into {@code count} branches or symbols. */
    public int readIndex(int count, String of) {
        long index = readLong();
        if (index < 0 || index >= count) {
            throw BadRecord.broken("index " + index + " into a " + of + " of " + count);
        }
        return (int) index;
    }

    /**
     * Reads the next count of an array or map, 0 at its end. A block's size in bytes, where there is one, is read over.
     *
     * @param minBytes the fewest bytes an element can take
     */
    public int readCount(int minBytes) {
        long count = readLong();
        if (count < 0) {
            count = -count;
            long size = readLong();
            if (size < 0 || size > remaining()) {
                throw BadRecord.broken("a block of an array or map of " + size + " bytes");
            }
        }
        return checkCount(count, minBytes);
    }

    /** Reads over all blocks whose size is given; answers the count of the first one without, 0 at the end. */
    int readCountSkippingSized(int minBytes) {
        while (true) {
            long count = readLong();
            if (count >= 0) {
                return checkCount(count, minBytes);
            }
            long size = readLong();
            if (size < 0 || size > remaining()) {
                throw BadRecord.broken("a block of an array or map of " + size + " bytes");
            }
            pos += (int) size;
        }
    }

    private int checkCount(long count, int minBytes) {
        if (minBytes == 0) {
            if (count < 0 || count > MAX_EMPTY - empties) {
                throw BadRecord.broken("a block with more than " + MAX_EMPTY + " elements that have no bytes");
            }
            empties += (int) count;
        } else if (count < 0 || count > remaining() / minBytes) {
            throw BadRecord.broken(
                    "an array or map of " + count + " elements where " + remaining() + " bytes are left");
        }
        return (int) count;
    }

    public static BadRecord cutOff() {
        return BadRecord.broken("the block's data ends inside the record");
    }
}
