package io.sluice.arrow;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/**
 * Other programs' libraries, for tests against them: the system property or environment variable {@code SLUICE_PYTHON} names an
 * interpreter that has them, else {@code python3} is tried.
 */
final class Python {

    private static final long TIMEOUT_SECONDS = 120;

    private Python() {}

    /** Skips the test, and says so, where the modules are not there. */
    static void require(String... modules) {
        String imports = "import " + String.join(", ", modules);
        try {
            run(List.of(interpreter(), "-c", imports));
        } catch (IOException | AssertionError e) {
            Assumptions.abort("no Python with " + String.join(", ", modules) + " (" + interpreter()
                    + "): name one by SLUICE_PYTHON");
        }
    }

    static String interpreter() {
        String named = System.getProperty("SLUICE_PYTHON", System.getenv("SLUICE_PYTHON"));
        return named == null ? "python3" : named;
    }

    /** Runs a script from the test's resources; an error of its is one of the test. */
    static void script(Path dir, String name, Object... arguments) throws IOException {
        Path script = dir.resolve(name);
        if (!Files.exists(script)) {
            try (InputStream in = Python.class.getResourceAsStream(name)) {
                Files.copy(in, script);
            }
        }
        List<String> command = new ArrayList<>(List.of(interpreter(), script.toString()));
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        run(command);
    }

    private static void run(List<String> command) throws IOException {
        Path log = Files.createTempFile("python", ".log");
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("takes too long: " + command);
            }
            if (process.exitValue() != 0) {
                throw new AssertionError(command + ": " + Files.readString(log, StandardCharsets.UTF_8));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        } finally {
            Files.delete(log);
        }
    }
}
