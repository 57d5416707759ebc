package io.sluice.codec;

import java.nio.ByteBuffer;
import java.util.List;

/** Bytes as they are. */
record NoCompression() implements Compression {

    @Override
    public String name() {
        return "none";
    }

    @Override
    public List<String> extensions() {
        return List.of("");
    }

    @Override
    public boolean matches(byte[] head, int from, int length) {
        return true;
    }

    @Override
    public Decompressor decompressor(DecompressionLimits limits) {
        return new PassThrough();
    }

    @Override
    public Compressor compressor() {
        return new PassThrough();
    }

    /** Both directions; has no state, so restarting means from the beginning. */
    private static final class PassThrough implements Decompressor, Compressor {

        @Override
        public void decompress(ByteBuffer in, ByteBuffer out) {
            int length = Math.min(in.remaining(), out.remaining());
            out.put(out.position(), in, in.position(), length);
            in.position(in.position() + length);
            out.position(out.position() + length);
        }

        @Override
        public void end() {}

        @Override
        public long frameStart() {
            return 0;
        }

        @Override
        public long frameStartUncompressed() {
            return 0;
        }

        @Override
        public void compress(byte[] bytes, int from, int length, Output out) {
            out.write(bytes, from, length);
        }

        @Override
        public void flush(Output out) {}

        @Override
        public void finish(Output out) {}

        @Override
        public void close() {}
    }
}
