package io.sluice.internal.write;

import io.sluice.RecordException;
import io.sluice.codec.Block;
import io.sluice.codec.Encoder;
import io.sluice.codec.FormatReader;
import io.sluice.codec.Framer;
import io.sluice.codec.Output;
import io.sluice.codec.ReadLimits;
import io.sluice.format.Format;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Strings as lines, for tests of writing: {@code "!..."} is refused after half of it was written, {@code "?..."} makes the
 * encoder throw something else. Counts releases.
 */
class LineFormat implements Format<String> {

    final AtomicLong released = new AtomicLong();
    final AtomicLong openEncoders = new AtomicLong();

    @Override
    public String name() {
        return "lines";
    }

    @Override
    public List<String> extensions() {
        return List.of(".txt");
    }

    @Override
    public Framer framer(ReadLimits limits) {
        throw new UnsupportedOperationException();
    }

    @Override
    public FormatReader<?, String> reader(ReadLimits limits, List<Block> sample) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void release(String value) {
        released.incrementAndGet();
    }

    @Override
    public Encoder<String> encoder() {
        return new LineEncoder();
    }

    class LineEncoder implements Encoder<String> {

        private boolean closed;

        LineEncoder() {
            openEncoders.incrementAndGet();
        }

        @Override
        public int encode(String value, Output out) {
            byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
            if (value.startsWith("!")) {
                out.write(bytes, 0, bytes.length / 2);
                throw new RecordException(RecordException.Kind.UNMAPPABLE, null, -1, -1, "begins with !", null);
            }
            out.write(bytes, 0, bytes.length);
            if (value.startsWith("?")) {
                throw new IllegalStateException("thrown by the encoder");
            }
            out.write('\n');
            return 1;
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                openEncoders.decrementAndGet();
            }
        }
    }
}
