package io.sluice.internal.json;

import io.sluice.codec.Output;
import java.io.OutputStream;

/** An {@link Output} as a stream, for libraries that write to nothing else. Closing it does nothing. */
public final class OutputStreamTo extends OutputStream {

    private final Output out;

    public OutputStreamTo(Output out) {
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
