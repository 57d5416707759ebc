package io.sluice.internal.read;

import io.sluice.Position;
import io.sluice.ReadSpec;
import io.sluice.format.Format;
import io.sluice.storage.BlockingReads;
import io.sluice.storage.ByteRange;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.ObjectStore;
import io.sluice.storage.PrefetchingReads;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import reactor.util.context.Context;

/**
 * The shards of one read in order: opens them, and shares the prefetch budget among the ones that are open, the first before
 * the later. Used by the pump's current thread, except for {@link #cancel()}.
 */
final class ShardSequence {

    /** Shards that are fetched at a time: enough to hide a store's latency behind small shards. */
    static final int MAX_OPEN = 32;

    /** What a request is taken to bring before the first chunk has shown it. */
    private static final int ASSUMED_CHUNK = 64 << 10;

    private final ObjectStore store;
    private final List<ObjectMeta> shards;
    private final Format<?> format;
    private final ReadSpec spec;
    private final Context context;
    private final Runnable wake;
    private final long budget;
    private final FetchBudget fetched;
    private final FluxInput.ChunkSize chunkSize = new FluxInput.ChunkSize();

    private final Deque<OpenShard> open = new ArrayDeque<>();
    private final Queue<RawInput> inputs = new ConcurrentLinkedQueue<>();
    private int next;
    private volatile boolean cancelled;

    ShardSequence(
            ObjectStore store,
            List<ObjectMeta> shards,
            Format<?> format,
            ReadSpec spec,
            Context context,
            Runnable wake) {
        this.store = store;
        this.shards = shards;
        this.format = format;
        this.spec = spec;
        this.context = context;
        this.wake = wake;
        this.budget = prefetchBytes(spec, store) / 2; // the other half is for blocks
        this.fetched = new FetchBudget(budget);
    }

    static long prefetchBytes(ReadSpec spec, ObjectStore store) {
        return store instanceof PrefetchingReads prefetching
                ? spec.prefetchBytesOr(prefetching.prefetchBytes())
                : spec.prefetchBytes();
    }

    /** The shard to read from, or null when all have been read. */
    @Nullable
    OpenShard current() {
        if (open.isEmpty() && next < shards.size()) {
            openNext();
        }
        return open.peekFirst();
    }

    /** The current shard is done with. */
    void finish() {
        OpenShard done = open.removeFirst();
        inputs.remove(done.input.raw);
        done.input.close();
    }

    /** The current shard's header is known: goes on at its position. */
    void reopenAtPosition(OpenShard shard, Position from) {
        inputs.remove(shard.input.raw);
        shard.input.close();
        shard.input = input(shard.meta, shard.name, from.restart(), from.block() - from.skipBytes());
        position(shard, from);
    }

    /** Lets the open shards ask for as much as the budget grants, and opens further ones while it lasts. */
    void prefetch() {
        if (store instanceof BlockingReads) {
            return; // read by the workers, ahead of the subscriber within the window of blocks
        }
        if (store instanceof PrefetchingReads) {
            letFetch();
            return;
        }
        int chunk = chunkSize.orElse(ASSUMED_CHUNK);
        long held = 0;
        for (OpenShard shard : open) {
            FluxInput input = (FluxInput) shard.input.raw;
            held += input.buffered() + input.outstanding() * chunk;
        }
        boolean first = true;
        boolean satisfied = true;
        for (Iterator<OpenShard> it = open.iterator(); it.hasNext() && satisfied; first = false) {
            FluxInput input = (FluxInput) it.next().input.raw;
            long granted = grant(input, first, chunk, held);
            held += granted * chunk;
            satisfied = input.arrived() || input.outstanding() * chunk >= input.remaining();
        }
        while (satisfied && next < shards.size() && open.size() < MAX_OPEN && !cancelled) {
            long size = shards.get(next).size();
            long least = size < 0 ? chunk : Math.min(size, chunk);
            if (held + least > budget) {
                return;
            }
            FluxInput input = (FluxInput) openNext().input.raw;
            long granted = grant(input, false, chunk, held);
            if (granted == 0 && !input.arrived()) {
                input.request(1); // an object smaller than a chunk: fits, as was seen above
                granted = 1;
            }
            held += size < 0 ? granted * chunk : Math.min(size, granted * chunk);
            satisfied = input.arrived() || input.outstanding() * chunk >= input.remaining();
        }
    }

    /**
     * The same for a store that fetches ahead by itself: it takes bytes from the budget, and is only told when it is worth another
     * try. A further shard is opened when all bytes of the ones before it have been asked for.
     */
    private void letFetch() {
        boolean first = true;
        boolean satisfied = true;
        for (Iterator<OpenShard> it = open.iterator(); it.hasNext() && satisfied; first = false) {
            FluxInput input = (FluxInput) it.next().input.raw;
            input.flow(first);
            satisfied = input.isAskedFor();
        }
        while (satisfied && next < shards.size() && open.size() < MAX_OPEN && !cancelled && fetched.hasRoom()) {
            FluxInput input = (FluxInput) openNext().input.raw;
            input.flow(false);
            satisfied = input.isAskedFor();
        }
    }

    private long grant(FluxInput input, boolean first, int chunk, long held) {
        if (input.arrived()) {
            return 0;
        }
        long outstanding = input.outstanding();
        long wanted = input.remaining() == Long.MAX_VALUE
                ? Long.MAX_VALUE
                : (input.remaining() + chunk - 1) / chunk - outstanding;
        long affordable = Math.max(0, budget - held) / chunk;
        // the first chunks may be no measure of the others: no more is asked for than has come before
        long n = Math.min(wanted, Math.min(affordable, Math.max(1, chunkSize.count()) - outstanding));
        if (n <= 0 && first && outstanding == 0 && input.buffered() == 0) {
            n = 1; // the shard being read always gets on; past its last byte, this asks for the completion
        }
        if (n > 0) {
            input.request(n);
            return n;
        }
        return 0;
    }

    private OpenShard openNext() {
        int index = next++;
        ObjectMeta meta = shards.get(index);
        String name = store.displayName(meta.key());
        Position from = index == 0 ? spec.position() : null;
        if (from != null && from.block() == 0 && from.restart() == 0) {
            from = null;
        }
        var framer = format.framer(spec.limits());
        boolean header = from != null && framer.needsHeader();
        ShardInput input = from == null || header
                ? input(meta, name, 0, 0)
                : input(meta, name, from.restart(), from.block() - from.skipBytes());
        OpenShard shard = new OpenShard(meta, name, index, framer, from, input);
        shard.seekingHeader = header;
        if (from != null && header) {
            framer.seekHeader(from.block());
        }
        if (from != null && !header) {
            position(shard, from);
        }
        open.addLast(shard);
        return shard;
    }

    private void position(OpenShard shard, Position from) {
        shard.seekingHeader = false;
        shard.skip = from.skipBytes();
        shard.offset = from.block();
        shard.framer.resumeAt(from.block());
    }

    private ShardInput input(ObjectMeta meta, String name, long start, long startUncompressed) {
        ByteRange range = ByteRange.from(start);
        // takes no more from the budget than there is
        ByteRange known = meta.size() < start ? range : ByteRange.of(start, meta.size() - start);
        RawInput raw = store instanceof BlockingReads blocking
                ? new ChannelInput(blocking, meta.key(), name, range, meta.etag())
                : new FluxInput(
                        share -> store instanceof PrefetchingReads prefetching
                                ? prefetching.get(meta.key(), known, meta.etag(), share)
                                : store.get(meta.key(), range, meta.etag()),
                        name,
                        meta.size() < 0 ? -1 : Math.max(0, meta.size() - start),
                        context,
                        wake,
                        chunkSize,
                        fetched);
        inputs.add(raw);
        if (cancelled) {
            raw.cancel();
        }
        return new ShardInput(
                raw, store.path(meta.key()), spec.compression(), spec.decompressionLimits(), start, startUncompressed);
    }

    /** Stops all I/O, from any thread. */
    void cancel() {
        cancelled = true;
        for (RawInput raw : inputs) {
            raw.cancel();
        }
    }

    /** Releases all that is open; on the pump's thread. */
    void close() {
        cancelled = true;
        for (OpenShard shard : open) {
            shard.input.close();
        }
        open.clear();
        inputs.clear();
    }
}
