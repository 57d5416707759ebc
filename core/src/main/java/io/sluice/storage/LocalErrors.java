package io.sluice.storage;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What the operating system said, as a {@link StorageException} that names the file. */
final class LocalErrors {

    private LocalErrors() {}

    static StorageException of(IOException error, Path path, String name) {
        if (error instanceof NoSuchFileException) {
            return new StorageException(Kind.NOT_FOUND, name, "there is no such file", error);
        }
        if (error instanceof FileAlreadyExistsException) {
            return alreadyExists(name, error);
        }
        if (error instanceof AccessDeniedException) {
            return new StorageException(Kind.ACCESS_DENIED, name, "access is denied: check the permissions", error);
        }
        if (error instanceof ClosedByInterruptException) {
            return new StorageException(Kind.IO, name, "the thread was interrupted during the I/O", error);
        }
        String reason = error.getMessage();
        if (error instanceof FileSystemException failure) {
            reason = failure.getReason();
            if (fileAbove(path) != null) {
                return new StorageException(
                        Kind.NOT_FOUND,
                        name,
                        "there is no such file: " + fileAbove(path) + " is not a directory",
                        error);
            }
        }
        String text = reason == null ? error.getClass().getSimpleName() : reason;
        if (isDiskFull(error)) {
            return new StorageException(Kind.IO, name, "the disk is full or a quota is used up: " + text, error);
        }
        if (text.toLowerCase(Locale.ROOT).contains("name too long")) {
            return new StorageException(
                    Kind.INVALID_REQUEST, name, "the file system does not take this name: " + text, error);
        }
        return new StorageException(Kind.IO, name, "I/O error: " + text, error);
    }

    static boolean isDiskFull(IOException error) {
        String text = String.valueOf(error.getMessage()).toLowerCase(Locale.ROOT);
        return text.contains("no space left") || text.contains("quota exceeded");
    }

    static StorageException alreadyExists(String name, @Nullable Throwable cause) {
        return new StorageException(
                Kind.ALREADY_EXISTS,
                name,
                "exists already; write to another key, or overwrite with PutMode.OVERWRITE",
                cause);
    }

    /** The closest existing ancestor if it is no directory: the reason, in any locale, of "Not a directory". */
    private static @Nullable Path fileAbove(Path path) {
        for (Path up = path.getParent(); up != null; up = up.getParent()) {
            if (Files.isDirectory(up)) {
                return null;
            }
            if (Files.exists(up)) {
                return up;
            }
        }
        return null;
    }
}
