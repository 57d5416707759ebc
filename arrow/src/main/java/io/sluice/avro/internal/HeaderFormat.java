package io.sluice.avro.internal;

import io.sluice.avro.AvroHeader;
import io.sluice.avro.AvroSpec;
import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.BlockEmitter;
import io.sluice.codec.DecodedBlock;
import io.sluice.codec.Encoder;
import io.sluice.codec.FormatReader;
import io.sluice.codec.Framer;
import io.sluice.codec.ReadLimits;
import io.sluice.codec.Rejection;
import io.sluice.codec.ValueEmitter;
import io.sluice.format.Format;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The header of each file as its one record; what follows is passed over. */
public final class HeaderFormat implements Format<AvroHeader> {

    private final AvroSpec spec;

    /** @param spec bounds and codecs */
    public HeaderFormat(AvroSpec spec) {
        this.spec = spec;
    }

    @Override
    public String name() {
        return "avro headers";
    }

    @Override
    public List<String> extensions() {
        return List.of(".avro");
    }

    @Override
    public int maxBlockBytes(ReadLimits limits) {
        return AvroFramer.mostBytes(spec);
    }

    @Override
    public Framer framer(ReadLimits limits) {
        return new HeaderFramer(AvroFramer.create(spec, limits));
    }

    @Override
    public FormatReader<?, AvroHeader> reader(ReadLimits limits, List<Block> sample) {
        return new FormatReader<Object[], AvroHeader>() {
            @Override
            public BlockDecoder<Object[]> decoder() {
                return block -> new DecodedBlock<>(
                        new Object[] {Objects.requireNonNull(block.header())}, 1, 1, 0, block.length(), 0, List.of());
            }

            @Override
            public BlockEmitter<Object[], AvroHeader> emitter() {
                return new ValueEmitter<>();
            }
        };
    }

    @Override
    public Encoder<AvroHeader> encoder() {
        throw new UnsupportedOperationException(name() + " can only be read");
    }

    private static final class HeaderFramer implements Framer {

        private final AvroFramer whole;
        private boolean done;

        HeaderFramer(AvroFramer whole) {
            this.whole = whole;
        }

        @Override
        public int next(byte[] bytes, int from, int to, boolean last) {
            if (done) {
                return from - to;
            }
            int n = whole.next(bytes, from, to, last);
            if (n < 0 && whole.header() != null) {
                done = true;
                return -n;
            }
            return n;
        }

        @Override
        public @Nullable Rejection dropped() {
            return done ? NO_RECORD : whole.dropped();
        }

        @Override
        public int wanted() {
            return done ? 0 : whole.wanted();
        }

        @Override
        public @Nullable Object header() {
            return whole.header();
        }
    }
}
