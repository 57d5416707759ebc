package io.sluice.internal.write;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.OpenShard;
import io.sluice.RollingPolicy;
import io.sluice.Shard;
import io.sluice.ShardWriter;
import io.sluice.StorageException;
import io.sluice.WriteResult;
import io.sluice.WriteSpec;
import io.sluice.codec.Encoder;
import io.sluice.codec.Output;
import io.sluice.storage.InMemoryObjectStore;
import io.sluice.storage.PutMode;
import io.sluice.testing.Eventually;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;
import reactor.test.publisher.TestPublisher;

/** What is written, where it is cut and what is said about it. */
class ShardWriterTest {

    private final InMemoryObjectStore store = InMemoryObjectStore.create();
    private final LineFormat format = new LineFormat();

    private WriteResult write(Flux<String> values, String location, WriteSpec spec) {
        return ShardWriters.write(values, store, location, format, spec).block();
    }

    /** n values of 9 characters, 10 bytes each with their terminator. */
    private static Flux<String> records(int n) {
        return Flux.range(0, n).map(i -> String.format("%09d", i));
    }

    private static WriteSpec rolling(RollingPolicy policy) {
        return WriteSpec.create().rolling(policy);
    }

    private List<Long> sizes(WriteResult result) {
        return result.shards().stream().map(Shard::records).toList();
    }

    @Test
    void aFileHasAllRecordsInOrder() {
        WriteResult result = write(records(10_000), "out.txt", WriteSpec.create());

        assertThat(Stored.lines(store, "out.txt"))
                .isEqualTo(records(10_000).collectList().block());
        assertThat(result.records()).isEqualTo(10_000);
        assertThat(result.bytes()).isEqualTo(100_000);
        assertThat(result.writtenBytes()).isEqualTo(100_000);
        assertThat(format.released).hasValue(10_000);
        assertThat(format.openEncoders).hasValue(0);
    }

    @Test
    void aMillionSmallRecords() {
        WriteResult result = write(
                Flux.range(0, 1_000_000).map(String::valueOf),
                "out/",
                rolling(RollingPolicy.maxRecords(250_000)).flushBytes(64 << 10));

        assertThat(sizes(result)).containsExactly(250_000L, 250_000L, 250_000L, 250_000L);
        List<String> all = result.shards().stream()
                .flatMap(shard -> Stored.lines(store, shard.key()).stream())
                .toList();
        assertThat(all)
                .isEqualTo(
                        IntStream.range(0, 1_000_000).mapToObj(String::valueOf).toList());
        assertThat(format.released).hasValue(1_000_000);
    }

    @Test
    void aShardIsDescribed() {
        Shard shard = write(records(3), "out/", WriteSpec.create()).shards().get(0);

        byte[] stored = Stored.bytes(store, shard.key());
        CRC32C crc = new CRC32C();
        crc.update(stored);
        assertThat(shard.key()).isEqualTo("out/part-00000.txt");
        assertThat(shard.records()).isEqualTo(3);
        assertThat(shard.bytes()).isEqualTo(30);
        assertThat(shard.writtenBytes()).isEqualTo(stored.length);
        assertThat(shard.crc32c()).isEqualTo(crc.getValue());
        assertThat(shard.checksum()).isEqualTo(String.format("crc32c:%08x", crc.getValue()));
        assertThat(shard.etag()).isEqualTo(store.head(shard.key()).block().etag());
    }

    @Test
    void anEmptyStreamIsAnEmptyFileAndNoShard() {
        assertThat(sizes(write(Flux.empty(), "out.txt", WriteSpec.create()))).containsExactly(0L);
        assertThat(write(Flux.empty(), "out/", WriteSpec.create()).shards()).isEmpty();
        assertThat(Stored.keys(store)).containsExactly("out.txt");
        assertThat(Stored.bytes(store, "out.txt")).isEmpty();
    }

    @Test
    void aFileIsNotOverwrittenUnlessToldSo() {
        write(records(1), "out.txt", WriteSpec.create());

        StepVerifier.create(ShardWriters.write(records(2), store, "out.txt", format, WriteSpec.create()))
                .expectErrorSatisfies(e -> assertThat(e)
                        .isInstanceOfSatisfying(
                                StorageException.class,
                                s -> assertThat(s.kind()).isEqualTo(StorageException.Kind.ALREADY_EXISTS))
                        .hasMessageContaining("out.txt"))
                .verify();
        assertThat(Stored.lines(store, "out.txt")).hasSize(1);

        write(records(2), "out.txt", WriteSpec.create().mode(PutMode.OVERWRITE));
        assertThat(Stored.lines(store, "out.txt")).hasSize(2);
    }

    @Test
    void aFileIsNotCut() {
        assertThatThrownBy(() -> ShardWriters.create(store, "out.txt", format, rolling(RollingPolicy.maxRecords(1))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("out.txt/");
    }

    @Test
    void recordsFillShardsExactly() {
        assertThat(sizes(write(records(10), "a/", rolling(RollingPolicy.maxRecords(5)))))
                .containsExactly(5L, 5L);
        assertThat(sizes(write(records(11), "b/", rolling(RollingPolicy.maxRecords(5)))))
                .containsExactly(5L, 5L, 1L);
        assertThat(sizes(write(records(1), "c/", rolling(RollingPolicy.maxRecords(5)))))
                .containsExactly(1L);
        assertThat(Stored.lines(store, "b/part-00001.txt"))
                .containsExactly("000000005", "000000006", "000000007", "000000008", "000000009");
        assertThat(Stored.keys(store)).allMatch(key -> key.contains("/part-"));
    }

    @Test
    void bytesFillShardsExactly() {
        assertThat(sizes(write(records(9), "a/", rolling(RollingPolicy.maxBytes(30)))))
                .containsExactly(3L, 3L, 3L);
        assertThat(sizes(write(records(7), "b/", rolling(RollingPolicy.maxBytes(39)))))
                .containsExactly(3L, 3L, 1L);
        assertThat(sizes(write(records(7), "c/", rolling(RollingPolicy.maxBytes(29)))))
                .containsExactly(2L, 2L, 2L, 1L);
        assertThat(Stored.text(store, "c/part-00001.txt")).isEqualTo("000000002\n000000003\n");
    }

    @Test
    void withoutCompressionWrittenBytesAreExactToo() {
        assertThat(sizes(write(records(7), "a/", rolling(RollingPolicy.maxWrittenBytes(29)))))
                .containsExactly(2L, 2L, 2L, 1L);
    }

    @Test
    void aCutIsExactWhateverTheFlushLength() {
        for (int flush : new int[] {1, 9, 10, 11, 30, 31, 1000}) {
            WriteResult result = write(
                    records(100),
                    "f" + flush + "/",
                    rolling(RollingPolicy.maxBytes(30)).flushBytes(flush));
            assertThat(result.shards()).hasSize(34).allMatch(shard -> shard.bytes() <= 30);
            assertThat(result.records()).isEqualTo(100);
            assertThat(Stored.text(store, result.shards().get(33).key())).isEqualTo("000000099\n");
        }
    }

    @Test
    void anOversizedRecordHasAShardOfItsOwn() {
        Flux<String> values = Flux.just("a", "b", "a record of more than ten bytes", "c", "d");

        WriteResult result = write(values, "a/", rolling(RollingPolicy.maxBytes(10)));

        assertThat(sizes(result)).containsExactly(2L, 1L, 2L);
        assertThat(Stored.lines(store, "a/part-00001.txt")).containsExactly("a record of more than ten bytes");
        assertThat(sizes(
                        write(Flux.just("a record of more than ten bytes"), "b/", rolling(RollingPolicy.maxBytes(10)))))
                .containsExactly(1L);
    }

    @Test
    void theFirstLimitReachedCuts() {
        WriteResult result = write(
                Flux.just("1", "2", "3", "fourteen chars", "4", "5", "6"),
                "a/",
                rolling(RollingPolicy.maxRecords(3).or(RollingPolicy.maxBytes(20))));

        assertThat(sizes(result)).containsExactly(3L, 3L, 1L);
        assertThat(result.shards().get(1).bytes()).isEqualTo(19);
    }

    @Test
    void aConditionCutsBeforeItsValue() {
        List<OpenShard> seen = new ArrayList<>();
        WriteResult result = write(
                Flux.just("a1", "a2", "b1", "c1", "c2"),
                "a/",
                rolling(RollingPolicy.when((shard, next) -> {
                            seen.add(shard);
                            return next.equals("b1") || next.equals("c1");
                        })
                        .or(RollingPolicy.maxRecords(100))));

        assertThat(sizes(result)).containsExactly(2L, 1L, 2L);
        assertThat(seen).extracting(OpenShard::records).containsExactly(1L, 2L, 1L, 1L);
        assertThat(seen).extracting(OpenShard::bytes).containsExactly(3L, 6L, 3L, 3L);
    }

    @Test
    void whatAConditionThrowsEndsTheWriting() {
        StepVerifier.create(ShardWriters.write(
                        records(5), store, "a/", format, rolling(RollingPolicy.when((shard, next) -> {
                            throw new IllegalStateException("no");
                        }))))
                .verifyErrorMessage("no");
        assertThat(Stored.keys(store)).isEmpty();
        assertThat(format.openEncoders).hasValue(0);
    }

    @Test
    void shardsAreTold_asTheyAreCommitted() {
        ShardWriter<String> writer = ShardWriters.create(store, "a/", format, rolling(RollingPolicy.maxRecords(2)));
        TestPublisher<String> source = TestPublisher.create();
        source.subscribe(writer);

        StepVerifier.create(writer.committed())
                .then(() -> source.next("a", "b", "c"))
                .assertNext(shard -> {
                    assertThat(shard.key()).isEqualTo("a/part-00000.txt");
                    assertThat(Stored.lines(store, "a/part-00000.txt")).containsExactly("a", "b");
                })
                .then(source::complete)
                .assertNext(shard -> assertThat(shard.records()).isEqualTo(1))
                .verifyComplete();

        // late subscribers get all of it again
        StepVerifier.create(writer.committed().map(Shard::key))
                .expectNext("a/part-00000.txt", "a/part-00001.txt")
                .verifyComplete();
        StepVerifier.create(writer.result().map(WriteResult::records))
                .expectNext(3L)
                .verifyComplete();
        assertThat(writer.isDisposed()).isTrue();
    }

    @Test
    void aFullShardIsCommitted_withoutWaitingForAnotherValue() {
        for (RollingPolicy policy : List.of(RollingPolicy.maxRecords(2), RollingPolicy.maxBytes(20))) {
            String location = "after" + Stored.keys(store).size() + "/";
            ShardWriter<String> writer = ShardWriters.create(store, location, format, rolling(policy));
            TestPublisher<String> source = TestPublisher.create();
            source.subscribe(writer);

            StepVerifier.create(writer.committed())
                    .then(() -> source.next("123456789", "123456789"))
                    .assertNext(shard -> assertThat(shard.bytes()).isEqualTo(20))
                    .then(source::complete)
                    .verifyComplete();
        }
    }

    @Test
    void aValueOfManyRecordsIsNotDivided() {
        // as a batch of rows is: each value here is as many records as it has characters
        LineFormat batches = new LineFormat() {
            @Override
            public Encoder<String> encoder() {
                return new LineEncoder() {
                    @Override
                    public int encode(String value, Output out) {
                        super.encode(value, out);
                        return value.length();
                    }
                };
            }
        };
        WriteResult result = ShardWriters.write(
                        Flux.just("aaa", "bbb", "cc", "dddddddd", "e"),
                        store,
                        "a/",
                        batches,
                        rolling(RollingPolicy.maxRecords(5)))
                .block();

        assertThat(sizes(result)).containsExactly(3L, 5L, 8L, 1L);
        assertThat(Stored.lines(store, "a/part-00001.txt")).containsExactly("bbb", "cc");
    }

    @Test
    void aValueThatBelongsIntoTheNextShardIsTakenBackFromTheEncoder() {
        List<String> calls = new ArrayList<>();
        LineFormat watched = new LineFormat() {
            @Override
            public Encoder<String> encoder() {
                return new LineEncoder() {
                    @Override
                    public int encode(String value, Output out) {
                        calls.add(value);
                        return super.encode(value, out);
                    }

                    @Override
                    public void undo() {
                        calls.add("undo");
                    }
                };
            }
        };
        ShardWriters.write(Flux.just("aaaa", "bbbb", "cccc"), store, "a/", watched, rolling(RollingPolicy.maxBytes(12)))
                .block();

        assertThat(calls).containsExactly("aaaa", "bbbb", "cccc", "undo", "cccc");
    }

    @Test
    void aWriterThatIsNeverSubscribedHoldsNoWorker() {
        WatchedScheduler watched = new WatchedScheduler(Schedulers.boundedElastic());
        WriteSpec spec = WriteSpec.create().scheduler(watched);
        ShardWriter<String> writer = ShardWriters.create(store, "a/", format, spec);
        assertThat(watched.workers).hasValue(0);

        records(10).subscribe(writer);
        writer.result().block();
        assertThat(watched.workers).hasValue(1);
        Eventually.eventually(() -> assertThat(watched.workersDisposed).hasValue(1));
    }

    @Test
    void eachSubscriptionWritesForItself() {
        var write = ShardWriters.write(records(2), store, "a/", format, WriteSpec.create());
        assertThat(Stored.keys(store)).isEmpty();

        write.block();
        write.block();

        assertThat(Stored.keys(store)).containsExactly("a/part-00000.txt", "a/part-00001.txt");
    }

    @Test
    void theContextReachesTheSource() {
        Flux<String> source = Flux.deferContextual(context -> Flux.just(context.<String>get("who")));

        ShardWriters.write(source, store, "out.txt", format, WriteSpec.create())
                .contextWrite(context -> context.put("who", "me"))
                .block();

        assertThat(new String(Stored.bytes(store, "out.txt"), StandardCharsets.UTF_8))
                .isEqualTo("me\n");
    }
}
