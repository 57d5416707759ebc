package io.sluice.avro.internal;

import io.sluice.RecordException.Kind;
import io.sluice.avro.AvroCodec;
import io.sluice.avro.AvroHeader;
import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.DecodedBlock;
import io.sluice.codec.Output;
import io.sluice.codec.Rejection;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What decoding a run of container blocks has in common, whatever it makes of the records: decompression, the account of
 * every byte, and what is lost when a record fails.
 *
 * <p>A record that is refused as it is (bytes that are no UTF-8, a union branch that the reader's schema lacks) costs
 * only itself, provided that the rest of its block still parses to the last byte. One that breaks the encoding costs the rest of its block,
 * because nothing tells where the next record begins.
 *
 * <p>In a compressed block a record has no bytes of its own in the file; the account gives it its share of the block's,
 * in proportion to what it takes uncompressed. {@link Rejection#raw()} has the uncompressed bytes.
 *
 * @param <B> see {@link BlockDecoder}
 */
public abstract class AvroBlockDecoder<B> implements BlockDecoder<B> {

    private static final int SAMPLE_BYTES = 1024;
    /** A decompressed block larger than this is not kept as room for the next one. */
    private static final int KEPT_BYTES = 8 << 20;

    private final int maxBlockBytes;
    private final BinaryInput walker;
    private Output scratch = new Output(1024);
    private @Nullable AvroHeader header;
    private AvroCodec.@Nullable Coder coder;
    private @Nullable Shape shape;

    /** Where decoding stopped: the first byte of the record that failed. */
    protected int stoppedAt;
    /** Why decoding stopped, null where it did not. */
    protected @Nullable BadRecord failure;

    // the account of the run being decoded
    private final List<Rejection> rejections = new ArrayList<>();
    private int values;
    private long lines;
    private long delivered;
    private long blank;

    protected AvroBlockDecoder(int maxBlockBytes, int maxNesting) {
        this.maxBlockBytes = maxBlockBytes;
        this.walker = new BinaryInput(maxNesting);
    }

    /**
     * The file has changed, or this is the first: gets ready for its schema.
     *
     * @throws io.sluice.SluiceException where its schema does not fit
     */
    protected abstract void open(AvroHeader newHeader, Shape newShape);

    /** A run of blocks begins. */
    protected abstract void begin();

    /**
     * Decodes up to {@code count} records from {@code data[from, to)}, appending them to the run's values. Stops at the first that
     * fails, leaving nothing of it behind, with {@link #stoppedAt} and {@link #failure} set; else leaves {@code stoppedAt} behind the
     * last record.
     *
     * @return records decoded
     */
    protected abstract int records(byte[] data, int from, int to, int count);

    /** The run is over: its values. */
    protected abstract B end();

    /** The shape of the file's records. */
    protected final Shape shape() {
        return Objects.requireNonNull(shape);
    }

    @Override
    public final DecodedBlock<B> decode(Block block) {
        AvroHeader now = (AvroHeader) Objects.requireNonNull(block.header(), "an Avro block without its file's header");
        if (now != header) {
            Shape newShape = Shape.of(now.schema());
            coder = now.codec() == BlockCodecs.NONE ? null : now.codec().coder();
            open(now, newShape);
            shape = newShape;
            header = now;
        }
        rejections.clear();
        values = 0;
        lines = 0;
        delivered = 0;
        blank = 0;
        begin();
        walker.reset(block.bytes(), block.from(), block.to());
        while (walker.pos < block.to()) {
            int start = walker.pos;
            long count = walker.readLong();
            int size = (int) walker.readLong();
            container(block, start, count, walker.pos, size);
            walker.reset(block.bytes(), walker.pos, block.to());
        }
        if (scratch.array().length > KEPT_BYTES) {
            scratch = new Output(1024);
        }
        return new DecodedBlock<>(end(), values, lines, 0, delivered, blank, List.copyOf(rejections));
    }

    /** One container block: its data, {@code size} bytes from {@code dataAt} of the run's array. */
    private void container(Block block, int start, long count, int dataAt, int size) {
        int overhead = dataAt - start + AvroFramer.SYNC_BYTES;
        int base = start - block.from();
        byte[] data = block.bytes();
        int from = dataAt;
        int to = dataAt + size;
        AvroCodec.Coder c = coder;
        if (c != null) {
            scratch.position(0);
            try {
                c.decompress(block.bytes(), dataAt, size, scratch, maxBlockBytes);
            } catch (IOException | RuntimeException e) {
                byte[] raw = Arrays.copyOfRange(block.bytes(), dataAt, dataAt + Math.min(size, SAMPLE_BYTES));
                String why = e instanceof IOException ? String.valueOf(e.getMessage()) : e.toString();
                long records = count <= maxBlockBytes ? count : 0;
                rejections.add(new Rejection(
                        values,
                        lines,
                        base,
                        overhead + size,
                        raw,
                        Kind.CORRUPT,
                        why,
                        dataAt - block.from(),
                        true,
                        records,
                        e));
                lines += records;
                walker.reset(block.bytes(), dataAt + size + AvroFramer.SYNC_BYTES, block.to());
                return;
            }
            data = scratch.array();
            from = 0;
            to = scratch.position();
        }
        blank += overhead;
        records(new Account(dataAt - block.from(), size, from, to), data, count);
        walker.reset(block.bytes(), dataAt + size + AvroFramer.SYNC_BYTES, block.to());
    }

    /** Maps offsets in a block's uncompressed data to offsets in the run. */
    private record Account(int base, int size, int from, int to) {

        int offset(int at) {
            return to == from ? base : base + (int) ((long) (at - from) * size / (to - from));
        }
    }

    private void records(Account account, byte[] data, long claimed) {
        Shape walk = shape();
        int to = account.to();
        long left = claimed;
        int pos = account.from();
        int min = walk.minBytes();
        long rejectedBytes = 0;
        boolean sound = false;
        if (min == 0 && claimed > BinaryInput.MAX_EMPTY) {
            String why = "a block claims " + claimed + " records that have no bytes";
            delivered += account.size() - reject(account, data, pos, to, Kind.CORRUPT, why, true, 0, null);
            return;
        }
        while (left > 0) {
            failure = null;
            int most = (int) (min == 0 ? left : Math.min(left, (to - pos) / min));
            int n = most == 0 ? 0 : records(data, pos, to, most);
            values += n;
            lines += n;
            left -= n;
            if (most == 0) {
                stoppedAt = pos;
                failure = BinaryInput.cutOff();
            }
            pos = stoppedAt;
            BadRecord bad = failure;
            if (bad == null) {
                continue;
            }
            if (pos == to && min > 0) {
                String why = "a block claims " + claimed + " records, but its data ends after " + (claimed - left);
                reject(account, data, pos, to, Kind.CORRUPT, why, true, 0, null);
                break;
            }
            int recordEnd = bad.bounded() ? recordEnd(data, pos, to) : -1;
            if (recordEnd >= 0 && (sound || restIsSound(data, recordEnd, to, left - 1))) {
                sound = true;
                rejectedBytes +=
                        reject(account, data, pos, recordEnd, bad.kind(), bad.reason(), false, 0, bad.getCause());
                lines++;
                left--;
                pos = recordEnd;
                continue;
            }
            long lost = left <= (long) (to - pos) / Math.max(1, min) ? left : 0;
            rejectedBytes += reject(
                    account,
                    data,
                    pos,
                    to,
                    bad.kind(),
                    bad.reason() + "; the rest of the block is lost",
                    true,
                    lost,
                    bad.getCause());
            lines += lost;
            pos = to;
            break;
        }
        if (pos < to) {
            rejectedBytes += reject(
                    account,
                    data,
                    pos,
                    to,
                    Kind.CORRUPT,
                    (to - pos) + " bytes follow the " + claimed + " records that the block claims",
                    true,
                    0,
                    null);
        }
        delivered += account.size() - rejectedBytes;
    }

    private long reject(
            Account account,
            byte[] data,
            int from,
            int to,
            Kind kind,
            String reason,
            boolean lost,
            long records,
            @Nullable Throwable cause) {
        int start = account.offset(from);
        int length = account.offset(to) - start;
        byte[] raw = Arrays.copyOfRange(data, from, lost ? Math.min(to, from + SAMPLE_BYTES) : to);
        rejections.add(new Rejection(values, lines, start, length, raw, kind, reason, start, lost, records, cause));
        return length;
    }

    private int recordEnd(byte[] data, int pos, int to) {
        try {
            walker.reset(data, pos, to);
            shape().check(walker);
            return walker.pos;
        } catch (BadRecord e) {
            return -1;
        }
    }

    private boolean restIsSound(byte[] data, int pos, int to, long count) {
        Shape walk = shape();
        try {
            walker.reset(data, pos, to);
            for (long i = 0; i < count; i++) {
                walk.check(walker);
            }
            return walker.pos == to;
        } catch (BadRecord e) {
            return false;
        }
    }
}
