package io.sluice.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Contenders do the work that they are measured for: they see every record, on one core and on two. */
class ContenderTest {

    @TempDir
    Path dir;

    @ParameterizedTest
    @EnumSource(
            value = Contender.class,
            mode = EnumSource.Mode.EXCLUDE,
            names = {"RAW_READ", "ZSTD_COMMAND"})
    void seesEveryRecord(Contender contender) throws Exception {
        Path file = dir.resolve("a.jsonl");
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 5000; i++) {
            text.append("{\"n\":")
                    .append(i)
                    .append(",\"text\":\"")
                    .append("x".repeat(i % 700))
                    .append("\"}\n");
        }
        Files.writeString(file, text);
        for (int cores = 1; cores <= 3; cores++) {
            assertThat(contender.pass(contender.prepare(file), cores))
                    .as("%s on %d", contender, cores)
                    .isEqualTo(5000L * (contender.writes() ? Contender.WRITE_REPEATS : 1));
        }
    }
}
