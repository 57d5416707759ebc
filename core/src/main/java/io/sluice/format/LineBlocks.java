package io.sluice.format;

import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.BlockEmitter;
import io.sluice.codec.BlockOrigin;
import io.sluice.codec.DecodedBlock;
import io.sluice.codec.FormatReader;
import io.sluice.codec.Output;
import io.sluice.codec.ReadLimits;
import io.sluice.internal.json.Lines;
import io.sluice.internal.json.Newlines;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** The lines of a block together, in place where there is nothing between them to leave out. */
record LineBlocks(ReadLimits limits) implements FormatReader<LineBlocks.Run, ByteBuffer> {

    /** {@code count} lines, none of them blank, each with its line feed. */
    record Run(byte[] bytes, int from, int to, int count) {

        /** Index behind the line that {@code lines} of them end with. */
        int behind(int lines) {
            if (lines == count) {
                return to;
            }
            int at = from;
            for (int i = 0; i < lines; i++) {
                at = Newlines.first(bytes, at, to) + 1;
            }
            return at;
        }
    }

    @Override
    public BlockDecoder<Run> decoder() {
        return new Decoder(limits);
    }

    @Override
    public BlockEmitter<Run, ByteBuffer> emitter() {
        return new Emitter();
    }

    @Override
    public boolean keepsBytes() {
        return true;
    }

    private static final class Decoder implements BlockDecoder<Run> {
        private final Lines lines;

        Decoder(ReadLimits limits) {
            this.lines = new Lines(limits);
        }

        @Override
        public DecodedBlock<Run> decode(Block block) {
            int from = block.from();
            int to = from;
            int count = 0;
            Output copy = null;
            lines.open(block);
            byte[] b = lines.bytes();
            while (lines.nextLine()) {
                int start = lines.start();
                int end = lines.end();
                int next = end < block.to() && b[end] == '\r' ? end + 1 : end;
                boolean terminated = next < block.to() && b[next] == '\n';
                if (count == 0) {
                    from = start;
                    to = start;
                }
                if (copy == null && (start != to || !terminated)) {
                    copy = new Output(block.length() + 1);
                    copy.write(b, from, to - from);
                }
                if (copy != null) {
                    copy.write(b, start, end - start);
                    copy.write('\n');
                }
                to = next + 1;
                count++;
            }
            Run run = copy == null ? new Run(b, from, to, count) : new Run(copy.array(), 0, copy.position(), count);
            return lines.close(run, count);
        }
    }

    private static final class Emitter implements BlockEmitter<Run, ByteBuffer> {
        private @Nullable ByteBuffer ready;
        private int readyLines;
        private int polledLines;

        @Override
        public void accept(BlockOrigin origin, Run run, int from, int to) {
            if (from == to) {
                return;
            }
            int start = run.behind(from);
            int end = run.behind(to);
            ready = ByteBuffer.wrap(run.bytes, start, end - start).slice();
            readyLines = to - from;
        }

        @Override
        public boolean hasNext() {
            return ready != null;
        }

        @Override
        public @Nullable ByteBuffer poll() {
            ByteBuffer value = ready;
            ready = null;
            polledLines = readyLines;
            return value;
        }

        @Override
        public int polledRecords() {
            return polledLines;
        }

        @Override
        public void close() {
            ready = null;
        }
    }
}
