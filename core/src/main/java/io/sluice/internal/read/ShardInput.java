package io.sluice.internal.read;

import io.sluice.CorruptDataException;
import io.sluice.codec.Compression;
import io.sluice.codec.Compressions;
import io.sluice.codec.DecompressionLimits;
import io.sluice.codec.Decompressor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** A shard's uncompressed bytes: its stored bytes, checked against their magic numbers and decompressed. */
final class ShardInput {

    /** Enough for the magic numbers of all known compressions. */
    private static final int HEAD_BYTES = 4;

    /** Stored bytes that are handed to a decompressor at a time: small enough to stay in a core's cache. */
    private static final int COMPRESSED_CHUNK = 64 << 10;

    final RawInput raw;

    private final String key;
    private final @Nullable Compression named;
    private final DecompressionLimits limits;
    private final long start;
    private final long startUncompressed;

    private final byte[] head = new byte[HEAD_BYTES];
    private int headLength;
    private int headTaken;
    /** How the store broke off within those. */
    private @Nullable Exception broken;

    private boolean opened;
    private boolean rawEnded;
    private long rawBytes;

    private @Nullable Decompressor decompressor;
    private @Nullable CorruptDataException damage;
    private ByteBuffer compressed = ByteBuffer.allocate(0);
    private final ArrayDeque<long[]> frames = new ArrayDeque<>(2);

    /**
     * @param named the compression that the caller named, or null to go by the key
     * @param start offset of the first stored byte that {@code raw} gives
     * @param startUncompressed what that is in the uncompressed shard
     */
    ShardInput(
            RawInput raw,
            String key,
            @Nullable Compression named,
            DecompressionLimits limits,
            long start,
            long startUncompressed) {
        this.raw = raw;
        this.key = key;
        this.named = named;
        this.limits = limits;
        this.start = start;
        this.startUncompressed = startUncompressed;
    }

    /** As {@link RawInput#read}, for uncompressed bytes. */
    int read(byte[] into, int from, int length) throws IOException {
        if (!opened) {
            int ready = open();
            if (ready == RawInput.PENDING) {
                return RawInput.PENDING;
            }
        }
        return decompressor == null ? readPlain(into, from, length) : readCompressed(decompressor, into, from, length);
    }

    /** Whether reading takes more than to copy; known once bytes have been read. */
    boolean decompresses() {
        return decompressor != null;
    }

    /** Stored bytes taken so far. */
    long storedBytes() {
        return rawBytes;
    }

    /** Where to restart reading for the uncompressed {@code offset}: stored offset, and uncompressed bytes to skip from there. */
    long[] restartFor(long offset) {
        if (decompressor == null) {
            return new long[] {start + offset - startUncompressed, 0};
        }
        // blocks are cut in order, so frames before the last one at or before this offset won't be asked for again
        while (frames.size() > 1 && secondFrame()[1] <= offset) {
            frames.removeFirst();
        }
        long[] frame = frames.getFirst();
        return new long[] {frame[0], offset - frame[1]};
    }

    private long[] secondFrame() {
        var it = frames.iterator();
        it.next();
        return it.next();
    }

    void close() {
        raw.close();
        if (decompressor != null) {
            decompressor.close();
        }
    }

    private int open() throws IOException {
        while (headLength < HEAD_BYTES && !rawEnded) {
            int n;
            try {
                n = raw.read(head, headLength, HEAD_BYTES - headLength);
            } catch (IOException | RuntimeException e) {
                broken = e;
                if (headLength == 0 || !isNone(compression())) {
                    throw e;
                }
                // content, which goes before the error and is accounted for, but too little to tell what it is
                opened = true;
                return 1;
            }
            if (n == RawInput.PENDING) {
                return RawInput.PENDING;
            }
            if (n == RawInput.END) {
                rawEnded = true;
            } else {
                headLength += n;
                rawBytes += n;
            }
        }
        opened = true;
        Compression compression = compression();
        if (headLength > 0) {
            check(compression);
        }
        if (!isNone(compression)) {
            decompressor = compression.decompressor(limits);
            frames.add(new long[] {start, startUncompressed});
            compressed = ByteBuffer.allocate(COMPRESSED_CHUNK);
            compressed.put(head, 0, headLength).flip();
        }
        return 1;
    }

    private Compression compression() {
        return named == null ? Compressions.ofKey(key) : named;
    }

    private static boolean isNone(Compression compression) {
        return compression.name().equals(Compressions.none().name());
    }

    private void check(Compression compression) {
        boolean plain = isNone(compression);
        if (!plain && !compression.matches(head, 0, headLength)) {
            throw new CorruptDataException(
                    null,
                    -1,
                    start,
                    "is not " + compression.name() + ": its first bytes are " + hex()
                            + (named == null
                                    ? "; its name says so: rename it, or name the compression in the ReadSpec"
                                    : ""),
                    null);
        }
        if (plain && named == null && start == 0) {
            Compression hidden = Compressions.ofHead(head, 0, headLength);
            if (!hidden.name().equals(compression.name())) {
                throw new CorruptDataException(
                        null,
                        -1,
                        start,
                        "is " + hidden.name() + " by its first bytes (" + hex()
                                + "), but its name does not say so: name it "
                                + hidden.extensions().get(0) + ", or name the compression in the ReadSpec",
                        null);
            }
        }
    }

    private String hex() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < headLength; i++) {
            text.append(i == 0 ? "" : " ")
                    .append(Character.forDigit(head[i] >> 4 & 15, 16))
                    .append(Character.forDigit(head[i] & 15, 16));
        }
        return text.toString();
    }

    private int readPlain(byte[] into, int from, int length) throws IOException {
        if (headTaken < headLength) {
            int n = Math.min(length, headLength - headTaken);
            System.arraycopy(head, headTaken, into, from, n);
            headTaken += n;
            return n;
        }
        Exception error = broken;
        if (error instanceof IOException io) {
            throw io;
        }
        if (error instanceof RuntimeException other) {
            throw other;
        }
        if (rawEnded) {
            return RawInput.END;
        }
        int n = raw.read(into, from, length);
        if (n > 0) {
            rawBytes += n;
        } else if (n == RawInput.END) {
            rawEnded = true;
        }
        return n;
    }

    private int readCompressed(Decompressor d, byte[] into, int from, int length) throws IOException {
        if (damage != null) {
            throw damage;
        }
        ByteBuffer out = ByteBuffer.wrap(into, from, length);
        for (; ; ) {
            try {
                d.decompress(compressed, out);
            } catch (CorruptDataException e) {
                if (out.position() > from) {
                    damage = e; // what came out is good and goes first
                    note(d);
                    return out.position() - from;
                }
                throw e;
            }
            note(d);
            if (out.position() > from) {
                return out.position() - from;
            }
            if (rawEnded) {
                d.end();
                return RawInput.END;
            }
            compressed.clear();
            int n = raw.read(compressed.array(), 0, compressed.capacity());
            if (n <= 0) {
                compressed.limit(0);
                if (n == RawInput.PENDING) {
                    return RawInput.PENDING;
                }
                rawEnded = true;
            } else {
                rawBytes += n;
                compressed.limit(n);
            }
        }
    }

    private void note(Decompressor d) {
        long stored = start + d.frameStart();
        if (stored != frames.getLast()[0]) {
            frames.addLast(new long[] {stored, startUncompressed + d.frameStartUncompressed()});
        }
    }
}
