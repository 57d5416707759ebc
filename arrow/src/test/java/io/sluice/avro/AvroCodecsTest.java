package io.sluice.avro;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.codec.Output;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.file.CodecFactory;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

class AvroCodecsTest {

    private static byte[] coded(AvroCodec codec, byte[] content) throws Exception {
        Output out = new Output(16);
        codec.coder().compress(content, 0, content.length, out);
        return Arrays.copyOf(out.array(), out.position());
    }

    private static byte[] decoded(AvroCodec codec, byte[] bytes, int most) throws Exception {
        Output out = new Output(16);
        codec.coder().decompress(bytes, 0, bytes.length, out, most);
        return Arrays.copyOf(out.array(), out.position());
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "deflate", "snappy", "zstandard", "bzip2", "xz"})
    void everyCodecGivesBackWhatItWasGiven(String name) throws Exception {
        Random random = new Random(7);
        AvroCodec codec = AvroCodec.named(name);
        for (int length : new int[] {0, 1, 2, 100, 5_000, 1_200_000}) {
            byte[] noise = new byte[length];
            random.nextBytes(noise);
            byte[] zeros = new byte[length];
            byte[] halves = noise.clone();
            Arrays.fill(halves, length / 2, length, (byte) 'x');
            for (byte[] content : List.of(noise, zeros, halves)) {
                byte[] coded = coded(codec, content);
                assertThat(decoded(codec, coded, length)).isEqualTo(content);
            }
        }
    }

    /** The block's content in two streams, one behind the other, as bzip2 and xz allow and parallel compressors write. */
    @ParameterizedTest
    @ValueSource(strings = {"bzip2", "xz"})
    void blocksOfSeveralStreams(String name) throws Exception {
        Schema schema = SchemaBuilder.record("R").fields().requiredString("s").endRecord();
        List<Object> values = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            org.apache.avro.generic.GenericData.Record record = new org.apache.avro.generic.GenericData.Record(schema);
            record.put("s", "value " + i);
            values.add(record);
        }
        byte[] plain = RandomAvro.file(schema, values, CodecFactory.nullCodec(), 1000);
        byte[] sync = Arrays.copyOfRange(plain, plain.length - 16, plain.length);
        int header = AvroCodecsTest.indexOf(plain, sync) + 16;
        // count (2 bytes) and size (2 bytes) of the one block
        byte[] content = Arrays.copyOfRange(plain, header + 4, plain.length - 16);
        ByteArrayOutputStream streams = new ByteArrayOutputStream();
        int cut = content.length / 3;
        for (byte[] part : List.of(
                Arrays.copyOfRange(content, 0, cut),
                Arrays.copyOfRange(content, cut, cut),
                Arrays.copyOfRange(content, cut, content.length))) {
            try (OutputStream to = name.equals("xz")
                    ? new XZOutputStream(streams, new LZMA2Options(1))
                    : new BZip2CompressorOutputStream(streams)) {
                to.write(part);
            }
        }
        byte[] empty = RandomAvro.file(schema, List.of(), CodecFactory.fromString(name), 1);
        byte[] otherSync = Arrays.copyOfRange(empty, empty.length - 16, empty.length);
        Output file = new Output(64);
        file.write(empty, 0, empty.length);
        io.sluice.avro.internal.BinaryOutput.writeLong(100, file);
        io.sluice.avro.internal.BinaryOutput.writeLong(streams.size(), file);
        file.write(streams.toByteArray(), 0, streams.size());
        file.write(otherSync, 0, 16);

        Shard.Result<Map<String, Object>> result =
                Shard.read(Avro.maps(), Arrays.copyOf(file.array(), file.position()));

        assertThat(result.refused()).isEmpty();
        assertThat(result.values()).hasSize(100).last().isEqualTo(Map.of("s", "value 99"));
    }

    private static int indexOf(byte[] in, byte[] what) {
        for (int i = 0; ; i++) {
            if (Arrays.equals(in, i, i + what.length, what, 0, what.length)) {
                return i;
            }
        }
    }

    /** A codec of one's own. */
    @Test
    void codecsOfOnesOwnAreWrittenAndRead() {
        AvroCodec flipped = new AvroCodec() {
            @Override
            public String name() {
                return "flipped";
            }

            @Override
            public Coder coder() {
                return new Coder() {
                    @Override
                    public void compress(byte[] bytes, int from, int length, Output out) {
                        for (int i = from; i < from + length; i++) {
                            out.write(~bytes[i]);
                        }
                    }

                    @Override
                    public void decompress(byte[] bytes, int from, int length, Output out, int maxBytes) {
                        compress(bytes, from, length, out);
                    }
                };
            }
        };
        Schema schema = SchemaBuilder.record("R").fields().requiredString("s").endRecord();
        AvroSpec spec = AvroSpec.create().schema(schema).codec(flipped);
        Output out = new Output(64);
        try (var encoder = Avro.maps(spec).encoder()) {
            encoder.start(out);
            encoder.encode(Map.of("s", "secret"), out);
            encoder.finish(out);
        }
        byte[] file = Arrays.copyOf(out.array(), out.position());

        assertThat(Shard.read(Avro.maps(AvroSpec.create().alsoReading(flipped)), file)
                        .values())
                .containsExactly(Map.of("s", "secret"));
        assertThat(Shard.read(Avro.maps(), file).refused().get(0).rejection().reason())
                .contains("unknown codec 'flipped'");
    }
}
