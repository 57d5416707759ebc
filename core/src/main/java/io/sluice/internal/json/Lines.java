package io.sluice.internal.json;

import io.sluice.RecordException.Kind;
import io.sluice.codec.Block;
import io.sluice.codec.DecodedBlock;
import io.sluice.codec.ReadLimits;
import io.sluice.codec.Rejection;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Walks the lines of a block: the one place that knows blank lines, {@code \r\n}, the byte order mark, the longest record
 * and the account of bytes. Reused for many blocks by one decoder, single-threaded. Two ways to use it:
 *
 * <pre>{@code
 * lines.open(block);                                   lines.openPadded(block);
 * while (lines.nextLine()) {                           while (lines.nextStart()) {
 *   read(lines.bytes(), lines.start(), lines.end())      int p = parse(lines.bytes(), lines.start());
 *   or lines.reject(kind, reason, at, cause)             if (lines.endedAt(p)) ... or lines.reject(...)
 * }                                                    }
 * return lines.close(values, n);                       return lines.close(values, n);
 * }</pre>
 *
 * <p>{@code nextLine} looks for the line's end first. {@code nextStart} leaves that to the parser, which saves a pass over
 * the bytes: every line is followed by a {@code \n} (a sentinel, if the shard ends without one) and {@link #PADDING} more
 * readable bytes, so that a parser that stops at {@code \n} needs no other bound and may load whole words. The array behind
 * {@code bytes()} may then change from line to line.
 *
 * <p>A line that is neither blank nor rejected is a value.
 */
public final class Lines {

    /** Readable bytes behind a line's terminator after {@link #openPadded}. */
    public static final int PADDING = 64;

    /** How much of a record that was too long is kept for people to look at. */
    public static final int TOO_LONG_SAMPLE = 1024;

    private static final int KEPT_SCRATCH = 1 << 20;
    private static final byte[] NOTHING = new byte[0];

    private final int maxRecordBytes;

    private byte[] bytes = NOTHING;
    /** Where the next line begins; between {@code nextStart} and what follows it, where the current one does. */
    private int next;
    /** Where the lines in {@code bytes} end; the tail's may follow. */
    private int limit;
    /** What turns an index of {@code bytes} into an offset from the block's first byte. */
    private int shift;

    private int from;
    private int start;
    private int end;
    private int blockLength;
    private int mark;
    private boolean unterminated;

    private byte[] scratch = NOTHING;
    private int tailStart;
    private int tailLength;

    private long lines;
    private long blankLines;
    private long bytesBlank;
    private long bytesRejected;
    private List<Rejection> rejections = List.of();

    public Lines(ReadLimits limits) {
        this.maxRecordBytes = limits.maxRecordBytes();
    }

    /** Begins a block whose lines are read in place. */
    public void open(Block block) {
        bytes = block.bytes();
        next = block.from();
        limit = block.to();
        shift = -block.from();
        blockLength = block.length();
        tailLength = 0;
        lines = 0;
        blankLines = 0;
        bytesRejected = 0;
        rejections = List.of();
        unterminated = limit > next && bytes[limit - 1] != '\n';
        mark = block.offset() == 0 && startsWithMark(bytes, next, limit) ? 3 : 0;
        bytesBlank = mark;
        next += mark;
    }

    /** Begins a block whose every line is terminated and padded; its last lines may be read from a copy. */
    public void openPadded(Block block) {
        open(block);
        if (unterminated || limit > bytes.length - PADDING) {
            int lastNewline = Newlines.last(bytes, next, Math.max(next, Math.min(limit, bytes.length - PADDING)));
            tailStart = lastNewline < 0 ? next : lastNewline + 1;
            tailLength = limit - tailStart;
            limit = tailStart;
        }
    }

    private static boolean startsWithMark(byte[] b, int from, int to) {
        return to - from >= 3 && b[from] == (byte) 0xEF && b[from + 1] == (byte) 0xBB && b[from + 2] == (byte) 0xBF;
    }

    /** Moves on to the next line that is not blank; it lies from {@link #start()} to {@link #end()}. */
    public boolean nextLine() {
        while (next < limit) {
            from = next;
            start = from;
            end = findEnd();
            if (isTooLong(from, end)) {
                rejectTooLong();
                continue;
            }
            if (end > from && end < limit && bytes[end - 1] == '\r') {
                end--;
            }
            int p = from;
            while (p < end && isSpace(bytes[p])) {
                p++;
            }
            if (p < end) {
                return true;
            }
            blankLines++;
            bytesBlank += next - from;
        }
        return false;
    }

    /** Takes the line that begins at {@code next}, moves {@code next} behind its terminator and answers where that is. */
    private int findEnd() {
        lines++;
        int newline = Newlines.first(bytes, next, limit);
        if (newline < 0) {
            next = limit;
            return limit;
        }
        next = newline + 1;
        return newline;
    }

    /**
     * Moves on to the next line that is not blank; its first byte that is not white space is at {@link #start()}. Follow
     * up with {@link #endedAt} or {@link #reject}.
     */
    public boolean nextStart() {
        while (true) {
            if (next >= limit) {
                if (tailLength == 0) {
                    return false;
                }
                moveToTail();
            }
            int p = next;
            byte c = bytes[p];
            while (isSpace(c)) {
                c = bytes[++p];
            }
            from = next;
            if (c != '\n') {
                start = p;
                return true;
            }
            if (endedAt(p)) {
                blankLines++;
                bytesBlank += next - from;
            }
        }
    }

    private void moveToTail() {
        int length = tailLength;
        if (scratch.length < length + 1 + PADDING) {
            scratch = new byte[length + 1 + PADDING];
        }
        System.arraycopy(bytes, tailStart, scratch, 0, length);
        scratch[length] = '\n';
        shift += tailStart;
        bytes = scratch;
        next = 0;
        limit = length;
        tailLength = 0;
    }

    /**
     * Tells that the line {@code nextStart} stopped at was good and ends with the {@code \n} at {@code newline}.
     *
     * @return whether it counts; false where it turns out to have been too long, and has been rejected for that
     */
    public boolean endedAt(int newline) {
        lines++;
        next = Math.min(newline + 1, limit);
        if (isTooLong(from, newline)) {
            end = newline;
            rejectTooLong();
            return false;
        }
        return true;
    }

    /** The array that holds the line. */
    public byte[] bytes() {
        return bytes;
    }

    /** Index of the line's first byte; after {@code nextStart}, of its first byte that is not white space. */
    public int start() {
        return start;
    }

    /** After {@code nextLine}: index behind the line's last byte, terminator excluded. */
    public int end() {
        return end;
    }

    /** What to call a line whose grammar broke at index {@code at}: TRUNCATED where the shard ends there, in mid-line. */
    public Kind malformedAt(int at) {
        return unterminated && at >= limit && tailLength == 0 ? Kind.TRUNCATED : Kind.MALFORMED;
    }

    /**
     * Rejects the line that the last {@code nextLine} or {@code nextStart} stopped at.
     *
     * @param at index in {@link #bytes()} of the very byte that was wrong
     */
    public void reject(Kind kind, String reason, int at, @Nullable Throwable cause) {
        if (next == from) { // after nextStart
            end = findEnd();
            if (isTooLong(from, end)) {
                rejectTooLong();
                return;
            }
            if (end > from && end < limit && bytes[end - 1] == '\r') {
                end--;
            }
        }
        byte[] raw = Arrays.copyOfRange(bytes, from, end);
        add(rejection(from + shift, next - from, raw, kind, reason, at + shift, cause));
    }

    private boolean isTooLong(int lineStart, int lineEnd) {
        return lineEnd - lineStart > maxRecordBytes - markBefore(lineStart);
    }

    private int markBefore(int index) {
        return index + shift == mark ? mark : 0;
    }

    private void rejectTooLong() {
        int markLength = markBefore(from);
        bytesBlank -= markLength;
        byte[] raw;
        int length = next - from + markLength;
        int rawLength = Math.min(end - from + markLength, TOO_LONG_SAMPLE);
        if (markLength == 0) {
            raw = Arrays.copyOfRange(bytes, from, from + rawLength);
        } else {
            raw = new byte[rawLength];
            byte[] bom = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};
            System.arraycopy(bom, 0, raw, 0, markLength);
            System.arraycopy(bytes, from, raw, markLength, rawLength - markLength);
        }
        Rejection r = tooLong(raw, maxRecordBytes, length, end - from + markLength);
        int at = from - markLength + shift;
        add(rejection(at, length, raw, r.kind(), r.reason(), at + r.at(), null));
    }

    /** The rejection of a record that is too long, with places relative to its first byte. */
    public static Rejection tooLong(byte[] sample, int maxRecordBytes, long length, long recordLength) {
        return new Rejection(
                0,
                0,
                0,
                length,
                sample,
                Kind.TOO_LONG,
                "a record of " + recordLength + " bytes is longer than maxRecordBytes, " + maxRecordBytes,
                maxRecordBytes,
                false,
                0,
                null);
    }

    private Rejection rejection(
            long offset, long length, byte[] raw, Kind kind, String reason, long at, @Nullable Throwable cause) {
        long before = lines - 1;
        int valuesBefore = (int) (before - blankLines - rejections.size());
        return new Rejection(valuesBefore, before, offset, length, raw, kind, reason, at, false, 0, cause);
    }

    private void add(Rejection rejection) {
        if (rejections.isEmpty()) {
            rejections = new ArrayList<>();
        }
        rejections.add(rejection);
        bytesRejected += rejection.length();
    }

    /** Ends the block. {@code count} must be the number of lines that were neither blank nor rejected. */
    public <B> DecodedBlock<B> close(B values, int count) {
        if (count != lines - blankLines - rejections.size()) {
            throw new IllegalStateException(count + " values of " + lines + " lines, " + blankLines + " blank, "
                    + rejections.size() + " rejected");
        }
        bytes = NOTHING;
        if (scratch.length > KEPT_SCRATCH) {
            scratch = NOTHING;
        }
        return new DecodedBlock<>(
                values, count, lines, blankLines, blockLength - bytesBlank - bytesRejected, bytesBlank, rejections);
    }

    private static boolean isSpace(byte c) {
        return c == ' ' || c == '\t' || c == '\r';
    }
}
