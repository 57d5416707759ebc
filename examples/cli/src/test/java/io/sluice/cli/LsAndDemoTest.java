package io.sluice.cli;

import static io.sluice.cli.Cli.gzip;
import static io.sluice.cli.Cli.numbers;
import static io.sluice.cli.Cli.run;
import static io.sluice.cli.Cli.write;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.cli.Cli.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LsAndDemoTest {

    @TempDir
    Path dir;

    @Test
    void listsShardsInReadingOrder() throws IOException {
        write(dir.resolve("part-100000.jsonl"), numbers(0, 3));
        write(dir.resolve("part-99999.jsonl"), numbers(0, 2));
        Files.write(dir.resolve("part-00001.jsonl.gz"), gzip(numbers(0, 9)));
        write(dir.resolve("notes.txt"), "not a shard");

        Result result = run("ls", dir);
        assertThat(result.exit()).isZero();
        assertThat(result.lines()).hasSize(3);
        assertThat(fields(result.lines().get(1)))
                .containsExactly("-", "16", dir.resolve("part-99999.jsonl").toString());

        List<String> counted = run("ls", dir, "--count").lines();
        assertThat(counted).extracting(line -> fields(line)[0]).containsExactly("9", "2", "3");
        assertThat(counted)
                .extracting(line -> fields(line)[2].replaceAll(".*/", ""))
                .containsExactly("part-00001.jsonl.gz", "part-99999.jsonl", "part-100000.jsonl");
    }

    @Test
    void listsNothingForAnEmptyDirectoryAndFailsForAMissingOne() {
        assertThat(run("ls", dir)).extracting(Result::exit, Result::out).containsExactly(0, "");
        assertThat(run("ls", dir.resolve("missing/")).exit()).isEqualTo(1);
        assertThat(run("ls", "-").exit()).isEqualTo(2);
    }

    @Test
    void demonstratesAndChecksItself() {
        Path kept = dir.resolve("kept");

        Result result = run("demo", "--records", 20_000, "--keep", kept);

        assertThat(result.err()).isEmpty();
        assertThat(result.out()).contains("Everything checked out").doesNotContain("FAILED");
        assertThat(result.exit()).isZero();
        assertThat(run("count", kept.resolve("events"), "--on-error", "skip").out())
                .isEqualTo("20002\n");
    }

    @Test
    void demoNoticesWhatIsWrong() throws IOException {
        write(dir.resolve("kept/events/part-00200.jsonl"), "{}\n");

        assertThat(run("demo", "--records", 100, "--keep", dir.resolve("kept")).exit())
                .isEqualTo(1);
    }

    private static String[] fields(String line) {
        return line.strip().split("\\s+");
    }
}
