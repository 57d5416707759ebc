package io.sluice.cli;

import static io.sluice.cli.Cli.cut;
import static io.sluice.cli.Cli.gzip;
import static io.sluice.cli.Cli.numbers;
import static io.sluice.cli.Cli.run;
import static io.sluice.cli.Cli.runWith;
import static io.sluice.cli.Cli.utf8;
import static io.sluice.cli.Cli.write;
import static io.sluice.cli.Cli.zstd;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.cli.Cli.Result;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CatCommandTest {

    private static final String BAD = "{\"n\":0}\n{\"n\":1}\n{\"n\":\n{\"n\":3}\n";

    @TempDir
    Path dir;

    @Test
    void encodesTheValuesAgain() throws IOException {
        Path file =
                write(dir.resolve("a.jsonl"), "\uFEFF{ \"a\" : 1.50 , \"b\":\"\\u00e9\" }\r\n\n{\"c\":[null,true]}");

        Result result = run("cat", file);

        assertThat(result.out()).isEqualTo("{\"a\":1.5,\"b\":\"é\"}\n{\"c\":[null,true]}\n");
        assertThat(result.err()).isEmpty();
        assertThat(result.exit()).isZero();
    }

    @Test
    void passesLinesThroughWhenRaw() throws IOException {
        Path file = write(dir.resolve("a.jsonl"), "{ \"a\" : 1.50 }\nnot json\n");

        Result result = run("cat", "--raw", file);

        assertThat(result.out()).isEqualTo("{ \"a\" : 1.50 }\nnot json\n");
        assertThat(result.exit()).isZero();
    }

    @Test
    void readsStandardInputWhateverItsCompression() throws IOException {
        String text = numbers(0, 1000);
        assertThat(runWith(utf8(text), "cat", "-").out()).isEqualTo(text);
        assertThat(runWith(gzip(text), "cat", "-").out()).isEqualTo(text);
        assertThat(runWith(zstd(text), "cat", "-").out()).isEqualTo(text);
        assertThat(runWith(new byte[0], "cat", "-"))
                .extracting(Result::exit, Result::out)
                .containsExactly(0, "");
        assertThat(runWith(utf8("{}"), "cat", "-").out()).isEqualTo("{}\n");
    }

    @Test
    void namesStandardInputInMessages() {
        Result result = runWith(utf8(BAD), "cat", "-");

        assertThat(result.exit()).isEqualTo(1);
        assertThat(result.message()).startsWith("sluice cat: [stdin] line 3 @ byte ");
    }

    @Test
    void stopsAtTheLimit() throws IOException {
        Path file = write(dir.resolve("a.jsonl"), numbers(0, 100));
        assertThat(run("cat", file, "--limit", 3).out()).isEqualTo(numbers(0, 3));
        assertThat(run("cat", file, "--limit", 0).out()).isEmpty();
        assertThat(run("cat", file, "--limit", 1000).out()).isEqualTo(numbers(0, 100));
        assertThat(run("cat", "--raw", file, "--limit", 2).out()).isEqualTo(numbers(0, 2));
        assertThat(run("cat", file, "--limit", -1).exit()).isEqualTo(2);
    }

    @Test
    void readsDirectoriesInOrderWithMixedCompression() throws IOException {
        Path shards = Files.createDirectories(dir.resolve("shards"));
        Files.write(shards.resolve("part-00002.jsonl"), utf8(numbers(20, 30)));
        Files.write(shards.resolve("part-00001.jsonl.gz"), gzip(numbers(10, 20)));
        Files.write(shards.resolve("part-00000.jsonl.zst"), zstd(numbers(0, 10)));
        Files.write(shards.resolve("part-100000.jsonl"), utf8(numbers(30, 40)));
        Files.write(shards.resolve(".part-00009.jsonl.tmp"), utf8("rubbish"));

        assertThat(run("cat", shards).out()).isEqualTo(numbers(0, 40));
        assertThat(run("cat", shards + "/", "--parallelism", 3).out()).isEqualTo(numbers(0, 40));
        assertThat(run("cat", shards + "/part-0*.jsonl*").out()).isEqualTo(numbers(0, 30));
    }

    @Test
    void printsWhatCameBeforeAnError() throws IOException {
        Path file = write(dir.resolve("a.jsonl"), BAD);

        Result result = run("cat", file);

        assertThat(result.out()).isEqualTo(numbers(0, 2));
        assertThat(result.message()).contains("a.jsonl] line 3 @ byte ");
        assertThat(result.exit()).isEqualTo(1);
    }

    @Test
    void skipsBadRecordsAndSaysSo() throws IOException {
        Path file = write(dir.resolve("a.jsonl"), BAD);

        Result result = run("cat", file, "--on-error", "skip");

        assertThat(result.out()).isEqualTo("{\"n\":0}\n{\"n\":1}\n{\"n\":3}\n");
        assertThat(result.message()).isEqualTo("sluice cat: 1 bad record skipped");
        assertThat(result.exit()).isZero();
    }

    @Test
    void setsBadRecordsAside() throws IOException {
        Path file = write(dir.resolve("a.jsonl"), BAD);
        Path bad = dir.resolve("bad.jsonl");

        Result result = run("cat", file, "--on-error", bad);

        assertThat(result.out()).isEqualTo("{\"n\":0}\n{\"n\":1}\n{\"n\":3}\n");
        assertThat(Files.readString(bad)).isEqualTo("{\"n\":\n");
        assertThat(result.message()).contains("1 bad record written to " + bad);
        assertThat(result.exit()).isZero();
    }

    @Test
    void doesNotOverwriteItsSourceWithBadRecords() throws IOException {
        Path file = write(dir.resolve("a.jsonl"), BAD);

        assertThat(run("cat", file, "--on-error", file).exit()).isEqualTo(2);
        assertThat(file).hasContent(BAD);
    }

    @Test
    void doesNotOverwriteAShardOfItsSourceWithBadRecords() throws IOException {
        Path shard = write(dir.resolve("events/part-00000.jsonl"), BAD);
        Path aside = write(dir.resolve("events/_bad.txt"), "from another time");

        for (Object source : new Object[] {dir.resolve("events"), dir.resolve("events") + "/*.jsonl"}) {
            Result refused = run("cat", source, "--on-error", shard);
            assertThat(refused.exit()).isEqualTo(2);
            assertThat(refused.message()).contains("would overwrite what is read");
            assertThat(shard).hasContent(BAD);

            assertThat(run("cat", source, "--on-error", aside).exit()).isZero();
            assertThat(aside).hasContent("{\"n\":\n");
        }
    }

    @Test
    void aMissingSourceIsWhatIsWrongAlsoWhereBadRecordsAreSetAside() throws IOException {
        Path bad = write(dir.resolve("bad.txt"), "from another time");

        Result result = run("cat", dir.resolve("nothing.jsonl"), "--on-error", bad);

        assertThat(result.exit()).isEqualTo(1);
        assertThat(result.message()).contains("nothing.jsonl] there is no such file");
    }

    @Test
    void failsForWhatIsNotThere() {
        Result result = run("cat", dir.resolve("nothing.jsonl"));

        assertThat(result.exit()).isEqualTo(1);
        assertThat(result.out()).isEmpty();
        assertThat(result.message()).contains("nothing.jsonl");
    }

    @Test
    void neverEndsSilentlyOnATruncatedFile() throws IOException {
        Path gz = Files.write(dir.resolve("a.jsonl.gz"), cut(gzip(numbers(0, 5000)), 9));
        Path zst = Files.write(dir.resolve("a.jsonl.zst"), cut(zstd(numbers(0, 5000)), 3));
        for (Path file : new Path[] {gz, zst}) {
            Result result = run("cat", file);
            assertThat(result.exit()).isEqualTo(1);
            assertThat(numbers(0, 5000)).startsWith(result.out());
            assertThat(result.message()).contains(file.getFileName().toString());
        }
    }

    @Test
    void endsSilentlyWhenNobodyReadsOn() {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        OutputStream closedPipe = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("Broken pipe");
            }
        };

        int exit = Cli.runWith(utf8(numbers(0, 10)), closedPipe, err, "cat", "-");

        assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
        assertThat(exit).isZero();
    }

    @Test
    void failsWhenTheOutputCannotBeWritten() {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        OutputStream full = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("No space left on device");
            }
        };

        int exit = Cli.runWith(utf8(numbers(0, 10)), full, err, "cat", "-");

        assertThat(err.toString(StandardCharsets.UTF_8))
                .isEqualTo("sluice cat: cannot write to standard output: No space left on device\n");
        assertThat(exit).isEqualTo(1);
    }
}
