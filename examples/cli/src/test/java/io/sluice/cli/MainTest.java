package io.sluice.cli;

import static io.sluice.cli.Cli.run;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.cli.Cli.Result;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "frobnicate",
                "cat",
                "count",
                "convert a.jsonl",
                "cat a.jsonl b.jsonl",
                "cat a.jsonl --limit many",
                "cat a.jsonl --parallelism 0",
                "count --wrong a.jsonl"
            })
    void wrongUsageIsOneLineAndExitCode2(String arguments) {
        Result result = run((Object[]) (arguments.isEmpty() ? new String[0] : arguments.split(" ")));

        assertThat(result.exit()).as(result.err()).isEqualTo(2);
        assertThat(result.message()).startsWith("sluice").contains("--help)");
        assertThat(result.out()).isEmpty();
    }

    @Test
    void helpNamesEveryCommandAndTheExitCodes() {
        Result result = run("--help");

        assertThat(result.exit()).isZero();
        assertThat(result.out()).contains("cat", "count", "convert", "validate", "ls", "demo", "Exit codes: 0 done");
        assertThat(run("cat", "--help").out()).contains("--on-error=fail|skip|FILE", "--limit", "--raw");
        assertThat(run("--version").out()).startsWith("sluice ");
    }

    @Test
    void showsStackTracesOnlyWhenAskedTo(@TempDir Path dir) {
        assertThat(run("cat", dir.resolve("none.jsonl")).err()).doesNotContain("\tat ");
        assertThat(run("cat", dir.resolve("none.jsonl"), "--debug").err()).contains("\tat ");
    }
}
