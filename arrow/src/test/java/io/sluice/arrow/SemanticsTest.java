package io.sluice.arrow;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.Dataset;
import io.sluice.ErrorPolicy;
import io.sluice.ReadSpec;
import io.sluice.Rejected;
import io.sluice.format.Format;
import io.sluice.format.Jsonl;
import io.sluice.format.JsonlSpec;
import io.sluice.testing.ChunkedStore;
import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.zip.GZIPOutputStream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The table of what is a record and what is refused: the same for batches as for maps, at every chunk size. */
class SemanticsTest {

    private static final ReadSpec READING =
            ReadSpec.create().blockBytes(1024).maxRecordBytes(3000).maxNesting(100);

    /** What a read gives: rows, and where and why others were refused. */
    private record Outcome(List<Object> rows, List<String> refused, String error) {}

    static List<Arguments> cases() {
        List<Arguments> all = new ArrayList<>();
        add(all, "blank lines", "\n{\"a\":1}\n \t\r\n\n{\"a\":2}\n\n");
        add(all, "line ends", "{\"a\":1}\r\n{\"a\":2}\n{\"a\":3}");
        add(all, "a bare CR", "{\"a\":1}\r{\"a\":2}\n{\"a\":3\r}\n");
        add(all, "byte order mark", "\uFEFF{\"a\":1}\n{\"a\":2}\n");
        add(all, "byte order mark later", "{\"a\":1}\n\uFEFF{\"a\":2}\n");
        add(all, "other roots", "{\"a\":1}\nnull\n1\n[{\"a\":2}]\n\"x\"\ntrue\n{\"a\":3}\n");
        add(all, "empty objects", "{}\n{\"a\":1}\n{ }\n{}\n");
        add(all, "two values", "{\"a\":1}{\"a\":2}\n{\"a\":3} {\"a\":4}\n{\"a\":5},\n{\"a\":6}\n");
        add(all, "over two lines", "{\"a\":\n1}\n{\"a\":2}\n");
        add(all, "garbage", "{\"a\":1}x\n{\"a\":2}\n");
        add(all, "NULs", "{\"a\":1}\n\0\0\0\0\n{\"a\":2}\0\n{\"a\":3}\n");
        add(all, "torn at the end", "{\"a\":1}\n{\"a\":2");
        add(all, "keys twice", "{\"a\":1,\"a\":2}\n{\"a\":3,\"b\":4,\"a\":5}\n");
        add(
                all,
                "integers",
                "{\"a\":1}\n{\"a\":9223372036854775807}\n{\"a\":-9223372036854775808}\n{\"a\":123456789012345678901}\n");
        add(all, "decimals", "{\"a\":1.5}\n{\"a\":1e300}\n{\"a\":-0.0}\n{\"a\":0.1}\n");
        add(
                all,
                "no numbers",
                "{\"a\":NaN}\n{\"a\":Infinity}\n{\"a\":01}\n{\"a\":1.}\n{\"a\":+1}\n{\"a\":.5}\n{\"a\":1}\n");
        add(all, "escapes", "{\"a\":\"\\u00e9\\n\\\"\\/\\ud83d\\ude00\"}\n{\"a\":\"\\x\"}\n{\"a\":\"\\u12\"}\n");
        add(all, "surrogates", "{\"a\":\"\\ud83d\"}\n{\"a\":\"\\ude00\"}\n{\"\\ud83d\":1}\n{\"a\":\"ok\"}\n");
        add(all, "control characters", "{\"a\":\"\u0001\"}\n{\"a\":\"\t\"}\n{\"a\":\"x\"}\n");
        add(all, "nested", "{\"a\":{\"b\":[{\"c\":null},{}]}}\n{\"a\":{\"b\":[]}}\n{\"a\":null}\n");
        add(
                all,
                "too deep",
                "{\"a\":" + "[".repeat(98) + "]".repeat(98) + "}\n{\"a\":" + "[".repeat(101) + "]".repeat(101)
                        + "}\n{\"a\":[]}\n");
        add(all, "too long", "{\"a\":\"x\"}\n{\"a\":\"" + "x".repeat(4000) + "\"}\n{\"a\":\"y\"}\n");
        byte[] bad = "{\"a\":\"??\"}\n{\"a\":\"x\"}\n{\"a\":\"?\"}\n".getBytes(StandardCharsets.ISO_8859_1);
        bad[6] = (byte) 0xC3;
        bad[7] = (byte) 0x28;
        bad[28] = (byte) 0xFF;
        all.add(Arguments.of("invalid UTF-8", "a.jsonl", bad));
        byte[] twoMembers = concat(gzip("{\"a\":1}\n{\"a\""), gzip(":2}\n"));
        all.add(Arguments.of("gzip of two members", "a.jsonl.gz", twoMembers));
        all.add(Arguments.of("gzip cut off", "a.jsonl.gz", java.util.Arrays.copyOf(twoMembers, twoMembers.length - 9)));
        all.add(Arguments.of("gzip and garbage", "a.jsonl.gz", concat(twoMembers, new byte[] {1, 2, 3, 4, 5})));
        all.add(Arguments.of("no gzip", "a.jsonl.gz", "{\"a\":1}\n".getBytes(StandardCharsets.UTF_8)));
        all.add(Arguments.of("nothing", "a.jsonl", new byte[0]));
        return all;
    }

    private static void add(List<Arguments> all, String name, String text) {
        all.add(Arguments.of(name, "a.jsonl", text.getBytes(StandardCharsets.UTF_8)));
    }

    private static byte[] gzip(String text) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(text.getBytes(StandardCharsets.UTF_8));
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    private static byte[] concat(byte[] a, byte[] b) {
        byte[] both = java.util.Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    private static <T> Outcome read(
            Format<T> format, String key, byte[] bytes, int chunk, Function<T, List<?>> rowsOf) {
        List<Object> rows = new ArrayList<>();
        List<String> refused = new ArrayList<>();
        String error = "";
        try {
            Dataset.at(new ChunkedStore(chunk, null).with(key, bytes), key, format)
                    .read(READING.onError(ErrorPolicy.deadLetter(r -> refused.add(place(r)))))
                    .doOnNext(value -> rowsOf.apply(value).forEach(row -> rows.add(plain(row))))
                    .blockLast();
        } catch (io.sluice.SluiceException e) {
            error = e.getMessage();
        }
        return new Outcome(rows, refused, error);
    }

    private static String place(Rejected r) {
        return r.line() + " @ " + r.offset() + " + " + r.length() + " "
                + r.cause().kind();
    }

    /** Numbers by value, and nulls left out of objects: a column has a null where a record lacks the key. */
    private static Object plain(Object value) {
        if (value instanceof Map<?, ?> map) {
            Map<Object, Object> copy = new LinkedHashMap<>();
            map.forEach((k, v) -> {
                if (v != null) {
                    copy.put(k, plain(v));
                }
            });
            return copy;
        }
        if (value instanceof List<?> list) {
            List<Object> copy = new ArrayList<>();
            list.forEach(v -> copy.add(plain(v)));
            return copy;
        }
        if (value instanceof Integer || value instanceof Long || value instanceof BigInteger) {
            return new BigDecimal(value.toString());
        }
        return value;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void batchesAreAsMapsAre(String name, String key, byte[] bytes) {
        for (boolean strict : new boolean[] {false, true}) {
            JsonlSpec text = strict ? JsonlSpec.create().rejectDuplicateKeys() : JsonlSpec.create();
            Outcome expected = read(Jsonl.maps(text), key, bytes, 1 << 20, List::of);
            try (BufferAllocator allocator = new RootAllocator()) {
                Format<RecordBatch> format =
                        Arrow.jsonl(allocator, ArrowSpec.create().jsonl(text).batchRows(2));
                for (int chunk : new int[] {1, 2, 3, 7, 1 << 20}) {
                    assertThat(read(format, key, bytes, chunk, SemanticsTest::rows))
                            .as("%s, chunks of %d", name, chunk)
                            .isEqualTo(expected);
                }
                Batches.awaitEmpty(allocator);
            }
        }
    }

    private static List<?> rows(RecordBatch batch) {
        try (batch) {
            return Rows.of(batch);
        }
    }
}
