package io.sluice.avro.internal;

import io.sluice.codec.Output;
import java.io.OutputStream;

/** An {@link Output} for libraries that want a stream. */
public final class OutputAsStream extends OutputStream {

    private final Output out;

    public OutputAsStream(Output out) {
        this.out = out;
    }

    @Override
    public void write(int b) {
        out.write(b);
    }

    @Override
    public void write(byte[] bytes, int from, int length) {
        out.write(bytes, from, length);
    }
}
