package io.sluice.arrow.internal.ipc;

import io.sluice.RecordException;
import io.sluice.RecordException.Kind;
import io.sluice.codec.Framer;
import io.sluice.codec.Output;
import io.sluice.codec.Rejection;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.arrow.flatbuf.DictionaryBatch;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.flatbuf.MessageHeader;
import org.jspecify.annotations.Nullable;

/**
 * Cuts Arrow IPC streams and files into blocks: a record batch that has rows, with the dictionaries before it. Files are read
 * from front to back, as the streams they contain; of their footer, only that it is there is checked.
 */
public final class IpcFramer implements Framer {

    private static final int SAMPLE_BYTES = 256;
    /** Length of the footer's length and the magic behind it. */
    private static final int TRAILER_BYTES = 10;

    private static final int MAX_BARE_SCHEMA = 4 << 20;

    private enum State {
        START,
        MESSAGES,
        /** In a message that is too long. */
        SKIP,
        /** Behind the last message. */
        TAIL,
        /** Nothing more can be made of this shard. */
        LOST,
        /** All bytes are accounted for. */
        END
    }

    private final int maxMessageBytes;
    private State state = State.START;
    private boolean isFile;
    private @Nullable IpcSchema schema;
    private @Nullable IpcHeader header;

    /** Offset of the unframed bytes in the shard. */
    private long offset;
    /** Messages from the first unframed byte on that belong to the next block. */
    private int at;

    private boolean atDictionaries;
    private int need;
    private @Nullable Rejection dropped;

    // while the header is sought for a position
    private long sought = -1;
    private final List<SeenDictionary> seen = new ArrayList<>();

    // a stretch that is dropped
    private final Output sample = new Output(SAMPLE_BYTES);
    private long stretch;
    private long stretchAt;
    private long stretchRecords;
    private long skip;
    private Kind stretchKind = Kind.CORRUPT;
    private String stretchReason = "";

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record SeenDictionary(long id, byte[] message) {}

    /** @param maxMessageBytes the longest message, or run of messages up to a batch */
    public IpcFramer(int maxMessageBytes) {
        this.maxMessageBytes = maxMessageBytes;
    }

    @Override
    public int next(byte[] bytes, int from, int to, boolean last) {
        dropped = null;
        int n = to - from;
        if (n < need && !last) {
            return NEED_MORE;
        }
        need = 0;
        int taken = switch (state) {
            case START -> start(bytes, from, n, last);
            case MESSAGES -> messages(bytes, from, n, last);
            case SKIP -> skip(bytes, from, n, last);
            case TAIL -> tail(bytes, from, n, last);
            case LOST -> lost(bytes, from, n, last);
            case END -> NEED_MORE;
        };
        offset += Math.abs(taken);
        return taken;
    }

    private int start(byte[] bytes, int from, int n, boolean last) {
        if (n < Messages.MAGIC_BYTES && !last) {
            return more(Messages.MAGIC_BYTES);
        }
        if (n == 0) {
            throw truncated("is empty: neither an Arrow IPC file nor a stream");
        }
        state = State.MESSAGES;
        if (n >= Messages.MAGIC_BYTES && Messages.isMagic(bytes, from)) {
            isFile = true;
            return drop(Messages.MAGIC_BYTES);
        }
        return messages(bytes, from, n, last);
    }

    private int messages(byte[] bytes, int from, int n, boolean last) {
        while (true) {
            int left = n - at;
            if (left == 0 && last) {
                return border();
            }
            if (left < 4 || left < 8 && Slice.intAt(bytes, from + at) != 0) {
                return last ? cut(bytes, from, n, "a message's length") : more(at + 8);
            }
            int first = Slice.intAt(bytes, from + at);
            // before version 0.15 there was no marker before the length
            int prefix = first == Messages.CONTINUATION ? 8 : 4;
            int length = prefix == 8 ? Slice.intAt(bytes, from + at + 4) : first;
            if (length == 0) {
                state = State.TAIL;
                return drop(at + prefix);
            }
            if (length < 0 || length > maxMessageBytes) {
                return lose(
                        bytes,
                        from,
                        n,
                        last,
                        schema == null && !isFile
                                ? "this is neither an Arrow IPC file nor a stream"
                                : "a message claims metadata of " + length + " bytes");
            }
            if (left < prefix + length) {
                return last ? cut(bytes, from, n, "a message's metadata") : more((long) at + prefix + length);
            }
            long total;
            Message message;
            try {
                message = Messages.metadata(bytes, from + at + prefix, length);
                total = message.bodyLength();
                if (total < 0 || total > Long.MAX_VALUE / 2) {
                    throw new BadMessage("a message claims a body of " + total + " bytes");
                }
                total += prefix + length;
                if (at + total > maxMessageBytes) {
                    return tooLong(bytes, from, n, last, message, at + total);
                }
                if (left < total) {
                    return last ? cut(bytes, from, n, "a message's body") : more(at + total);
                }
                int taken = message(bytes, from, prefix, (int) total, message);
                if (taken != 0) {
                    return taken;
                }
            } catch (RuntimeException e) {
                if (isFile && schema == null && prefix == 4) {
                    return bareSchema(bytes, from, n, last);
                }
                String reason = schema == null && !isFile && prefix == 4
                        ? "this is neither an Arrow IPC file nor a stream"
                        : BadMessage.reason(e);
                return lose(bytes, from, n, last, reason);
            }
        }
    }

    /**
     * Polars writes a file's schema without the marker and length that messages begin with, as its readers take it from the
     * footer: it then goes on to where the next message begins.
     */
    private int bareSchema(byte[] bytes, int from, int n, boolean last) {
        for (int end = 16; end + 8 <= n; end += 8) {
            if (Slice.intAt(bytes, from + end) != Messages.CONTINUATION) {
                continue;
            }
            int length = Slice.intAt(bytes, from + end + 4);
            if (length < 0 || length > maxMessageBytes) {
                continue;
            }
            if (end + 8 + length > n && !last) {
                return more(end + 8 + length);
            }
            try {
                if (length == 0 || isData(Messages.metadata(bytes, from + end + 8, length))) {
                    Message message = Messages.metadata(bytes, from, end);
                    schema = IpcSchema.of(Messages.schema(message), message.version(), end);
                    return drop(end);
                }
            } catch (RuntimeException e) {
                // it only looks like the beginning of a message
            }
        }
        return last || n > MAX_BARE_SCHEMA
                ? lose(bytes, from, n, last, "there is no schema at the beginning")
                : more(n + 4096L);
    }

    private static boolean isData(Message message) {
        return message.headerType() == MessageHeader.RecordBatch
                || message.headerType() == MessageHeader.DictionaryBatch;
    }

    /** Takes a message that is there as a whole; 0 if it belongs to the block of the next. */
    private int message(byte[] bytes, int from, int prefix, int total, Message message) {
        byte type = message.headerType();
        IpcSchema known = schema;
        if (type == MessageHeader.Schema) {
            if (known != null) {
                throw new BadMessage("there is a second schema");
            }
            schema = IpcSchema.of(Messages.schema(message), message.version(), total - prefix);
            return drop(at + total);
        }
        if (known == null) {
            throw new BadMessage("the first message is no schema but " + Messages.type(type));
        }
        if (type == MessageHeader.DictionaryBatch) {
            if (sought >= 0) {
                remember(Messages.dictionary(message), Arrays.copyOfRange(bytes, from + at, from + at + total));
            }
            at += total;
            atDictionaries = true;
            return 0;
        }
        if (type != MessageHeader.RecordBatch) {
            throw new BadMessage("there is a message of a kind that is not known: " + Messages.type(type));
        }
        long rows = Messages.batch(message).length();
        if (rows < 0 || rows > Integer.MAX_VALUE) {
            throw new BadMessage("a batch claims " + rows + " rows");
        }
        at += total;
        if (rows > 0) {
            int block = at;
            at = 0;
            atDictionaries = false;
            return block;
        }
        return atDictionaries ? 0 : drop(at);
    }

    private void remember(DictionaryBatch dictionary, byte[] message) {
        if (!dictionary.isDelta()) {
            seen.removeIf(known -> known.id == dictionary.id());
        }
        seen.add(new SeenDictionary(dictionary.id(), message));
    }

    /** The shard ends between two messages. */
    private int border() {
        if (at > 0) {
            return drop(at);
        }
        if (schema == null) {
            throw truncated("ends before its schema");
        }
        if (isFile) {
            throw truncated("ends without the footer of an Arrow file: it was cut off, or never finished");
        }
        return NEED_MORE;
    }

    private static RecordException truncated(String reason) {
        return new RecordException(Kind.TRUNCATED, null, -1, -1, reason, null);
    }

    private int more(long bytes) {
        need = (int) Math.min(bytes, Integer.MAX_VALUE);
        return NEED_MORE;
    }

    /** Drops what holds no rows. */
    private int drop(int bytes) {
        at = 0;
        atDictionaries = false;
        dropped = NO_RECORD;
        return -bytes;
    }

    // ---- what can't be read -----------------------------------------------------------------------------------------

    private int cut(byte[] bytes, int from, int n, String inside) {
        begin(Kind.TRUNCATED, "the input ends inside " + inside, n);
        state = State.END;
        return drop(bytes, from, n, true);
    }

    private int lose(byte[] bytes, int from, int n, boolean last, String reason) {
        begin(Kind.CORRUPT, reason + "; nothing behind it can be read", at);
        state = State.LOST;
        return lost(bytes, from, n, last);
    }

    private int lost(byte[] bytes, int from, int n, boolean last) {
        return n == 0 && !last ? more(1) : drop(bytes, from, n, last);
    }

    private int tooLong(byte[] bytes, int from, int n, boolean last, Message message, long total) {
        begin(
                Kind.TOO_LONG,
                "a message" + (at > 0 ? ", with the dictionaries before it," : "") + " has " + total
                        + " bytes, more than maxMessageBytes = " + maxMessageBytes
                        + ": raise it, or write smaller batches",
                at);
        if (message.headerType() == MessageHeader.RecordBatch) {
            stretchRecords = Math.max(0, Messages.batch(message).length());
        }
        skip = total;
        state = State.SKIP;
        return skip(bytes, from, n, last);
    }

    private int skip(byte[] bytes, int from, int n, boolean last) {
        int taken = (int) Math.min(n, skip);
        skip -= taken;
        if (skip == 0 || last) {
            state = skip == 0 ? State.MESSAGES : State.END;
        }
        return drop(bytes, from, taken, skip == 0 || last);
    }

    private int tail(byte[] bytes, int from, int n, boolean last) {
        if (!isFile) {
            return n == 0 ? NEED_MORE : lose(bytes, from, n, last, "there is something behind the end of the stream");
        }
        if (!last) {
            int safe = n - TRAILER_BYTES;
            return safe > 0 ? -safe : more(TRAILER_BYTES + 1);
        }
        if (n >= TRAILER_BYTES && Messages.isMagic(bytes, from + n - Messages.MAGIC.length)) {
            dropped = NO_RECORD;
            state = State.END;
            return -n;
        }
        state = State.END;
        if (n == 0) {
            throw truncated("ends without the footer of an Arrow file: it was cut off, or never finished");
        }
        begin(Kind.TRUNCATED, "the footer of an Arrow file is missing or cut off", n);
        return drop(bytes, from, n, true);
    }

    private void begin(Kind kind, String reason, long where) {
        stretch = 0;
        stretchKind = kind;
        stretchReason = reason;
        stretchAt = where;
        stretchRecords = 0;
        sample.position(0);
    }

    private int drop(byte[] bytes, int from, int n, boolean ends) {
        at = 0;
        atDictionaries = false;
        int keep = Math.min(n, SAMPLE_BYTES - sample.position());
        if (keep > 0) {
            sample.write(bytes, from, keep);
        }
        stretch += n;
        if (ends) {
            dropped = new Rejection(
                    0,
                    0,
                    0,
                    stretch,
                    Arrays.copyOf(sample.array(), sample.position()),
                    stretchKind,
                    stretchReason,
                    Math.min(stretchAt, stretch),
                    true,
                    stretchRecords,
                    null);
        }
        return -n;
    }

    @Override
    public @Nullable Rejection dropped() {
        return dropped;
    }

    // ---- resuming ---------------------------------------------------------------------------------------------------

    @Override
    public @Nullable Object header() {
        IpcSchema known = schema;
        if (header == null
                && known != null
                && (sought < 0 || known.dictionaries().isEmpty() || offset >= sought)) {
            header = new IpcHeader(
                    known, seen.stream().map(SeenDictionary::message).toList());
        }
        return header;
    }

    @Override
    public boolean needsHeader() {
        return true;
    }

    @Override
    public void seekHeader(long position) {
        sought = position;
    }

    @Override
    public void resumeAt(long position) {
        sought = -1;
        seen.clear();
        offset = position;
        at = 0;
        atDictionaries = false;
        need = 0;
        state = State.MESSAGES;
    }
}
