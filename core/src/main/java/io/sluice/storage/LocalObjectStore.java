package io.sluice.storage;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * The files below a directory. A key is a path relative to it; it cannot climb out by {@code ..}, but symbolic links are
 * followed wherever they lead, as by any program that opens a file.
 *
 * <p>All I/O runs on the scheduler, by default {@link Schedulers#boundedElastic()}; no thread is held while nothing is
 * requested. Signals of {@link #get} and {@link #list} arrive on that scheduler too.
 *
 * <p>An ETag is made of a file's size, modification time and inode. It changes whenever a file is replaced. A file that is
 * written to in place, without a change of size and within one tick of the file system's clock, keeps its ETag.
 *
 * <p>A file is written under a temporary name that begins with {@value #RESERVED_PREFIX} in the directory where it will
 * stand, synced to the disk, then linked ({@link PutMode#CREATE}) or moved ({@link PutMode#OVERWRITE}) to its name, and the
 * directory is synced, where the system can do that. Directories are made as needed, and stay if the writing fails. An
 * overwritten symbolic link stays a link: the file it leads to is replaced. Files with the reserved prefix are never listed
 * and can't be written; what a killed process leaves of them can be deleted at any time that nobody writes.
 * On a file system without hard links, creators exclude one another by a lock on a file {@code .sluice-lock}, which stays; a program
 * that does not know of it can then still create the same file in between and be overwritten.
 *
 * <p>Pipes and devices can be read (a {@code head} says -1 for their size) but are not listed and have no ETag.
 */
public final class LocalObjectStore implements ObjectStore, BlockingReads {

    /** Bytes of the chunks that {@link #get} emits; the last one of a range may be smaller. */
    public static final int CHUNK_BYTES = 256 << 10;

    /** Files whose name begins so belong to this store. */
    public static final String RESERVED_PREFIX = ".sluice-";

    private final Path root;
    private final Scheduler scheduler;
    private final LocalPut.Linker linker;

    LocalObjectStore(Path root, Scheduler scheduler, LocalPut.Linker linker) {
        this.root = Objects.requireNonNull(root, "root");
        this.scheduler = Objects.requireNonNull(scheduler, "scheduler");
        this.linker = linker;
    }

    /**
     * The files below a directory, which need not exist yet.
     *
     * @param root {@code Path.of("")} stands for the working directory, {@code /} for the whole file system
     */
    public static LocalObjectStore at(Path root) {
        return at(root, Schedulers.boundedElastic());
    }

    /**
     * The files below a directory, with I/O on a scheduler of your own.
     *
     * @param scheduler must allow blocking; it is not disposed by this store
     */
    public static LocalObjectStore at(Path root, Scheduler scheduler) {
        return new LocalObjectStore(root, scheduler, Files::createLink);
    }

    /** The directory that keys are relative to. */
    public Path root() {
        return root;
    }

    @Override
    public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(range, "range");
        return new BlockingFlux<>(() -> new Chunks(key, range, ifMatch), scheduler);
    }

    @Override
    public ReadableByteChannel open(String key, ByteRange range, @Nullable String ifMatch) {
        return LocalFile.open(file(key), displayName(key), range, ifMatch);
    }

    @Override
    public Mono<ObjectMeta> head(String key) {
        Objects.requireNonNull(key, "key");
        return blocking(key, () -> LocalFile.meta(key, LocalFile.attributes(file(key), displayName(key))));
    }

    @Override
    public Flux<ObjectMeta> list(String prefix) {
        return walk(prefix, true);
    }

    @Override
    public Flux<ObjectMeta> listDirectory(String directory) {
        return walk(ObjectStore.directoryPrefix(directory), false);
    }

    private Flux<ObjectMeta> walk(String prefix, boolean recursive) {
        Objects.requireNonNull(prefix, "prefix");
        return new BlockingFlux<>(() -> new LocalWalk(this, ObjectKeys.requirePrefix(prefix), recursive), scheduler);
    }

    @Override
    public Mono<ObjectMeta> put(String key, Publisher<ByteBuffer> content, PutMode mode) {
        Objects.requireNonNull(content, "content");
        Objects.requireNonNull(mode, "mode");
        Objects.requireNonNull(key, "key");
        return Mono.defer(() -> {
            Path target = file(key);
            String name = displayName(key);
            if (Objects.requireNonNull(target.getFileName()).toString().startsWith(RESERVED_PREFIX)) {
                throw new StorageException(
                        Kind.INVALID_REQUEST, name, "names that begin with " + RESERVED_PREFIX + " are reserved", null);
            }
            return new LocalPut(new LocalTarget(key, name, target, mode, linker), content, scheduler);
        });
    }

    @Override
    public Mono<Void> delete(String key) {
        Objects.requireNonNull(key, "key");
        return blocking(key, () -> {
            Path file = file(key);
            try {
                if (!Files.isDirectory(file)) {
                    Files.deleteIfExists(file);
                }
            } catch (IOException error) {
                StorageException mapped = LocalErrors.of(error, file, displayName(key));
                if (mapped.kind() != Kind.NOT_FOUND) {
                    throw mapped;
                }
            }
            return null;
        });
    }

    /** The path as it is reached from the root: relative to the working directory if the root is. */
    @Override
    public boolean hasDirectories() {
        return true;
    }

    @Override
    public String displayName(String key) {
        try {
            String path = root.resolve(key).toString();
            return path.isEmpty() ? "." : path;
        } catch (InvalidPathException unrepresentable) {
            return key;
        }
    }

    @Override
    public String toString() {
        return "LocalObjectStore[" + root + "]";
    }

    private <T> Mono<T> blocking(String key, Callable<@Nullable T> action) {
        return Mono.<T>fromCallable(() -> {
                    try {
                        return action.call();
                    } catch (IOException error) {
                        throw LocalErrors.of(error, file(key), displayName(key));
                    }
                })
                .subscribeOn(scheduler);
    }

    private Path file(String key) {
        ObjectKeys.requireKey(key);
        return pathOf(key);
    }

    Path pathOf(String key) {
        String separator = root.getFileSystem().getSeparator();
        if (!separator.equals("/") && key.contains(separator)) {
            throw new StorageException(
                    Kind.INVALID_REQUEST, key, "a key's separator is '/'; this one contains '" + separator + "'", null);
        }
        try {
            Path path = root.getFileSystem().getPath(key);
            if (path.getRoot() == null) {
                return root.resolve(path);
            }
        } catch (InvalidPathException unrepresentable) {
            throw new StorageException(
                    Kind.INVALID_REQUEST,
                    key,
                    "the file system can't represent this name: " + unrepresentable.getReason(),
                    unrepresentable);
        }
        // a drive letter, on systems that have them
        throw new StorageException(Kind.INVALID_REQUEST, key, "this key leads out of " + root, null);
    }

    /** One reading of a file, opened on the first request. */
    private final class Chunks implements BlockingFlux.Source<ByteBuffer> {

        private final Path path;
        private final String name;
        private final ByteRange range;
        private final @Nullable String ifMatch;
        private volatile @Nullable LocalFile file;

        Chunks(String key, ByteRange range, @Nullable String ifMatch) {
            this.path = file(key);
            this.name = displayName(key);
            this.range = range;
            this.ifMatch = ifMatch;
        }

        @Override
        public @Nullable ByteBuffer next() {
            LocalFile open = file;
            if (open == null) {
                open = LocalFile.open(path, name, range, ifMatch);
                file = open;
            }
            try {
                return open.next(CHUNK_BYTES);
            } catch (IOException error) {
                throw LocalErrors.of(error, path, name);
            }
        }

        @Override
        public boolean exhausted() {
            LocalFile open = file;
            return open != null && open.exhausted();
        }

        @Override
        public void close() {
            LocalFile open = file;
            if (open != null) {
                LocalFile.closeQuietly(open);
            }
        }
    }
}
