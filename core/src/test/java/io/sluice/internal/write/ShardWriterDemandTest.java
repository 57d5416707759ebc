package io.sluice.internal.write;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.RollingPolicy;
import io.sluice.ShardWriter;
import io.sluice.WriteResult;
import io.sluice.WriteSpec;
import io.sluice.codec.Compressions;
import io.sluice.storage.ObjectMeta;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.test.scheduler.VirtualTimeScheduler;

/** What a writer requests, and what it does while the store takes its time. In virtual time, so all on this thread. */
class ShardWriterDemandTest {

    private final GatedStore store = new GatedStore();
    private final LineFormat format = new LineFormat();
    private final AtomicLong requested = new AtomicLong();
    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();

    @AfterEach
    void dispose() {
        time.dispose();
    }

    private static Flux<String> endless(int length) {
        String value = "x".repeat(length - 1);
        return Flux.generate(sink -> sink.next(value));
    }

    private WriteSpec spec() {
        return WriteSpec.create()
                .flushBytes(1000)
                .bufferBytes(10_000)
                .bufferRecords(64)
                .scheduler(time);
    }

    /** A store that takes one buffer and then no more. */
    private void stall() {
        store.content = (key, bytes) -> Flux.from(subscriber -> bytes.subscribe(new BaseSubscriber<ByteBuffer>() {
            @Override
            protected void hookOnSubscribe(Subscription s) {
                s.request(1);
            }
        }));
    }

    private ShardWriter<String> start(Flux<String> values, WriteSpec spec) {
        ShardWriter<String> writer = ShardWriters.create(store, "a/", format, spec);
        values.doOnRequest(requested::addAndGet).subscribe(writer);
        time.advanceTimeBy(Duration.ofSeconds(1));
        return writer;
    }

    @Test
    void aStoreThatTakesNothingHoldsTheDemandDown() {
        stall();
        start(endless(100), spec());

        // 1000 bytes taken, 10,000 buffered, and 64 values at most that wait, a quarter of the bytes at most
        assertThat(requested).hasValueBetween(110L, 110L + 25);
    }

    @Test
    void whatWaitsForCompressionIsBoundedToo() {
        stall();
        start(
                endless(100),
                spec().frameBytes(1024).compression(Compressions.gzip()).bufferBytes(2000));

        // a member of 11 records takes some 30 bytes, so more records are under way; but not without end
        assertThat(requested).hasValueBetween(110L, 2000L / 25 * 11);
    }

    @Test
    void longRecordsAreRequestedSparingly() {
        stall();
        start(endless(1000), spec());

        // 32 at first; then a quarter of the buffer is two and a half records
        assertThat(requested).hasValueBetween(32L, 32L + 2);
    }

    @Test
    void theBoundInRecordsHolds() {
        Sinks.One<Object> gate = Sinks.one();
        store.other =
                (call, result) -> call.contains("_claims/") ? gate.asMono().then(result) : result;
        start(endless(2), spec().bufferRecords(10));
        assertThat(requested).hasValue(10);
    }

    @Test
    void aCommitThatTakesItsTimeHoldsTheNextButOneShardBack() {
        Sinks.One<ObjectMeta> gate = Sinks.one();
        store.put = (key, result) -> result.delayUntil(meta -> gate.asMono());
        start(endless(100).take(500), spec().bufferBytes(1_000_000).rolling(RollingPolicy.maxRecords(50)));

        // one shard is being committed, the next one waits for that, the third does not begin
        assertThat(requested).hasValueBetween(100L, 100L + 64);
        assertThat(Stored.keys(store.inner)).contains("a/part-00000.txt").doesNotContain("a/part-00001.txt");
        assertThat(store.calls).doesNotContain("put a/part-00002.txt");

        gate.tryEmitEmpty();
        time.advanceTimeBy(Duration.ofSeconds(1));
        assertThat(Stored.keys(store.inner)).hasSize(10).contains("a/part-00009.txt");
    }

    @Test
    void aStoreThatAsksForEverythingAtOnceGetsEverything() {
        // it never asks again, so what it takes must itself make room for the values that wait
        for (int values : new int[] {30, 300}) { // all of them requested at once, or piece by piece
            for (int bufferBytes : new int[] {16, 100, 1000}) {
                String location = values + "-" + bufferBytes + "/";
                WriteSpec spec = spec().flushBytes(16).bufferBytes(bufferBytes);
                ShardWriter<String> writer = ShardWriters.create(store, location, format, spec);
                endless(10).take(values).subscribe(writer);
                time.advanceTimeBy(Duration.ofSeconds(1));

                assertThat(writer.isDisposed()).as(location).isTrue();
                assertThat(writer.result().block(Duration.ZERO).records()).isEqualTo(values);
            }
        }
    }

    @Test
    void everythingIsWrittenHoweverSlowlyTheStoreTakesIt() {
        store.content = (key, bytes) -> bytes.limitRate(1).delayElements(Duration.ofMillis(100), time);
        ShardWriter<String> writer = start(endless(100).take(1000), spec().rolling(RollingPolicy.maxRecords(300)));
        time.advanceTimeBy(Duration.ofMinutes(1));

        WriteResult result = writer.result().block(Duration.ZERO);
        assertThat(result.records()).isEqualTo(1000);
        assertThat(result.shards())
                .hasSize(4)
                .allSatisfy(
                        shard -> assertThat(Stored.bytes(store, shard.key())).hasSize((int) shard.writtenBytes()));
    }

    @Test
    void moreThanRequestedIsAnErrorAndNotAQueueWithoutEnd() {
        store.other = (call, result) -> Mono.never();
        ShardWriter<String> writer = start(Flux.never(), spec());
        for (int i = 0; i < 5000; i++) {
            writer.onNext("value");
        }
        time.advanceTimeBy(Duration.ofSeconds(1));
        assertThat(format.released.get()).isGreaterThan(4900);

        writer.dispose();
        assertThat(format.released).hasValue(5000);
    }

    @Test
    void moreThanRequestedFailsTheWriter() {
        Sinks.One<Object> gate = Sinks.one();
        store.other = (call, result) -> gate.asMono().then(result); // nothing is taken from the queue before it opens
        ShardWriter<String> writer = start(Flux.never(), spec());
        for (int i = 0; i < 5000; i++) {
            writer.onNext("value");
        }
        gate.tryEmitEmpty();
        time.advanceTimeBy(Duration.ofSeconds(1));

        assertThat(writer.isDisposed()).isTrue();
        assertThatThrownBy(() -> writer.result().block(Duration.ZERO))
                .hasMessageContaining("more values came than were requested");
        assertThat(format.released).hasValue(5000);
    }
}
