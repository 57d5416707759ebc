package io.sluice.testing;

import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.BlockEmitter;
import io.sluice.codec.Encoder;
import io.sluice.codec.FormatReader;
import io.sluice.codec.Framer;
import io.sluice.codec.ReadLimits;
import io.sluice.format.Format;
import io.sluice.format.Jsonl;
import java.nio.ByteBuffer;
import java.util.List;

/** Raw lines, as {@link Jsonl#bytes()}; a test overrides what it wants to go differently. */
public class LinesWrapper implements Format<ByteBuffer> {

    protected final Format<ByteBuffer> inner = Jsonl.bytes();

    @Override
    public String name() {
        return "lines";
    }

    @Override
    public List<String> extensions() {
        return inner.extensions();
    }

    @Override
    public Framer framer(ReadLimits limits) {
        return inner.framer(limits);
    }

    @Override
    @SuppressWarnings("unchecked") // raw lines travel as arrays
    public FormatReader<?, ByteBuffer> reader(ReadLimits limits, List<Block> sample) {
        return reader((FormatReader<Object[], ByteBuffer>) inner.reader(limits, sample), sample);
    }

    /** The reader that is used, given the one of raw lines. */
    protected FormatReader<Object[], ByteBuffer> reader(FormatReader<Object[], ByteBuffer> lines, List<Block> sample) {
        return new Reader(lines);
    }

    @Override
    public Encoder<ByteBuffer> encoder() {
        return inner.encoder();
    }

    /** Passes everything on. */
    public static class Reader implements FormatReader<Object[], ByteBuffer> {

        private final FormatReader<Object[], ByteBuffer> lines;

        public Reader(FormatReader<Object[], ByteBuffer> lines) {
            this.lines = lines;
        }

        @Override
        public BlockDecoder<Object[]> decoder() {
            return lines.decoder();
        }

        @Override
        public BlockEmitter<Object[], ByteBuffer> emitter() {
            return lines.emitter();
        }

        @Override
        public boolean keepsBytes() {
            return lines.keepsBytes();
        }
    }

    /** A last step of which a test changes a part. */
    public static class Emitter implements BlockEmitter<Object[], ByteBuffer> {

        private final BlockEmitter<Object[], ByteBuffer> lines;

        public Emitter(BlockEmitter<Object[], ByteBuffer> lines) {
            this.lines = lines;
        }

        @Override
        public void accept(io.sluice.codec.BlockOrigin origin, Object[] values, int from, int to) {
            lines.accept(origin, values, from, to);
        }

        @Override
        public boolean hasNext() {
            return lines.hasNext();
        }

        @Override
        public ByteBuffer poll() {
            return lines.poll();
        }

        @Override
        public void close() {
            lines.close();
        }
    }
}
