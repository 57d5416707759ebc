package io.sluice.s3;

import static io.sluice.testing.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.storage.ByteRange;
import io.sluice.storage.PrefetchBudget;
import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/** How long ranges are: longer where few are fetched at a time, within the memory that many would take. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class S3RangeLengthsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(50);
    private static final int MIB = 1 << 20;
    private static final int LENGTH = 30 * MIB + 12_345;
    private static final byte[] CONTENT = content();

    /** To which every server is near, and two connections are enough, or none. */
    private static final double NEAR = 1;

    private static final double FAR = Double.MAX_VALUE;

    private final FaultProxy proxy = new FaultProxy(TestS3.port());
    private final S3AsyncClient client = TestS3.clientSpec(proxy.port()).client();
    private final String bucket = TestS3.newBucket();

    private static byte[] content() {
        byte[] bytes = new byte[LENGTH];
        new Random(1).nextBytes(bytes);
        return bytes;
    }

    @BeforeEach
    void store() {
        S3ObjectStore.create(TestS3.client(), bucket)
                .put("object", Flux.just(ByteBuffer.wrap(CONTENT)), PutMode.CREATE)
                .block(PATIENCE);
    }

    @AfterEach
    void close() {
        client.close();
        proxy.close();
    }

    private static S3StoreSpec spec(double enough) {
        return TestS3.spec()
                .rangeBytes(MIB)
                .rangesInFlight(8)
                .readAheadBytes(100L * MIB)
                .enoughBytesPerSecond(enough);
    }

    private void readAll(S3ObjectStore store) {
        byte[] read = store.get("object")
                .reduce(ByteBuffer.allocate(LENGTH), ByteBuffer::put)
                .block(PATIENCE)
                .array();
        assertThat(read).isEqualTo(CONTENT);
        assertThat(ranges().stream().mapToLong(ByteRange::length).sum())
                .as("nothing is fetched twice")
                .isEqualTo(LENGTH);
    }

    /** What was asked for, in this order. */
    private List<ByteRange> ranges() {
        List<ByteRange> ranges = new ArrayList<>();
        for (FaultProxy.Request request : proxy.requests()) {
            String range = request.header("Range");
            if (range != null) {
                int dash = range.indexOf('-');
                long from = Long.parseLong(range.substring("bytes=".length(), dash));
                ranges.add(ByteRange.of(from, Long.parseLong(range.substring(dash + 1)) + 1 - from));
            }
        }
        return ranges;
    }

    private long longest() {
        return ranges().stream().mapToLong(ByteRange::length).max().orElse(0);
    }

    @Test
    void nearFewAreFetchedAndLongOnes() {
        readAll(S3ObjectStore.create(client, bucket, spec(NEAR)));
        assertThat(longest()).isEqualTo(4 * MIB);
        assertThat(ranges()).hasSizeLessThanOrEqualTo(11);
        assertThat(proxy.mostBusy()).isLessThanOrEqualTo(2);
    }

    @Test
    void farManyAreFetchedAndNoneIsLongerThanTheSpecSays() {
        readAll(S3ObjectStore.create(client, bucket, spec(FAR)));
        assertThat(ranges()).hasSize(31).allMatch(range -> range.length() <= MIB);
    }

    @ParameterizedTest
    @CsvSource({"524288, 524288", "1048576, 2097152"})
    void shorterOnesThanTheFirstAreKeptTo(int rangeBytes, int longest) {
        S3StoreSpec spec = spec(NEAR).rangeBytes(rangeBytes).rangesInFlight(4);
        readAll(S3ObjectStore.create(client, bucket, spec));
        assertThat(longest()).isEqualTo(longest);
    }

    /** Beside one range as long as the spec says, all that is fetched is what reads of the store share. */
    @ParameterizedTest
    @CsvSource({"0, 1", "1, 2", "3, 4", "100, 8"})
    void whatIsLongerIsWithinTheReadAheadOfAll(int readAheadMib, int heldMib) {
        S3ObjectStore store =
                S3ObjectStore.create(client, bucket, spec(NEAR).readAheadBytes((long) readAheadMib * MIB));
        long[] most = new long[1];
        store.get("object")
                .doOnNext(chunk -> {
                    long taken = (long) readAheadMib * MIB - store.readAheadFree();
                    most[0] = Math.max(most[0], taken);
                })
                .blockLast(PATIENCE);
        assertThat(most[0]).isBetween(0L, Math.min(readAheadMib, heldMib) * (long) MIB);
        assertThat(store.readAheadFree()).isEqualTo((long) readAheadMib * MIB);
        assertThat(longest()).isLessThanOrEqualTo((long) Math.min(4, heldMib) * MIB);
    }

    /** A reader that has room for some bytes, and waits for them or not. */
    private static final class Reader extends BaseSubscriber<ByteBuffer> implements PrefetchBudget {

        private long free;
        private boolean awaited;
        private long given;

        Reader(long free) {
            this.free = free;
        }

        @Override
        protected void hookOnSubscribe(Subscription s) {
            s.request(Long.MAX_VALUE);
        }

        @Override
        protected synchronized void hookOnNext(ByteBuffer chunk) {
            given += chunk.remaining();
        }

        synchronized long given() {
            return given;
        }

        synchronized long free() {
            return free;
        }

        synchronized void set(long room, boolean waits) {
            free = room;
            awaited = waits;
        }

        @Override
        public long capacity() {
            return 16 * MIB;
        }

        @Override
        public synchronized boolean tryTake(long bytes, boolean needed) {
            if (bytes > free && !(needed && awaited)) {
                return false;
            }
            free -= bytes;
            awaited = false; // it is on its way
            return true;
        }

        @Override
        public synchronized boolean isAwaited() {
            return awaited;
        }

        /** What was given still waits to be read. */
        @Override
        public void giveBack(long bytes) {}
    }

    @Test
    void aLongRangeIsWorthWaitingForRoomUnlessTheReaderHasNothingLeft() {
        // 1, 1, 2, 4 MiB, after which ranges are as long as they get, and have no room
        Reader reader = new Reader(8 * MIB);
        S3ObjectStore.create(client, bucket, spec(NEAR))
                .get("object", ByteRange.ALL, null, reader)
                .subscribe(reader);
        eventually(() -> assertThat(reader.given()).isEqualTo(8 * MIB));
        int before = ranges().size();
        reader.set(3 * MIB, false);
        reader.request(1);
        assertThat(reader.free()).as("there is room for short ones only").isEqualTo(3 * MIB);
        reader.set(0, true);
        reader.request(1);
        eventually(() -> assertThat(ranges()).hasSize(before + 1));
        assertThat(ranges().get(before).length()).isEqualTo(MIB);
        eventually(() -> assertThat(reader.given()).isEqualTo(9 * MIB));
        reader.set(4 * MIB, false);
        reader.request(1);
        eventually(() -> assertThat(ranges()).hasSize(before + 2));
        assertThat(ranges().get(before + 1).length()).isEqualTo(4 * MIB);
        eventually(() -> assertThat(reader.given()).isEqualTo(13 * MIB));
        assertThat(reader.free()).isZero();
        reader.cancel();
    }
}
