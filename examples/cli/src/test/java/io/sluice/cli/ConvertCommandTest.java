package io.sluice.cli;

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
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConvertCommandTest {

    @TempDir
    Path dir;

    private Path source;

    @BeforeEach
    void writeSource() throws IOException {
        source = write(dir.resolve("in.jsonl"), numbers(0, 100));
    }

    @ParameterizedTest
    @CsvSource({
        "out.jsonl,7b226e22",
        "out.ndjson,7b226e22",
        "out.json.gz,1f8b",
        "out.jsonl.zst,28b52ffd",
        "out.jsonl.zstd,28b52ffd"
    })
    void takesFormatAndCompressionFromTheName(String name, String magic) throws IOException {
        Path out = dir.resolve(name);

        Result result = run("convert", source, out);

        assertThat(result.err()).isEmpty();
        assertThat(result.exit()).isZero();
        assertThat(hex(Files.readAllBytes(out))).startsWith(magic);
        assertThat(run("cat", out).out()).isEqualTo(numbers(0, 100));
        assertThat(result.lines()).hasSize(2);
        assertThat(result.lines().get(0)).contains("100").endsWith(name);
        assertThat(result.lines().get(1)).startsWith("wrote 100 records, 890 bytes");
    }

    @Test
    void changesNoByteOfARecord() throws IOException {
        String text = "{\"a\":1.500, \"b\":0.12345678901234567890123, \"a\":\"\\u0041\\/\"}\n{ }\n";
        Path exact = write(dir.resolve("exact.jsonl"), text);

        run("convert", exact, dir.resolve("out.jsonl"));

        assertThat(dir.resolve("out.jsonl")).hasContent(text);
    }

    @Test
    void checksEveryRecord() throws IOException {
        Path bad = write(dir.resolve("bad.jsonl"), "{}\n{\n{\"a\":1}\n");
        Path out = dir.resolve("out.jsonl");

        Result failed = run("convert", bad, out);
        assertThat(failed.exit()).isEqualTo(1);
        assertThat(failed.message()).contains("line 2");
        assertThat(out).doesNotExist();

        Result skipped = run("convert", bad, out, "--on-error", "skip");
        assertThat(skipped.exit()).isZero();
        assertThat(skipped.message()).contains("1 bad record skipped");
        assertThat(out).hasContent("{}\n{\"a\":1}\n");
    }

    @Test
    void doesNotOverwriteUnlessTold() throws IOException {
        Path out = write(dir.resolve("out.jsonl"), "precious\n");

        Result refused = run("convert", source, out);
        assertThat(refused.exit()).isEqualTo(1);
        assertThat(refused.message()).contains("out.jsonl").contains("--overwrite");
        assertThat(out).hasContent("precious\n");

        assertThat(run("convert", source, out, "--overwrite").exit()).isZero();
        assertThat(out).hasContent(numbers(0, 100));
        assertThat(run("convert", out, out, "--overwrite").exit()).isZero();
        assertThat(out).hasContent(numbers(0, 100));
    }

    @Test
    void cutsShardsByRecords() throws IOException {
        Path out = dir.resolve("shards");

        Result result = run("convert", source, out + "/", "--max-records", 40);

        assertThat(names(out)).containsExactly("part-00000.jsonl", "part-00001.jsonl", "part-00002.jsonl");
        assertThat(out.resolve("part-00001.jsonl")).hasContent(numbers(40, 80));
        assertThat(run("cat", out).out()).isEqualTo(numbers(0, 100));
        assertThat(result.lines()).hasSize(4);
        assertThat(result.lines().get(3)).isEqualTo("wrote 100 records, 890 bytes in 3 files");
    }

    @Test
    void cutsShardsByBytesAndCompresses() throws IOException {
        Path out = dir.resolve("shards");

        run("convert", source, out + "/", "--max-bytes", 80, "--level", 1);

        assertThat(names(out)).hasSize(13).startsWith("part-00000.jsonl.zst");
        assertThat(run("cat", out).out()).isEqualTo(numbers(0, 100));
    }

    @Test
    void takesTheCompressionOfShardsFromTheNameOfTheirDirectory() throws IOException {
        run("convert", source, dir + "/out.jsonl.gz/");

        assertThat(names(dir.resolve("out.jsonl.gz"))).containsExactly("part-00000.jsonl.gz");
    }

    @Test
    void appendsAfterTheLastShardWhenTold() throws IOException {
        Path out = dir.resolve("shards");
        run("convert", source, out + "/");

        Result refused = run("convert", source, out + "/");
        assertThat(refused.exit()).isEqualTo(1);
        assertThat(refused.message()).contains("--append");

        assertThat(run("convert", source, out + "/", "--append").exit()).isZero();
        assertThat(names(out)).containsExactly("part-00000.jsonl", "part-00001.jsonl");
        assertThat(run("count", out).out()).isEqualTo("200\n");
    }

    @Test
    void readsStandardInput() {
        Path out = dir.resolve("out.jsonl.zst");

        assertThat(runWith(utf8(numbers(0, 5)), "convert", "-", out).exit()).isZero();
        assertThat(run("cat", out).out()).isEqualTo(numbers(0, 5));
    }

    @Test
    void writesAnEmptyFileForAnEmptySource() throws IOException {
        Path empty = write(dir.resolve("empty.jsonl"), "");
        Path out = dir.resolve("out.jsonl");

        assertThat(run("convert", empty, out).exit()).isZero();
        assertThat(out).isEmptyFile();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "out.csv",
                "out",
                "-",
                "out.jsonl --append",
                "out.jsonl --max-records 5",
                "out.jsonl --max-bytes 5",
                "out.jsonl --level 3",
                "out.jsonl.zst --level 99",
                "out.jsonl.gz --level 10",
                "out/ --max-records 0",
                "out/ --max-bytes -1",
                "out/ --overwrite"
            })
    void refusesWhatMakesNoSense(String arguments) throws IOException {
        String[] words = arguments.split(" ");
        words[0] = words[0].equals("-") ? "-" : dir + "/" + words[0];
        Object[] args =
                Stream.concat(Stream.of("convert", source), Stream.of(words)).toArray();

        Result result = run(args);

        assertThat(result.exit()).as(result.err()).isEqualTo(2);
        assertThat(result.message()).endsWith("(see sluice convert --help)");
        assertThat(names(dir)).containsExactly("in.jsonl");
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> !name.startsWith("_"))
                    .sorted()
                    .toList();
        }
    }

    private static String hex(byte[] bytes) {
        return java.util.HexFormat.of().formatHex(bytes);
    }
}
