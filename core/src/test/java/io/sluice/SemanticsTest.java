package io.sluice;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.RecordException.Kind;
import io.sluice.codec.Compression;
import io.sluice.format.Format;
import io.sluice.format.Jsonl;
import io.sluice.format.JsonlSpec;
import io.sluice.format.TypeRef;
import io.sluice.testing.ChunkedStore;
import io.sluice.testing.TestData;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The table of semantics in docs/jsonl.md, executed: for maps, typed values and raw lines, plain and compressed, at every chunk
 * size, in parallel and not.
 */
class SemanticsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** What becomes of one line: a value (its toString) or a rejection. */
    private record Outcome(String value, Kind kind, long line, long offset) {

        static Outcome of(String value) {
            return new Outcome(value, null, 0, 0);
        }

        static Outcome refused(Kind kind, long line, long offset) {
            return new Outcome(null, kind, line, offset);
        }
    }

    private record Case(String name, byte[] input, long blankLines, List<Outcome> maps) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Case of(String name, String input, long blankLines, Outcome... maps) {
        return new Case(name, input.getBytes(UTF_8), blankLines, List.of(maps));
    }

    private static byte[] bytes(Object... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (Object part : parts) {
            if (part instanceof Integer b) {
                out.write(b);
            } else {
                out.writeBytes(((String) part).getBytes(UTF_8));
            }
        }
        return out.toByteArray();
    }

    private static final Outcome A = Outcome.of("{a=1}");
    private static final Outcome B = Outcome.of("{b=2}");
    private static final String LINE_A = "{\"a\":1}";
    private static final String LINE_B = "{\"b\":2}";

    private static final List<Case> TABLE = List.of(
            of("empty file", "", 0),
            of("one newline", "\n", 1),
            of(
                    "blank lines count as lines",
                    "\n \t\r\n" + LINE_A + "\n\n{\n",
                    3,
                    A,
                    Outcome.refused(Kind.MALFORMED, 5, 14)),
            of("LF and CRLF", LINE_A + "\r\n" + LINE_B + "\n", 0, A, B),
            of("last line without newline", LINE_A + "\n" + LINE_B, 0, A, B),
            of("a bare CR ends nothing", LINE_A + "\r" + LINE_B + "\n", 0, Outcome.refused(Kind.MALFORMED, 1, 0)),
            new Case("BOM at the start", bytes(0xef, 0xbb, 0xbf, LINE_A, "\n"), 0, List.of(A)),
            new Case(
                    "BOM elsewhere",
                    bytes(LINE_A, "\n", 0xef, 0xbb, 0xbf, LINE_A, "\n"),
                    0,
                    List.of(A, Outcome.refused(Kind.MALFORMED, 2, 8))),
            of("root null", "null\n" + LINE_A, 0, Outcome.refused(Kind.UNEXPECTED_TYPE, 1, 0), A),
            of("root number", LINE_A + "\n1\n", 0, A, Outcome.refused(Kind.UNEXPECTED_TYPE, 2, 8)),
            of("root array", "[{}]\n", 0, Outcome.refused(Kind.UNEXPECTED_TYPE, 1, 0)),
            of("root string", "\"x\"\n", 0, Outcome.refused(Kind.UNEXPECTED_TYPE, 1, 0)),
            of("two values on a line", LINE_A + LINE_B + "\n" + LINE_B, 0, Outcome.refused(Kind.MALFORMED, 1, 0), B),
            of(
                    "a value over two lines",
                    "{\"a\":\n1}\n",
                    0,
                    Outcome.refused(Kind.MALFORMED, 1, 0),
                    Outcome.refused(Kind.MALFORMED, 2, 6)),
            of("trailing garbage", LINE_A + " x\n", 0, Outcome.refused(Kind.MALFORMED, 1, 0)),
            of(
                    "NULs of a torn write",
                    LINE_A + "\n\0\0\0\0\n" + LINE_B,
                    0,
                    A,
                    Outcome.refused(Kind.MALFORMED, 2, 8),
                    B),
            of("NULs at the end", LINE_A + "\n\0\0\0", 0, A, Outcome.refused(Kind.MALFORMED, 2, 8)),
            of("duplicate key: last wins", "{\"a\":1,\"b\":2,\"a\":3}\n", 0, Outcome.of("{a=3, b=2}")),
            of(
                    "integers stay integers",
                    "{\"i\":2147483647,\"l\":2147483648,\"b\":9223372036854775808,\"n\":-9223372036854775808}\n",
                    0,
                    Outcome.of("{i=2147483647, l=2147483648, b=9223372036854775808, n=-9223372036854775808}")),
            of(
                    "decimals are doubles",
                    "{\"d\":0.1,\"e\":1e3,\"z\":-0.0}\n",
                    0,
                    Outcome.of("{d=0.1, e=1000.0, z=-0.0}")),
            of(
                    "NaN",
                    "{\"a\":NaN}\n{\"a\":Infinity}\n{\"a\":-Infinity}\n",
                    0,
                    Outcome.refused(Kind.MALFORMED, 1, 0),
                    Outcome.refused(Kind.MALFORMED, 2, 10),
                    Outcome.refused(Kind.MALFORMED, 3, 25)),
            new Case(
                    "invalid UTF-8",
                    bytes("{\"a\":\"", 0xc3, 0x28, "\"}\n", LINE_B),
                    0,
                    List.of(Outcome.refused(Kind.INVALID_UNICODE, 1, 0), B)),
            new Case(
                    "overlong UTF-8",
                    bytes("{\"a\":\"", 0xc0, 0xaf, "\"}\n"),
                    0,
                    List.of(Outcome.refused(Kind.INVALID_UNICODE, 1, 0))),
            new Case(
                    "raw surrogate",
                    bytes("{\"a\":\"", 0xed, 0xa0, 0x80, "\"}\n"),
                    0,
                    List.of(Outcome.refused(Kind.INVALID_UNICODE, 1, 0))),
            of(
                    "lone surrogate escaped",
                    "{\"a\":\"\\ud800\"}\n{\"a\":\"\\ud83d\\ude00\"}\n",
                    0,
                    Outcome.refused(Kind.INVALID_UNICODE, 1, 0),
                    Outcome.of("{a=\ud83d\ude00}")),
            of(
                    "too deep",
                    "{\"a\":" + "[".repeat(1000) + "]".repeat(1000) + "}\n" + LINE_A,
                    0,
                    Outcome.refused(Kind.TOO_DEEP, 1, 0),
                    A),
            of(
                    "deep enough",
                    "{\"a\":" + "[".repeat(999) + "]".repeat(999) + "}\n",
                    0,
                    Outcome.of("{a=" + "[".repeat(999) + "]".repeat(999) + "}")),
            of(
                    "too long",
                    "{\"a\":\"" + "x".repeat(3000) + "\"}\n" + LINE_A + "\n",
                    0,
                    Outcome.refused(Kind.TOO_LONG, 1, 0),
                    A),
            of(
                    "too long at the end",
                    LINE_A + "\n{\"a\":\"" + "x".repeat(3000),
                    0,
                    A,
                    Outcome.refused(Kind.TOO_LONG, 2, 8)),
            of(
                    "nested values and unicode",
                    "{\"k\":{\"l\":[1,\"\u00e9\u4e16\",null,true]},\"\":{}}\n",
                    0,
                    Outcome.of("{k={l=[1, \u00e9\u4e16, null, true]}, ={}}")));

    static Stream<Arguments> table() {
        return TABLE.stream().flatMap(c -> Stream.of("none", "gzip", "zstd").map(z -> Arguments.of(c, z)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("table")
    void maps(Case c, String compression) {
        check(c, compression, Jsonl.maps(JsonlSpec.create()), c.maps());
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("table")
    void typed(Case c, String compression) {
        // the same values and the same refusals; a root that is no object is for the codec to refuse
        List<Outcome> typed = c.maps().stream()
                .map(o -> o.kind() == Kind.UNEXPECTED_TYPE ? Outcome.refused(Kind.UNMAPPABLE, o.line(), o.offset()) : o)
                .toList();
        check(c, compression, Jsonl.of(new TypeRef<Map<String, Object>>() {}), typed);
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("table")
    void rawLines(Case c, String compression) {
        // raw lines are not parsed: only blank lines, terminators, the byte order mark and the length matter
        List<Outcome> lines = new ArrayList<>();
        String text = new String(c.input(), java.nio.charset.StandardCharsets.ISO_8859_1);
        long offset = 0;
        long number = 0;
        for (String line : text.split("(?<=\n)")) {
            if (line.isEmpty()) {
                continue;
            }
            number++;
            String bare = line.endsWith("\n") ? line.substring(0, line.length() - 1) : line;
            bare = bare.endsWith("\r") && line.endsWith("\n") ? bare.substring(0, bare.length() - 1) : bare;
            if (number == 1 && bare.startsWith("\u00ef\u00bb\u00bf")) {
                bare = bare.substring(3);
            }
            if (bare.length() > MAX_RECORD) {
                lines.add(Outcome.refused(Kind.TOO_LONG, number, offset));
            } else if (!bare.replaceAll("[ \t\r]", "").isEmpty()) {
                lines.add(Outcome.of(bare));
            }
            offset += line.length();
        }
        check(c, compression, Jsonl.bytes(), lines);
    }

    private static final int MAX_RECORD = 2500;

    private static <T> void check(Case c, String compressionName, Format<T> format, List<Outcome> expected) {
        Compression compression = TestData.compression(compressionName);
        byte[] stored = TestData.compress(compression, c.input());
        String key = "dir/data.jsonl"
                + (compressionName.equals("none")
                        ? ""
                        : compression.extensions().get(0));
        for (int chunk : new int[] {1, 2, 3, 7, 1 << 20}) {
            for (int parallelism : new int[] {1, 3}) {
                ChunkedStore store = new ChunkedStore(chunk, null).with(key, stored);
                String how = c.name() + " in chunks of " + chunk + ", parallelism " + parallelism;
                List<Outcome> outcomes = new ArrayList<>();
                List<ShardReport> reports = new ArrayList<>();
                ReadSpec spec = ReadSpec.create()
                        .parallelism(parallelism)
                        .blockBytes(1024)
                        .maxRecordBytes(MAX_RECORD)
                        .onError(ErrorPolicy.deadLetter(r -> outcomes.add(refused(r, c.input()))))
                        .listener(reportsTo(reports));
                Dataset.at(store, key, format)
                        .read(spec)
                        .doOnNext(v -> outcomes.add(Outcome.of(text(v))))
                        .blockLast(PATIENCE);
                assertThat(outcomes).as(how).isEqualTo(expected);
                assertThat(reports).as(how).hasSize(1);
                ShardReport report = reports.get(0);
                assertThat(report.conserved()).as("%s: %s", how, report).isTrue();
                assertThat(report.bytesIn()).as(how).isEqualTo(c.input().length);
                assertThat(report.blankLines()).as(how).isEqualTo(c.blankLines());
                assertThat(report.records())
                        .as(how)
                        .isEqualTo(
                                expected.stream().filter(o -> o.kind() == null).count());
                assertThat(report.rejected())
                        .as(how)
                        .isEqualTo(
                                expected.stream().filter(o -> o.kind() != null).count());
                failsAtTheFirstRejection(store, key, format, expected, how);
            }
        }
    }

    private static <T> void failsAtTheFirstRejection(
            ChunkedStore store, String key, Format<T> format, List<Outcome> expected, String how) {
        List<Outcome> before = new ArrayList<>();
        var read = Dataset.at(store, key, format)
                .read(ReadSpec.create().blockBytes(1024).maxRecordBytes(MAX_RECORD))
                .doOnNext(v -> before.add(Outcome.of(text(v))));
        Outcome first =
                expected.stream().filter(o -> o.kind() != null).findFirst().orElse(null);
        if (first == null) {
            read.blockLast(PATIENCE);
            assertThat(before).as(how).isEqualTo(expected);
            return;
        }
        assertThatThrownBy(() -> read.blockLast(PATIENCE)).as(how).isInstanceOfSatisfying(RecordException.class, e -> {
            assertThat(e.kind()).isEqualTo(first.kind());
            assertThat(e.line()).isEqualTo(first.line());
            assertThat(e.offset()).isEqualTo(first.offset());
            assertThat(e.getMessage())
                    .startsWith("[" + key + "] line " + first.line() + " @ byte " + first.offset() + ": ");
        });
        assertThat(before).as(how).isEqualTo(expected.subList(0, expected.indexOf(first)));
    }

    private static Outcome refused(Rejected r, byte[] input) {
        byte[] there = Arrays.copyOfRange(input, (int) r.offset(), (int) r.offset() + r.raw().length);
        assertThat(r.raw()).as("the raw bytes of %s", r).isEqualTo(there);
        assertThat(r.cause().reason()).isNotBlank();
        return Outcome.refused(r.cause().kind(), r.line(), r.offset());
    }

    private static DatasetListener reportsTo(List<ShardReport> reports) {
        return new DatasetListener() {
            @Override
            public void shardCompleted(ShardReport report) {
                reports.add(report);
            }
        };
    }

    private static String text(Object value) {
        if (value instanceof ByteBuffer buffer) {
            return java.nio.charset.StandardCharsets.ISO_8859_1
                    .decode(buffer.duplicate())
                    .toString();
        }
        return ((Map<?, ?>) value).toString();
    }
}
