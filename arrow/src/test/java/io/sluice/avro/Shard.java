package io.sluice.avro;

import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.BlockEmitter;
import io.sluice.codec.BlockOrigin;
import io.sluice.codec.DecodedBlock;
import io.sluice.codec.FormatReader;
import io.sluice.codec.Framer;
import io.sluice.codec.ReadLimits;
import io.sluice.codec.Rejection;
import io.sluice.format.Format;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** Reads a shard as the pipeline does, on the calling thread, its bytes arriving in chunks of a given size. */
public final class Shard {

    /** A rejection with its place in the shard. */
    public record Refused(long offset, long length, long valuesBefore, Rejection rejection) {

        @Override
        public String toString() {
            return rejection.kind() + " @" + offset + "+" + length + " after " + valuesBefore
                    + (rejection.lost() ? " lost " + rejection.lostRecords() : "") + ": " + rejection.reason();
        }
    }

    /** What came of the shard. */
    public record Result<T>(
            List<T> values, List<Refused> refused, long delivered, long blank, long rejected, long lost, long lines) {

        long bytes() {
            return delivered + blank + rejected + lost;
        }
    }

    public static final ReadLimits LIMITS = new ReadLimits(1 << 18, 1 << 24, 1000);

    private Shard() {}

    public static <T> Result<T> read(Format<T> format, byte[] shard) {
        return read(format, shard, Math.max(1, shard.length), LIMITS);
    }

    public static <T> Result<T> read(Format<T> format, byte[] shard, int chunk, ReadLimits limits) {
        List<Block> sample = new ArrayList<>();
        if (format.sampleBytes() > 0) {
            new Walk(format.framer(limits), shard, chunk) {
                @Override
                boolean block(Block block) {
                    sample.add(block);
                    return false;
                }
            }.run();
        }
        return read(format.reader(limits, sample), format, shard, chunk, limits);
    }

    private static <B, T> Result<T> read(
            FormatReader<B, T> reader, Format<T> format, byte[] shard, int chunk, ReadLimits limits) {
        BlockDecoder<B> decoder = reader.decoder();
        List<T> values = new ArrayList<>();
        List<Refused> refused = new ArrayList<>();
        long[] sums = new long[6]; // delivered, blank, rejected, lost, lines, values
        try (BlockEmitter<B, T> emitter = reader.emitter()) {
            new Walk(format.framer(limits), shard, chunk) {
                @Override
                boolean block(Block block) {
                    DecodedBlock<B> decoded = decoder.decode(block);
                    long parts = decoded.bytesDelivered() + decoded.bytesBlank();
                    for (Rejection rejection : decoded.rejections()) {
                        parts += rejection.length();
                        refuse(block.offset(), rejection);
                    }
                    if (parts != block.length()) {
                        throw new AssertionError("a block of " + block.length() + " bytes accounts for " + parts);
                    }
                    sums[0] += decoded.bytesDelivered();
                    sums[1] += decoded.bytesBlank();
                    sums[4] += decoded.lines();
                    emitter.accept(
                            new BlockOrigin("shard", 0, block.offset(), sums[5]), decoded.values(), 0, decoded.count());
                    sums[5] += decoded.count();
                    drain();
                    return true;
                }

                void refuse(long base, Rejection rejection) {
                    refused.add(new Refused(
                            base + rejection.start(),
                            rejection.length(),
                            sums[5] + rejection.valuesBefore(),
                            rejection));
                    sums[rejection.lost() ? 3 : 2] += rejection.length();
                }

                @Override
                void dropped(long offset, Rejection rejection, long length) {
                    if (rejection == Framer.NO_RECORD) {
                        sums[1] += length;
                    } else {
                        if (rejection.length() != length) {
                            throw new AssertionError("a stretch of " + length + " bytes says " + rejection.length());
                        }
                        refuse(offset, rejection);
                    }
                }

                void drain() {
                    T value;
                    while ((value = emitter.poll()) != null) {
                        values.add(value);
                    }
                }
            }.run();
            emitter.end();
            T value;
            while ((value = emitter.poll()) != null) {
                values.add(value);
            }
        }
        return new Result<>(values, refused, sums[0], sums[1], sums[2], sums[3], sums[4]);
    }

    /** The pipeline's growing buffer. */
    abstract static class Walk {

        private final Framer framer;
        private final byte[] shard;
        private final int chunk;

        Walk(Framer framer, byte[] shard, int chunk) {
            this.framer = framer;
            this.shard = shard;
            this.chunk = chunk;
        }

        abstract boolean block(Block block);

        void dropped(long offset, Rejection rejection, long length) {}

        void run() {
            int taken = 0;
            int arrived = 0;
            long stretchFrom = 0;
            boolean inStretch = false;
            while (true) {
                boolean last = arrived == shard.length;
                // a copy of exactly what has arrived, so that reading beyond it is an error
                byte[] buffer = Arrays.copyOfRange(shard, taken, arrived);
                int at = 0;
                while (at < buffer.length) {
                    int n = framer.next(buffer, at, buffer.length, last);
                    if (n == Framer.NEED_MORE) {
                        break;
                    }
                    if (n > 0) {
                        if (!block(new Block(buffer, at, at + n, taken + at, framer.header()))) {
                            return;
                        }
                        at += n;
                    } else {
                        if (!inStretch) {
                            stretchFrom = taken + at;
                            inStretch = true;
                        }
                        at -= n;
                        Rejection rejection = framer.dropped();
                        if (rejection != null) {
                            dropped(stretchFrom, rejection, taken + at - stretchFrom);
                            inStretch = false;
                        }
                    }
                }
                taken += at;
                if (last) {
                    if (taken != shard.length || inStretch) {
                        throw new AssertionError("the framer left " + (shard.length - taken) + " bytes"
                                + (inStretch ? " inside a stretch" : ""));
                    }
                    return;
                }
                int more = Math.max(chunk, chunk > 64 ? framer.wanted() - (arrived - taken) : 0);
                arrived = (int) Math.min(shard.length, (long) arrived + more);
            }
        }
    }

    public static <T> T only(List<T> list) {
        if (list.size() != 1) {
            throw new AssertionError("not one but " + list);
        }
        return Objects.requireNonNull(list.get(0));
    }
}
