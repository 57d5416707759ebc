package io.sluice.format;

import io.sluice.RecordException;
import io.sluice.RecordException.Kind;
import io.sluice.codec.Encoder;
import io.sluice.codec.Output;
import io.sluice.internal.json.Newlines;
import java.nio.ByteBuffer;

/** Bytes that are JSON already, a line each. What would not come back as this one record is refused. */
final class RawLineEncoder implements Encoder<ByteBuffer> {

    @Override
    public int encode(ByteBuffer value, Output out) {
        int from = out.position();
        int length = value.remaining();
        byte[] b = out.ensure(Math.addExact(length, 1));
        value.get(value.position(), b, from, length); // leaves the caller's position alone
        int to = from + length;
        int newline = Newlines.first(b, from, to);
        if (newline >= 0) {
            throw refused("the record contains a line feed, at byte " + (newline - from)
                    + ", which would end it; leave it out, or escape it inside strings");
        }
        int p = from;
        while (p < to && (b[p] == ' ' || b[p] == '\t' || b[p] == '\r')) {
            p++;
        }
        if (p == to) {
            throw refused("the record is blank, and readers skip blank lines");
        }
        if (length >= 3 && b[from] == (byte) 0xEF && b[from + 1] == (byte) 0xBB && b[from + 2] == (byte) 0xBF) {
            throw refused("the record begins with a byte order mark, which JSON does not allow");
        }
        b[to] = '\n';
        out.position(to + 1);
        return 1;
    }

    private static RecordException refused(String reason) {
        return new RecordException(Kind.UNMAPPABLE, null, -1, -1, reason, null);
    }
}
