package io.sluice.avro.internal;

import io.sluice.avro.AvroCodec;
import io.sluice.avro.AvroHeader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.apache.avro.NameValidator;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;

/** Reads a container file's header as its bytes come in; goes on where it stopped. */
final class HeaderParser {

    /** The bytes shown end inside the header. */
    static final int NEED_MORE = 0;

    /** The bytes shown can't be a header. */
    static final int BAD = -1;

    private static final byte[] MAGIC = {'O', 'b', 'j', 1};

    private final int maxBytes;
    private final Function<String, @Nullable AvroCodec> codecs;
    private final Map<String, byte[]> metadata = new LinkedHashMap<>();

    /** Bytes taken so far: the magic, then whole counts and entries. */
    private int taken;
    /** Entries that the map's current block still holds; -1 before its count, -2 when the map is over. */
    private long entries = -1;

    private int need;
    private int badAt;
    private String reason = "";
    private @Nullable AvroHeader header;

    HeaderParser(int maxBytes, Function<String, @Nullable AvroCodec> codecs) {
        this.maxBytes = maxBytes;
        this.codecs = codecs;
    }

    AvroHeader header() {
        return Objects.requireNonNull(header);
    }

    /** How many bytes must be shown for the next step. */
    int need() {
        return need;
    }

    /** Offset of the byte that can't be. */
    int badAt() {
        return badAt;
    }

    String reason() {
        return reason;
    }

    // a cursor over the bytes shown; value() answers false where they end
    private byte[] bytes = MAGIC;
    private int base;
    private int pos;
    private int end;
    private long value;

    /** The header's length, {@link #NEED_MORE} or {@link #BAD}. Always shown the file from its first byte. */
    int parse(byte[] shown, int from, int to) {
        bytes = shown;
        base = from;
        end = to;
        try {
            return parse();
        } finally {
            bytes = MAGIC;
        }
    }

    private int parse() {
        if (taken == 0) {
            int n = Math.min(MAGIC.length, end - base);
            int wrong = Arrays.mismatch(bytes, base, base + n, MAGIC, 0, n);
            if (wrong >= 0) {
                return bad(wrong, "not an Avro container file: it does not begin with 'Obj' and 1");
            }
            if (n < MAGIC.length) {
                return more(MAGIC.length);
            }
            taken = MAGIC.length;
        }
        while (entries != -2) {
            pos = base + taken;
            int step = entries == -1 ? count() : entry();
            if (step <= 0) {
                return step;
            }
            taken = pos - base;
        }
        if (end - base - taken < AvroFramer.SYNC_BYTES) {
            return more(taken + AvroFramer.SYNC_BYTES);
        }
        return finish();
    }

    private int count() {
        int step = varint();
        if (step <= 0) {
            return step;
        }
        long n = value;
        if (n < 0) {
            step = varint(); // the block's size in bytes, of no use here
            if (step <= 0) {
                return step;
            }
            n = -n;
        }
        if (n < 0) {
            return bad(taken, "the header's metadata claims an impossible number of entries");
        }
        entries = n == 0 ? -2 : n;
        return 1;
    }

    private int entry() {
        int step = length();
        if (step <= 0) {
            return step;
        }
        int keyAt = pos;
        int keyLength = (int) value;
        pos += keyLength;
        step = length();
        if (step <= 0) {
            return step;
        }
        String key;
        try {
            key = utf8(bytes, keyAt, keyLength);
        } catch (CharacterCodingException e) {
            return bad(keyAt - base, "a metadata key in the header is not UTF-8");
        }
        metadata.put(key, Arrays.copyOfRange(bytes, pos, pos + (int) value));
        pos += (int) value;
        entries = entries == 1 ? -1 : entries - 1;
        return 1;
    }

    /** Reads a length and sees to it that so many bytes are there. */
    private int length() {
        int at = pos - base;
        int step = varint();
        if (step <= 0) {
            return step;
        }
        long wanted = pos - base + value;
        if (value < 0 || value > maxBytes || wanted > maxBytes) {
            return bad(
                    at,
                    value < 0
                            ? "the header's metadata holds a negative length"
                            : "the header is longer than maxHeaderBytes = " + maxBytes);
        }
        return end - pos < value ? more((int) wanted) : 1;
    }

    private int varint() {
        long raw = 0;
        for (int shift = 0; shift <= 63; shift += 7) {
            if (pos == end) {
                return more(pos - base + 1);
            }
            byte b = bytes[pos++];
            raw |= (b & 0x7FL) << shift;
            if (b >= 0) {
                value = (raw >>> 1) ^ -(raw & 1);
                return 1;
            }
        }
        return bad(pos - 1 - base, "the header's metadata holds a number of more than 64 bits");
    }

    private int finish() {
        int length = taken + AvroFramer.SYNC_BYTES;
        byte[] json = metadata.get(AvroHeader.SCHEMA_KEY);
        if (json == null) {
            return bad(taken, "the header has no '" + AvroHeader.SCHEMA_KEY + "'");
        }
        String text;
        Schema schema;
        try {
            text = utf8(json, 0, json.length);
            schema = parseSchema(text);
        } catch (CharacterCodingException | RuntimeException | StackOverflowError e) {
            return bad(taken, "the schema in the header can't be read: " + e);
        }
        byte[] codecName = metadata.get(AvroHeader.CODEC_KEY);
        String name = codecName == null ? "null" : new String(codecName, StandardCharsets.UTF_8);
        AvroCodec codec = codecs.apply(name);
        if (codec == null) {
            return bad(taken, "the header names an unknown codec '" + name + "'");
        }
        byte[] sync = Arrays.copyOfRange(bytes, base + taken, base + length);
        header = new AvroHeader(schema, text, codec, sync, metadata, length);
        return length;
    }

    /** A schema as files hold it: names are not held to the specification's letters, nor defaults to their types. */
    static Schema parseSchema(String json) {
        Schema schema = new Schema.Parser(NameValidator.NO_VALIDATION)
                .setValidateDefaults(false)
                .parse(json);
        return schema;
    }

    private static String utf8(byte[] bytes, int from, int length) throws CharacterCodingException {
        return StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(bytes, from, length))
                .toString();
    }

    private int more(int total) {
        if (total > maxBytes) {
            return bad(taken, "the header is longer than maxHeaderBytes = " + maxBytes);
        }
        need = total;
        return NEED_MORE;
    }

    private int bad(int at, String why) {
        badAt = at;
        reason = why;
        return BAD;
    }
}
