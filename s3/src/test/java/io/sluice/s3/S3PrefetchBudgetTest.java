package io.sluice.s3;

import static io.sluice.testing.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.Dataset;
import io.sluice.ReadSpec;
import io.sluice.format.Jsonl;
import io.sluice.storage.ByteRange;
import io.sluice.storage.PrefetchBudget;
import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/** All that is fetched for a read counts within its one budget, whatever the store's own options. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class S3PrefetchBudgetTest {

    private static final Duration PATIENCE = Duration.ofSeconds(50);
    private static final int MIB = 1 << 20;
    private static final String RECORD = "{\"text\":\"" + "x".repeat(1012) + "\"}\n";

    private final FaultProxy proxy = new FaultProxy(TestS3.port());
    private final S3AsyncClient client = TestS3.clientSpec(proxy.port()).client();
    private final String bucket = TestS3.newBucket();

    @AfterEach
    void close() {
        client.close();
        proxy.close();
    }

    private void put(String key, int bytes) {
        S3ObjectStore.create(TestS3.client(), bucket)
                .put(
                        key,
                        Flux.just(ByteBuffer.wrap(
                                RECORD.repeat(bytes / RECORD.length()).getBytes(UTF_8))),
                        PutMode.CREATE)
                .block(PATIENCE);
    }

    /** Of the ranges that were asked for. */
    private List<Long> lengths() {
        return proxy.requests().stream()
                .map(request -> request.header("Range"))
                .filter(Objects::nonNull)
                .map(range -> {
                    int dash = range.indexOf('-');
                    return Long.parseLong(range.substring(dash + 1)) + 1 - Long.parseLong(range.substring(6, dash));
                })
                .toList();
    }

    private long askedFor() {
        return lengths().stream().mapToLong(Long::longValue).sum();
    }

    /** Reads a record, and all the others when everything has come to rest. */
    private long askedForAfterOneRecord(String location, long records, ReadSpec spec) {
        S3StoreSpec greedy = TestS3.spec().rangeBytes(MIB).rangesInFlight(16).readAheadBytes(100L * MIB);
        long[] then = new long[1];
        StepVerifier.create(
                        Dataset.at(S3ObjectStore.create(client, bucket, greedy), location, Jsonl.bytes())
                                .read(spec),
                        0)
                .thenRequest(1)
                .expectNextCount(1)
                .expectNoEvent(Duration.ofMillis(300))
                .then(() -> then[0] = askedFor())
                .thenRequest(Long.MAX_VALUE)
                .expectNextCount(records - 1)
                .expectComplete()
                .verify(PATIENCE);
        return then[0];
    }

    @ParameterizedTest
    @CsvSource({"0, 2", "2, 3", "8, 9"})
    void ofOneObject(int prefetchMib, int atMostMib) {
        put("object.jsonl", 24 * MIB);
        long asked = askedForAfterOneRecord(
                "object.jsonl", 24 * 1024, ReadSpec.create().prefetchBytes((long) prefetchMib * MIB));
        // one range, of a MiB, is always allowed
        assertThat(asked).isLessThanOrEqualTo((long) atMostMib * MIB);
        assertThat(asked).as("the half that is for bytes is used").isGreaterThan(prefetchMib * MIB / 2L - MIB);
        assertThat(askedFor()).as("nothing is fetched twice").isEqualTo(24 * MIB);
    }

    @Test
    void ofManyShards() {
        for (int i = 10; i < 50; i++) {
            put("dir/part-" + i + ".jsonl", MIB / 8);
        }
        long asked = askedForAfterOneRecord("dir/", 40 * 128, ReadSpec.create().prefetchBytes(2L * MIB));
        assertThat(asked).isBetween(MIB * 6 / 8L, 2L * MIB + MIB / 8);
        assertThat(askedFor()).isEqualTo(5 * MIB);
    }

    /** Whether it is read to its end, is shorter than a range, is cancelled or fails. */
    @Test
    void whatIsTakenIsGivenBack() {
        put("long.jsonl", 3 * MIB);
        put("short.jsonl", MIB / 8);
        AtomicLong taken = new AtomicLong();
        PrefetchBudget counting = new PrefetchBudget() {
            @Override
            public long capacity() {
                return 64L * MIB;
            }

            @Override
            public boolean tryTake(long bytes, boolean needed) {
                taken.addAndGet(bytes);
                return true;
            }

            @Override
            public boolean isAwaited() {
                return false;
            }

            @Override
            public void giveBack(long bytes) {
                taken.addAndGet(-bytes);
            }
        };
        S3ObjectStore store = S3ObjectStore.create(
                client, bucket, TestS3.spec().rangesInFlight(2).maxRetries(0));
        for (String key : new String[] {"long.jsonl", "short.jsonl"}) {
            store.get(key, ByteRange.ALL, null, counting).blockLast(PATIENCE);
            assertThat(taken).as(key).hasValue(0);
        }
        store.get("long.jsonl", ByteRange.ALL, null, counting).take(1).blockLast(PATIENCE);
        eventually(() -> assertThat(taken).as("cancelled").hasValue(0));
        proxy.rule(request -> String.valueOf(request.header("Range")).startsWith("bytes=0-")
                ? FaultProxy.NONE
                : FaultProxy.slowDown());
        TestS3.error(store.get("long.jsonl", ByteRange.ALL, null, counting));
        TestS3.error(store.get("nothing", ByteRange.ALL, null, counting));
        eventually(() -> assertThat(taken).as("failed").hasValue(0));
    }

    /** So that as many as are wanted in flight fit into it: four from far away, two from nearby. */
    @ParameterizedTest
    @CsvSource({"1e300, 2", "1, 4"})
    void aSmallOneMakesRangesShorter(double enough, long longestMib) {
        put("object.jsonl", 24 * MIB);
        S3ObjectStore store = S3ObjectStore.create(
                client,
                bucket,
                TestS3.spec()
                        .rangeBytes(8 * MIB)
                        .rangesInFlight(4)
                        .readAheadBytes(100L * MIB)
                        .enoughBytesPerSecond(enough));
        Dataset.at(store, "object.jsonl", Jsonl.bytes())
                .read(ReadSpec.create().prefetchBytes(16L * MIB))
                .blockLast(PATIENCE);
        assertThat(lengths()).allMatch(length -> length <= longestMib * MIB).contains(longestMib * MIB);
    }

    @Test
    void whereNothingIsSaidTheStoresDefaultIsUsed() {
        S3ObjectStore store = S3ObjectStore.create(
                client,
                bucket,
                TestS3.spec().rangeBytes(3 * MIB).rangesInFlight(4).readAheadBytes(100L * MIB));
        assertThat(store.prefetchBytes()).isEqualTo(24 * MIB);
        assertThat(ReadSpec.create().prefetchBytesOr(store.prefetchBytes())).isEqualTo(24 * MIB);
        assertThat(ReadSpec.create().prefetchBytes()).isEqualTo(ReadSpec.DEFAULT_PREFETCH_BYTES);
    }
}
