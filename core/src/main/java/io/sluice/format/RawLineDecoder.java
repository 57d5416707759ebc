package io.sluice.format;

import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.DecodedBlock;
import io.sluice.codec.ReadLimits;
import io.sluice.internal.json.Lines;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Every line that is not blank, as a view of the block's bytes. */
final class RawLineDecoder implements BlockDecoder<Object[]> {

    private final Lines lines;
    private int expected = 64;

    RawLineDecoder(ReadLimits limits) {
        this.lines = new Lines(limits);
    }

    @Override
    public DecodedBlock<Object[]> decode(Block block) {
        Object[] values = new Object[expected];
        int n = 0;
        lines.open(block);
        while (lines.nextLine()) {
            if (n == values.length) {
                values = Arrays.copyOf(values, n * 2);
            }
            values[n++] = ByteBuffer.wrap(lines.bytes(), lines.start(), lines.end() - lines.start())
                    .slice();
        }
        expected = Math.max(16, n + (n >> 3));
        return lines.close(values, n);
    }
}
