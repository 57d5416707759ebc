package io.sluice.avro.internal;

import io.sluice.RecordException.Kind;
import io.sluice.avro.AvroCodec;
import io.sluice.avro.AvroHeader;
import io.sluice.avro.AvroSpec;
import io.sluice.codec.Framer;
import io.sluice.codec.Output;
import io.sluice.codec.ReadLimits;
import io.sluice.codec.Rejection;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a container file (Avro specification 1.12, "Object Container Files") at its sync markers. Small blocks are handed on several
 * at a time; what can't be a block is dropped up to the next sync marker, and told of as lost.
 *
 * <p>A header that can't be read loses the whole file, as two stretches: the header's bytes up to the bad one, so that a
 * reader that fails at once need not see the rest, and the rest.
 */
public final class AvroFramer implements Framer {

    /** Bytes of a sync marker. */
    public static final int SYNC_BYTES = 16;

    private static final int SAMPLE_BYTES = 1024;
    private static final int MIN_WANTED = 64 * 1024;
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private enum State {
        /** In the header. */
        HEADER,
        /** At a block's first byte. */
        BLOCK,
        /** At a block whose sync marker is wrong, but may be all that is wrong. */
        DOUBT,
        /** Looking for a sync marker. */
        SCAN,
        /** Behind a header that can't be read. */
        LOST
    }

    private final int maxBlockBytes;
    /** A compressed run is shorter: what comes out of it is what costs memory. */
    private static final int COMPRESSED_SHARE = 4;

    private int runBytes;
    private final HeaderParser headerParser;

    private State state = State.HEADER;
    private @Nullable AvroHeader header;
    private byte[] sync = new byte[SYNC_BYTES];
    private long sync0;
    private long sync1;

    /** Of the unframed bytes: whole blocks, seen and checked. */
    private int ready;
    /** Of the unframed bytes: how many must be shown before another look is worth it. */
    private int need;
    /** Length of the last block header read, or what it failed with. */
    private int headBytes;

    private long count;
    private long size;
    /** End of the block in doubt, from its first byte; 0 while the bytes inside have not been searched. */
    private int doubtEnd;
    /** Bytes from the first unframed one that are known not to begin a sync marker. */
    private int scanned;

    private int shown;
    private long stretch;
    private long stretchRecords;
    private Kind stretchKind = Kind.CORRUPT;
    private String stretchReason = "";
    private long stretchAt;
    private final Output sample = new Output(64);
    private @Nullable Rejection dropped;

    /** Room for a block's count, size and marker, and for the count and size of the next one. */
    private static final int AROUND_BLOCK_BYTES = 64;

    /** The most bytes that a framer wants to see at a time: the header's, or a whole block's and the next one's for comparison. */
    public static int mostBytes(AvroSpec spec) {
        long most = Math.max(spec.maxHeaderBytes(), 2L * spec.maxBlockBytes());
        return (int) Math.min(Integer.MAX_VALUE - 64, most + 2 * AROUND_BLOCK_BYTES);
    }

    /** A framer for one file. */
    public static AvroFramer create(AvroSpec spec, ReadLimits limits) {
        return new AvroFramer(limits.blockBytes(), spec.maxBlockBytes(), spec.maxHeaderBytes(), spec::codec);
    }

    /**
     * @param runBytes aimed-at length of a run of blocks
     * @param maxBlockBytes the longest block
     * @param maxHeaderBytes the longest header
     * @param codecs finds a codec by its name, or null
     */
    public AvroFramer(
            int runBytes, int maxBlockBytes, int maxHeaderBytes, Function<String, @Nullable AvroCodec> codecs) {
        this.runBytes = runBytes;
        this.maxBlockBytes = maxBlockBytes;
        this.headerParser = new HeaderParser(maxHeaderBytes, codecs);
    }

    @Override
    public @Nullable AvroHeader header() {
        return header;
    }

    @Override
    public boolean needsHeader() {
        return true;
    }

    @Override
    public void resumeAt(long offset) {
        if (header != null) {
            state = State.BLOCK;
            ready = 0;
            need = 0;
        }
    }

    @Override
    public int wanted() {
        // what the file claims is believed step by step, as its bytes come in
        return Math.min(need, Math.max(MIN_WANTED, 2 * Math.min(shown, 1 << 29)));
    }

    @Override
    public @Nullable Rejection dropped() {
        return dropped;
    }

    @Override
    public int next(byte[] bytes, int from, int to, boolean last) {
        dropped = null;
        shown = to - from;
        if (shown == 0 || (shown < need && !last)) {
            return NEED_MORE;
        }
        need = 0;
        while (true) {
            int n = switch (state) {
                case HEADER -> header(bytes, from, to, last);
                case BLOCK -> block(bytes, from, to, last);
                case DOUBT -> doubt(bytes, from, to, last);
                case SCAN -> scan(bytes, from, to, last);
                case LOST -> lost(bytes, from, last);
            };
            if (n != AGAIN) {
                return n;
            }
        }
    }

    private static final int AGAIN = Integer.MIN_VALUE;

    private int header(byte[] bytes, int from, int to, boolean last) {
        int result = headerParser.parse(bytes, from, to);
        if (result > 0) {
            AvroHeader parsed = headerParser.header();
            header = parsed;
            sync = parsed.sync();
            sync0 = (long) LONG.get(sync, 0);
            sync1 = (long) LONG.get(sync, 8);
            if (parsed.codec() != BlockCodecs.NONE) {
                runBytes /= COMPRESSED_SHARE;
            }
            state = State.BLOCK;
            dropped = NO_RECORD;
            return -result;
        }
        if (result == HeaderParser.NEED_MORE) {
            if (!last) {
                need = headerParser.need();
                return NEED_MORE;
            }
            begin(Kind.TRUNCATED, "the file ends inside its header; the whole file is lost", shown, 0);
            state = State.LOST;
            return drop(bytes, from, shown, true);
        }
        int at = headerParser.badAt();
        begin(Kind.CORRUPT, headerParser.reason() + "; the whole file is lost", at, 0);
        state = State.LOST;
        int n = drop(bytes, from, Math.min(shown, at + 1), true);
        begin(Kind.CORRUPT, "the file's header can't be read; its blocks are lost", 0, 0);
        return n;
    }

    /** Holds back a byte until the file ends, so that the stretch can end with it. */
    private int lost(byte[] bytes, int from, boolean last) {
        int n = last ? shown : shown - 1;
        return n == 0 ? NEED_MORE : drop(bytes, from, n, last);
    }

    private int block(byte[] bytes, int from, int to, boolean last) {
        while (true) {
            int start = from + ready;
            if (start == to) {
                return last || ready >= runBytes ? ready : NEED_MORE;
            }
            boolean known = head(bytes, start, to);
            if (!known) {
                if (headBytes == 0 && !last) {
                    need = ready + 1 + (to - start);
                    return NEED_MORE;
                }
                if (ready > 0) {
                    return flush();
                }
                begin(
                        headBytes == 0 ? Kind.TRUNCATED : Kind.CORRUPT,
                        headBytes == 0 ? "the file ends inside a block's count and size" : badHead(),
                        0,
                        0);
                state = State.SCAN;
                scanned = 0;
                return AGAIN;
            }
            int length = headBytes + (int) size + SYNC_BYTES;
            if (ready > 0 && ready + (long) length > runBytes) {
                return flush();
            }
            if (length > to - start) {
                if (!last) {
                    need = ready + length;
                    return NEED_MORE;
                }
                if (ready > 0) {
                    return flush();
                }
                begin(Kind.TRUNCATED, "the file ends inside a block of " + size + " bytes", shown, plausibleCount());
                state = State.SCAN;
                scanned = 1;
                return AGAIN;
            }
            if (isSync(bytes, start + length - SYNC_BYTES)) {
                ready += length;
                if (ready >= runBytes) {
                    return flush();
                }
                continue;
            }
            if (ready > 0) {
                return flush();
            }
            begin(
                    Kind.CORRUPT,
                    "the sync marker after a block of " + size + " bytes is not the file's",
                    length - SYNC_BYTES,
                    0);
            doubtEnd = length;
            int inside = find(bytes, from + 1, from + length);
            if (inside >= 0) {
                state = State.BLOCK;
                return drop(bytes, from, inside + SYNC_BYTES - from, true);
            }
            stretchRecords = plausibleCount();
            state = State.DOUBT;
            return AGAIN;
        }
    }

    /** The block's own marker is damaged, and nothing else, where the next block is whole. */
    private int doubt(byte[] bytes, int from, int to, boolean last) {
        int next = from + doubtEnd;
        boolean nextIsGood;
        if (next == to) {
            if (!last) {
                need = doubtEnd + 1;
                return NEED_MORE;
            }
            nextIsGood = true;
        } else if (!head(bytes, next, to)) {
            if (headBytes == 0 && !last) {
                need = shown + 1;
                return NEED_MORE;
            }
            nextIsGood = false;
        } else {
            long end = (long) doubtEnd + headBytes + size + SYNC_BYTES;
            if (end > shown && !last) {
                need = (int) Math.min(end, Integer.MAX_VALUE - 64);
                return NEED_MORE;
            }
            nextIsGood = end <= shown && isSync(bytes, from + (int) end - SYNC_BYTES);
        }
        if (nextIsGood) {
            state = State.BLOCK;
            return drop(bytes, from, doubtEnd, true);
        }
        stretchRecords = 0;
        state = State.SCAN;
        scanned = doubtEnd - SYNC_BYTES + 1;
        return AGAIN;
    }

    private int scan(byte[] bytes, int from, int to, boolean last) {
        int found = find(bytes, from + scanned, to);
        if (found >= 0) {
            if (stretchKind == Kind.TRUNCATED) {
                // not the tail, but a forged size
                stretchKind = Kind.CORRUPT;
                stretchReason = "a block's count or size is wrong";
                stretchRecords = 0;
            }
            state = State.BLOCK;
            return drop(bytes, from, found + SYNC_BYTES - from, true);
        }
        if (last) {
            return drop(bytes, from, shown, true);
        }
        int safe = shown - SYNC_BYTES + 1;
        if (safe <= 0) {
            need = SYNC_BYTES;
            return NEED_MORE;
        }
        scanned = 0;
        return drop(bytes, from, safe, false);
    }

    private int flush() {
        int n = ready;
        ready = 0;
        return n;
    }

    /** Reads a block's count and size: false with {@code headBytes} 0 where more bytes are needed, -1 where they are bad. */
    private boolean head(byte[] bytes, int start, int to) {
        int at = start;
        long first = 0;
        for (int part = 0; part < 2; part++) {
            long raw = 0;
            int shift = 0;
            while (true) {
                if (at == to) {
                    headBytes = 0;
                    return false;
                }
                byte b = bytes[at++];
                raw |= (b & 0x7FL) << shift;
                if (b >= 0) {
                    break;
                }
                shift += 7;
                if (shift > 63) {
                    headBytes = -1;
                    count = -1;
                    size = -1;
                    return false;
                }
            }
            long value = (raw >>> 1) ^ -(raw & 1);
            if (part == 0) {
                first = value;
            } else {
                count = first;
                size = value;
            }
        }
        if (count < 0 || size < 0 || size > maxBlockBytes) {
            headBytes = -1;
            return false;
        }
        headBytes = at - start;
        return true;
    }

    private String badHead() {
        return size > maxBlockBytes
                ? "a block claims " + size + " bytes, more than maxBlockBytes = " + maxBlockBytes
                : "no block begins here (count " + count + ", size " + size + ")";
    }

    /** The records that a block claims, where its bytes can hold them. */
    private long plausibleCount() {
        return count <= size ? count : 0;
    }

    private boolean isSync(byte[] bytes, int at) {
        return (long) LONG.get(bytes, at) == sync0 && (long) LONG.get(bytes, at + 8) == sync1;
    }

    private int find(byte[] bytes, int from, int to) {
        for (int i = from; i <= to - SYNC_BYTES; i++) {
            if ((long) LONG.get(bytes, i) == sync0 && (long) LONG.get(bytes, i + 8) == sync1) {
                return i;
            }
        }
        return -1;
    }

    private void begin(Kind kind, String reason, long at, long records) {
        stretch = 0;
        stretchKind = kind;
        stretchReason = reason;
        stretchAt = at;
        stretchRecords = records;
        sample.position(0);
    }

    private int drop(byte[] bytes, int from, int n, boolean ends) {
        int keep = Math.min(n, SAMPLE_BYTES - sample.position());
        if (keep > 0) {
            sample.write(bytes, from, keep);
        }
        stretch += n;
        if (ends) {
            byte[] raw = Arrays.copyOf(sample.array(), sample.position());
            dropped = new Rejection(
                    0,
                    0,
                    0,
                    stretch,
                    raw,
                    stretchKind,
                    stretchReason,
                    Math.min(stretchAt, stretch),
                    true,
                    stretchRecords,
                    null);
        }
        return -n;
    }
}
