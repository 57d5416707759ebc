package io.sluice.internal.write;

import io.sluice.ErrorPolicy;
import io.sluice.RecordException;
import io.sluice.Rejected;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Applies an error policy to values that can't be written. */
final class RefusedValues {

    private static final byte[] NO_BYTES = {};

    private final ErrorPolicy policy;
    private long count;

    RefusedValues(ErrorPolicy policy) {
        this.policy = policy;
    }

    /** Values refused and let pass so far. */
    long count() {
        return count;
    }

    /**
     * @param key the shard's name
     * @param record number that the record would have had in the shard, 1-based
     * @param offset where it would have begun, in uncompressed bytes
     * @return a value to write in its place, or null
     * @throws RecordException if the policy does not let it pass
     */
    @Nullable
    Object refuse(Object value, Throwable why, String key, long record, long offset) {
        RecordException placed = place(why, key, record, offset);
        if (count >= policy.limit()) {
            throw placed;
        }
        count++;
        Rejected rejected = new Rejected(key, placed.line(), offset, 0, NO_BYTES, value, placed);
        Consumer<? super Rejected> sink = policy.sink();
        if (sink != null) {
            sink.accept(rejected);
            return null;
        }
        Function<? super Rejected, ?> replacement = policy.replacement();
        return replacement == null ? null : replacement.apply(rejected);
    }

    static RecordException place(Throwable why, String key, long record, long offset) {
        RecordException placed;
        if (why instanceof RecordException e) {
            // an encoder of batches counts the rows of its value
            long line = e.line() > 1 ? record + e.line() - 1 : record;
            placed = new RecordException(e.kind(), key, line, offset, e.reason(), e.getCause());
        } else {
            RecordException.Kind kind =
                    why instanceof StackOverflowError ? RecordException.Kind.TOO_DEEP : RecordException.Kind.UNMAPPABLE;
            placed = new RecordException(kind, key, record, offset, "the value can't be written: " + why, why);
        }
        placed.setStackTrace(why.getStackTrace());
        return placed;
    }
}
