package io.sluice.internal.write;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.RollingPolicy;
import io.sluice.Shard;
import io.sluice.ShardWriter;
import io.sluice.WriteSpec;
import io.sluice.storage.InMemoryObjectStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.test.publisher.TestPublisher;
import reactor.test.scheduler.VirtualTimeScheduler;

/** Rotation by age and idle time, in virtual time. */
class ShardWriterTimeTest {

    private final InMemoryObjectStore store = InMemoryObjectStore.create();
    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final TestPublisher<String> source = TestPublisher.create();
    private final List<Long> committed = new ArrayList<>();

    @AfterEach
    void dispose() {
        time.dispose();
    }

    private ShardWriter<String> start(RollingPolicy policy) {
        WriteSpec spec = WriteSpec.create().rolling(policy).scheduler(time);
        ShardWriter<String> writer = ShardWriters.create(store, "a/", new LineFormat(), spec);
        writer.committed().map(Shard::records).subscribe(committed::add);
        source.subscribe(writer);
        return writer;
    }

    private void advance(long millis) {
        time.advanceTimeBy(Duration.ofMillis(millis));
    }

    @Test
    void aShardIsCommittedAtItsAge_countedFromItsFirstRecord() {
        start(RollingPolicy.maxAge(Duration.ofSeconds(60)));
        advance(600_000);
        source.next("a");
        advance(30_000);
        source.next("b");
        advance(29_990);
        assertThat(committed).isEmpty();

        advance(10);
        assertThat(committed).containsExactly(2L);

        // no shard as long as there is no record
        advance(600_000);
        assertThat(committed).hasSize(1);
        source.next("c");
        advance(59_999);
        assertThat(committed).hasSize(1);
        advance(1);
        assertThat(committed).containsExactly(2L, 1L);
    }

    @Test
    void aShardIsCommittedWhenItIsIdle_countedFromItsLastRecord() {
        start(RollingPolicy.maxIdle(Duration.ofSeconds(10)));
        for (int i = 0; i < 5; i++) {
            source.next("x" + i);
            advance(9_000);
        }
        assertThat(committed).isEmpty();

        advance(1_000);
        assertThat(committed).containsExactly(5L);
        advance(600_000);
        assertThat(committed).hasSize(1);

        source.next("y");
        advance(10_000);
        assertThat(committed).containsExactly(5L, 1L);
    }

    @Test
    void anIdleShardOfManyRecordsAtOnceIsCommittedToo() {
        start(RollingPolicy.maxIdle(Duration.ofSeconds(10)));
        source.next("a", "b", "c");
        // what came in one go is looked for after a short linger, from which the idle time counts
        advance(10_100);

        assertThat(committed).containsExactly(3L);
    }

    @Test
    void theTimerOfACommittedShardDoesNotCutTheNext() {
        start(RollingPolicy.maxAge(Duration.ofSeconds(60)).or(RollingPolicy.maxRecords(2)));
        source.next("a");
        advance(50_000);
        source.next("b");
        advance(10);
        assertThat(committed).containsExactly(2L);
        source.next("c");
        advance(59_000);
        assertThat(committed).hasSize(1);
        advance(1_000);
        assertThat(committed).containsExactly(2L, 1L);
    }

    @Test
    void ofAgeAndIdleTimeTheFirstCuts() {
        start(RollingPolicy.maxAge(Duration.ofSeconds(60)).or(RollingPolicy.maxIdle(Duration.ofSeconds(10))));
        for (int i = 0; i < 12; i++) {
            source.next("x" + i);
            advance(5_000);
        }
        assertThat(committed).containsExactly(12L);
        source.next("y");
        advance(10_000);
        assertThat(committed).containsExactly(12L, 1L);
    }

    @Test
    void aValueOnAnIdleStreamIsEncodedAtOnce_othersAfterALinger() {
        start(RollingPolicy.maxRecords(1));
        advance(60_000);
        source.next("a");
        advance(0);
        assertThat(committed).containsExactly(1L);

        source.next("b");
        advance(10);
        assertThat(committed).containsExactly(1L, 1L);
    }

    @Test
    void aLongIdleCheckKeepsOneTimerAndNotOneForEachTimeItLooked() {
        WatchedScheduler watched = new WatchedScheduler(time);
        RollingPolicy policy = RollingPolicy.maxIdle(Duration.ofSeconds(10));
        source.subscribe(ShardWriters.create(
                store,
                "a/",
                new LineFormat(),
                WriteSpec.create().rolling(policy).scheduler(watched)));
        for (int i = 0; i < 100; i++) {
            source.next("x" + i);
            advance(9_000);
            assertThat(watched.timersHeld.get()).isLessThanOrEqualTo(2);
        }
        source.complete();
        advance(0);
        assertThat(watched.workersDisposed).hasValue(1);
    }

    @Test
    void theEndComesAtOnce() {
        ShardWriter<String> writer = start(RollingPolicy.maxAge(Duration.ofSeconds(60)));
        source.next("a", "b").complete();
        advance(0);

        assertThat(committed).containsExactly(2L);
        assertThat(writer.isDisposed()).isTrue();
    }
}
