package io.sluice.arrow;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.apache.arrow.memory.AllocationListener;
import org.apache.arrow.memory.AllocationManager;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.ReferenceManager;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.memory.util.MemoryUtil;
import org.jspecify.annotations.Nullable;

/**
 * A root allocator that keeps what is given back, up to a bound, for the next batch. Memory fresh from the operating system
 * costs a page fault every 4 KiB, which is a fifth of the time that filling a batch takes; a stream of batches needs the same
 * sizes over and over. Thread-safe. Idle memory is freed when the allocator is closed.
 */
final class RecyclingAllocator extends RootAllocator {

    private final Recycler recycler;

    private RecyclingAllocator(long limit, Recycler recycler) {
        super(configBuilder()
                .maxAllocation(limit)
                .listener(AllocationListener.NOOP)
                .allocationManagerFactory(recycler)
                .roundingPolicy(RecyclingAllocator::rounded)
                .build());
        this.recycler = recycler;
    }

    /**
     * @param limit bytes that may be in use at a time; what lies idle is counted in
     * @param maxIdleBytes bytes that may lie idle
     */
    static RecyclingAllocator create(long limit, long maxIdleBytes) {
        return new RecyclingAllocator(limit, new Recycler(limit, maxIdleBytes));
    }

    /** Bytes kept for the next batch. */
    long idleBytes() {
        synchronized (recycler) {
            return recycler.idleBytes;
        }
    }

    @Override
    public synchronized void close() {
        try {
            super.close();
        } finally {
            recycler.close();
        }
    }

    /**
     * Sizes in steps of an eighth of a power of two, where Arrow's own rounding goes up to the next power: a batch of many columns would
     * take half as much again as it holds.
     */
    static long rounded(long size) {
        if (size <= 64) {
            return size <= 0 ? 0 : 64;
        }
        long step = Math.max(64, Long.highestOneBit(size - 1) >> 3);
        return (size + step - 1) / step * step;
    }

    private static final class Recycler implements AllocationManager.Factory {

        /** Smaller ones come from the C library's own lists as quickly. */
        private static final long MIN_KEPT = 1024;

        private final ArrowBuf empty = new ArrowBuf(ReferenceManager.NO_OP, null, 0, 0);
        private final long limit;
        private final long maxIdleBytes;
        /** By size, and of one size the last that came, which is most likely in the cache still. */
        private final NavigableMap<Long, Deque<Idle>> idle = new TreeMap<>();
        /** In the order in which they came, those taken since included. */
        private final Deque<Idle> oldest = new ArrayDeque<>();

        private long usedBytes;
        private long idleBytes;
        private int idleCount;
        private boolean closed;

        private static final class Idle {
            private final long address;
            private final long size;
            private boolean taken;

            Idle(long address, long size) {
                this.address = address;
                this.size = size;
            }
        }

        Recycler(long limit, long maxIdleBytes) {
            this.limit = limit;
            this.maxIdleBytes = maxIdleBytes;
        }

        @Override
        public AllocationManager create(BufferAllocator accountingAllocator, long size) {
            Idle found = take(size);
            return found == null
                    ? new Memory(accountingAllocator, this, size, MemoryUtil.allocateMemory(size), size)
                    : new Memory(accountingAllocator, this, size, found.address, found.size);
        }

        @Override
        public ArrowBuf empty() {
            return empty;
        }

        /** Something idle that will do, or null after making room for fresh memory. */
        private synchronized @Nullable Idle take(long size) {
            Map.Entry<Long, Deque<Idle>> nearest = size < MIN_KEPT ? null : idle.ceilingEntry(size);
            if (nearest == null || nearest.getKey() > size + (size >> 2)) {
                usedBytes += size;
                freeOldest(0);
                return null;
            }
            Idle found = nearest.getValue().pop();
            if (nearest.getValue().isEmpty()) {
                idle.remove(nearest.getKey());
            }
            forget(found);
            usedBytes += found.size;
            if (oldest.size() > 64 + 2 * idleCount) {
                oldest.removeIf(entry -> entry.taken);
            }
            return found;
        }

        private void forget(Idle entry) {
            entry.taken = true;
            idleBytes -= entry.size;
            idleCount--;
        }

        void put(long address, long size) {
            if (!keep(address, size)) {
                MemoryUtil.freeMemory(address);
            }
        }

        private synchronized boolean keep(long address, long size) {
            usedBytes -= size;
            if (closed || size < MIN_KEPT || size > maxIdleBytes) {
                return false;
            }
            freeOldest(size);
            Idle entry = new Idle(address, size);
            idle.computeIfAbsent(size, s -> new ArrayDeque<>()).push(entry);
            oldest.add(entry);
            idleBytes += size;
            idleCount++;
            return true;
        }

        /** Makes room for so many more bytes: sizes change with the data, so what nobody asked for the longest goes. */
        private void freeOldest(long more) {
            while (idleCount > 0 && (idleBytes + more > maxIdleBytes || usedBytes + idleBytes + more > limit)) {
                Idle entry = oldest.remove();
                if (!entry.taken) {
                    Deque<Idle> same = idle.get(entry.size);
                    if (same != null) {
                        same.removeLastOccurrence(entry);
                        if (same.isEmpty()) {
                            idle.remove(entry.size);
                        }
                    }
                    forget(entry);
                    MemoryUtil.freeMemory(entry.address);
                }
            }
        }

        synchronized void close() {
            closed = true;
            idle.values().forEach(same -> same.forEach(entry -> MemoryUtil.freeMemory(entry.address)));
            idle.clear();
            oldest.clear();
            idleBytes = 0;
            idleCount = 0;
        }
    }

    private static final class Memory extends AllocationManager {

        private final Recycler recycler;
        private final long size;
        private final long address;
        /** What there is behind the address: at times a little more than was asked for. */
        private final long room;

        Memory(BufferAllocator accountingAllocator, Recycler recycler, long size, long address, long room) {
            super(accountingAllocator);
            this.recycler = recycler;
            this.size = size;
            this.address = address;
            this.room = room;
        }

        @Override
        public long getSize() {
            return size;
        }

        @Override
        protected long memoryAddress() {
            return address;
        }

        @Override
        protected void release0() {
            recycler.put(address, room);
        }
    }
}
