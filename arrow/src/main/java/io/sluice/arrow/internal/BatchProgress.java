package io.sluice.arrow.internal;

/** How far the batch being assembled has come: what has arrived of a column tells how much there will be. */
final class BatchProgress {

    /** At most so many times what there is is reserved by foresight: the data may end any moment. */
    private static final int MAX_FORESIGHT = 8;

    private double done = 1;

    void set(long rows, long maxRows, long bytes, long maxBytes) {
        done = Math.min(1, Math.max((double) rows / maxRows, (double) bytes / maxBytes));
    }

    /** How large a buffer that holds {@code bytes} now may be in the end, with a little to spare. */
    long foresee(long bytes) {
        return (long) (bytes * Math.min(MAX_FORESIGHT, 1.0625 / done));
    }
}
