package io.sluice.format;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.RecordException.Kind;
import io.sluice.codec.Framer;
import io.sluice.codec.ReadLimits;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonlLinesTest {

    private static final ReadLimits SHORT = new ReadLimits(4096, 10, 1000);

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static List<String> lines(Drive.Result<java.nio.ByteBuffer> result) {
        return result.values().stream().map(Drive::text).toList();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\'', textBlock = """
            'a\\nb\\n'           | 'a,b'     | 2 | 0 | 0
            'a\\nb'              | 'a,b'     | 2 | 0 | 0
            'a\\r\\nb\\r\\n'     | 'a,b'     | 2 | 0 | 0
            'a\\rb\\n'           | 'a\\rb'   | 1 | 0 | 0
            '\\n\\n'             | ''        | 2 | 2 | 2
            ''                   | ''        | 0 | 0 | 0
            ' \\t\\r\\n a \\n\\t'| ' a '     | 3 | 2 | 5
            '\\r\\n'             | ''        | 1 | 1 | 2
            '\\r\\r\\n'          | ''        | 1 | 1 | 3
            '\\r\\ra\\r\\r\\n'   | '\\r\\ra\\r' | 1 | 0 | 0
            '@a\\nb\\n' | 'a,b' | 2 | 0 | 3
            '@' | ''     | 0 | 0 | 3
            '@\\n' | ''  | 1 | 1 | 4
            'a\\n@b' | 'a,@b' | 2 | 0 | 0
            '#'     | '#' | 1 | 0 | 0
            """)
    void linesAndBlanks(String shard, String expected, long lineCount, long blankLines, long blankBytes) {
        byte[] in = bytes(shard.translateEscapes().transform(JsonlLinesTest::marks));
        var result = Drive.read(Jsonl.bytes(), Drive.LIMITS, in);
        String wanted = marks(expected.translateEscapes());
        assertThat(String.join(",", lines(result))).isEqualTo(wanted);
        assertThat(result.lines()).isEqualTo(lineCount);
        assertThat(result.blankLines()).isEqualTo(blankLines);
        assertThat(result.blank()).isEqualTo(blankBytes);
        assertThat(result.refused()).isEmpty();
        var counted = Drive.read(Jsonl.counts(), Drive.LIMITS, in, Integer.MAX_VALUE);
        assertThat(counted.values().stream().mapToLong(Long::longValue).sum())
                .isEqualTo(lines(result).size());
        assertThat(counted.blankLines()).isEqualTo(blankLines);
        assertThat(counted.blank()).isEqualTo(blankBytes);
    }

    /** {@code @} is a byte order mark, {@code #} its first two bytes. */
    private static String marks(String text) {
        return text.replace("@", "#\u00bf").replace("#", "\u00ef\u00bb");
    }

    @Test
    void recordsThatAreTooLongAreDroppedUpToTheirNewline() {
        String longest = "0123456789";
        String tooLong = "0123456789a";
        String huge = "h".repeat(5000);
        var result = Drive.read(
                Jsonl.bytes(), SHORT, bytes(longest + "\n" + tooLong + "\r\nok\n\n" + huge + "\nx\n" + tooLong));
        assertThat(lines(result)).containsExactly(longest, "ok", "x");
        assertThat(result.refused()).extracting(Drive.Refused::kind).containsOnly(Kind.TOO_LONG);
        assertThat(result.refused()).extracting(Drive.Refused::line).containsExactly(2L, 5L, 7L);
        assertThat(result.refused()).extracting(Drive.Refused::offset).containsExactly(11L, 28L, 5031L);
        assertThat(result.refused()).extracting(Drive.Refused::length).containsExactly(13L, 5001L, 11L);
        assertThat(result.refused()).extracting(Drive.Refused::at).containsExactly(21L, 38L, 5041L);
        assertThat(result.refused()).extracting(Drive.Refused::record).containsExactly(1L, 2L, 3L);
        assertThat(result.refused())
                .extracting(Drive.Refused::raw)
                .containsExactly(tooLong + "\r", huge.substring(0, 1024), tooLong);
        assertThat(result.refused().get(1).reason())
                .isEqualTo("a record of 5000 bytes is longer than maxRecordBytes, 10");
        assertThat(result.lines()).isEqualTo(7);
    }

    @Test
    void aTooLongFirstLineKeepsItsByteOrderMark() {
        var result = Drive.read(Jsonl.bytes(), SHORT, bytes("\u00ef\u00bb\u00bf01234567\na\n"));
        assertThat(lines(result)).containsExactly("a");
        assertThat(result.refused()).singleElement().satisfies(r -> {
            assertThat(r.offset()).isZero();
            assertThat(r.length()).isEqualTo(12);
            assertThat(r.raw()).isEqualTo("\u00ef\u00bb\u00bf01234567");
        });
    }

    @Test
    void aTooLongBlankLineIsRefusedToo() {
        var result = Drive.read(Jsonl.bytes(), SHORT, bytes("            \na\n" + " ".repeat(11)));
        assertThat(lines(result)).containsExactly("a");
        assertThat(result.refused()).extracting(Drive.Refused::line).containsExactly(1L, 3L);
    }

    @Test
    void randomLinesComeOutTheSameThroughEveryDoor() {
        Random random = new Random(7);
        String alphabet = "\n\n\r\t  ab";
        for (int round = 0; round < 300; round++) {
            StringBuilder shard = new StringBuilder();
            for (int n = random.nextInt(200); n > 0; n--) {
                char c = alphabet.charAt(random.nextInt(alphabet.length()));
                shard.append(String.valueOf(c).repeat(random.nextInt(20) == 0 ? random.nextInt(30) : 1));
            }
            byte[] in = bytes(shard.toString());
            var raw = Drive.read(Jsonl.bytes(), SHORT, in);
            var counted = Drive.read(Jsonl.counts(), SHORT, in, 64);
            assertThat(counted.values().stream().mapToLong(Long::longValue).sum())
                    .isEqualTo(raw.values().size());
            assertThat(counted.refused())
                    .isEqualTo(raw.refused().stream().map(r -> with(r, counted)).toList());
            assertThat(List.of(counted.lines(), counted.blankLines(), counted.delivered(), counted.blank()))
                    .isEqualTo(List.of(raw.lines(), raw.blankLines(), raw.delivered(), raw.blank()));
        }
    }

    /** Counts are emitted per run, so the number of values before a refusal differs. */
    private static Drive.Refused with(Drive.Refused r, Drive.Result<Long> counted) {
        int index = 0;
        long sum = 0;
        while (sum < r.record()) {
            sum += counted.values().get(index++);
        }
        return new Drive.Refused(index, r.line(), r.offset(), r.length(), r.raw(), r.kind(), r.reason(), r.at());
    }

    @Test
    void everyByteIsLookedAtOnce() {
        // a framer that searched from the beginning every time would read some 2 * 10^12 bytes here
        byte[] shard = new byte[2 << 20];
        Framer framer = Jsonl.bytes().framer(new ReadLimits(4096, shard.length, 1000));
        for (int to = 1; to <= shard.length; to++) {
            assertThat(framer.next(shard, 0, to, false) == Framer.NEED_MORE).isTrue();
        }
        assertThat(framer.next(shard, 0, shard.length, true)).isEqualTo(shard.length);
    }

    @Test
    void aFramerStartsAfreshWhereItIsToldTo() {
        Framer framer = Jsonl.bytes().framer(SHORT);
        byte[] shard = bytes("0123456789abc");
        assertThat(framer.next(shard, 0, 13, false)).isEqualTo(-12);
        framer.resumeAt(100);
        byte[] rest = bytes("a\nb");
        assertThat(framer.next(rest, 0, 3, true)).isEqualTo(2);
        assertThat(framer.next(rest, 2, 3, true)).isEqualTo(1);
    }
}
