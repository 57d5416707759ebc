package io.sluice.arrow.internal.ipc;

import java.util.List;
import java.util.Map;
import org.apache.arrow.vector.ipc.message.ArrowFieldNode;

/**
 * The rows of a record batch, or the values of a dictionary, on the heap: decompressed and checked.
 *
 * @param highest the largest index into each dictionary, by id
 */
record HeapBatch(
        int rows, List<ArrowFieldNode> nodes, List<Slice> buffers, List<Long> variadicCounts, Map<Long, Long> highest) {

    /** What it takes in memory. */
    long bytes() {
        long sum = 0;
        for (Slice slice : buffers) {
            sum += (slice.length() + 63L) & -64;
        }
        return sum;
    }
}
