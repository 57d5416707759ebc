package io.sluice.cli;

import static io.sluice.cli.Cli.run;
import static io.sluice.cli.Cli.write;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.Dataset;
import io.sluice.avro.Avro;
import io.sluice.avro.AvroCodec;
import io.sluice.avro.AvroHeader;
import io.sluice.avro.AvroSpec;
import io.sluice.cli.Cli.Result;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;

/** What the commands do with Avro container files. */
class AvroTest {

    private static final Schema ROW = SchemaBuilder.record("Row")
            .namespace("x.y")
            .fields()
            .requiredInt("n")
            .name("kind")
            .type()
            .enumeration("Kind")
            .symbols("A", "B")
            .noDefault()
            .endRecord();

    @TempDir
    Path dir;

    private Path file(String name, int count) {
        return file(name, count, AvroCodec.none());
    }

    private Path file(String name, int count, AvroCodec codec) {
        Path file = dir.resolve(name);
        AvroSpec spec = AvroSpec.create()
                .schema(ROW)
                .codec(codec)
                .blockBytes(100)
                .metadata("owner", "me".getBytes(StandardCharsets.UTF_8));
        Dataset.at(file, Avro.maps(spec))
                .write(Flux.range(0, count).map(i -> Map.of("n", i, "kind", i % 2 == 0 ? "A" : "B")))
                .block();
        return file;
    }

    @Test
    void catCountValidateAndSchema() {
        Path file = file("x.avro", 300);

        assertThat(run("count", file).out()).isEqualTo("300\n");
        assertThat(run("count", "--report", file).out()).contains("\"records\":300,\"rejected\":0");
        assertThat(run("cat", "--limit", "2", file).out())
                .isEqualTo("{\"n\":0,\"kind\":\"A\"}\n{\"n\":1,\"kind\":\"B\"}\n");
        assertThat(run("cat", file).lines()).hasSize(300);
        Result valid = run("validate", file);
        assertThat(valid.exit()).isZero();
        assertThat(valid.message()).contains("300 good records, 0 bad");
        assertThat(new Schema.Parser().parse(run("schema", file).out())).isEqualTo(ROW);
        assertThat(run("schema", "--json", file).lines()).containsExactly(ROW.toString());
    }

    @Test
    void theSchemaOfWhatIsNoAvroIsAnError() throws IOException {
        Path file = write(dir.resolve("x.avro"), "no Avro at all");

        Result result = run("schema", file);

        assertThat(result.exit()).isEqualTo(1);
        assertThat(result.message()).contains("x.avro", "not an Avro container file");
        assertThat(run("count", file).exit()).isEqualTo(1);
        assertThat(run("validate", file).exit()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "deflate", "snappy", "zstd", "bzip2", "xz"})
    void convertsFromJsonlAndBackInEveryCodec(String codec) throws IOException {
        String text =
                "{\"n\":1,\"s\":\"é\",\"l\":[1,null],\"o\":{\"d\":0.5}}\n{\"n\":2,\"s\":null,\"l\":[],\"o\":null}\n";
        Path source = write(dir.resolve("in.jsonl"), text);
        Path avro = dir.resolve("x.avro");

        Result there = run("convert", "--compression", codec, source, avro);

        assertThat(there.err()).isEmpty();
        assertThat(there.exit()).isZero();
        AvroHeader header = Avro.header(Dataset.at(avro, Avro.maps())).block();
        assertThat(header.codec().name())
                .isEqualTo(codec.equals("none") ? "null" : codec.equals("zstd") ? "zstandard" : codec);
        assertThat(run("convert", avro, dir.resolve("back.jsonl")).exit()).isZero();
        assertThat(dir.resolve("back.jsonl")).hasContent(text);
        assertThat(run("convert", avro, dir.resolve("x.arrow")).exit()).isZero();
        assertThat(run("cat", dir.resolve("x.arrow")).out()).isEqualTo(text);
    }

    @Test
    void fromAvroToAvroNothingIsChangedButTheCompression() {
        Path file = file("x.avro", 300);

        assertThat(run("convert", file, dir.resolve("same.avro")).exit()).isZero();
        assertThat(run("convert", "--level", "9", "--max-records", "100", file, dir.resolve("shards.avro") + "/")
                        .exit())
                .isZero();

        AvroHeader same =
                Avro.header(Dataset.at(dir.resolve("same.avro"), Avro.maps())).block();
        assertThat(same.schema()).isEqualTo(ROW);
        assertThat(same.metadata("owner")).isEqualTo("me");
        Path shard = dir.resolve("shards.avro/part-00002.avro");
        assertThat(Avro.header(Dataset.at(shard, Avro.maps())).block().codec().name())
                .isEqualTo("zstandard");
        assertThat(run("cat", dir.resolve("shards.avro") + "/").out())
                .isEqualTo(run("cat", file).out());
    }

    @Test
    void optionsThatAvroDoesNotKnowAreSaid() throws IOException {
        Path source = write(dir.resolve("in.jsonl"), "{}\n");
        assertThat(run("convert", "--compression", "lz4", source, dir.resolve("x.avro"))
                        .exit())
                .isEqualTo(2);
        Result level = run("convert", "--compression", "snappy", "--level", "3", source, dir.resolve("x.avro"));
        assertThat(level.exit()).isEqualTo(2);
        assertThat(level.err()).contains("--level");
        assertThat(dir.resolve("x.avro")).doesNotExist();
    }

    private static int[] blocks(byte[] file) {
        byte[] sync = Arrays.copyOfRange(file, file.length - 16, file.length);
        return java.util.stream.IntStream.rangeClosed(16, file.length)
                .filter(end -> Arrays.equals(file, end - 16, end, sync, 0, 16))
                .toArray();
    }

    @Test
    void repairWritesWhatIsGoodAndListsWhatWasLost() throws IOException {
        Path file = file("x.avro", 300, AvroCodec.snappy());
        byte[] bytes = Files.readAllBytes(file);
        int[] blocks = blocks(bytes);
        bytes[blocks[1] + 20] ^= 1; // in the second block
        Files.write(file, Arrays.copyOf(bytes, bytes.length - 3)); // and cut off
        Path saved = dir.resolve("saved.avro");

        Result result = run("repair", file, saved);

        assertThat(result.exit()).isZero();
        List<String> lost = result.lines();
        assertThat(lost).hasSize(2);
        assertThat(lost.get(0)).contains(":" + blocks[1] + ": ", (blocks[2] - blocks[1]) + " bytes lost");
        assertThat(lost.get(1)).contains(":" + blocks[blocks.length - 2] + ": ", "ends inside a block");
        long good = Long.parseLong(run("count", saved).out().strip());
        assertThat(good).isBetween(150L, 290L);
        assertThat(result.message()).contains(good + " good records", "with " + (300 - good) + " records or more");
        assertThat(run("validate", saved).exit()).isZero();
        AvroHeader header = Avro.header(Dataset.at(saved, Avro.maps())).block();
        assertThat(header.schema()).isEqualTo(ROW);
        assertThat(header.codec().name()).isEqualTo("snappy");
        assertThat(header.metadata("owner")).isEqualTo("me");
        List<String> all = run("cat", file("whole.avro", 300)).lines();
        assertThat(all).containsSubsequence(run("cat", saved).lines());

        Result again = run("repair", file, saved);
        assertThat(again.exit()).isEqualTo(1);
        assertThat(again.err()).contains("--overwrite");
        assertThat(run("repair", "--overwrite", file, saved).exit()).isZero();
        assertThat(run("repair", file, file).exit()).isEqualTo(2);
    }

    @Test
    void repairTakesDirectoriesAndJsonl() throws IOException {
        file("d/a.avro", 10);
        write(dir.resolve("d/b.avro"), "nothing in it");
        file("d/c.avro", 20);

        Result result = run("repair", dir.resolve("d") + "/*.avro", dir.resolve("saved") + "/");

        assertThat(result.exit()).isEqualTo(1);
        assertThat(result.err()).contains("b.avro", "nothing can be saved", "30 good records");
        assertThat(run("count", dir.resolve("saved") + "/*.avro").out()).isEqualTo("30\n");

        Path lines = write(dir.resolve("x.jsonl"), "{\"n\":1}\n{bad\n{\"n\":2}\n");
        Result repaired = run("repair", lines, dir.resolve("good.jsonl.zst"));
        assertThat(repaired.exit()).isZero();
        assertThat(repaired.lines()).singleElement().asString().contains("x.jsonl:2:8: ", "5 bytes lost");
        assertThat(run("cat", dir.resolve("good.jsonl.zst")).out()).isEqualTo("{\"n\":1}\n{\"n\":2}\n");
    }
}
