package io.sluice.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.sluice.codec.Compression;
import io.sluice.codec.Compressions;
import io.sluice.codec.Compressor;
import io.sluice.codec.Output;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Bytes for tests. */
public final class TestData {

    private TestData() {}

    /** {@code {"n":from}} to {@code {"n":to-1}}, a line each. */
    public static byte[] numbered(int from, int to) {
        StringBuilder text = new StringBuilder();
        for (int i = from; i < to; i++) {
            text.append("{\"n\":").append(i).append("}\n");
        }
        return text.toString().getBytes(UTF_8);
    }

    /** The lines of {@code numbered(0, to)}. */
    public static List<String> numberedLines(int to) {
        List<String> all = new ArrayList<>();
        for (int i = 0; i < to; i++) {
            all.add("{\"n\":" + i + "}");
        }
        return all;
    }

    /** A raw record as text. */
    public static String text(ByteBuffer record) {
        return UTF_8.decode(record.duplicate()).toString();
    }

    /** none, gzip or zstd. */
    public static Compression compression(String name) {
        return switch (name) {
            case "gzip" -> Compressions.gzip();
            case "zstd" -> Compressions.zstd();
            case "none" -> Compressions.none();
            default -> throw new IllegalArgumentException(name);
        };
    }

    /** All of {@code input} in one frame. */
    public static byte[] compress(Compression compression, byte[] input) {
        return compress(compression, input, Math.max(1, input.length));
    }

    /** A frame for every {@code frameBytes} of {@code input}. */
    public static byte[] compress(Compression compression, byte[] input, int frameBytes) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        int from = 0;
        do {
            Output out = new Output(64);
            int length = Math.min(frameBytes, input.length - from);
            try (Compressor compressor = compression.compressor()) {
                compressor.compress(input, from, length, out);
                compressor.finish(out);
            }
            all.writeBytes(Arrays.copyOf(out.array(), out.position()));
            from += length;
        } while (from < input.length);
        return all.toByteArray();
    }
}
