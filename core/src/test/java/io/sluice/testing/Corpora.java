package io.sluice.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The corpora beside the project, which are not part of it. Tests that need one are skipped, visibly, where it is absent. */
public final class Corpora {

    private Corpora() {}

    /** The file or folder {@code name} of the corpora; the test is aborted where there is none. */
    public static Path path(String name) {
        for (Path dir = Path.of("").toAbsolutePath(); dir != null; dir = dir.getParent()) {
            Path found = dir.resolveSibling("shared").resolve("corpora").resolve(name);
            if (Files.exists(found)) {
                return found;
            }
        }
        assumeTrue(false, "skipped: ../shared/corpora/" + name + " is not beside the project");
        throw new AssertionError();
    }

    /** The bytes of the corpus {@code name}. */
    public static byte[] bytes(String name) {
        try {
            return Files.readAllBytes(path(name));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** The files of the folder {@code name}, in order. */
    public static List<Path> files(String name) {
        try (Stream<Path> files = Files.list(path(name))) {
            return files.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
