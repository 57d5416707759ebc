package io.sluice.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs a main class of the test class path in a JVM of its own, bounded in time. */
public final class Fork {

    /** Shorter than the time-out of tests, which would leave the process behind. */
    private static final Duration PATIENCE = Duration.ofSeconds(150);

    private Fork() {}

    /** What a JVM said and how it ended. */
    public record Result(int exit, String output) {}

    /** Runs {@code main} and waits for its end. */
    public static Result run(Class<?> main, List<String> jvmArguments, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(jvmArguments);
        command.add("-cp");
        command.add(System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
        command.add(main.getName());
        command.addAll(List.of(arguments));
        // not a pipe: reading one to its end would wait for as long as the process runs
        Path output = Files.createTempFile("fork", ".txt");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            boolean ended = process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            String said = Files.readString(output);
            if (!ended) {
                throw new IllegalStateException("still running: " + command + "\n" + said);
            }
            return new Result(process.exitValue(), said);
        } finally {
            process.destroyForcibly();
            Files.delete(output);
        }
    }
}
