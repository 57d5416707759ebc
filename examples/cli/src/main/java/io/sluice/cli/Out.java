package io.sluice.cli;

import io.sluice.codec.Output;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** Standard output: gathers bytes and writes them in large pieces. Single-threaded. */
final class Out {

    private static final int FLUSH_BYTES = 256 << 10;

    /** The reader at the other end of the pipe has gone: it has what it wanted, so nothing is wrong. */
    static final class ReaderGone extends RuntimeException {
        private static final long serialVersionUID = 1L;

        ReaderGone(IOException cause) {
            super(cause);
        }
    }

    /** Standard output can't be written: a full disk, say. */
    static final class Failed extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Failed(IOException cause) {
            super("cannot write to standard output: " + cause.getMessage(), cause);
        }
    }

    private final OutputStream target;
    private final Output buffer = new Output(FLUSH_BYTES + (64 << 10));

    Out(Streams streams) {
        this.target = streams.out();
    }

    /** Where to put bytes; {@link #written()} after each record. */
    Output buffer() {
        return buffer;
    }

    /** Writes what has been gathered once it is enough. */
    void written() {
        if (buffer.position() >= FLUSH_BYTES) {
            flush();
        }
    }

    /** Appends a line of text. */
    void line(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        buffer.write(bytes, 0, bytes.length);
        buffer.write('\n');
        written();
    }

    /** Writes what has been gathered. */
    void flush() {
        int length = buffer.position();
        buffer.position(0);
        try {
            target.write(buffer.array(), 0, length);
            target.flush();
        } catch (IOException e) {
            throw isReaderGone(e) ? new ReaderGone(e) : new Failed(e);
        }
    }

    private static boolean isReaderGone(IOException e) {
        // EPIPE has no type of its own in Java
        return String.valueOf(e.getMessage()).contains("Broken pipe");
    }
}
