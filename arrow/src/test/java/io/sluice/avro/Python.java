package io.sluice.avro;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/** A python with fastavro: {@code SLUICE_PYTHON}, or python3. Tests that want one are skipped, visibly, where there is none. */
final class Python {

    private Python() {}

    static String command() {
        String named = System.getenv("SLUICE_PYTHON");
        return named == null || named.isEmpty() ? "python3" : named;
    }

    static void assumeModule(String module) {
        boolean there;
        try {
            there = run("import " + module, List.of()).code() == 0;
        } catch (IOException e) {
            there = false;
        }
        Assumptions.assumeTrue(
                there, command() + " has no module " + module + ": set SLUICE_PYTHON to a python that does");
    }

    record Ran(int code, String out) {

        /** Fastavro leaves some codecs to other modules. */
        void assumeCodec(String codec) {
            Assumptions.assumeFalse(
                    code != 0 && out.contains("you need to install"),
                    () -> command() + "'s fastavro lacks codec " + codec + ": "
                            + out.lines().reduce("", (a, b) -> b));
        }
    }

    /** Runs a program; what it prints, errors included. */
    static Ran run(String program, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(command(), "-c", program));
        command.addAll(arguments);
        Path out = Files.createTempFile("python", ".txt");
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(out.toFile())
                    .start();
            try {
                if (!process.waitFor(120, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                    throw new IOException("python takes longer than two minutes");
                }
            } catch (InterruptedException e) {
                process.destroyForcibly();
                throw new IOException(e);
            }
            return new Ran(process.exitValue(), Files.readString(out, StandardCharsets.UTF_8));
        } finally {
            Files.deleteIfExists(out);
        }
    }
}
