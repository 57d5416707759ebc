package io.sluice.avro.internal;

import io.sluice.SluiceException;
import io.sluice.avro.AvroCodec;
import io.sluice.avro.AvroHeader;
import io.sluice.codec.Output;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.avro.Schema;

/**
 * Writes one container file: header, and blocks of what is put into {@link #pending()}. Single-threaded.
 *
 * <p>What was done since {@link #mark()} can be undone by {@link #reset()}, blocks that were written included, as far as they
 * are held here: the output is the caller's to roll back.
 */
public final class BlockWriter {

    private static final SecureRandom RANDOM = new SecureRandom();
    private static final byte[] MAGIC = {'O', 'b', 'j', 1};

    private final AvroCodec codec;
    private final AvroCodec.Coder coder;
    private final int blockBytes;
    private final Map<String, byte[]> metadata;
    private final byte[] sync = new byte[AvroFramer.SYNC_BYTES];
    private final Output compressed = new Output(1024);

    private Output pending = new Output(1024);
    private long count;
    private boolean begun;

    private Output marked = pending;
    private Output spare = new Output(1024);
    private int markedPosition;
    private long markedCount;
    private boolean markedBegun;

    /**
     * @param blockBytes the size, uncompressed, at which a block is written
     * @param metadata entries for the header beside the schema and the codec
     */
    public BlockWriter(AvroCodec codec, int blockBytes, Map<String, byte[]> metadata) {
        this.codec = codec;
        this.coder = codec.coder();
        this.blockBytes = blockBytes;
        this.metadata = metadata;
        RANDOM.nextBytes(sync);
    }

    /** Whether the header was written. */
    public boolean begun() {
        return begun;
    }

    /** Writes the header. */
    public void begin(Schema schema, Output out) {
        begun = true;
        Map<String, byte[]> all = new LinkedHashMap<>();
        all.put(AvroHeader.SCHEMA_KEY, schema.toString().getBytes(StandardCharsets.UTF_8));
        all.put(AvroHeader.CODEC_KEY, codec.name().getBytes(StandardCharsets.UTF_8));
        all.putAll(metadata);
        out.write(MAGIC, 0, MAGIC.length);
        BinaryOutput.writeLong(all.size(), out);
        all.forEach((key, value) -> {
            BinaryOutput.writeString(key, out);
            BinaryOutput.writeBytes(value, out);
        });
        out.write(0);
        out.write(sync, 0, sync.length);
    }

    /** Where the next record's bytes go. */
    public Output pending() {
        return pending;
    }

    /** Bytes that the next block takes, before it is compressed: 0 where there is no record for it. */
    public long pendingBytes() {
        return count == 0
                ? 0
                : BinaryOutput.lengthOf(count)
                        + BinaryOutput.lengthOf(pending.position())
                        + (long) pending.position()
                        + sync.length;
    }

    /** Makes room for a record: writes the block that is due. */
    public void next(Output out) {
        if (pending.position() >= blockBytes) {
            flush(out);
        }
    }

    /** A record was put into {@link #pending()}. */
    public void added() {
        count++;
    }

    /** Writes what waits as a block. */
    public void flush(Output out) {
        if (count == 0) {
            return;
        }
        byte[] bytes = pending.array();
        int length = pending.position();
        if (codec != BlockCodecs.NONE) {
            compressed.position(0);
            try {
                coder.compress(bytes, 0, length, compressed);
            } catch (IOException e) {
                throw new SluiceException(null, -1, -1, "codec '" + codec.name() + "' failed: " + e.getMessage(), e);
            }
            bytes = compressed.array();
            length = compressed.position();
        }
        BinaryOutput.writeLong(count, out);
        BinaryOutput.writeLong(length, out);
        out.write(bytes, 0, length);
        out.write(sync, 0, sync.length);
        if (pending == marked) {
            // kept as it is, should it have to come back
            pending = spare;
        }
        pending.position(0);
        count = 0;
    }

    /** Remembers the state that {@link #reset} goes back to. */
    public void mark() {
        if (pending != marked) {
            spare = marked;
            marked = pending;
        }
        markedPosition = pending.position();
        markedCount = count;
        markedBegun = begun;
    }

    /** Goes back to {@link #mark}. */
    public void reset() {
        pending = marked;
        pending.position(markedPosition);
        count = markedCount;
        begun = markedBegun;
    }
}
