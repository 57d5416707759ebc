package io.sluice.format;

import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.DecodedBlock;
import io.sluice.codec.ReadLimits;
import io.sluice.codec.Rejection;
import io.sluice.internal.json.Lines;
import java.nio.ByteBuffer;
import java.util.List;

/** The lines that another decoder takes, as views of the block's bytes. */
final class CheckedLineDecoder implements BlockDecoder<Object[]> {

    private final BlockDecoder<Object[]> check;
    private final Lines lines;

    CheckedLineDecoder(BlockDecoder<Object[]> check, ReadLimits limits) {
        this.check = check;
        this.lines = new Lines(limits);
    }

    @Override
    public DecodedBlock<Object[]> decode(Block block) {
        DecodedBlock<Object[]> checked = check.decode(block);
        List<Rejection> rejections = checked.rejections();
        Object[] values = new Object[checked.count()];
        int n = 0;
        int r = 0;
        lines.open(block);
        while (lines.nextLine()) {
            int offset = lines.start() - block.from();
            while (r < rejections.size() && rejections.get(r).start() < offset) {
                r++;
            }
            if (r == rejections.size() || rejections.get(r).start() != offset) {
                values[n++] = ByteBuffer.wrap(lines.bytes(), lines.start(), lines.end() - lines.start())
                        .slice();
            }
        }
        if (n != values.length) {
            throw new IllegalStateException(n + " lines for " + values.length + " records");
        }
        return new DecodedBlock<>(
                values,
                n,
                checked.lines(),
                checked.blankLines(),
                checked.bytesDelivered(),
                checked.bytesBlank(),
                rejections);
    }
}
