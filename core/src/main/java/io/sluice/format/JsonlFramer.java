package io.sluice.format;

import io.sluice.codec.Framer;
import io.sluice.codec.ReadLimits;
import io.sluice.codec.Rejection;
import io.sluice.internal.json.Lines;
import io.sluice.internal.json.Newlines;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Cuts JSONL at the last newline of the bytes shown. Looks at every byte once. A record that outgrows
 * {@code maxRecordBytes} is dropped as it comes, up to its newline.
 */
final class JsonlFramer implements Framer {

    private static final byte[] NOTHING = new byte[0];

    private final int maxRecordBytes;

    /** How many of the bytes shown are known to hold no newline. */
    private int searched;
    /** Bytes of the record being dropped that have been taken; 0: none is. */
    private long droppedBytes;

    private byte[] sample = NOTHING;
    private @Nullable Rejection dropped;

    JsonlFramer(ReadLimits limits) {
        this.maxRecordBytes = limits.maxRecordBytes();
    }

    @Override
    public int next(byte[] bytes, int from, int to, boolean last) {
        dropped = null;
        if (droppedBytes > 0) {
            return drop(bytes, from, to, last);
        }
        int length = to - from;
        int newline = Newlines.last(bytes, from + searched, to);
        if (newline >= 0) {
            searched = to - newline - 1;
            return newline + 1 - from;
        }
        if (length > maxRecordBytes) {
            searched = length;
            return drop(bytes, from, to, last);
        }
        searched = last ? 0 : length;
        return last ? length : NEED_MORE;
    }

    private int drop(byte[] bytes, int from, int to, boolean last) {
        int newline = Newlines.first(bytes, from + searched, to);
        if (newline >= 0) {
            endDrop(bytes, from, newline, 1);
            return from - (newline + 1);
        }
        int length = to - from;
        if (last) {
            endDrop(bytes, from, to, 0);
            return -length;
        }
        // one byte is held back, so that there is one to take when the shard turns out to end here
        searched = Math.min(length, 1);
        int taken = length - searched;
        keepSample(bytes, from, taken);
        droppedBytes += taken;
        return -taken;
    }

    private void endDrop(byte[] bytes, int from, int to, int terminator) {
        keepSample(bytes, from, to - from);
        long recordLength = droppedBytes + to - from;
        dropped = Lines.tooLong(sample, maxRecordBytes, recordLength + terminator, recordLength);
        resumeAt(0);
    }

    private void keepSample(byte[] bytes, int from, int length) {
        int more = Math.min(length, Lines.TOO_LONG_SAMPLE - sample.length);
        if (more > 0) {
            int kept = sample.length;
            sample = Arrays.copyOf(sample, kept + more);
            System.arraycopy(bytes, from, sample, kept, more);
        }
    }

    @Override
    public @Nullable Rejection dropped() {
        return dropped;
    }

    @Override
    public void resumeAt(long offset) {
        searched = 0;
        droppedBytes = 0;
        sample = NOTHING;
    }
}
