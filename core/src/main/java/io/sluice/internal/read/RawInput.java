package io.sluice.internal.read;

import java.io.IOException;

/** A shard's stored bytes, taken in order by the pump's current thread. */
interface RawInput {

    /** There are no more bytes. */
    int END = -1;

    /** There are no bytes yet; the pump is woken when there are. */
    int PENDING = 0;

    /** Copies up to {@code length} bytes, at least one; or answers {@link #END} or {@link #PENDING}. */
    int read(byte[] into, int from, int length) throws IOException;

    /** Stops the I/O, from any thread, without waiting. */
    void cancel();

    /** Releases everything; called on the pump's thread after the last read. */
    void close();
}
