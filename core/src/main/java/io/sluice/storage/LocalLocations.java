package io.sluice.storage;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns a path into a local store and a key. It works on text, as a glob need not be a legal path and a path object drops the
 * trailing slash that marks a directory.
 */
final class LocalLocations {

    private static final LocalObjectStore WORKING_DIRECTORY = LocalObjectStore.at(Path.of(""));

    private LocalLocations() {}

    /** The default file system's root directories. */
    private static final class Roots {
        private static final LocalObjectStore SLASH = LocalObjectStore.at(Path.of("/"));
    }

    static StoreProvider.Location resolve(String location) {
        return resolve(location, FileSystems.getDefault());
    }

    static StoreProvider.Location resolve(Path path) {
        return resolve(path.toString(), path.getFileSystem());
    }

    private static StoreProvider.Location resolve(String location, FileSystem files) {
        if (location.isEmpty() && files == FileSystems.getDefault()) {
            return new StoreProvider.Location(WORKING_DIRECTORY, "");
        }
        String path = files.getSeparator().equals("/") ? location : location.replace(files.getSeparator(), "/");
        String root = root(path, files);
        List<String> segments = new ArrayList<>();
        boolean climbs = false;
        for (String segment : path.substring(root == null ? 0 : root.length()).split("/", -1)) {
            climbs |= segment.equals("..");
            if (!segment.isEmpty() && !segment.equals(".")) {
                segments.add(segment);
            }
        }
        if (climbs) {
            if (root == null) {
                Path working = files.getPath("").toAbsolutePath();
                return resolve(working.toString() + files.getSeparator() + location, files);
            }
            segments = withoutClimbs(segments, location);
        }
        boolean directory = path.endsWith("/") || path.endsWith("/.") || path.endsWith("/..") || path.equals(".");
        String key = String.join("/", segments) + (directory && !segments.isEmpty() ? "/" : "");
        return new StoreProvider.Location(store(root, files), key);
    }

    /** {@code "/"}, a drive's root such as {@code "C:/"}, or null for a relative path. */
    private static @Nullable String root(String path, FileSystem files) {
        if (path.startsWith("/")) {
            return "/";
        }
        boolean drives = !files.getSeparator().equals("/");
        return drives && path.length() > 2 && path.charAt(1) == ':' && path.charAt(2) == '/'
                ? path.substring(0, 3)
                : null;
    }

    private static List<String> withoutClimbs(List<String> segments, String location) {
        List<String> kept = new ArrayList<>();
        for (String segment : segments) {
            if (!segment.equals("..")) {
                kept.add(segment);
            } else if (!kept.isEmpty()) {
                kept.remove(kept.size() - 1);
            } else {
                throw new StorageException(Kind.INVALID_REQUEST, location, "climbs above the root directory", null);
            }
        }
        return kept;
    }

    private static LocalObjectStore store(@Nullable String root, FileSystem files) {
        if (files == FileSystems.getDefault()) {
            if (root == null) {
                return WORKING_DIRECTORY;
            }
            if (root.equals("/")) {
                return Roots.SLASH;
            }
        }
        return LocalObjectStore.at(files.getPath(root == null ? "" : root));
    }
}
