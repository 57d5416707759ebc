package io.sluice.cli;

import static io.sluice.cli.Cli.gzip;
import static io.sluice.cli.Cli.numbers;
import static io.sluice.cli.Cli.run;
import static io.sluice.cli.Cli.runWith;
import static io.sluice.cli.Cli.utf8;
import static io.sluice.cli.Cli.write;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.cli.Cli.Result;
import io.sluice.codec.Block;
import io.sluice.codec.ReadLimits;
import io.sluice.format.Jsonl;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CountCommandTest {

    private static final String MIXED = "{\"n\":0}\n\n{\"n\":\n  \n{\"n\":3}\n";

    @TempDir
    Path dir;

    @Test
    void printsOneNumber() throws IOException {
        Path file = write(dir.resolve("a.jsonl"), numbers(0, 12_345));
        Files.write(dir.resolve("b.jsonl.gz"), gzip(numbers(0, 55)));

        assertThat(run("count", file))
                .extracting(Result::exit, Result::out, Result::err)
                .containsExactly(0, "12345\n", "");
        assertThat(run("count", "--raw", file).out()).isEqualTo("12345\n");
        assertThat(run("count", dir).out()).isEqualTo("12400\n");
        assertThat(run("count", "--raw", dir + "/*.jsonl*").out()).isEqualTo("12400\n");
        assertThat(runWith(utf8("{}\n{}"), "count", "-").out()).isEqualTo("2\n");
        assertThat(runWith(gzip("{}\n{}"), "count", "-", "--raw").out()).isEqualTo("2\n");
    }

    @Test
    void countsLinesWithoutParsingWhenRaw() throws IOException {
        Path file = write(dir.resolve("a.jsonl"), MIXED);

        assertThat(run("count", "--raw", file).out()).isEqualTo("3\n");
        assertThat(run("count", file).exit()).isEqualTo(1);
        assertThat(run("count", file).out()).isEmpty();
        assertThat(run("count", file, "--on-error", "skip").out()).isEqualTo("2\n");
    }

    @Test
    void reportsWhereEveryByteWent() throws IOException {
        write(dir.resolve("a.jsonl"), MIXED);
        Files.write(dir.resolve("b.jsonl.gz"), gzip(numbers(0, 10)));

        Result result = run("count", dir, "--report", "--on-error", "skip");

        assertThat(result.exit()).isZero();
        Map<String, Object> report = json(result.out());
        assertThat(List.copyOf(report.keySet()))
                .containsExactly(
                        "records",
                        "rejected",
                        "blankLines",
                        "bytesIn",
                        "bytesDelivered",
                        "bytesBlank",
                        "bytesRejected",
                        "bytesLost",
                        "shards",
                        "seconds");
        assertThat(report)
                .containsEntry("records", 12)
                .containsEntry("rejected", 1)
                .containsEntry("blankLines", 2)
                .containsEntry("bytesIn", MIXED.length() + 80)
                .containsEntry("bytesDelivered", 96)
                .containsEntry("bytesBlank", 4)
                .containsEntry("bytesRejected", 6)
                .containsEntry("bytesLost", 0)
                .containsEntry("shards", 2);
        assertThat(report.get("seconds")).isInstanceOf(Double.class);
    }

    @Test
    void reportsOnAReadThatFailed() throws IOException {
        write(dir.resolve("a.jsonl"), MIXED);

        Result result = run("count", dir, "--report");

        assertThat(result.exit()).isEqualTo(1);
        assertThat(result.message()).contains("line 3");
        assertThat(result.lines()).hasSize(1);
        assertThat(json(result.out())).containsKey("bytesIn");
    }

    @Test
    void hasNothingToReportWhereNothingIs() {
        Result result = run("count", dir.resolve("nothing/"), "--report");

        assertThat(result.exit()).isEqualTo(1);
        assertThat(result.out()).isEmpty();
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> json(String line) {
        byte[] bytes = utf8(line);
        Object[] values = (Object[]) Jsonl.maps()
                .reader(new ReadLimits(1 << 16, 1 << 16, 100), List.of())
                .decoder()
                .decode(new Block(bytes, 0, bytes.length, 0, null))
                .values();
        return (Map<String, Object>) values[0];
    }
}
