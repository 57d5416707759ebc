package io.sluice.codec;

import org.jspecify.annotations.Nullable;

/**
 * Cuts a shard's uncompressed bytes into blocks of whole records. Cheap and sequential; one framer per shard. It is
 * shown the bytes that are not framed yet, as often as more have arrived, and remembers how far it has looked.
 */
public interface Framer {

    /** What {@link #next} answers when the bytes shown hold no whole block yet. */
    int NEED_MORE = 0;

    /**
     * Looks at the unframed bytes {@code [from, to)}. Bytes shown before and not taken are shown again (at other indexes
     * perhaps), followed by what has arrived since.
     *
     * @param last whether these are the shard's last bytes; then every byte must be taken by this and the following calls
     * @return {@code n > 0}: the next {@code n} bytes are a block; {@code NEED_MORE}; {@code n < 0}: the next
     *     {@code -n} bytes are dropped, being part of a stretch that can't be read or of the shard's header; when that
     *     stretch ends, {@link #dropped()} tells of it
     * @throws io.sluice.SluiceException where nothing more of this shard can be read
     */
    int next(byte[] bytes, int from, int to, boolean last);

    /**
     * After {@code next} returned a negative number: the account of the whole dropped stretch if it ended with these
     * bytes, else null. {@code start}, {@code at} and {@code length} of the rejection are relative to the stretch's first byte.
     * A stretch without a rejection (a header) is {@link #NO_RECORD}.
     */
    @Nullable
    Rejection dropped();

    /** Marks a dropped stretch that held no record and lost none: a file header, padding. Counted as blank bytes. */
    Rejection NO_RECORD =
            new Rejection(0, 0, 0, 0, new byte[0], io.sluice.RecordException.Kind.CORRUPT, "", 0, false, 0, null);

    /** How many unframed bytes the framer needs to see to get on, as far as it knows: sizes the pipeline's buffer. */
    default int wanted() {
        return 0;
    }

    /** What every block of the shard carries as its header; null where the format has none. */
    default @Nullable Object header() {
        return null;
    }

    /**
     * Whether a shard that is resumed in its middle must be shown its first bytes again, until {@link #header()} is not
     * null, before the bytes at the position.
     */
    default boolean needsHeader() {
        return false;
    }

    /**
     * Tells, before the shard's first bytes are shown to find its header, for which position it is sought: what is before
     * that may count as header, too.
     */
    default void seekHeader(long offset) {}

    /** Tells that the bytes shown next stand at {@code offset} of the shard, where a block begins: after a resume. */
    default void resumeAt(long offset) {}
}
