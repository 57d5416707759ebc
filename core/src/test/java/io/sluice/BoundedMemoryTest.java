package io.sluice;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.codec.Compressions;
import io.sluice.codec.Compressor;
import io.sluice.codec.Output;
import io.sluice.format.Jsonl;
import io.sluice.storage.ByteRange;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.ObjectStore;
import io.sluice.storage.PutMode;
import io.sluice.testing.Fork;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Two gigabytes through a heap of 64 MiB, friendly and hostile. */
class BoundedMemoryTest {

    private static final List<String> SMALL_HEAP =
            List.of("-Xmx64m", "-XX:+ExitOnOutOfMemoryError", "--add-opens=java.base/java.nio=ALL-UNNAMED");

    private static String fork(String what) throws Exception {
        Fork.Result result = Fork.run(Main.class, SMALL_HEAP, what);
        assertThat(result.exit()).as(result.output()).isZero();
        return result.output();
    }

    @ParameterizedTest
    @ValueSource(strings = {"maps", "bytes", "zstd"})
    void twoGibibytesOfRecords(String what) throws Exception {
        assertThat(fork(what)).contains("records=" + Main.RECORDS + " rejected=0");
    }

    @Test
    void aLineOfOneGibibyteIsRefusedAndTheRestIsRead() throws Exception {
        assertThat(fork("line")).contains("records=2 rejected=1").contains("longer than maxRecordBytes");
    }

    @Test
    void aBombIsRefused() throws Exception {
        assertThat(fork("bomb")).contains("CorruptDataException").contains("maxDecompressionRatio");
    }

    /** The forked JVM: makes its data as it is read, so nothing is stored anywhere. */
    static final class Main {

        private static final String RECORD =
                "{\"id\":123456789,\"name\":\"somebody\",\"tags\":[\"a\",\"b\"],\"score\":12.5,\"text\":\""
                        + "lorem ipsum ".repeat(20) + "\"}\n";
        private static final int RECORDS_PER_CHUNK = 200;
        static final long RECORDS = (2L << 30) / RECORD.length() / RECORDS_PER_CHUNK * RECORDS_PER_CHUNK;

        private Main() {}

        public static void main(String[] args) {
            byte[] chunk = RECORD.repeat(RECORDS_PER_CHUNK).getBytes(java.nio.charset.StandardCharsets.UTF_8);
            int chunks = (int) (RECORDS / RECORDS_PER_CHUNK);
            switch (args[0]) {
                case "maps" -> read(Dataset.at(new Made(chunk, chunks), "a.jsonl", Jsonl.maps()));
                case "bytes" -> read(Dataset.at(new Made(chunk, chunks), "a.jsonl", Jsonl.bytes()));
                case "zstd" -> read(Dataset.at(new Made(zstd(chunk, 1), chunks), "a.jsonl.zst", Jsonl.maps()));
                case "line" -> {
                    byte[] first = "{\"a\":1}\n{\"a\":\"".getBytes(java.nio.charset.StandardCharsets.UTF_8);
                    byte[] last = "\"}\n{\"a\":2}\n".getBytes(java.nio.charset.StandardCharsets.UTF_8);
                    read(Dataset.at(
                            new Made(
                                    first,
                                    "x".repeat(1 << 16).getBytes(java.nio.charset.StandardCharsets.UTF_8),
                                    1 << 14,
                                    last),
                            "a.jsonl",
                            Jsonl.maps()));
                }
                case "bomb" ->
                    read(Dataset.at(new Made(zstd(new byte[1 << 20], 2048), 1), "a.jsonl.zst", Jsonl.maps()));
                default -> throw new IllegalArgumentException(args[0]);
            }
        }

        private static byte[] zstd(byte[] bytes, int times) {
            Output out = new Output(1 << 16);
            try (Compressor compressor = Compressions.zstd(1).compressor()) {
                for (int i = 0; i < times; i++) {
                    compressor.compress(bytes, 0, bytes.length, out);
                }
                compressor.finish(out);
            }
            return java.util.Arrays.copyOf(out.array(), out.position());
        }

        private static void read(Dataset<?> dataset) {
            long[] rejected = new long[1];
            try {
                Long records = dataset.read(ReadSpec.create().onError(ErrorPolicy.deadLetter(r -> {
                            rejected[0]++;
                            System.out.println(r);
                        })))
                        .count()
                        .block();
                System.out.println("records=" + records + " rejected=" + rejected[0]);
            } catch (SluiceException e) {
                System.out.println(e);
            }
        }
    }

    /** An object that is made while it is read: a beginning, a middle many times, an end. */
    private record Made(byte[] first, byte[] middle, int times, byte[] last) implements ObjectStore {

        Made(byte[] middle, int times) {
            this(new byte[0], middle, times, new byte[0]);
        }

        @Override
        public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
            return Flux.concat(
                    Mono.just(ByteBuffer.wrap(first)),
                    Flux.range(0, times).map(i -> ByteBuffer.wrap(middle.clone())),
                    Mono.just(ByteBuffer.wrap(last)));
        }

        @Override
        public Mono<ObjectMeta> head(String key) {
            return Mono.just(
                    new ObjectMeta(key, first.length + (long) middle.length * times + last.length, null, null));
        }

        @Override
        public Flux<ObjectMeta> list(String prefix) {
            return Flux.empty();
        }

        @Override
        public Mono<ObjectMeta> put(String key, Publisher<ByteBuffer> content, PutMode mode) {
            return Mono.error(new UnsupportedOperationException());
        }

        @Override
        public Mono<Void> delete(String key) {
            return Mono.error(new UnsupportedOperationException());
        }
    }
}
