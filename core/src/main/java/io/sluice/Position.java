package io.sluice;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Objects;

/**
 * A place between two records of a data set: where to read on. A few dozen bytes; {@link #token()} makes it a string.
 *
 * <p>Resuming costs one seek to {@code restart}, {@code skipBytes} of decompression, and at most one block of decoding: O(1)
 * for plain files and container formats; for compressed ones O(frame or member).
 *
 * @param key the shard's key
 * @param restart offset in bytes of the stored object from which to read: a block's start, or where the shard is
 *     compressed, the start of a frame or member
 * @param skipBytes uncompressed bytes from there to the block's start
 * @param block offset in bytes of the block's start in the uncompressed shard
 * @param line lines (or records) of the shard before the block
 * @param before records of the shard before the block, rejected ones included
 * @param records records of the block, rejected ones included, that are done with
 */
public record Position(String key, long restart, long skipBytes, long block, long line, long before, long records)
        implements Serializable {

    /** Checks its arguments. */
    public Position {
        Objects.requireNonNull(key, "key");
        if (restart < 0 || skipBytes < 0 || block < 0 || line < 0 || before < 0 || records < 0) {
            throw new IllegalArgumentException("a position has no negative parts");
        }
    }

    /** The start of a shard. */
    public static Position startOf(String key) {
        return new Position(key, 0, 0, 0, 0, 0, 0);
    }

    /** Records of the shard before this position, rejected ones included. */
    public long recordsBefore() {
        return before + records;
    }

    /** This position as URL-safe text that {@link #parse} reads. */
    public String token() {
        String text =
                "1:" + restart + ':' + skipBytes + ':' + block + ':' + line + ':' + before + ':' + records + ':' + key;
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Reads what {@link #token()} wrote.
     *
     * @throws IllegalArgumentException where it is anything else
     */
    public static Position parse(String token) {
        try {
            String text = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8);
            String[] parts = text.split(":", 8);
            if (parts.length == 8 && parts[0].equals("1")) {
                return new Position(
                        parts[7],
                        Long.parseLong(parts[1]),
                        Long.parseLong(parts[2]),
                        Long.parseLong(parts[3]),
                        Long.parseLong(parts[4]),
                        Long.parseLong(parts[5]),
                        Long.parseLong(parts[6]));
            }
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("not a position token: " + token, e);
        }
        throw new IllegalArgumentException("not a position token: " + token);
    }
}
