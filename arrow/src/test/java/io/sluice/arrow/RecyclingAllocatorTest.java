package io.sluice.arrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.OutOfMemoryException;
import org.junit.jupiter.api.Test;

class RecyclingAllocatorTest {

    @Test
    void roundsUpByAnEighthAtMost() {
        for (long size :
                new long[] {1, 63, 64, 65, 512, 513, 1000, 4097, 65_537, 1_000_000, (32 << 20) + 1, 1L << 40}) {
            long rounded = RecyclingAllocator.rounded(size);
            assertThat(rounded).isGreaterThanOrEqualTo(size).isLessThanOrEqualTo(Math.max(size + 63, size * 9 / 8 + 1));
            assertThat(rounded % 64).isZero();
            assertThat(RecyclingAllocator.rounded(rounded)).isEqualTo(rounded);
        }
        assertThat(RecyclingAllocator.rounded(0)).isZero();
    }

    @Test
    void givesOutAgainWhatCameBackLast() {
        try (BufferAllocator allocator = RecyclingAllocator.create(1 << 20, 1 << 20)) {
            ArrowBuf first = allocator.buffer(10_000);
            ArrowBuf second = allocator.buffer(10_000);
            long address = second.memoryAddress();
            first.close();
            second.close();
            try (ArrowBuf again = allocator.buffer(9_900)) { // a little smaller will do
                assertThat(again.memoryAddress()).isEqualTo(address);
                assertThat(allocator.getAllocatedMemory()).isEqualTo(again.capacity());
            }
            try (ArrowBuf tooSmall = allocator.buffer(5_000)) {
                assertThat(tooSmall.memoryAddress()).isNotEqualTo(address);
            }
            assertThat(allocator.getAllocatedMemory()).isZero();
        }
    }

    @Test
    void letsGoOfWhatNobodyAskedForTheLongest() {
        try (BufferAllocator allocator = RecyclingAllocator.create(1 << 20, 100_000)) {
            ArrowBuf old = allocator.buffer(60_000);
            ArrowBuf young = allocator.buffer(30_000);
            ArrowBuf youngest = allocator.buffer(40_000);
            long kept = young.memoryAddress();
            old.close();
            young.close();
            youngest.close(); // 130,000 bytes would lie idle
            assertThat(((RecyclingAllocator) allocator).idleBytes()).isBetween(70_000L, 100_000L);
            try (ArrowBuf again = allocator.buffer(30_000)) {
                assertThat(again.memoryAddress()).isEqualTo(kept);
            }
        }
    }

    @Test
    void idleMemoryCountsTowardsTheLimit() {
        try (BufferAllocator allocator = RecyclingAllocator.create(150_000, 150_000)) {
            ArrowBuf idle = allocator.buffer(100_000);
            idle.close();
            assertThat(((RecyclingAllocator) allocator).idleBytes()).isGreaterThanOrEqualTo(100_000);
            try (ArrowBuf more = allocator.buffer(60_000)) { // both would be too much
                assertThat(more.capacity()).isGreaterThanOrEqualTo(60_000);
                assertThat(((RecyclingAllocator) allocator).idleBytes()).isZero();
            }
            allocator.buffer(60_000).close();
            assertThat(allocator.getAllocatedMemory()).isZero();
            assertThat(((RecyclingAllocator) allocator).idleBytes()).isLessThan(100_000);
        }
    }

    @Test
    void countsExactlyWhateverComesAndGoes() {
        Random random = new Random(7);
        try (BufferAllocator allocator = RecyclingAllocator.create(4 << 20, 1 << 20)) {
            List<ArrowBuf> held = new ArrayList<>();
            for (int i = 0; i < 20_000; i++) {
                if (held.isEmpty() || random.nextInt(100) < 52) {
                    try {
                        ArrowBuf buffer = allocator.buffer(1 + random.nextInt(200_000));
                        buffer.setLong(0, i);
                        buffer.setLong(buffer.capacity() - 8, i);
                        held.add(buffer);
                    } catch (OutOfMemoryException e) {
                        held.remove(random.nextInt(held.size())).close();
                    }
                } else {
                    ArrowBuf buffer = held.remove(random.nextInt(held.size()));
                    assertThat(buffer.getLong(0)).isEqualTo(buffer.getLong(buffer.capacity() - 8));
                    buffer.close();
                }
                assertThat(allocator.getAllocatedMemory())
                        .isEqualTo(held.stream().mapToLong(ArrowBuf::capacity).sum());
            }
            held.forEach(ArrowBuf::close);
            assertThat(allocator.getAllocatedMemory()).isZero();
        }
    }

    @Test
    void keepsToItsLimit() {
        try (BufferAllocator allocator = RecyclingAllocator.create(100_000, 100_000)) {
            assertThatThrownBy(() -> allocator.buffer(200_000)).isInstanceOf(OutOfMemoryException.class);
        }
    }
}
