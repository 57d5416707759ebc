package io.sluice.avro;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.Dataset;
import io.sluice.RecordException;
import io.sluice.SluiceException;
import io.sluice.codec.Encoder;
import io.sluice.codec.Output;
import io.sluice.storage.ByteRange;
import io.sluice.storage.InMemoryObjectStore;
import io.sluice.testing.ChunkedStore;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.file.CodecFactory;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;

/** What is known of a file without its blocks, and values as the bytes they are. */
class AvroHeaderTest {

    private static final Schema LINE =
            SchemaBuilder.record("Line").fields().requiredString("s").endRecord();

    @Test
    void theSchemaIsReadWithoutTheData() {
        InMemoryObjectStore memory = InMemoryObjectStore.create();
        AvroSpec spec = AvroSpec.create()
                .schema(LINE)
                .codec(AvroCodec.snappy())
                .metadata("owner", "me".getBytes(StandardCharsets.UTF_8));
        Dataset.at(memory, "d/", Avro.maps(spec))
                .write(Flux.range(0, 100_000)
                        .map(i -> Map.of("s", i + "x".repeat(i % 40) + Integer.toHexString(i * 31))))
                .block();
        byte[] file = memory.get("d/part-00000.avro", ByteRange.ALL, null)
                .collectList()
                .map(chunks -> {
                    ByteBuffer all = ByteBuffer.allocate(
                            chunks.stream().mapToInt(ByteBuffer::remaining).sum());
                    chunks.forEach(all::put);
                    return all.array();
                })
                .block();
        assertThat(file.length).isGreaterThan(1_000_000);
        CountingStore store = new CountingStore(
                new ChunkedStore(1000, null).with("d/part-00000.avro", file).with("d/part-00001.avro", new byte[] {1}));

        AvroHeader header = Avro.header(Dataset.at(store, "d/", Avro.records())).block();

        assertThat(header.schema()).isEqualTo(LINE);
        assertThat(header.codec().name()).isEqualTo("snappy");
        assertThat(header.metadata("owner")).isEqualTo("me");
        assertThat(store.bytes.get()).isLessThan(200_000);
        assertThat(Avro.schema(Dataset.at(store, "d/", Avro.maps())).block()).isEqualTo(LINE);
    }

    @Test
    void headersOfAnySizeAndChunks() {
        Schema wide = Schema.createRecord("Wide", null, null, false);
        List<Schema.Field> fields = new ArrayList<>();
        for (int i = 0; i < 5000; i++) {
            fields.add(new Schema.Field(
                    "a_rather_long_name_of_column_" + i,
                    Schema.create(Schema.Type.INT),
                    "what it is about, at length"));
        }
        wide.setFields(fields);
        byte[] file = RandomAvro.file(wide, List.of(), CodecFactory.nullCodec(), 1);
        assertThat(file.length).isGreaterThan(400_000);
        for (int chunk : new int[] {777, 65536, 1 << 20}) {
            ChunkedStore store = new ChunkedStore(chunk, null).with("x.avro", file);
            assertThat(Avro.schema(Dataset.at(store, "x.avro", Avro.maps())).block())
                    .isEqualTo(wide);
        }
    }

    @Test
    void aFileWithoutAHeaderIsAnErrorThatNamesIt() {
        ChunkedStore store = new ChunkedStore(10, null)
                .with("x.avro", "not Avro at all, but long enough".getBytes(StandardCharsets.UTF_8));

        assertThatThrownBy(() ->
                        Avro.schema(Dataset.at(store, "x.avro", Avro.maps())).block())
                .isInstanceOf(SluiceException.class)
                .hasMessageContaining("x.avro")
                .hasMessageContaining("not an Avro container file");
    }

    @Test
    void bytesAreCopiedAsTheyStandWhateverTheSchema() throws Exception {
        for (int seed = 0; seed < 200; seed++) {
            RandomAvro random = new RandomAvro(seed);
            Schema schema = seed % 3 == 0 ? random.schema(4) : random.record(4);
            List<Object> values = new ArrayList<>();
            for (int i = random.random().nextInt(12); i > 0; i--) {
                values.add(random.value(schema, 6));
            }
            byte[] file = RandomAvro.file(schema, values, CodecFactory.deflateCodec(6), 3);

            List<ByteBuffer> raw =
                    Shard.read(Avro.bytes(AvroSpec.create()), file).values();

            Output out = new Output(64);
            try (Encoder<ByteBuffer> encoder =
                    Avro.bytes(AvroSpec.create().schema(schema)).encoder()) {
                encoder.start(out);
                raw.forEach(value -> encoder.encode(value, out));
                encoder.finish(out);
            }
            byte[] copy = Arrays.copyOf(out.array(), out.position());
            AvroMapsTest.assertSame("seed " + seed, AvroMapsTest.oracle(copy), AvroMapsTest.oracle(file));
        }
    }

    @Test
    void bytesThatAreNoValueOfTheSchemaAreRefused() {
        byte[] good = {4, 'a', 'b'};
        for (byte[] bad : new byte[][] {{}, {4, 'a'}, {4, 'a', 'b', 0}, {2, (byte) 0xC3}, {1}}) {
            Output out = new Output(64);
            try (Encoder<ByteBuffer> encoder =
                    Avro.bytes(AvroSpec.create().schema(LINE)).encoder()) {
                encoder.start(out);
                encoder.encode(ByteBuffer.wrap(good), out);
                assertThatThrownBy(() -> encoder.encode(ByteBuffer.wrap(bad), out))
                        .as(Arrays.toString(bad))
                        .isInstanceOf(RecordException.class);
                encoder.encode(ByteBuffer.wrap(good), out);
                encoder.finish(out);
            }
            assertThat(Shard.read(Avro.maps(), Arrays.copyOf(out.array(), out.position()))
                            .values())
                    .containsExactly(Map.of("s", "ab"), Map.of("s", "ab"));
        }
        assertThatThrownBy(() -> Avro.bytes(AvroSpec.create()).encoder()).isInstanceOf(IllegalArgumentException.class);
        byte[] file = RandomAvro.file(LINE, List.of(), CodecFactory.nullCodec(), 1);
        assertThat(Shard.read(Avro.bytes(AvroSpec.create()), file).values()).isEmpty();
    }
}
