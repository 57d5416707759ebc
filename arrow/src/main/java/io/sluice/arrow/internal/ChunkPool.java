package io.sluice.arrow.internal;

import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;

/** Chunks of one schema that workers and the emitting thread hand to and fro, so that arrays grow once. Thread-safe. */
public final class ChunkPool {

    private static final int MAX_IDLE = 16;

    private final List<ColumnPlan> plans;
    /** The last that came is the first to go: its arrays are in the cache. */
    private final ConcurrentLinkedDeque<ColumnChunk> idle = new ConcurrentLinkedDeque<>();

    private final AtomicInteger count = new AtomicInteger();

    /** @param plans the columns of every chunk */
    public ChunkPool(List<ColumnPlan> plans) {
        this.plans = plans;
    }

    /** An empty chunk. */
    public ColumnChunk take() {
        ColumnChunk chunk = idle.poll();
        if (chunk == null) {
            return new ColumnChunk(plans, this);
        }
        count.decrementAndGet();
        return chunk;
    }

    /** What the columns are. */
    public List<ColumnPlan> plans() {
        return plans;
    }

    void put(ColumnChunk chunk) {
        if (count.get() < MAX_IDLE) {
            chunk.reset();
            count.incrementAndGet();
            idle.push(chunk);
        }
    }
}
