package io.sluice.format;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.RecordException.Kind;
import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.BlockEmitter;
import io.sluice.codec.BlockOrigin;
import io.sluice.codec.DecodedBlock;
import io.sluice.codec.FormatReader;
import io.sluice.codec.Framer;
import io.sluice.codec.ReadLimits;
import io.sluice.codec.Rejection;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;

/** Feeds a shard's bytes through framer, decoder and emitter in chunks of one size, as the pipeline's buffer would. */
final class Drive {

    static final int[] CHUNKS = {1, 2, 3, 7, 64, Integer.MAX_VALUE};
    static final ReadLimits LIMITS = new ReadLimits(256 << 10, 8 << 20, 1000);

    /** A rejection at its place in the shard. */
    record Refused(long record, long line, long offset, long length, String raw, Kind kind, String reason, long at) {}

    /** What came out; equal for all chunk sizes. */
    record Result<T>(List<T> values, List<Refused> refused, long lines, long blankLines, long delivered, long blank) {}

    private Drive() {}

    /** The same at every chunk size, or the test fails. */
    static <T> Result<T> read(Format<T> format, ReadLimits limits, byte[] shard) {
        Result<T> whole = read(format, limits, shard, Integer.MAX_VALUE);
        for (int chunk : CHUNKS) {
            assertThat(read(format, limits, shard, chunk))
                    .as("chunks of %d", chunk)
                    .isEqualTo(whole);
        }
        return whole;
    }

    static <T> Result<T> read(Format<T> format, String shard) {
        return read(format, LIMITS, shard.getBytes(StandardCharsets.UTF_8));
    }

    static <T> Result<T> read(Format<T> format, ReadLimits limits, byte[] shard, int chunk) {
        return new Run<>(format.reader(limits, List.of()), format.framer(limits), limits).run(shard, chunk);
    }

    private static final class Run<B, T> {
        final Framer framer;
        final FormatReader<B, T> reader;
        final BlockDecoder<B> decoder;
        final BlockEmitter<B, T> emitter;
        final ReadLimits limits;
        final List<T> values = new ArrayList<>();
        final List<Refused> refused = new ArrayList<>();
        long lines;
        long blankLines;
        long delivered;
        long blank;
        long rejected;
        long offset;

        Run(FormatReader<B, T> reader, Framer framer, ReadLimits limits) {
            this.reader = reader;
            this.framer = framer;
            this.decoder = reader.decoder();
            this.emitter = reader.emitter();
            this.limits = limits;
        }

        Result<T> run(byte[] shard, int chunk) {
            int taken = 0;
            int fed = 0;
            long dropStart = 0;
            boolean dropping = false;
            boolean last = false;
            while (!last) {
                fed += Math.min(chunk, shard.length - fed);
                last = fed == shard.length;
                // a copy shows reads beyond the end, but would make long records quadratic
                boolean copy = fed - taken < 2048;
                byte[] shown = copy ? Arrays.copyOfRange(shard, taken, fed) : shard;
                int shift = copy ? taken : 0;
                while (taken < fed) {
                    int n = framer.next(shown, taken - shift, fed - shift, last);
                    if (n == Framer.NEED_MORE) {
                        assertThat(last)
                                .as("all bytes must be taken at the end")
                                .isFalse();
                        assertThat(fed - taken).as("bytes held").isLessThanOrEqualTo(limits.maxRecordBytes());
                        break;
                    }
                    if (n > 0) {
                        block(shard, taken, taken + n);
                        taken += n;
                        continue;
                    }
                    if (!dropping) {
                        dropStart = offset;
                        dropping = true;
                    }
                    taken -= n;
                    offset -= n;
                    Rejection dropped = framer.dropped();
                    if (dropped != null) {
                        dropping = false;
                        add(dropped, dropStart);
                        lines++;
                    }
                }
            }
            assertThat(taken).isEqualTo(shard.length);
            assertThat(dropping).isFalse();
            assertThat(delivered + blank + rejected).as("bytes accounted for").isEqualTo(shard.length);
            return new Result<>(values, refused, lines, blankLines, delivered, blank);
        }

        private void block(byte[] buffer, int from, int to) {
            // sometimes with room behind the block, sometimes without: both are allowed
            int room = (to - from) % 3 == 0 ? 100 : 0;
            byte[] bytes = new byte[5 + to - from + room];
            Arrays.fill(bytes, (byte) '"');
            System.arraycopy(buffer, from, bytes, 5, to - from);
            DecodedBlock<B> d = decoder.decode(new Block(bytes, 5, 5 + to - from, offset, null));
            long rejectedHere = 0;
            int emitted = 0;
            for (Rejection r : d.rejections()) {
                emit(d, emitted, r.valuesBefore());
                emitted = r.valuesBefore();
                add(r, offset);
                rejectedHere += r.length();
            }
            emit(d, emitted, d.count());
            assertThat(d.bytesDelivered() + d.bytesBlank() + rejectedHere)
                    .as("bytes of the block")
                    .isEqualTo(to - from);
            lines += d.lines();
            blankLines += d.blankLines();
            delivered += d.bytesDelivered();
            blank += d.bytesBlank();
            offset += to - from;
            if (!reader.keepsBytes()) {
                Arrays.fill(bytes, (byte) 'x');
            }
        }

        private void emit(DecodedBlock<B> d, int from, int to) {
            emitter.accept(new BlockOrigin("test", 0, offset, 0), d.values(), from, to);
            int records = 0;
            while (emitter.hasNext()) {
                values.add(Objects.requireNonNull(emitter.poll()));
                records += emitter.polledRecords();
            }
            assertThat(records).isEqualTo(to - from);
        }

        private void add(Rejection r, long base) {
            refused.add(new Refused(
                    values.size(),
                    lines + r.linesBefore() + 1,
                    base + r.start(),
                    r.length(),
                    new String(r.raw(), StandardCharsets.ISO_8859_1),
                    r.kind(),
                    r.reason(),
                    base + r.at()));
            rejected += r.length();
        }
    }

    static byte[] hex(String hex) {
        return HexFormat.of().parseHex(hex);
    }

    static String text(ByteBuffer buffer) {
        return StandardCharsets.ISO_8859_1.decode(buffer.duplicate()).toString();
    }
}
