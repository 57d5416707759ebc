package io.sluice.testing;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.WatchService;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.spi.FileSystemProvider;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The default file system, seen through one that takes down, in order, what is done to make files and to make them last:
 * {@code mkdir create write force link move delete}, each with the path below {@link #root()}.
 */
public final class WatchedFiles extends FileSystemProvider {

    /** What happened so far. */
    public final List<String> events = Collections.synchronizedList(new ArrayList<>());

    /** An event that fails in place of happening; null for none. */
    public volatile String failing;

    private final Path real;
    private final Watched fileSystem = new Watched();

    /** @param real a directory of the default file system */
    public WatchedFiles(Path real) {
        this.real = real;
    }

    /** The directory, as a path of the watched file system. */
    public Path root() {
        return watched(real);
    }

    private void event(String what, Path path) throws IOException {
        String event = what + " " + real.relativize(path);
        if (event.equals(failing)) {
            throw new IOException("made to fail: " + event);
        }
        events.add(event);
    }

    private Path watched(Path path) {
        return (Path) Proxy.newProxyInstance(
                WatchedFiles.class.getClassLoader(), new Class<?>[] {Path.class}, (proxy, method, given) -> {
                    if (method.getName().equals("getFileSystem")) {
                        return fileSystem;
                    }
                    Object[] args = given == null ? new Object[0] : given.clone();
                    for (int i = 0; i < args.length; i++) {
                        args[i] = args[i] instanceof Path other ? real(other) : args[i];
                    }
                    try {
                        Object result = method.invoke(path, args);
                        return result instanceof Path other ? watched(other) : result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    /** {@code toString} is what a path and its watched counterpart have in common. */
    private Path real(Path path) {
        return Proxy.isProxyClass(path.getClass()) ? Path.of(path.toString()) : path;
    }

    private FileSystemProvider provider() {
        return real.getFileSystem().provider();
    }

    @Override
    public FileChannel newFileChannel(Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
            throws IOException {
        if (options.stream().anyMatch(option -> option.toString().startsWith("CREATE"))) {
            event("create", real(path));
        }
        return new WatchedChannel(real(path), provider().newFileChannel(real(path), options, attributes));
    }

    @Override
    public void createDirectory(Path directory, FileAttribute<?>... attributes) throws IOException {
        event("mkdir", real(directory));
        provider().createDirectory(real(directory), attributes);
    }

    @Override
    public void createLink(Path link, Path existing) throws IOException {
        event("link", real(link));
        provider().createLink(real(link), real(existing));
    }

    @Override
    public void move(Path source, Path target, CopyOption... options) throws IOException {
        event("move", real(target));
        provider().move(real(source), real(target), options);
    }

    @Override
    public void delete(Path path) throws IOException {
        event("delete", real(path));
        provider().delete(real(path));
    }

    @Override
    public void copy(Path source, Path target, CopyOption... options) throws IOException {
        provider().copy(real(source), real(target), options);
    }

    @Override
    public <A extends BasicFileAttributes> A readAttributes(Path path, Class<A> type, LinkOption... options)
            throws IOException {
        return provider().readAttributes(real(path), type, options);
    }

    @Override
    public Map<String, Object> readAttributes(Path path, String names, LinkOption... options) throws IOException {
        return provider().readAttributes(real(path), names, options);
    }

    @Override
    public <V extends FileAttributeView> V getFileAttributeView(Path path, Class<V> type, LinkOption... options) {
        return provider().getFileAttributeView(real(path), type, options);
    }

    @Override
    public void setAttribute(Path path, String name, Object value, LinkOption... options) throws IOException {
        provider().setAttribute(real(path), name, value, options);
    }

    @Override
    public void checkAccess(Path path, AccessMode... modes) throws IOException {
        provider().checkAccess(real(path), modes);
    }

    @Override
    public boolean isSameFile(Path path, Path other) throws IOException {
        return provider().isSameFile(real(path), real(other));
    }

    @Override
    public boolean isHidden(Path path) throws IOException {
        return provider().isHidden(real(path));
    }

    @Override
    public FileStore getFileStore(Path path) throws IOException {
        return provider().getFileStore(real(path));
    }

    @Override
    public String getScheme() {
        return "watched";
    }

    @Override
    public FileSystem getFileSystem(URI uri) {
        return fileSystem;
    }

    @Override
    public FileSystem newFileSystem(URI uri, Map<String, ?> environment) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Path getPath(URI uri) {
        throw new UnsupportedOperationException();
    }

    @Override
    public SeekableByteChannel newByteChannel(
            Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes) throws IOException {
        return newFileChannel(path, options, attributes);
    }

    @Override
    public DirectoryStream<Path> newDirectoryStream(Path directory, DirectoryStream.Filter<? super Path> filter) {
        throw new UnsupportedOperationException();
    }

    private final class Watched extends FileSystem {

        @Override
        public FileSystemProvider provider() {
            return WatchedFiles.this;
        }

        @Override
        public Path getPath(String first, String... more) {
            return watched(real.getFileSystem().getPath(first, more));
        }

        @Override
        public String getSeparator() {
            return real.getFileSystem().getSeparator();
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public boolean isReadOnly() {
            return false;
        }

        @Override
        public Iterable<Path> getRootDirectories() {
            throw new UnsupportedOperationException();
        }

        @Override
        public Iterable<FileStore> getFileStores() {
            throw new UnsupportedOperationException();
        }

        @Override
        public Set<String> supportedFileAttributeViews() {
            return real.getFileSystem().supportedFileAttributeViews();
        }

        @Override
        public PathMatcher getPathMatcher(String pattern) {
            throw new UnsupportedOperationException();
        }

        @Override
        public UserPrincipalLookupService getUserPrincipalLookupService() {
            throw new UnsupportedOperationException();
        }

        @Override
        public WatchService newWatchService() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void close() {
            throw new UnsupportedOperationException();
        }
    }

    /** Only what a store calls; a new use of something else shows at once. */
    private final class WatchedChannel extends FileChannel {

        private final Path path;
        private final FileChannel inner;

        WatchedChannel(Path path, FileChannel inner) {
            this.path = path;
            this.inner = inner;
        }

        @Override
        public int write(ByteBuffer bytes) throws IOException {
            event("write", path);
            return inner.write(bytes);
        }

        @Override
        public void force(boolean metadata) throws IOException {
            event("force", path);
            inner.force(metadata);
        }

        @Override
        public int read(ByteBuffer into) throws IOException {
            return inner.read(into);
        }

        @Override
        public long position() throws IOException {
            return inner.position();
        }

        @Override
        public FileChannel position(long newPosition) throws IOException {
            inner.position(newPosition);
            return this;
        }

        @Override
        public long size() throws IOException {
            return inner.size();
        }

        @Override
        protected void implCloseChannel() throws IOException {
            inner.close();
        }

        @Override
        public long read(ByteBuffer[] into, int offset, int length) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long write(ByteBuffer[] bytes, int offset, int length) {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileChannel truncate(long size) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long transferTo(long from, long count, WritableByteChannel target) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long transferFrom(ReadableByteChannel source, long from, long count) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int read(ByteBuffer into, long from) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int write(ByteBuffer bytes, long from) {
            throw new UnsupportedOperationException();
        }

        @Override
        public MappedByteBuffer map(MapMode mode, long from, long size) {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileLock lock(long from, long size, boolean shared) {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileLock tryLock(long from, long size, boolean shared) {
            throw new UnsupportedOperationException();
        }
    }
}
