package io.sluice.avro;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.codec.ReadLimits;
import java.io.ByteArrayInputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.file.CodecFactory;
import org.apache.avro.file.DataFileStream;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AvroMapsTest {

    private static final List<CodecFactory> CODECS = List.of(
            CodecFactory.nullCodec(),
            CodecFactory.deflateCodec(6),
            CodecFactory.snappyCodec(),
            CodecFactory.zstandardCodec(3),
            CodecFactory.bzip2Codec(),
            CodecFactory.xzCodec(1));

    @Test
    void readsWhatApacheAvroReadsOverRandomSchemas() throws Exception {
        for (int seed = 0; seed < 3000; seed++) {
            RandomAvro random = new RandomAvro(seed);
            Schema schema = seed % 5 == 0 ? random.schema(4) : random.record(4);
            List<Object> values = new ArrayList<>();
            for (int i = random.random().nextInt(12); i > 0; i--) {
                values.add(random.value(schema, 6));
            }
            byte[] file = RandomAvro.file(schema, values, CODECS.get(seed % 6), 1 + seed % 7);

            Shard.Result<Map<String, Object>> result =
                    Shard.read(Avro.maps(), file, seed % 3 == 0 ? 3 : 1 << 20, Shard.LIMITS);

            assertThat(result.refused()).as("seed %s", seed).isEmpty();
            assertThat(result.bytes()).as("seed %s", seed).isEqualTo(file.length);
            assertSame("seed " + seed, result.values(), oracle(file));
        }
    }

    static List<Object> oracle(byte[] file) throws Exception {
        List<Object> expected = new ArrayList<>();
        try (DataFileStream<Object> stream = new DataFileStream<>(
                new ByteArrayInputStream(file), new GenericDatumReader<>(null, null, new GenericData()))) {
            Schema schema = stream.getSchema();
            for (Object value : stream) {
                Object map = GenericAsMaps.of(schema, value);
                if (schema.getType() != Schema.Type.RECORD) {
                    Map<String, Object> wrapped = new java.util.LinkedHashMap<>();
                    wrapped.put("value", map);
                    map = wrapped;
                }
                expected.add(map);
            }
        }
        return expected;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 1 << 20})
    void readsTheSameWhateverTheChunks(int chunk) throws Exception {
        RandomAvro random = new RandomAvro(4711);
        Schema schema = random.record(4);
        List<Object> values = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            values.add(random.value(schema, 6));
        }
        byte[] file = RandomAvro.file(schema, values, CodecFactory.nullCodec(), 3);

        Shard.Result<Map<String, Object>> result = Shard.read(Avro.maps(), file, chunk, new ReadLimits(100, 1000, 100));

        assertSame("chunk " + chunk, result.values(), oracle(file));
    }

    /** Names the first value that differs, and no more: these values are long. */
    static void assertSame(String what, List<?> actual, List<?> expected) {
        for (int i = 0; i < Math.min(actual.size(), expected.size()); i++) {
            String is = GenericAsMaps.render(actual.get(i));
            String should = GenericAsMaps.render(expected.get(i));
            if (!is.equals(should)) {
                int at = 0;
                while (at < is.length() && at < should.length() && is.charAt(at) == should.charAt(at)) {
                    at++;
                }
                int from = Math.max(0, at - 60);
                throw new AssertionError(
                        what + ", value " + i + ": " + is.substring(from, Math.min(is.length(), at + 60))
                                + "\n but should be: " + should.substring(from, Math.min(should.length(), at + 60)));
            }
        }
        assertThat(actual).as(what).hasSameSizeAs(expected);
    }
}
