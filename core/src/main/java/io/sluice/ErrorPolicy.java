package io.sluice;

import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of records that are refused. Immutable.
 *
 * <p>It is about records only: a shard that can't be read (missing, cut off, damaged in its compression) is an error
 * under every policy, because nobody can say how many records are missing.
 *
 * <p>The functions are called in the order of the records, one at a time, on the thread that emits; what they throw ends the stream with an error.
 */
public final class ErrorPolicy {

    /** The limit of a policy that has none. */
    public static final long UNLIMITED = Long.MAX_VALUE;

    private static final ErrorPolicy FAIL = new ErrorPolicy(null, null, 0);
    private static final ErrorPolicy SKIP = new ErrorPolicy(r -> {}, null, UNLIMITED);

    private final @Nullable Consumer<? super Rejected> sink;
    private final @Nullable Function<? super Rejected, ?> replacement;
    private final long limit;

    private ErrorPolicy(
            @Nullable Consumer<? super Rejected> sink,
            @Nullable Function<? super Rejected, ?> replacement,
            long limit) {
        this.sink = sink;
        this.replacement = replacement;
        this.limit = limit;
    }

    /** The default: the first refused record ends the stream with its {@link RecordException}, after all values before it. */
    public static ErrorPolicy fail() {
        return FAIL;
    }

    /** Refused records are left out, and counted in the reports. */
    public static ErrorPolicy skip() {
        return SKIP;
    }

    /** Refused records are left out of the stream and given to {@code sink}. */
    public static ErrorPolicy deadLetter(Consumer<? super Rejected> sink) {
        return new ErrorPolicy(Objects.requireNonNull(sink, "sink"), null, UNLIMITED);
    }

    /** A refused record is replaced, in its place, by the value that {@code fn} makes of it; null leaves it out. */
    public static ErrorPolicy replace(Function<? super Rejected, ?> fn) {
        return new ErrorPolicy(null, Objects.requireNonNull(fn, "fn"), UNLIMITED);
    }

    /** The same policy, but the refused record after the {@code max}-th ends the stream as under {@link #fail()}. */
    public ErrorPolicy limit(long max) {
        if (max < 0) {
            throw new IllegalArgumentException("limit must not be negative: " + max);
        }
        return new ErrorPolicy(sink, replacement, this == FAIL ? 0 : max);
    }

    /** How many records may be refused before the stream fails; 0 for {@link #fail()}. */
    public long limit() {
        return limit;
    }

    /** What to call with a refused record, or null under {@link #fail()} and {@link #replace}. */
    public @Nullable Consumer<? super Rejected> sink() {
        return sink;
    }

    /** What to call for a replacement, or null under any other policy. */
    public @Nullable Function<? super Rejected, ?> replacement() {
        return replacement;
    }
}
