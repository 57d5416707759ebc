package io.sluice.benchmarks;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** The files to measure on: corpora from beside the project, repeated to size, or made up where those are absent. */
final class Data {

    private static final List<String> CORPORA = List.of("logs", "airline", "events", "chat");

    private Data() {}

    /** The names of the data sets there are. */
    static List<String> names() {
        List<String> names = new ArrayList<>(CORPORA);
        names.removeIf(name -> corpus(name) == null);
        return names.isEmpty() ? List.of("generated") : names;
    }

    private static @Nullable Path corpus(String name) {
        for (Path dir = Path.of("").toAbsolutePath(); dir != null; dir = dir.getParent()) {
            Path file = dir.resolveSibling("shared").resolve("corpora/ndjson/" + name + ".ndjson");
            if (Files.exists(file)) {
                return file;
            }
        }
        return null;
    }

    /** The data set repeated to about {@code megabytes}, in {@code dir}. */
    static Path file(Path dir, String name, int megabytes) throws IOException {
        Path file = dir.resolve(name + "-" + megabytes + ".jsonl");
        if (Files.exists(file)) {
            return file;
        }
        Files.createDirectories(dir);
        Path source = corpus(name);
        byte[] once = source == null ? generated() : Files.readAllBytes(source);
        Path part = dir.resolve(name + ".part");
        try (OutputStream out = Files.newOutputStream(part)) {
            for (long left = megabytes * 1_000_000L; left > 0; left -= once.length) {
                out.write(once, 0, left < once.length ? linesWithin(once, (int) left) : once.length);
            }
        }
        return Files.move(part, file);
    }

    /** Where the last line that begins before {@code limit} ends. */
    private static int linesWithin(byte[] lines, int limit) {
        int end = limit;
        while (lines[end - 1] != '\n') {
            end++;
        }
        return end;
    }

    private static byte[] generated() {
        Random random = new Random(1);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 10_000; i++) {
            text.append("{\"id\":").append(i);
            text.append(",\"user\":\"user-").append(random.nextInt(1000)).append('"');
            text.append(",\"amount\":").append(random.nextInt(100_000) / 100.0);
            text.append(",\"ok\":").append(random.nextBoolean());
            text.append(",\"note\":\"")
                    .append("some text ".repeat(random.nextInt(10)))
                    .append("\"}\n");
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }
}
