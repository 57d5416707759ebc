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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the commands do with Arrow. */
class ArrowTest {

    private static final String TEXT = """
            {"n":1,"s":"é","t":"2026-01-31T12:00:00Z","o":{"d":0.5,"l":[1,null]}}
            {"n":2,"s":null,"t":"2026-01-31T12:00:00.5Z","o":null}
            """;

    @TempDir
    Path dir;

    @ParameterizedTest
    @CsvSource({"x.arrow,", "x.arrow,zstd", "x.arrow,lz4", "x.arrows,", "x.arrows,zstd", "x.feather,none"})
    void convertsToArrowAndBack(String name, String compression) throws IOException {
        Path source = write(dir.resolve("in.jsonl"), TEXT);
        Path arrow = dir.resolve(name);

        Result there = compression == null
                ? run("convert", source, arrow)
                : run("convert", "--compression", compression, source, arrow);

        assertThat(there.err()).isEmpty();
        assertThat(there.exit()).isZero();
        assertThat(there.lines().get(1)).startsWith("wrote 2 records");
        String magic = new String(Files.readAllBytes(arrow), 0, 6, java.nio.charset.StandardCharsets.ISO_8859_1);
        assertThat(magic.equals("ARROW1")).isEqualTo(!name.endsWith("s"));
        assertThat(run("cat", arrow).out()).isEqualTo(TEXT);
        assertThat(run("cat", "--limit", "1", arrow).out()).isEqualTo(TEXT.substring(0, TEXT.indexOf('\n') + 1));
        assertThat(run("convert", arrow, dir.resolve("back.jsonl.zst")).exit()).isZero();
        assertThat(run("cat", dir.resolve("back.jsonl.zst")).out()).isEqualTo(TEXT);
    }

    @Test
    void convertsBetweenFilesAndStreamsAndDirectoriesOfShards() throws IOException {
        Path source = write(dir.resolve("in.jsonl"), numbers(0, 1000));
        assertThat(run("convert", source, dir.resolve("x.arrow")).exit()).isZero();
        assertThat(run(
                                "convert",
                                "--compression",
                                "zstd",
                                "--level",
                                "5",
                                dir.resolve("x.arrow"),
                                dir.resolve("y.arrows"))
                        .exit())
                .isZero();
        assertThat(run("convert", "--max-records", "100", dir.resolve("y.arrows"), dir + "/out.arrow/")
                        .exit())
                .isZero();
        assertThat(dir.resolve("out.arrow/part-00000.arrow")).exists();
        assertThat(run("cat", dir + "/out.arrow/").out()).isEqualTo(numbers(0, 1000));
        // a compression of the whole file, too
        assertThat(run("convert", source, dir.resolve("z.arrows.zst")).exit()).isZero();
        assertThat(run("cat", dir.resolve("z.arrows.zst")).out()).isEqualTo(numbers(0, 1000));
    }

    @Test
    void printsSchemas() throws IOException {
        Path source = write(dir.resolve("in.jsonl"), TEXT);
        String expected = """
                n: Int(64, true)
                s: Utf8
                t: Utf8
                o: Struct
                  d: FloatingPoint(DOUBLE)
                  l: List
                    item: Int(64, true)
                """;
        assertThat(run("schema", source).out()).isEqualTo(expected);
        assertThat(run("schema", "--all", source).out()).isEqualTo(expected);
        assertThat(runWith(utf8(TEXT), "schema", "-").out()).isEqualTo(expected);
        assertThat(run("schema", "--timestamps", source).out()).contains("t: Timestamp(MICROSECOND, UTC)");
        assertThat(run("schema", "--json", source).out()).contains("\"fields\"").endsWith("\n");
        assertThat(run("convert", source, dir.resolve("x.arrow")).exit()).isZero();
        assertThat(run("schema", dir.resolve("x.arrow")).out()).isEqualTo(expected);
        Path mixed = write(dir.resolve("mixed.jsonl"), "{\"a\":1}\n{\"a\":\"x\"}\n");
        assertThat(run("schema", mixed).out()).isEqualTo("a: JSON text\n");
        assertThat(run("schema", "--unions", mixed).out()).startsWith("a: Union");
    }

    @Test
    void whatTheSampleDidNotForeseeIsAnErrorWithWaysOut() throws IOException {
        Path source = write(dir.resolve("in.jsonl"), numbers(0, 12_000) + "{\"late\":true,\"n\":0}\n");
        Result failed = run("convert", source, dir.resolve("x.arrow"));
        assertThat(failed.exit()).isEqualTo(1);
        assertThat(failed.message()).contains("late").contains("line 12001");
        assertThat(dir.resolve("x.arrow")).doesNotExist();
        assertThat(run("convert", "--infer-all", source, dir.resolve("a.arrow")).exit())
                .isZero();
        assertThat(run("schema", dir.resolve("a.arrow")).out()).isEqualTo("n: Int(64, true)\nlate: Bool\n");
        assertThat(run("convert", "--unexpected", "collect", source, dir.resolve("b.arrow"))
                        .exit())
                .isZero();
        assertThat(run("cat", dir.resolve("b.arrow")).out()).endsWith("{\"n\":0,\"_rest\":{\"late\":true}}\n");
        assertThat(run("convert", "--unexpected", "ignore", source, dir.resolve("c.arrow"))
                        .exit())
                .isZero();
        assertThat(run("schema", "--all", source).out()).isEqualTo("n: Int(64, true)\nlate: Bool\n");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--compression=brotli",
                "--compression=lz4 --level=3",
                "--compression=zstd --level=99",
                "--unexpected=x"
            })
    void wrongOptionsAreUsage(String options) throws IOException {
        Path source = write(dir.resolve("in.jsonl"), TEXT);
        Object[] args = java.util.stream.Stream.concat(
                        java.util.stream.Stream.of("convert"),
                        java.util.stream.Stream.concat(
                                java.util.Arrays.stream(options.split(" ")),
                                java.util.stream.Stream.of(source, dir.resolve("x.arrow"))))
                .toArray();
        assertThat(run(args).exit()).isEqualTo(2);
        assertThat(run("convert", "--compression", "zstd", source, dir.resolve("x.jsonl"))
                        .exit())
                .isEqualTo(2);
        assertThat(run("cat", "--raw", dir.resolve("x.arrow")).exit()).isEqualTo(2);
    }

    @Test
    void schemaSaysWhenItFoundNoColumn() {
        Result sample = runWith(utf8("no JSON\n"), "schema", "-");
        assertThat(sample.out()).isEmpty();
        assertThat(sample.err()).contains("no columns").hasLineCount(1);
        Result all = runWith(utf8("no JSON\n"), "schema", "--all", "-");
        assertThat(all.exit()).isEqualTo(1);
        assertThat(all.err()).contains("line 1").hasLineCount(1);
    }

    @Test
    void damagedFilesAreErrorsThatNameThem() throws IOException {
        Path source = write(dir.resolve("in.jsonl"), numbers(0, 100));
        Path arrow = dir.resolve("x.arrow");
        assertThat(run("convert", source, arrow).exit()).isZero();
        byte[] bytes = Files.readAllBytes(arrow);
        Files.write(arrow, java.util.Arrays.copyOf(bytes, bytes.length - 20));
        Result cut = run("cat", arrow);
        assertThat(cut.exit()).isEqualTo(1);
        assertThat(cut.message()).contains("x.arrow").contains("footer");
        for (String command : List.of("count", "validate")) {
            Result refused = run(command, arrow);
            assertThat(refused.exit()).isEqualTo(2);
            assertThat(refused.message()).contains("not Arrow").contains("sluice cat");
        }
        Files.write(arrow, utf8(TEXT));
        assertThat(run("cat", arrow).message()).contains("neither an Arrow IPC file nor a stream");
    }
}
