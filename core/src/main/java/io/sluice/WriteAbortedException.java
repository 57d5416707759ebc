package io.sluice;

import java.util.List;

/**
 * Goes with the error of a write that failed after it had committed shards, among that error's {@linkplain
 * Throwable#getSuppressed() suppressed} exceptions: the error itself stays what it was, for those who look at its type.
 */
public class WriteAbortedException extends SluiceException {

    private static final long serialVersionUID = 1L;

    private final List<Shard> committed;

    /** @param committed the shards that the write had committed, in order */
    public WriteAbortedException(List<Shard> committed) {
        super(
                null,
                -1,
                -1,
                "the write was aborted; what it had committed stays: " + committed.size() + " shard(s), the last one "
                        + (committed.isEmpty()
                                ? "none"
                                : committed.get(committed.size() - 1).key()),
                null);
        this.committed = List.copyOf(committed);
    }

    /** The shards that the write had committed, in order. */
    public List<Shard> committed() {
        return committed;
    }

    /** The shards that were committed before a write failed with {@code error}; none if it says nothing about it. */
    public static List<Shard> committedBefore(Throwable error) {
        if (error instanceof WriteAbortedException aborted) {
            return aborted.committed();
        }
        Throwable[] suppressed = error.getSuppressed();
        for (int i = suppressed.length - 1; i >= 0; i--) {
            if (suppressed[i] instanceof WriteAbortedException aborted) {
                return aborted.committed();
            }
        }
        return List.of();
    }
}
