package io.sluice.storage;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Lists the files below a directory in order of their keys, one directory at a time: what is held is the names of the
 * directories on the way down. A link to a directory is followed unless it leads back to a directory above it.
 */
final class LocalWalk implements BlockingFlux.Source<ObjectMeta> {

    private final LocalObjectStore store;
    private final String prefix;
    private final boolean recursive;
    private final Deque<Level> levels = new ArrayDeque<>();
    private boolean started;
    private volatile boolean closed;
    private @Nullable ObjectMeta ahead;

    LocalWalk(LocalObjectStore store, String prefix, boolean recursive) {
        this.store = store;
        this.prefix = prefix;
        this.recursive = recursive;
    }

    /** A name in a directory; the key of a directory ends with a slash, which is how its files sort among its siblings. */
    private record Entry(String key, Path path, BasicFileAttributes attributes) {}

    /** A directory on the way down, and what is left of it. */
    private static final class Level {
        private final @Nullable Object fileKey;
        private final List<Entry> entries;
        private int next;

        Level(@Nullable Object fileKey, List<Entry> entries) {
            this.fileKey = fileKey;
            this.entries = entries;
        }
    }

    @Override
    public @Nullable ObjectMeta next() {
        ObjectMeta meta = ahead == null ? advance() : ahead;
        ahead = null;
        return meta;
    }

    @Override
    public boolean exhausted() {
        ahead = ahead == null ? advance() : ahead;
        return ahead == null;
    }

    @Override
    public void close() {
        closed = true;
    }

    private @Nullable ObjectMeta advance() {
        if (!started) {
            started = true;
            start();
        }
        while (!closed) {
            Level level = levels.peek();
            if (level == null) {
                return null;
            }
            if (level.next == level.entries.size()) {
                levels.pop();
                continue;
            }
            Entry entry = level.entries.get(level.next++);
            if (!entry.attributes.isDirectory()) {
                return LocalFile.meta(entry.key, entry.attributes);
            }
            descend(entry);
        }
        return null;
    }

    private void start() {
        int slash = prefix.lastIndexOf('/');
        String directory = prefix.substring(0, slash + 1);
        String names = prefix.substring(slash + 1);
        Path path = store.pathOf(directory.isEmpty() ? "" : directory.substring(0, slash));
        String shown = store.displayName(directory);
        try {
            BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
            if (!attributes.isDirectory()) {
                throw new NotDirectoryException(path.toString());
            }
            levels.push(new Level(attributes.fileKey(), read(path, directory, names)));
        } catch (NoSuchFileException | NotDirectoryException missing) {
            if (names.isEmpty()) {
                String why =
                        missing instanceof NoSuchFileException ? "there is no such directory" : "is not a directory";
                throw new StorageException(Kind.NOT_FOUND, shown, why, missing);
            }
        } catch (IOException error) {
            StorageException mapped = LocalErrors.of(error, path, shown);
            if (mapped.kind() != Kind.NOT_FOUND || names.isEmpty()) {
                throw mapped;
            }
        }
    }

    private void descend(Entry entry) {
        Object fileKey = entry.attributes.fileKey();
        for (Level above : levels) {
            if (fileKey != null && fileKey.equals(above.fileKey)) {
                return;
            }
        }
        try {
            levels.push(new Level(fileKey, read(entry.path, entry.key, "")));
        } catch (NoSuchFileException | NotDirectoryException gone) {
            // removed while we walked
        } catch (IOException error) {
            throw LocalErrors.of(error, entry.path, store.displayName(entry.key));
        }
    }

    private List<Entry> read(Path directory, String key, String names) throws IOException {
        List<Entry> entries = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
            for (Path path : stream) {
                if (closed) {
                    break;
                }
                String name = Objects.requireNonNull(path.getFileName()).toString();
                if (!name.startsWith(names) || name.startsWith(LocalObjectStore.RESERVED_PREFIX)) {
                    continue;
                }
                Entry entry = entry(path, key + name);
                if (entry != null) {
                    entries.add(entry);
                }
            }
        } catch (DirectoryIteratorException error) {
            throw error.getCause();
        }
        entries.sort((a, b) -> ObjectKeys.ORDER.compare(a.key, b.key));
        return entries;
    }

    private @Nullable Entry entry(Path path, String key) throws IOException {
        BasicFileAttributes attributes;
        try {
            attributes = Files.readAttributes(path, BasicFileAttributes.class);
        } catch (NoSuchFileException gone) {
            return null; // or a link that leads nowhere
        } catch (IOException error) {
            if (Files.isSymbolicLink(path)) {
                return null;
            }
            throw LocalErrors.of(error, path, store.displayName(key));
        }
        if (attributes.isRegularFile()) {
            return new Entry(key, path, attributes);
        }
        return attributes.isDirectory() && recursive ? new Entry(key + '/', path, attributes) : null;
    }
}
