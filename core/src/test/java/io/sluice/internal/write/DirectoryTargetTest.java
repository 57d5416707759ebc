package io.sluice.internal.write;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.sluice.RollingPolicy;
import io.sluice.Shard;
import io.sluice.StorageException;
import io.sluice.WriteResult;
import io.sluice.WriteSpec;
import io.sluice.codec.Compressions;
import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Which numbers shards get. */
class DirectoryTargetTest {

    private final GatedStore store = new GatedStore();
    private final LineFormat format = new LineFormat();

    private void exists(String... keys) {
        for (String key : keys) {
            store.inner
                    .put(key, Mono.just(ByteBuffer.wrap("before\n".getBytes())), PutMode.CREATE)
                    .block();
        }
    }

    private List<String> write(int shards, WriteSpec spec) {
        return ShardWriters.write(
                        Flux.range(0, shards).map(i -> "record " + i),
                        store,
                        "d/",
                        format,
                        spec.rolling(RollingPolicy.maxRecords(1)))
                .map(WriteResult::shards)
                .flatMapIterable(all -> all)
                .map(Shard::key)
                .collectList()
                .block();
    }

    private List<String> write(int shards) {
        return write(shards, WriteSpec.create());
    }

    @Test
    void numbersBeginAtZero() {
        assertThat(write(2)).containsExactly("d/part-00000.txt", "d/part-00001.txt");
        assertThat(Stored.keys(store)).hasSize(2);
    }

    @Test
    void numbersGoOnAfterTheHighest_whateverItsExtension() {
        exists("d/part-00000.txt", "d/part-00007.avro", "d/part-3.txt");
        assertThat(write(2)).containsExactly("d/part-00008.txt", "d/part-00009.txt");

        exists("d/part-00041");
        assertThat(write(1, WriteSpec.create().compression(Compressions.gzip())))
                .containsExactly("d/part-00042.txt.gz");
    }

    @Test
    void otherNamesDoNotCount() {
        exists(
                "d/part-x.txt",
                "d/part-.txt",
                "d/parts-00099.txt",
                "d/other-00099.txt",
                "d/part-00099/nested.txt",
                "d/sub/part-00099.txt",
                "d/part-9999999999999999999999.txt",
                "da/part-00099.txt");
        assertThat(write(1)).containsExactly("d/part-00000.txt");
    }

    @Test
    void numbersGrowPastFiveDigits() {
        exists("d/part-99998.txt");
        assertThat(write(3)).containsExactly("d/part-99999.txt", "d/part-100000.txt", "d/part-100001.txt");
        assertThat(write(1)).containsExactly("d/part-100002.txt");

        // 10000 is the beginning of the name of 100000, and free
        exists("e/part-09999.txt", "e/part-100000.bak/x");
        DirectoryTarget target = new DirectoryTarget(store, "e/", "part", ".txt", false);
        assertThat(target.take().block()).isEqualTo("e/part-10000.txt");
    }

    @Test
    void aStaleClaimCostsItsNumber() {
        exists("d/_claims/part-00000", "d/_claims/part-00002");

        assertThat(write(3)).containsExactly("d/part-00001.txt", "d/part-00003.txt", "d/part-00004.txt");
        assertThat(Stored.keys(store)).contains("d/_claims/part-00000", "d/_claims/part-00002");
    }

    @Test
    void theClaimComesBeforeTheUploadAndGoesAfterTheCommit() {
        write(1);

        assertThat(store.calls)
                .containsSubsequence(
                        "put d/_claims/part-00000",
                        "list d/part-00000",
                        "put d/part-00000.txt",
                        "delete d/_claims/part-00000");
    }

    @Test
    void numbersAreInTheOrderOfTheRecords_howeverLongAClaimTakes() {
        store.other = (call, result) -> call.startsWith("put d/_claims/")
                ? result.delaySubscription(Duration.ofMillis(call.endsWith("0") ? 20 : 1))
                : result;

        List<String> keys = write(21);
        assertThat(keys).isSorted().hasSize(21);
        for (int i = 0; i < keys.size(); i++) {
            assertThat(Stored.text(store, keys.get(i))).isEqualTo("record " + i + "\n");
        }
    }

    @Test
    void aShardCommittedBetweenTheLookAndTheClaimIsSeen() {
        // the other writer commits number 0, in another format, and gives up its claim just before we claim 0
        store.other = (call, result) -> call.equals("put d/_claims/part-00000")
                ? Mono.fromRunnable(() -> exists("d/part-00000.avro")).then(result)
                : result;

        assertThat(write(1)).containsExactly("d/part-00001.txt");
        assertThat(Stored.keys(store)).containsExactly("d/part-00000.avro", "d/part-00001.txt");
    }

    @Test
    void aForeignFileThatTurnsUpUnderTheSameNameIsNotOverwritten() {
        store.put = (key, result) -> {
            // somebody who knows nothing of claims
            exists(key);
            return result;
        };
        Throwable error = catchThrowable(() -> write(1));

        assertThat(error)
                .isInstanceOfSatisfying(
                        StorageException.class,
                        e -> assertThat(e.kind()).isEqualTo(StorageException.Kind.ALREADY_EXISTS));
        assertThat(Stored.text(store, "d/part-00000.txt")).isEqualTo("before\n");
        assertThat(Stored.keys(store)).containsExactly("d/part-00000.txt");
    }

    @Test
    void anEmptyDirectoryCanBeRequired() {
        exists("d/_claims/part-00000", "d/.hidden", "d/_SUCCESS", "d/sub/part-00000.txt");
        assertThat(write(1, WriteSpec.create().requireEmpty())).hasSize(1);

        Throwable error = catchThrowable(() -> write(1, WriteSpec.create().requireEmpty()));
        assertThat(error)
                .isInstanceOfSatisfying(
                        StorageException.class,
                        e -> assertThat(e.kind()).isEqualTo(StorageException.Kind.ALREADY_EXISTS))
                .hasMessageContaining("d/part-00001.txt");
        assertThat(write(1, WriteSpec.create().requireEmpty().append())).hasSize(1);
        assertThat(catchThrowable(() -> ShardWriters.write(
                                Flux.empty(),
                                store,
                                "d/",
                                format,
                                WriteSpec.create().requireEmpty())
                        .block()))
                .isInstanceOf(StorageException.class);
    }

    @Test
    void anotherBasename() {
        exists("d/part-00007.txt");
        assertThat(write(2, WriteSpec.create().basename("events")))
                .containsExactly("d/events-00000.txt", "d/events-00001.txt");
    }

    @Test
    void theRootOfAStoreIsADirectoryToo() {
        ShardWriters.write(Flux.just("a"), store, "", format, WriteSpec.create())
                .block();
        assertThat(Stored.keys(store)).containsExactly("part-00000.txt");
    }

    @Test
    void manyWritersAtOnceShareNothing() {
        List<String> keys = Flux.range(0, 8)
                .flatMap(
                        writer -> ShardWriters.write(
                                Flux.range(0, 50).map(i -> writer + " " + i),
                                store,
                                "d/",
                                format,
                                WriteSpec.create()
                                        .rolling(RollingPolicy.maxRecords(1))
                                        .compression(writer % 2 == 0 ? Compressions.none() : Compressions.gzip())),
                        8)
                .flatMapIterable(WriteResult::shards)
                .map(Shard::key)
                .collectList()
                .block();

        assertThat(keys).hasSize(400);
        assertThat(new TreeSet<>(keys.stream().map(key -> key.substring(0, 12)).toList()))
                .hasSize(400);
        assertThat(Stored.keys(store)).containsExactlyInAnyOrderElementsOf(keys);
        List<String> records = keys.stream()
                .flatMap(key -> Stored.lines(store, key).stream())
                .sorted()
                .toList();
        assertThat(records)
                .isEqualTo(IntStream.range(0, 400)
                        .mapToObj(i -> i / 50 + " " + i % 50)
                        .sorted()
                        .toList());
    }
}
