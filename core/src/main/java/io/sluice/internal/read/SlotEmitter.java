package io.sluice.internal.read;

import io.sluice.Checkpoint;
import io.sluice.DatasetListener;
import io.sluice.ErrorPolicy;
import io.sluice.Position;
import io.sluice.Positioned;
import io.sluice.ReadProgress;
import io.sluice.ReadSpec;
import io.sluice.Rejected;
import io.sluice.ShardReport;
import io.sluice.SluiceException;
import io.sluice.codec.BlockEmitter;
import io.sluice.codec.BlockOrigin;
import io.sluice.codec.DecodedBlock;
import io.sluice.codec.Framer;
import io.sluice.codec.Rejection;
import io.sluice.storage.ObjectMeta;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The emitting side's state machine, without threads or demand: takes decoded slots in order and gives values, applies the error
 * policy and the limit, keeps positions and the account of every shard. Used under the subscription's emit token.
 */
final class SlotEmitter<B, T, R> {

    private static final DatasetListener NO_LISTENER = new DatasetListener() {};

    private final ErrorPolicy policy;
    private final DatasetListener listener;
    private final boolean listens;
    private final long limit;
    private final boolean positioned;
    private final List<Checkpoint.Pin> pins;
    private final int shardsTotal;
    private final long bytesTotal;
    private final @Nullable Position start;

    private @Nullable BlockEmitter<B, T> emitter;
    private boolean announced;
    private final List<ObjectMeta> shards;

    // the slot and the part whose turn it is
    private @Nullable Slot<B> slot;
    private int nextPart;
    private @Nullable Part<B> part;
    private int nextValue;
    private int nextRejection;

    private @Nullable R replacement;

    /** What the emitter was given and has not handed out; for positions only. */
    private final ArrayDeque<Run<B>> runs = new ArrayDeque<>();

    private @Nullable BlockOrigin origin;

    // the shard whose turn it is
    private long lines;
    private long ordinals;
    private long skip;
    private Account account = new Account();

    // the whole read
    private long accepted;
    private long rejectedTotal;
    private long storedBefore;
    private int shardsDone;
    private boolean ending;
    private @Nullable Throwable failure;
    private boolean closed;

    private static final class Run<B> {
        final Slot<B> slot;
        final Part<B> part;
        long ordinal;
        int left;

        Run(Slot<B> slot, Part<B> part, long ordinal, int left) {
            this.slot = slot;
            this.part = part;
            this.ordinal = ordinal;
            this.left = left;
        }
    }

    private static final class Account {
        long records;
        long rejected;
        long blankLines;
        long lostRecords;
        long delivered;
        long blank;
        long refused;
        long lost;
    }

    SlotEmitter(ReadSpec spec, boolean positioned, List<ObjectMeta> shards, List<Checkpoint.Pin> pins) {
        this.policy = spec.onError();
        this.listener = spec.listener() == null ? NO_LISTENER : spec.listener();
        this.listens = spec.listener() != null;
        this.limit = spec.limit();
        this.start = spec.position();
        this.positioned = positioned;
        this.shards = shards;
        this.pins = pins;
        this.shardsTotal = shards.size();
        long total = 0;
        for (ObjectMeta meta : shards) {
            total = total < 0 || meta.size() < 0 ? -1 : total + meta.size();
        }
        this.bytesTotal = total;
    }

    /** The format's last step; before the first slot is taken. */
    void use(BlockEmitter<B, T> lastStep) {
        if (policy.replacement() != null && lastStep.holdsBack()) {
            lastStep.close();
            throw new SluiceException(
                    null, -1, -1, "ErrorPolicy.replace can't put a value into a batch; use skip or deadLetter", null);
        }
        this.emitter = lastStep;
    }

    boolean hasLastStep() {
        return emitter != null;
    }

    boolean hasNext() {
        BlockEmitter<B, T> e = emitter;
        return replacement != null || e != null && e.hasNext();
    }

    /** The next value; only after {@code hasNext()}. */
    R next() {
        R replaced = replacement;
        if (replaced != null) {
            replacement = null;
            return replaced;
        }
        BlockEmitter<B, T> e = Objects.requireNonNull(emitter);
        T value = Objects.requireNonNull(e.poll(), "the emitter has a value and gives none");
        return positioned ? output(value, positionAfter(e.polledRecords())) : plain(value);
    }

    @SuppressWarnings("unchecked") // R is T unless positioned
    private R plain(Object value) {
        return (R) value;
    }

    @SuppressWarnings("unchecked") // R is Positioned of T if positioned
    private R output(Object value, @Nullable Position position) {
        return position == null ? (R) value : (R) new Positioned<>((T) value, position, pins);
    }

    /** Whether everything was handed out that ever will be. */
    boolean over() {
        return ending && !hasNext();
    }

    /** Once {@code over()}: what the read ends with, or null. */
    @Nullable
    Throwable failure() {
        return failure;
    }

    boolean wantsSlot() {
        return slot == null;
    }

    /** No slot will follow: what is held back is handed out, then the read is over. */
    void end(@Nullable Throwable with) {
        announce();
        failure = with;
        ending = true;
        BlockEmitter<B, T> e = emitter;
        if (e != null) {
            e.end();
        }
    }

    void take(Slot<B> decoded) {
        announce();
        slot = decoded;
        nextPart = 0;
        part = null;
        if (decoded.begins) {
            OpenShard shard = decoded.shard;
            Position from = shard.index == 0 ? start : null;
            lines = from == null ? 0 : from.line();
            ordinals = from == null ? 0 : from.before();
            skip = from == null ? 0 : from.records();
            account = new Account();
            listener.shardStarted(shard.name);
        }
    }

    private void announce() {
        if (!announced) {
            announced = true;
            listener.listed(shards);
        }
    }

    /** Takes one step with the current slot; gives it back when it is done with. */
    @Nullable
    Slot<B> advance() {
        Slot<B> s = Objects.requireNonNull(slot);
        Part<B> p = part;
        if (p == null) {
            if (nextPart == s.parts.size()) {
                return finish(s);
            }
            p = s.parts.get(nextPart++);
            p.linesBefore = lines;
            p.recordsBefore = ordinals;
            nextValue = 0;
            nextRejection = 0;
            part = p;
        }
        if (p.dropped != null) {
            part = null;
            dropped(s, p, p.dropped);
        } else {
            step(s, p, Objects.requireNonNull(p.decoded));
        }
        return null;
    }

    private void dropped(Slot<B> s, Part<B> p, Rejection r) {
        if (r == Framer.NO_RECORD) {
            account.blank += p.length;
            return;
        }
        Rejection whole = new Rejection(
                0, 0, 0, p.length, r.raw(), r.kind(), r.reason(), r.at(), r.lost(), r.lostRecords(), r.cause());
        ordinals++;
        if (!r.lost()) {
            lines++;
        }
        if (skip > 0) {
            skip--;
            charge(whole);
        } else {
            reject(s, p, whole, 1);
        }
    }

    private void step(Slot<B> s, Part<B> p, DecodedBlock<B> d) {
        List<Rejection> rejections = d.rejections();
        Rejection r = nextRejection < rejections.size() ? rejections.get(nextRejection) : null;
        int end = r == null ? d.count() : r.valuesBefore();
        if (nextValue < end) {
            if (skip > 0) {
                int skipped = (int) Math.min(skip, end - nextValue);
                skip -= skipped;
                nextValue += skipped;
                if (skipped == d.count()) {
                    BlockOrigin o = new BlockOrigin(s.shard.name, s.shard.index, p.offset, p.recordsBefore);
                    Objects.requireNonNull(emitter).skipped(o, d.values());
                }
                return;
            }
            accept(s, p, d, end);
        } else if (r != null) {
            nextRejection++;
            if (skip > 0) {
                skip--;
                charge(r);
            } else {
                reject(s, p, r, nextValue + (long) nextRejection);
            }
        } else {
            lines += d.lines();
            ordinals += d.count() + rejections.size();
            account.blankLines += d.blankLines();
            account.delivered += d.bytesDelivered();
            account.blank += d.bytesBlank();
            part = null;
        }
    }

    private void accept(Slot<B> s, Part<B> p, DecodedBlock<B> d, int end) {
        BlockEmitter<B, T> e = Objects.requireNonNull(emitter);
        int to = nextValue + (int) Math.min(end - nextValue, limit - accepted);
        long ordinal = nextValue + (long) nextRejection;
        BlockOrigin o = origin;
        if (o == null
                || o.shard() != s.shard.index
                || o.offset() != p.offset
                || o.firstRecord() != p.recordsBefore + ordinal) {
            o = new BlockOrigin(s.shard.name, s.shard.index, p.offset, p.recordsBefore + ordinal);
            origin = o;
        }
        e.accept(o, d.values(), nextValue, to);
        if (positioned) {
            runs.addLast(new Run<>(s, p, ordinal, to - nextValue));
        }
        account.records += to - nextValue;
        accepted += to - nextValue;
        nextValue = to;
        if (accepted == limit) {
            end(null);
        }
    }

    private void reject(Slot<B> s, Part<B> p, Rejection r, long ordinalAfter) {
        charge(r);
        Rejected rejected = Failures.rejected(r, s.shard.name, p.linesBefore + r.linesBefore() + 1, p.offset);
        listener.rejected(rejected);
        if (++rejectedTotal > policy.limit()) {
            end(rejected.cause());
            return;
        }
        if (policy.sink() != null) {
            policy.sink().accept(rejected);
        } else if (policy.replacement() != null) {
            Object value = policy.replacement().apply(rejected);
            if (value != null) {
                replacement = output(value, positioned ? position(s, p, ordinalAfter) : null);
                account.records++;
                if (++accepted == limit) {
                    end(null);
                }
            }
        }
    }

    private void charge(Rejection r) {
        if (r.lost()) {
            account.lost += r.length();
            account.lostRecords += r.lostRecords();
        } else {
            account.refused += r.length();
        }
        account.rejected++;
    }

    private @Nullable Slot<B> finish(Slot<B> s) {
        slot = null;
        if (s.ends) {
            shardsDone++;
            storedBefore += s.storedBytes;
            account.lost += s.bytesLost;
            long accounted = account.delivered + account.blank + account.refused + account.lost;
            if (listens) {
                listener.shardCompleted(new ShardReport(
                        s.shard.name,
                        account.records,
                        account.rejected,
                        account.blankLines,
                        account.lostRecords,
                        s.bytesIn < 0 ? accounted : s.bytesIn,
                        account.delivered,
                        account.blank,
                        account.refused,
                        account.lost,
                        s.failure == null));
            }
        }
        if (listens) {
            listener.progress(new ReadProgress(
                    storedBefore + (s.ends ? 0 : s.storedBytes), bytesTotal, accepted, shardsDone, shardsTotal));
        }
        if (s.failure != null) {
            end(s.failure);
        }
        return s;
    }

    private Position positionAfter(int records) {
        int left = records;
        Run<B> run = runs.getFirst();
        while (left > run.left) {
            left -= run.left;
            runs.removeFirst();
            run = runs.getFirst();
        }
        run.ordinal += left;
        run.left -= left;
        Position position = position(run.slot, run.part, run.ordinal);
        if (run.left == 0) {
            runs.removeFirst();
        }
        return position;
    }

    private static <B> Position position(Slot<B> s, Part<B> p, long ordinal) {
        return new Position(
                s.shard.meta.key(), p.restart, p.skipBytes, p.offset, p.linesBefore, p.recordsBefore, ordinal);
    }

    void close() {
        if (!closed) {
            closed = true;
            ending = true;
            replacement = null;
            runs.clear();
            BlockEmitter<B, T> e = emitter;
            if (e != null) {
                e.close();
            }
        }
    }
}
