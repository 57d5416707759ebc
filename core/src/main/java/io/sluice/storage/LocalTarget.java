package io.sluice.storage;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A file being written: opened, written, then committed or aborted, all by one thread at a time that may block. */
final class LocalTarget {

    /** Excludes creators of this process from one another where hard links can't; a file lock knows only processes. */
    private static final Object NO_LINKS_LOCK = new Object();

    /** Written at a time: the JDK copies heap bytes into a direct buffer of this size first, which so stays in a core's cache. */
    private static final int MAX_TRANSFER_BYTES = 64 << 10;

    private final String key;
    private final String name;
    private final PutMode mode;
    private final LocalPut.Linker linker;
    private final List<Path> directoriesMade = new ArrayList<>();
    private Path target;
    private @Nullable Path temporary;
    private @Nullable FileChannel channel;

    LocalTarget(String key, String name, Path target, PutMode mode, LocalPut.Linker linker) {
        this.key = key;
        this.name = name;
        this.target = target;
        this.mode = mode;
        this.linker = linker;
    }

    void open() {
        run(() -> {
            if (mode == PutMode.CREATE && Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
                // spares the writing; the commit decides
                throw LocalErrors.alreadyExists(name, null);
            }
            if (mode == PutMode.OVERWRITE && Files.isSymbolicLink(target) && Files.exists(target)) {
                target = target.toRealPath();
            }
            if (Files.isDirectory(target)) {
                throw isDirectory(null);
            }
            makeDirectories(target.getParent());
            temporary = target.resolveSibling(LocalObjectStore.RESERVED_PREFIX + UUID.randomUUID() + ".tmp");
            channel = FileChannel.open(temporary, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
        });
    }

    void write(ByteBuffer content) {
        FileChannel open = channel;
        if (open == null) {
            throw new IllegalStateException("not open");
        }
        // the position is the owner's: the content may be subscribed to again
        ByteBuffer bytes = content.duplicate();
        int end = bytes.limit();
        run(() -> {
            while (bytes.position() < end) {
                bytes.limit(Math.min(end, bytes.position() + MAX_TRANSFER_BYTES));
                open.write(bytes);
            }
        });
    }

    /** Once this has begun, the file appears whole, or an error says why not. */
    ObjectMeta commit() {
        ObjectMeta[] meta = new ObjectMeta[1];
        run(() -> {
            FileChannel open = channel;
            Path written = temporary;
            if (open == null || written == null) {
                throw new IllegalStateException("not open");
            }
            open.force(true);
            open.close();
            // of the file that was written, as another writer may have replaced it by the time the name could be looked
            // up
            meta[0] = LocalFile.meta(key, Files.readAttributes(written, BasicFileAttributes.class));
            if (mode == PutMode.CREATE) {
                create(written);
            } else {
                overwrite(written);
            }
            temporary = null;
        });
        directoriesMade.add(parent(target));
        directoriesMade.forEach(LocalTarget::sync);
        return meta[0];
    }

    void abort() {
        if (channel != null) {
            LocalFile.closeQuietly(channel);
        }
        deleteTemporary();
    }

    private void create(Path written) throws IOException {
        try {
            linker.link(target, written);
        } catch (FileAlreadyExistsException taken) {
            throw LocalErrors.alreadyExists(name, taken);
        } catch (UnsupportedOperationException noLinks) {
            createWithoutLinks(written);
        } catch (FileSystemException failure) {
            if (failure instanceof AccessDeniedException || LocalErrors.isDiskFull(failure) || canLink(written)) {
                throw failure;
            }
            createWithoutLinks(written);
        }
        deleteTemporary();
    }

    /** Tried, as what a system says where it has no hard links differs between systems and languages. */
    private boolean canLink(Path written) {
        Path probe = written.resolveSibling(written.getFileName() + ".link");
        try {
            linker.link(probe, written);
            Files.deleteIfExists(probe);
            return true;
        } catch (IOException | UnsupportedOperationException no) {
            return false;
        }
    }

    private void createWithoutLinks(Path written) throws IOException {
        Path lock = target.resolveSibling(LocalObjectStore.RESERVED_PREFIX + "lock");
        synchronized (NO_LINKS_LOCK) {
            try (FileChannel locked = FileChannel.open(lock, StandardOpenOption.WRITE, StandardOpenOption.CREATE)) {
                locked.lock();
                if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
                    throw LocalErrors.alreadyExists(name, null);
                }
                Files.move(written, target, StandardCopyOption.ATOMIC_MOVE);
            }
        }
    }

    private void overwrite(Path written) throws IOException {
        try {
            Files.move(written, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException error) {
            if (Files.isDirectory(target)) {
                throw isDirectory(error);
            }
            throw error;
        }
    }

    private StorageException isDirectory(@Nullable Exception cause) {
        return new StorageException(
                Kind.INVALID_REQUEST, name, "is a directory and can't be overwritten by a file", cause);
    }

    private void makeDirectories(@Nullable Path directory) throws IOException {
        if (directory == null || Files.isDirectory(directory)) {
            return;
        }
        makeDirectories(directory.getParent());
        try {
            Files.createDirectory(directory);
            directoriesMade.add(parent(directory));
        } catch (FileAlreadyExistsException race) {
            if (!Files.isDirectory(directory)) {
                throw new StorageException(
                        Kind.INVALID_REQUEST, name, directory + " is a file and can't become a directory", race);
            }
        }
    }

    private static Path parent(Path path) {
        Path parent = path.getParent();
        return parent == null ? path.getFileSystem().getPath("") : parent;
    }

    /** Makes names durable. Some systems can't sync a directory, and some file systems say that it failed where it isn't needed. */
    private static void sync(Path directory) {
        try (FileChannel open = FileChannel.open(directory, StandardOpenOption.READ)) {
            open.force(true);
        } catch (IOException unable) {
            // the file stands; its content was synced before it was named
        }
    }

    private void deleteTemporary() {
        Path path = temporary;
        if (path != null) {
            temporary = null;
            try {
                Files.deleteIfExists(path);
            } catch (IOException left) {
                // ignored by all listings
            }
        }
    }

    private void run(Action action) {
        try {
            action.run();
        } catch (IOException error) {
            throw LocalErrors.of(error, target, name);
        }
    }

    private interface Action {
        void run() throws IOException;
    }
}
