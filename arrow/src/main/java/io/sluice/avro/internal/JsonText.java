package io.sluice.avro.internal;

import io.sluice.codec.Output;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * Values of {@link MapReaders} as JSON text: bytes as Base64, logical values as their text, numbers that JSON can't say as
 * strings ({@code "NaN"}).
 */
public final class JsonText {

    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

    private JsonText() {}

    /** Appends a value's text. */
    public static void write(@org.jspecify.annotations.Nullable Object value, Output out) {
        if (value instanceof Map<?, ?> map) {
            out.write('{');
            Iterator<? extends Map.Entry<?, ?>> entries = map.entrySet().iterator();
            while (entries.hasNext()) {
                Map.Entry<?, ?> entry = entries.next();
                string(String.valueOf(entry.getKey()), out);
                out.write(':');
                write(entry.getValue(), out);
                if (entries.hasNext()) {
                    out.write(',');
                }
            }
            out.write('}');
        } else if (value instanceof List<?> list) {
            out.write('[');
            for (int i = 0; i < list.size(); i++) {
                if (i > 0) {
                    out.write(',');
                }
                write(list.get(i), out);
            }
            out.write(']');
        } else if (value == null
                || value instanceof Boolean
                || value instanceof Integer
                || value instanceof Long
                || (value instanceof Number number && Double.isFinite(number.doubleValue()))) {
            ascii(String.valueOf(value), out);
        } else if (value instanceof byte[] bytes) {
            string(Base64.getEncoder().encodeToString(bytes), out);
        } else {
            string(value.toString(), out);
        }
    }

    private static void ascii(String text, Output out) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        out.write(bytes, 0, bytes.length);
    }

    private static void string(String text, Output out) {
        out.write('"');
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int done = 0;
        for (int i = 0; i < bytes.length; i++) {
            byte b = bytes[i];
            if (b >= 0 && (b < ' ' || b == '"' || b == '\\')) {
                out.write(bytes, done, i - done);
                done = i + 1;
                out.write('\\');
                switch (b) {
                    case '"', '\\' -> out.write(b);
                    case '\n' -> out.write('n');
                    case '\r' -> out.write('r');
                    case '\t' -> out.write('t');
                    default -> {
                        ascii("u00", out);
                        out.write(HEX[b >> 4]);
                        out.write(HEX[b & 15]);
                    }
                }
            }
        }
        out.write(bytes, done, bytes.length - done);
        out.write('"');
    }
}
