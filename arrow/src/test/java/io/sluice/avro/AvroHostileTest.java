package io.sluice.avro;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.Dataset;
import io.sluice.ErrorPolicy;
import io.sluice.ReadSpec;
import io.sluice.arrow.Arrow;
import io.sluice.arrow.ArrowSpec;
import io.sluice.arrow.RecordBatch;
import io.sluice.avro.internal.BinaryOutput;
import io.sluice.codec.Output;
import io.sluice.format.Format;
import io.sluice.testing.ChunkedStore;
import io.sluice.testing.Fork;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.arrow.memory.BufferAllocator;
import org.junit.jupiter.api.Test;

/** Files that claim to be larger than they are, read in a heap that would not hold what they claim. */
class AvroHostileTest {

    private static final int HEAP_MIB = 48;

    /** Blocks may not hold more than this, so that a bomb is one. */
    private static final AvroSpec SPEC = AvroSpec.create().maxBlockBytes(4 << 20);

    @Test
    void nothingIsAllocatedByAClaimedLength() throws Exception {
        Fork.Result result = Fork.run(
                AvroHostileTest.class,
                List.of("-Xmx" + HEAP_MIB + "m", "-XX:+UseSerialGC", "-XX:MaxDirectMemorySize=64m"));

        assertThat(result.output())
                .contains("read " + forgeries().size() + " forgeries")
                .doesNotContain("OutOfMemory");
        assertThat(result.exit()).as(result.output()).isZero();
    }

    /** Runs in the small heap. */
    public static void main(String[] args) {
        int n = 0;
        for (Map.Entry<String, byte[]> forged : forgeries().entrySet()) {
            read(forged.getKey(), forged.getValue(), Avro.maps(SPEC));
            if (!forged.getKey().startsWith("top ")) {
                read(forged.getKey(), forged.getValue(), Avro.records(SPEC));
            }
            try (BufferAllocator allocator = Arrow.allocator(256 << 20)) {
                Format<RecordBatch> batches = Arrow.avro(allocator, SPEC, ArrowSpec.create());
                read(forged.getKey(), forged.getValue(), batches);
            }
            n++;
        }
        System.out.println("read " + n + " forgeries");
    }

    private static <T> void read(String name, byte[] file, Format<T> format) {
        AtomicLong lost = new AtomicLong();
        try {
            Dataset.at(new ChunkedStore(8192, null).with("x.avro", file), "x.avro", format)
                    .read(ReadSpec.create().parallelism(1).onError(ErrorPolicy.deadLetter(r -> lost.incrementAndGet())))
                    .doOnNext(format::release)
                    .blockLast();
        } catch (io.sluice.SluiceException e) {
            lost.incrementAndGet();
        }
        if (lost.get() == 0) {
            throw new AssertionError(name + " was believed by " + format);
        }
    }

    private static final byte[] SYNC = "0123456789abcdef".getBytes(StandardCharsets.UTF_8);

    private static Output header(String schema, String codec) {
        Output out = new Output(256);
        out.write(new byte[] {'O', 'b', 'j', 1}, 0, 4);
        BinaryOutput.writeLong(2, out);
        BinaryOutput.writeString("avro.schema", out);
        BinaryOutput.writeString(schema, out);
        BinaryOutput.writeString("avro.codec", out);
        BinaryOutput.writeString(codec, out);
        out.write(0);
        out.write(SYNC, 0, 16);
        return out;
    }

    private static byte[] bytes(Output out) {
        return Arrays.copyOf(out.array(), out.position());
    }

    private static byte[] block(String schema, String codec, long count, byte[] content) {
        Output out = header(schema, codec);
        BinaryOutput.writeLong(count, out);
        BinaryOutput.writeLong(content.length, out);
        out.write(content, 0, content.length);
        out.write(SYNC, 0, 16);
        return bytes(out);
    }

    private static byte[] longs(long... values) {
        Output out = new Output(64);
        for (long value : values) {
            BinaryOutput.writeLong(value, out);
        }
        return bytes(out);
    }

    private static String record(String type) {
        return "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":" + type + "}]}";
    }

    private static Map<String, byte[]> forgeries() {
        Map<String, byte[]> all = new LinkedHashMap<>();
        String text = record("\"string\"");
        for (long claim : new long[] {100 << 20, Integer.MAX_VALUE, 1L << 40, Long.MAX_VALUE, -1, Long.MIN_VALUE}) {
            all.put("a string of " + claim, block(text, "null", 1, longs(claim, 0, 0)));
            all.put("bytes of " + claim, block(record("\"bytes\""), "null", 1, longs(claim, 0, 0)));
            all.put("top bytes of " + claim, block("\"bytes\"", "null", 1, longs(claim, 0, 0)));
            String array = record("{\"type\":\"array\",\"items\":\"int\"}");
            if (claim > 0) {
                all.put("an array of " + claim, block(array, "null", 1, longs(claim, 1, 2, 3)));
                all.put("a sized array of " + claim, block(array, "null", 1, longs(-claim, 3, 1, 2, 3)));
                all.put(
                        "an array of nulls of " + claim,
                        block(record("{\"type\":\"array\",\"items\":\"null\"}"), "null", 1, longs(claim)));
                all.put(
                        "a map of " + claim,
                        block(record("{\"type\":\"map\",\"values\":\"int\"}"), "null", 1, longs(claim, 0, 0)));
                all.put("a block of " + claim + " records", block(text, "null", claim, longs(0, 0, 0)));
                all.put(
                        "a block of " + claim + " records without bytes",
                        block("{\"type\":\"record\",\"name\":\"E\",\"fields\":[]}", "null", claim, new byte[0]));
            }
            Output size = header(text, "null");
            BinaryOutput.writeLong(1, size);
            BinaryOutput.writeLong(claim, size);
            size.write(new byte[100], 0, 100);
            all.put("a block of " + claim + " bytes", bytes(size));
            Output metadata = new Output(64);
            metadata.write(new byte[] {'O', 'b', 'j', 1}, 0, 4);
            BinaryOutput.writeLong(claim, metadata);
            BinaryOutput.writeLong(claim, metadata);
            metadata.write(new byte[50], 0, 50);
            all.put("metadata of " + claim, bytes(metadata));
            Output key = new Output(64);
            key.write(new byte[] {'O', 'b', 'j', 1}, 0, 4);
            BinaryOutput.writeLong(1, key);
            BinaryOutput.writeLong(claim, key);
            key.write(new byte[50], 0, 50);
            all.put("a metadata key of " + claim, bytes(key));
        }
        all.put(
                "a fixed of a gigabyte",
                block(record("{\"type\":\"fixed\",\"name\":\"F\",\"size\":1000000000}"), "null", 1, new byte[10]));
        // a header of snappy or zstd that claims to hold a gigabyte
        all.put("snappy of a gigabyte", block(text, "snappy", 1, new byte[] {
            (byte) 0x80, (byte) 0x80, (byte) 0x80, (byte) 0x80, 4, 0, 'x', 0, 0, 0, 0
        }));
        byte[] zstd = {0x28, (byte) 0xB5, 0x2F, (byte) 0xFD, (byte) 0xA0, 0, 0, 0, 0x40, 1, 0, 0};
        all.put("zstandard of a gigabyte", block(text, "zstandard", 1, zstd));
        for (String codec : List.of("deflate", "zstandard", "bzip2", "xz", "snappy")) {
            all.put("a bomb of " + codec, block(text, codec, 1, bomb(codec)));
        }
        return all;
    }

    /** Six megabytes of nothing, which is more than a block may hold. */
    private static byte[] bomb(String codec) {
        byte[] zeros = new byte[6 << 20];
        Output out = new Output(1024);
        try {
            // at a low level the compressor itself fits into the heap
            AvroCodec coder = codec.equals("xz") ? AvroCodec.xz(0) : AvroCodec.named(codec);
            coder.coder().compress(zeros, 0, zeros.length, out);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return bytes(out);
    }
}
