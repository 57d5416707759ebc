package io.sluice.codec;

import java.nio.ByteBuffer;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/** Reads the members of RFC 1952 and verifies what they carry: header CRC, content CRC, content size. */
final class GzipDecompressor extends FramedDecompressor {

    private static final int HEADER_CRC = 2;
    private static final int EXTRA = 4;
    private static final int NAME = 8;
    private static final int COMMENT = 16;
    private static final int RESERVED = 0xE0;

    private enum State {
        /** Ten bytes, of which the first may be the padding's. */
        HEADER,
        EXTRA_SIZE,
        EXTRA,
        NAME,
        COMMENT,
        HEADER_CRC,
        BODY,
        TRAILER,
        PADDING
    }

    private final CRC32 headerCrc = new CRC32();
    private final CRC32 crc = new CRC32();
    private @Nullable Inflater inflater;
    private boolean closed;

    private State state = State.HEADER;
    private final byte[] part = new byte[10];
    private int partLength;
    private int partWanted = 10;
    private int flags;
    private int extraLeft;
    private long memberProduced;
    private long members;
    /** The inflater may hold bytes that did not fit. */
    private boolean pending;

    GzipDecompressor(DecompressionLimits limits) {
        super(limits);
    }

    @Override
    void decompress(ByteBuffer in, ByteBuffer out, NativeBuffers buffers) {
        if (closed) {
            throw new IllegalStateException("closed");
        }
        while (in.hasRemaining() || pending) {
            switch (state) {
                case BODY -> {
                    if (!out.hasRemaining()) {
                        return;
                    }
                    inflate(in, out, buffers);
                }
                case EXTRA -> skipExtra(in);
                case NAME, COMMENT -> skipText(in);
                case PADDING -> skipPadding(in);
                default -> {
                    if (collect(in)) {
                        part();
                    }
                }
            }
        }
    }

    private boolean collect(ByteBuffer in) {
        int length = Math.min(partWanted - partLength, in.remaining());
        in.get(part, partLength, length);
        partLength += length;
        consumed(length);
        if (state == State.HEADER) {
            if (members > 0 && part[0] == 0) {
                // Back to the first of these bytes: the padding is checked byte by byte.
                in.position(in.position() - length + 1);
                consumed(1 - length);
                state = State.PADDING;
                return false;
            }
            checkMagic();
        }
        return partLength == partWanted;
    }

    private void checkMagic() {
        for (int i = 0; i < Math.min(partLength, GzipCompression.MAGIC.length); i++) {
            if (part[i] != GzipCompression.MAGIC[i]) {
                throw corrupt(
                        consumed() - partLength,
                        members == 0 ? "not a gzip stream" : "something that is no gzip member follows the last member",
                        null);
            }
        }
    }

    private void part() {
        switch (state) {
            case HEADER -> {
                frameBegins(consumed() - 10);
                flags = part[3] & 0xff;
                if ((flags & RESERVED) != 0) {
                    throw corrupt(consumed(), "the gzip header has unknown flags", null);
                }
                headerCrc.reset();
                headerCrc.update(part, 0, 10);
                next(State.EXTRA_SIZE);
            }
            case EXTRA_SIZE -> {
                headerCrc.update(part, 0, 2);
                extraLeft = (int) littleEndian(part, 0, 2);
                state = State.EXTRA;
                if (extraLeft == 0) {
                    next(State.NAME);
                }
            }
            case HEADER_CRC -> {
                if (littleEndian(part, 0, 2) != (headerCrc.getValue() & 0xffff)) {
                    throw corrupt(consumed(), "the checksum of the gzip header is wrong", null);
                }
                next(State.BODY);
            }
            case TRAILER -> {
                if (littleEndian(part, 0, 4) != crc.getValue()) {
                    throw corrupt(consumed(), "the checksum of the gzip member is wrong: its content is damaged", null);
                }
                if (littleEndian(part, 4, 4) != (memberProduced & 0xffff_ffffL)) {
                    throw corrupt(consumed(), "the size in the gzip trailer is wrong", null);
                }
                members++;
                want(State.HEADER, 10);
            }
            default -> throw new AssertionError(state);
        }
    }

    /** The first part of a header at or after {@code candidate} that this member has. */
    private void next(State candidate) {
        if (candidate.compareTo(State.EXTRA_SIZE) <= 0 && (flags & EXTRA) != 0) {
            want(State.EXTRA_SIZE, 2);
        } else if (candidate.compareTo(State.NAME) <= 0 && (flags & NAME) != 0) {
            state = State.NAME;
        } else if (candidate.compareTo(State.COMMENT) <= 0 && (flags & COMMENT) != 0) {
            state = State.COMMENT;
        } else if (candidate.compareTo(State.HEADER_CRC) <= 0 && (flags & HEADER_CRC) != 0) {
            want(State.HEADER_CRC, 2);
        } else {
            state = State.BODY;
            crc.reset();
            memberProduced = 0;
            inflater().reset();
        }
    }

    private void want(State part, int bytes) {
        state = part;
        partLength = 0;
        partWanted = bytes;
    }

    private void skipExtra(ByteBuffer in) {
        int length = Math.min(extraLeft, in.remaining());
        skipHeader(in, length);
        extraLeft -= length;
        if (extraLeft == 0) {
            next(State.NAME);
        }
    }

    /** Skips to behind a zero byte. */
    private void skipText(ByteBuffer in) {
        int at = in.position();
        boolean over = false;
        while (!over && at < in.limit()) {
            over = in.get(at++) == 0;
        }
        skipHeader(in, at - in.position());
        if (over) {
            next(state == State.NAME ? State.COMMENT : State.HEADER_CRC);
        }
    }

    private void skipHeader(ByteBuffer in, int length) {
        headerCrc.update(in.array(), in.arrayOffset() + in.position(), length);
        in.position(in.position() + length);
        consumed(length);
    }

    private void skipPadding(ByteBuffer in) {
        while (in.hasRemaining()) {
            if (in.get() != 0) {
                throw corrupt(consumed(), "something that is no gzip member follows the last member", null);
            }
            consumed(1);
        }
    }

    private void inflate(ByteBuffer in, ByteBuffer out, NativeBuffers buffers) {
        Inflater current = inflater();
        ByteBuffer target = buffers.out.clear();
        target.limit(Math.min(target.capacity(), out.remaining()));
        // No more than this output can need; the rest would be copied again the next time.
        ByteBuffer source = buffers.in.clear();
        int length = Math.min(in.remaining(), Math.min(source.capacity(), target.remaining() + 64));
        source.put(0, in, in.position(), length).limit(length);
        current.setInput(source);
        DataFormatException damage = null;
        try {
            current.inflate(target);
        } catch (DataFormatException e) {
            damage = e;
        }
        in.position(in.position() + source.position());
        consumed(source.position());
        pending = damage == null && !target.hasRemaining() && !current.finished();
        current.setInput(EMPTY);

        int from = out.position();
        long before = produced();
        try {
            deliver(target, out, consumed());
        } finally {
            int good = (int) (produced() - before);
            crc.update(out.array(), out.arrayOffset() + from, good);
            memberProduced += good;
        }
        if (damage != null) {
            throw corrupt(consumed(), "damaged gzip member: " + damage.getMessage(), damage);
        }
        if (current.finished()) {
            want(State.TRAILER, 8);
        } else if (current.needsDictionary()) {
            throw corrupt(consumed(), "damaged gzip member", null);
        }
    }

    private static final byte[] EMPTY = {};

    private Inflater inflater() {
        Inflater current = inflater;
        if (current == null) {
            current = new Inflater(true);
            inflater = current;
        }
        return current;
    }

    @Override
    public void end() {
        if (state != State.PADDING && (state != State.HEADER || partLength > 0)) {
            throw corrupt(consumed(), "the gzip stream is cut off", null);
        }
    }

    @Override
    public void close() {
        closed = true;
        Inflater current = inflater;
        if (current != null) {
            inflater = null;
            current.end();
        }
    }
}
