package io.sluice.format;

import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.BlockEmitter;
import io.sluice.codec.BlockOrigin;
import io.sluice.codec.DecodedBlock;
import io.sluice.codec.FormatReader;
import io.sluice.codec.ReadLimits;
import io.sluice.internal.json.Lines;
import org.jspecify.annotations.Nullable;

/** Counts the records of a block without looking into them; emits the counts. */
record LineCounter(ReadLimits limits) implements FormatReader<Integer, Long> {

    @Override
    public BlockDecoder<Integer> decoder() {
        return new Decoder(limits);
    }

    @Override
    public BlockEmitter<Integer, Long> emitter() {
        return new Emitter();
    }

    private static final class Decoder implements BlockDecoder<Integer> {
        private final Lines lines;

        Decoder(ReadLimits limits) {
            this.lines = new Lines(limits);
        }

        @Override
        public DecodedBlock<Integer> decode(Block block) {
            int n = 0;
            lines.open(block);
            while (lines.nextLine()) {
                n++;
            }
            return lines.close(n, n);
        }
    }

    private static final class Emitter implements BlockEmitter<Integer, Long> {
        private int ready;
        private int polled;

        @Override
        public void accept(BlockOrigin origin, Integer values, int from, int to) {
            ready = to - from;
        }

        @Override
        public boolean hasNext() {
            return ready > 0;
        }

        @Override
        public @Nullable Long poll() {
            if (ready == 0) {
                return null;
            }
            polled = ready;
            ready = 0;
            return (long) polled;
        }

        @Override
        public int polledRecords() {
            return polled;
        }
    }
}
