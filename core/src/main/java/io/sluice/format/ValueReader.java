package io.sluice.format;

import io.sluice.codec.BlockDecoder;
import io.sluice.codec.BlockEmitter;
import io.sluice.codec.FormatReader;
import io.sluice.codec.ValueEmitter;
import java.util.function.Supplier;

/**
 * The reader of formats whose decoders make whole values.
 *
 * @param keepsBytes whether the values refer to the bytes of their block
 */
record ValueReader<T>(Supplier<BlockDecoder<Object[]>> decoders, boolean keepsBytes)
        implements FormatReader<Object[], T> {

    @Override
    public BlockDecoder<Object[]> decoder() {
        return decoders.get();
    }

    @Override
    public BlockEmitter<Object[], T> emitter() {
        return new ValueEmitter<>();
    }
}
