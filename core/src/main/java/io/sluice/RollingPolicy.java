package io.sluice;

import java.time.Duration;
import java.util.Objects;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/**
 * When a writer commits the shard it has open and goes on in a new one. Immutable; combined with {@link #or}, the limit
 * that is reached first decides.
 *
 * <p>A shard ends <em>before</em> the record that would exceed a limit, and as soon as a limit is met exactly. A record
 * that exceeds a limit on its own gets a shard of its own. No policy ever makes an empty shard: a shard begins with its
 * first record. A value that holds several records (a batch of rows) is not split.
 */
public final class RollingPolicy {

    /** The limit of a policy that has none. */
    public static final long UNLIMITED = Long.MAX_VALUE;

    private static final RollingPolicy NEVER = new RollingPolicy(UNLIMITED, UNLIMITED, UNLIMITED, null, null, null);

    private final long recordLimit;
    private final long byteLimit;
    private final long writtenByteLimit;
    private final @Nullable Duration ageLimit;
    private final @Nullable Duration idleLimit;
    private final @Nullable BiPredicate<? super OpenShard, Object> condition;

    private RollingPolicy(
            long recordLimit,
            long byteLimit,
            long writtenByteLimit,
            @Nullable Duration ageLimit,
            @Nullable Duration idleLimit,
            @Nullable BiPredicate<? super OpenShard, Object> condition) {
        this.recordLimit = recordLimit;
        this.byteLimit = byteLimit;
        this.writtenByteLimit = writtenByteLimit;
        this.ageLimit = ageLimit;
        this.idleLimit = idleLimit;
        this.condition = condition;
    }

    /** One shard, however long it gets. The default. */
    public static RollingPolicy never() {
        return NEVER;
    }

    /** At most {@code records} records a shard. */
    public static RollingPolicy maxRecords(long records) {
        return new RollingPolicy(atLeast1(records, "maxRecords"), UNLIMITED, UNLIMITED, null, null, null);
    }

    /**
     * At most {@code bytes} uncompressed bytes a shard, the format's header and what its encoder holds back included; a
     * footer (if the format has one) comes on top.
     */
    public static RollingPolicy maxBytes(long bytes) {
        return new RollingPolicy(UNLIMITED, atLeast1(bytes, "maxBytes"), UNLIMITED, null, null, null);
    }

    /**
     * About {@code bytes} stored bytes a shard. Exact without compression; with it, how much the last records will take is
     * only known once they are compressed, so the writer estimates that from what it has compressed before, and a shard
     * may be off by a frame. Frames are made shorter than the spec says where {@code bytes} is small.
     */
    public static RollingPolicy maxWrittenBytes(long bytes) {
        return new RollingPolicy(UNLIMITED, UNLIMITED, atLeast1(bytes, "maxWrittenBytes"), null, null, null);
    }

    /** A shard is committed {@code age} after its first record arrived, whether more arrive or not. */
    public static RollingPolicy maxAge(Duration age) {
        return new RollingPolicy(UNLIMITED, UNLIMITED, UNLIMITED, positive(age, "maxAge"), null, null);
    }

    /** A shard is committed when no record has arrived for {@code idle}. */
    public static RollingPolicy maxIdle(Duration idle) {
        return new RollingPolicy(UNLIMITED, UNLIMITED, UNLIMITED, null, positive(idle, "maxIdle"), null);
    }

    /**
     * A condition of the user's: asked for every value before it is written (to a shard that has records), with the open
     * shard and the value; true commits the shard and puts the value into the next one. Called in order, one at a time, on
     * the writer's scheduler; what it throws ends the writing with an error.
     */
    public static RollingPolicy when(BiPredicate<? super OpenShard, Object> condition) {
        return new RollingPolicy(
                UNLIMITED, UNLIMITED, UNLIMITED, null, null, Objects.requireNonNull(condition, "condition"));
    }

    /** This policy or the other, whichever cuts first. */
    public RollingPolicy or(RollingPolicy other) {
        return new RollingPolicy(
                Math.min(recordLimit, other.recordLimit),
                Math.min(byteLimit, other.byteLimit),
                Math.min(writtenByteLimit, other.writtenByteLimit),
                min(ageLimit, other.ageLimit),
                min(idleLimit, other.idleLimit),
                either(condition, other.condition));
    }

    /** See {@link #maxRecords}; {@link #UNLIMITED} where there is no limit. */
    public long recordLimit() {
        return recordLimit;
    }

    /** See {@link #maxBytes}; {@link #UNLIMITED} where there is no limit. */
    public long byteLimit() {
        return byteLimit;
    }

    /** See {@link #maxWrittenBytes}; {@link #UNLIMITED} where there is no limit. */
    public long writtenByteLimit() {
        return writtenByteLimit;
    }

    /** See {@link #maxAge}; null where there is no limit. */
    public @Nullable Duration ageLimit() {
        return ageLimit;
    }

    /** See {@link #maxIdle}; null where there is no limit. */
    public @Nullable Duration idleLimit() {
        return idleLimit;
    }

    /** See {@link #when}; null where there is none. */
    public @Nullable BiPredicate<? super OpenShard, Object> condition() {
        return condition;
    }

    /** Whether nothing makes this policy cut a shard. */
    public boolean isNever() {
        return recordLimit == UNLIMITED
                && byteLimit == UNLIMITED
                && writtenByteLimit == UNLIMITED
                && ageLimit == null
                && idleLimit == null
                && condition == null;
    }

    private static @Nullable Duration min(@Nullable Duration a, @Nullable Duration b) {
        if (a == null || b == null) {
            return a == null ? b : a;
        }
        return a.compareTo(b) <= 0 ? a : b;
    }

    private static @Nullable BiPredicate<? super OpenShard, Object> either(
            @Nullable BiPredicate<? super OpenShard, Object> a, @Nullable BiPredicate<? super OpenShard, Object> b) {
        if (a == null || b == null) {
            return a == null ? b : a;
        }
        return (shard, next) -> a.test(shard, next) || b.test(shard, next);
    }

    private static long atLeast1(long value, String name) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be at least 1: " + value);
        }
        return value;
    }

    private static Duration positive(Duration value, String name) {
        if (value.isZero() || value.isNegative()) {
            throw new IllegalArgumentException(name + " must be positive: " + value);
        }
        return value;
    }
}
