package io.sluice.avro;

import io.sluice.codec.Output;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Container files that no writer makes. */
final class AvroFiles {

    private static final int SYNC = 16;

    private AvroFiles() {}

    /** The blocks of a file behind a header with another schema, of no codec. */
    static byte[] withSchema(byte[] file, String schema) {
        byte[] sync = Arrays.copyOfRange(file, file.length - SYNC, file.length);
        int from = 0;
        while (!Arrays.equals(file, from, from + SYNC, sync, 0, SYNC)) {
            from++;
        }
        Output out = header(schema);
        out.write(file, from, file.length - from);
        return Arrays.copyOf(out.array(), out.position());
    }

    /** A file of one block. */
    static byte[] of(String schema, int count, byte[] data) {
        byte[] sync = new byte[SYNC];
        Arrays.fill(sync, (byte) 0xA5);
        Output out = header(schema);
        out.write(sync, 0, SYNC);
        varint(count, out);
        varint(data.length, out);
        out.write(data, 0, data.length);
        out.write(sync, 0, SYNC);
        return Arrays.copyOf(out.array(), out.position());
    }

    private static Output header(String schema) {
        Output out = new Output(1024);
        out.write(new byte[] {'O', 'b', 'j', 1}, 0, 4);
        varint(1, out);
        bytes("avro.schema", out);
        bytes(schema, out);
        varint(0, out);
        return out;
    }

    private static void bytes(String text, Output out) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        varint(bytes.length, out);
        out.write(bytes, 0, bytes.length);
    }

    private static void varint(long value, Output out) {
        long raw = value << 1 ^ value >> 63;
        while ((raw & ~0x7FL) != 0) {
            out.write((int) (raw & 0x7F | 0x80));
            raw >>>= 7;
        }
        out.write((int) raw);
    }
}
