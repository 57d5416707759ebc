package io.sluice.cli;

import static io.sluice.cli.Cli.cut;
import static io.sluice.cli.Cli.gzip;
import static io.sluice.cli.Cli.numbers;
import static io.sluice.cli.Cli.run;
import static io.sluice.cli.Cli.runWith;
import static io.sluice.cli.Cli.utf8;
import static io.sluice.cli.Cli.write;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.cli.Cli.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ValidateCommandTest {

    @TempDir
    Path dir;

    @Test
    void printsNothingButASummaryForGoodData() throws IOException {
        Path file = write(dir.resolve("a.jsonl"), numbers(0, 10));

        Result result = run("validate", file);

        assertThat(result.exit()).isZero();
        assertThat(result.out()).isEmpty();
        assertThat(result.message()).isEqualTo("sluice validate: 10 good records, 0 bad, in 1 shard");
    }

    @Test
    void printsFileLineOffsetAndReasonOfEveryBadRecord() throws IOException {
        Path a = write(dir.resolve("part-0.jsonl"), "{}\n\n{\"a\":\n{}\n[1]\n");
        Path b = write(dir.resolve("part-1.jsonl"), "nope\n");

        Result result = run("validate", dir);

        assertThat(result.exit()).isEqualTo(1);
        assertThat(result.lines()).hasSize(3);
        assertThat(result.lines().get(0)).matches(".*\\Q" + a.getFileName() + "\\E:3:4: \\S.*");
        assertThat(result.lines().get(1)).matches(".*\\Q" + a.getFileName() + "\\E:5:13: \\S.*");
        assertThat(result.lines().get(2)).matches(".*\\Q" + b.getFileName() + "\\E:1:0: \\S.*");
        assertThat(result.message()).endsWith("2 good records, 3 bad, in 2 shards");
    }

    @Test
    void readsStandardInput() {
        Result result = runWith(utf8("{}\n{"), "validate", "-");

        assertThat(result.exit()).isEqualTo(1);
        assertThat(result.out()).startsWith("stdin:2:3: ");
    }

    @Test
    void goesOnBehindADamagedShard() throws IOException {
        write(dir.resolve("part-0.jsonl"), "{}\n");
        Files.write(dir.resolve("part-1.jsonl.gz"), cut(gzip(numbers(0, 50)), 5));
        write(dir.resolve("part-2.jsonl"), "{\n");
        Files.write(dir.resolve("part-3.jsonl.gz"), utf8("this is no gzip"));

        Result result = run("validate", dir);

        assertThat(result.exit()).isEqualTo(1);
        assertThat(result.lines()).hasSize(1);
        assertThat(result.out()).contains("part-2.jsonl:1:0: ");
        assertThat(result.err().lines()).hasSize(3);
        assertThat(result.err()).contains("part-1.jsonl.gz]").contains("part-3.jsonl.gz]");
        assertThat(result.err()).contains("1 bad, in 4 shards, of which 2 could not be read to the end");
    }

    @Test
    void failsForWhatIsNotThere() {
        Result result = run("validate", dir.resolve("nothing.jsonl"));

        assertThat(result.exit()).isEqualTo(1);
        assertThat(result.message()).contains("nothing.jsonl");
    }
}
