package io.sluice.storage;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A range of a file, open for reading. A regular file's length is pinned when it is opened: bytes appended later are not read,
 * bytes that went missing are an error. A pipe or a device is read up to its end.
 */
final class LocalFile implements ReadableByteChannel {

    /** Reads through a heap buffer copy by way of a direct buffer of the same size that the JDK keeps per thread. */
    static final int MAX_TRANSFER_BYTES = 1 << 20;

    private final Path path;
    private final String name;
    private final FileChannel channel;
    private final boolean regular;
    private final long sizeAtOpen;
    private final @Nullable String pinned;
    private long remaining;
    private boolean checked;

    private LocalFile(
            Path path, String name, FileChannel channel, boolean regular, long sizeAtOpen, @Nullable String pinned) {
        this.path = path;
        this.name = name;
        this.channel = channel;
        this.regular = regular;
        this.sizeAtOpen = sizeAtOpen;
        this.pinned = pinned;
    }

    /** @throws StorageException for everything that goes wrong */
    static LocalFile open(Path path, String name, ByteRange range, @Nullable String ifMatch) {
        FileChannel channel = null;
        try {
            BasicFileAttributes before = attributes(path, name);
            requireMatch(before, ifMatch, name);
            channel = FileChannel.open(path, StandardOpenOption.READ);
            if (ifMatch != null) {
                // the name may have passed to another file since: only if it has the ETag before and after did we open
                // that one
                requireMatch(attributes(path, name), ifMatch, name);
            }
            LocalFile file = new LocalFile(
                    path, name, channel, before.isRegularFile(), before.isRegularFile() ? channel.size() : -1, ifMatch);
            file.position(range);
            return file;
        } catch (IOException | RuntimeException error) {
            if (channel != null) {
                closeQuietly(channel);
            }
            throw error instanceof IOException failure ? LocalErrors.of(failure, path, name) : (RuntimeException) error;
        }
    }

    static BasicFileAttributes attributes(Path path, String name) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
        if (attributes.isDirectory()) {
            throw new StorageException(
                    Kind.NOT_FOUND, name, "is a directory, not a file; a directory's location ends with '/'", null);
        }
        return attributes;
    }

    static ObjectMeta meta(String key, BasicFileAttributes attributes) {
        return attributes.isRegularFile()
                ? new ObjectMeta(
                        key,
                        attributes.size(),
                        etag(attributes),
                        attributes.lastModifiedTime().toInstant())
                : new ObjectMeta(key, -1, null, null);
    }

    /** Size, modification time and inode. Null for what is no regular file. */
    static @Nullable String etag(BasicFileAttributes attributes) {
        if (!attributes.isRegularFile()) {
            return null;
        }
        return Long.toHexString(attributes.size())
                + '-'
                + Long.toHexString(attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS))
                + '-'
                + inode(attributes.fileKey());
    }

    /** The inode alone: a device number may differ after the next mount. */
    private static String inode(@Nullable Object fileKey) {
        if (fileKey == null) {
            return "0";
        }
        String text = fileKey.toString();
        int start = text.indexOf("ino=");
        if (start >= 0 && text.endsWith(")")) {
            try {
                return Long.toHexString(Long.parseLong(text.substring(start + 4, text.length() - 1)));
            } catch (NumberFormatException otherShape) {
                // as below
            }
        }
        return Integer.toHexString(text.hashCode());
    }

    private static void requireMatch(BasicFileAttributes attributes, @Nullable String ifMatch, String name) {
        if (ifMatch != null && !ifMatch.equals(etag(attributes))) {
            throw changed(
                    name, "is not the version that was pinned: its ETag is " + etag(attributes) + ", not " + ifMatch);
        }
    }

    private static StorageException changed(String name, String reason) {
        return new StorageException(Kind.CHANGED, name, reason, null);
    }

    private void position(ByteRange range) throws IOException {
        if (regular) {
            if (range.offset() > sizeAtOpen) {
                throw behindEnd(range, sizeAtOpen);
            }
            channel.position(range.offset());
            remaining = Math.min(range.length(), sizeAtOpen - range.offset());
            return;
        }
        ByteBuffer skipped = ByteBuffer.allocate(1 << 16);
        for (long left = range.offset(); left > 0; ) {
            skipped.clear().limit((int) Math.min(left, skipped.capacity()));
            int n = channel.read(skipped);
            if (n < 0) {
                throw behindEnd(range, range.offset() - left);
            }
            left -= n;
        }
        remaining = range.length();
    }

    private StorageException behindEnd(ByteRange range, long size) {
        return new StorageException(
                Kind.INVALID_REQUEST,
                name,
                "the range begins at byte " + range.offset() + ", behind the end at " + size,
                null);
    }

    /** Whether the range has been read to its end, as far as can be known without reading. */
    boolean exhausted() {
        return remaining == 0;
    }

    /** The next chunk of at most {@code maxBytes}, or null at the end. */
    @Nullable
    ByteBuffer next(int maxBytes) throws IOException {
        if (remaining == 0) {
            return null;
        }
        ByteBuffer chunk = ByteBuffer.allocate((int) Math.min(remaining, maxBytes));
        do {
            if (read(chunk) < 0) {
                break;
            }
            // what a pipe has now is handed on now
        } while (regular && chunk.hasRemaining());
        return chunk.position() == 0 ? null : chunk.flip();
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        if (remaining == 0) {
            return -1;
        }
        int want = (int) Math.min(remaining, target.remaining());
        if (!target.isDirect()) {
            want = Math.min(want, MAX_TRANSFER_BYTES);
        }
        int limit = target.limit();
        int n;
        target.limit(target.position() + want);
        try {
            n = channel.read(target);
        } finally {
            target.limit(limit);
        }
        if (n < 0) {
            if (!regular) {
                remaining = 0;
                return -1;
            }
            throw changed(
                    name,
                    "was cut off while it was read: it had " + sizeAtOpen + " bytes when it was opened and now has "
                            + channel.size());
        }
        remaining -= n;
        if (remaining == 0) {
            requireUnchanged();
        }
        return n;
    }

    /** A file of unchanged size that was written to in place; one that grew still begins with the bytes that were pinned. */
    private void requireUnchanged() throws IOException {
        if (pinned == null || checked) {
            return;
        }
        checked = true;
        BasicFileAttributes now;
        try {
            now = Files.readAttributes(path, BasicFileAttributes.class);
        } catch (IOException gone) {
            return; // deleted or replaced: what is open here is the old file, whole
        }
        String etag = etag(now);
        if (etag != null && !etag.equals(pinned) && now.size() == sizeAtOpen && sameFile(etag, pinned)) {
            throw changed(name, "was written to while it was read");
        }
    }

    private static boolean sameFile(String etag, String other) {
        return etag.substring(etag.lastIndexOf('-')).equals(other.substring(other.lastIndexOf('-')));
    }

    @Override
    public boolean isOpen() {
        return channel.isOpen();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    static void closeQuietly(ReadableByteChannel channel) {
        try {
            channel.close();
        } catch (IOException ignored) {
            // nothing was written through it
        }
    }
}
