package io.sluice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Looking into folders that others are still writing to, or cleaning up. */
public final class Folders {

    private Folders() {}

    /**
     * The files below a folder, at any depth, sorted; hidden ones too. Fails with an {@link AssertionError} where one vanishes while
     * they are listed: look again, with {@link Eventually}.
     */
    public static List<Path> files(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        } catch (UncheckedIOException error) {
            if (error.getCause() instanceof NoSuchFileException vanished) {
                throw new AssertionError("vanished while it was listed: " + vanished.getFile(), vanished);
            }
            throw error;
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** The names of {@link #files}, without their folders. */
    public static List<String> fileNames(Path folder) {
        return files(folder).stream().map(file -> file.getFileName().toString()).toList();
    }
}
