package io.sluice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** The public test data that lies beside the project, in {@code ../shared/corpora} from its root. */
public final class Corpora {

    private Corpora() {}

    /** A file or folder of the corpora; where they are absent the calling test is skipped and says so. */
    public static Path path(String name) {
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
            Path corpora = at.resolve("shared").resolve("corpora");
            if (Files.isDirectory(corpora)) {
                return corpora.resolve(name);
            }
        }
        return Assumptions.abort("no corpora: ../shared/corpora is absent");
    }

    /** The files directly in a folder of the corpora, in the order of their names. */
    public static List<Path> files(String folder) {
        try (Stream<Path> files = Files.list(path(folder))) {
            return files.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
