package io.sluice.storage;

import java.io.IOException;
import java.nio.channels.ReadableByteChannel;
import org.jspecify.annotations.Nullable;

/**
 * What a store adds whose reads block by nature, such as a local disk. The read pipeline then reads on its own bounded
 * elastic workers, straight into its block buffers: one copy and one thread hop fewer than {@link ObjectStore#get}.
 */
public interface BlockingReads {

    /**
     * Opens an object for sequential reading. Called and read on a thread that may block; the caller closes it.
     * Same meaning and same errors (thrown) as {@link ObjectStore#get}; {@code read} throws
     * {@link io.sluice.StorageException} as well ({@code CHANGED}, for a file cut off meanwhile), or IOException, which the
     * caller maps to one. Closing it from another thread ends a read under way.
     */
    ReadableByteChannel open(String key, ByteRange range, @Nullable String ifMatch) throws IOException;
}
