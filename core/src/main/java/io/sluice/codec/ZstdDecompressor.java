package io.sluice.codec;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import io.sluice.SluiceException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the frames of RFC 8878 and hands them to libzstd block by block.
 *
 * <p>The structure (magic, frame header, block headers) is read here, which costs a few bytes a block and gives what the
 * library's streaming call does not: exact offsets, whether an end of input is allowed, a say on windows and
 * dictionaries before memory is taken, and an error that costs no more than the block it lies in, because the library
 * does not tell what it had written when it fails.
 */
final class ZstdDecompressor extends FramedDecompressor {

    private static final int MAX_BLOCK_BYTES = 128 << 10;
    private static final int MAX_WINDOW_LOG = 31;

    private enum State {
        MAGIC,
        HEADER,
        BLOCK_HEADER,
        BLOCK,
        CHECKSUM,
        SKIPPABLE_SIZE,
        SKIPPABLE
    }

    private final long maxWindowBytes;
    private @Nullable ZstdDecompressCtx context;
    private boolean closed;

    private State state = State.MAGIC;
    /** Bytes of the structure in hand, from {@code headFrom} on not yet seen by the library. */
    private final byte[] head = new byte[32];

    private int headFrom;
    private int headLength;
    /** Where in {@code head} the part that the state is about begins, and how many bytes of it are wanted. */
    private int partFrom;

    private int partWanted = 4;
    /** Bytes of the block or of the skippable frame still to come. */
    private long bodyLeft;

    private boolean lastBlock;
    private boolean checksum;
    /** The library may hold bytes that did not fit. */
    private boolean pending;
    /** At a frame's end the library leaves the last input byte until all has come out, and wants to see it (or any) again. */
    private boolean lastByteHeld;

    ZstdDecompressor(DecompressionLimits limits) {
        super(limits);
        this.maxWindowBytes = limits.maxWindowBytes();
    }

    @Override
    void decompress(ByteBuffer in, ByteBuffer out, NativeBuffers buffers) {
        if (closed) {
            throw new IllegalStateException("closed");
        }
        while (true) {
            if (pending) {
                if (!out.hasRemaining()) {
                    return;
                }
                buffers.in.clear().limit(lastByteHeld ? 1 : 0);
                feed(buffers, out);
                continue;
            }
            switch (state) {
                case BLOCK -> {
                    if (bodyLeft > 0 && !in.hasRemaining() || !out.hasRemaining()) {
                        return;
                    }
                    feedBlock(in, out, buffers);
                }
                case SKIPPABLE -> {
                    if (bodyLeft > 0 && !in.hasRemaining()) {
                        return;
                    }
                    int length = (int) Math.min(bodyLeft, in.remaining());
                    in.position(in.position() + length);
                    consumed(length);
                    bodyLeft -= length;
                    if (bodyLeft == 0) {
                        expectFrame();
                    }
                }
                default -> {
                    if (!collect(in)) {
                        return;
                    }
                    part(out, buffers);
                }
            }
        }
    }

    /** Collects the part that the state wants; false if the input is used up first. */
    private boolean collect(ByteBuffer in) {
        int length = Math.min(partFrom + partWanted - headLength, in.remaining());
        in.get(head, headLength, length);
        headLength += length;
        consumed(length);
        if (state == State.MAGIC && length > 0) {
            checkMagic();
        }
        return headLength == partFrom + partWanted;
    }

    /** As early as it can be seen, since the end of the input may come before the fourth byte. */
    private void checkMagic() {
        if (!new ZstdCompression(0).matches(head, 0, headLength)) {
            long at = consumed() - headLength;
            throw corrupt(
                    at, at == 0 ? "not a zstd stream" : "something that is no zstd frame follows the last frame", null);
        }
    }

    private void part(ByteBuffer out, NativeBuffers buffers) {
        switch (state) {
            case MAGIC -> {
                if ((int) littleEndian(head, 0, 4) == ZstdCompression.MAGIC) {
                    frameBegins(consumed() - 4);
                    want(State.HEADER, 4, 1);
                } else {
                    want(State.SKIPPABLE_SIZE, 4, 4);
                }
            }
            case HEADER -> {
                int descriptor = head[4] & 0xff;
                int size = frameHeaderBytes(descriptor);
                if (partWanted < size) {
                    partWanted = size;
                } else {
                    checkHeader(descriptor);
                    checksum = (descriptor & 4) != 0;
                    want(State.BLOCK_HEADER, headLength, 3);
                }
            }
            case BLOCK_HEADER -> {
                int header = (int) littleEndian(head, partFrom, 3);
                int size = header >>> 3;
                if (size > MAX_BLOCK_BYTES || (header >>> 1 & 3) == 3) {
                    throw corrupt(consumed(), "damaged zstd block header", null);
                }
                lastBlock = (header & 1) != 0;
                bodyLeft = (header >>> 1 & 3) == 1 ? 1 : size;
                state = State.BLOCK;
            }
            case CHECKSUM -> {
                buffers.in.clear();
                takeHead(buffers.in);
                buffers.in.flip();
                if (!feed(buffers, out)) {
                    throw corrupt(consumed(), "damaged zstd frame", null);
                }
                expectFrame();
            }
            case SKIPPABLE_SIZE -> {
                bodyLeft = littleEndian(head, 4, 4);
                state = State.SKIPPABLE;
            }
            default -> throw new AssertionError(state);
        }
    }

    private void want(State next, int from, int bytes) {
        state = next;
        partFrom = from;
        partWanted = bytes;
    }

    private void expectFrame() {
        headFrom = 0;
        headLength = 0;
        want(State.MAGIC, 0, 4);
    }

    /** Bytes of a frame header from its descriptor on, RFC 8878 section 3.1.1.1. */
    private static int frameHeaderBytes(int descriptor) {
        boolean singleSegment = (descriptor & 0x20) != 0;
        int window = singleSegment ? 0 : 1;
        return 1 + window + dictionaryBytes(descriptor) + contentSizeBytes(descriptor);
    }

    private static int dictionaryBytes(int descriptor) {
        int flag = descriptor & 3;
        return flag == 3 ? 4 : flag;
    }

    private static int contentSizeBytes(int descriptor) {
        int flag = descriptor >>> 6;
        return flag == 0 ? descriptor >>> 5 & 1 : 1 << flag;
    }

    private void checkHeader(int descriptor) {
        boolean singleSegment = (descriptor & 0x20) != 0;
        int at = 5 + (singleSegment ? 0 : 1);
        long dictionary = littleEndian(head, at, dictionaryBytes(descriptor));
        if (dictionary != 0) {
            throw corrupt(
                    consumed(),
                    "the zstd frame needs dictionary " + dictionary + ", and dictionaries are not supported",
                    null);
        }
        long window;
        if (singleSegment) {
            int size = contentSizeBytes(descriptor);
            window = littleEndian(head, at + dictionaryBytes(descriptor), size) + (size == 2 ? 256 : 0);
        } else {
            long base = 1L << (10 + ((head[5] & 0xff) >>> 3));
            window = base + base / 8 * (head[5] & 7);
        }
        // A frame may be read in any memory that holds the whole of it; 1 KiB is the least the format knows.
        if (window < 0 || window > Math.max(maxWindowBytes, 1 << 10)) {
            throw corrupt(
                    consumed(),
                    "the zstd frame needs a window of " + Long.toUnsignedString(window) + " bytes, more than "
                            + maxWindowBytes + "; raise maxWindowBytes to read it",
                    null);
        }
        if (window > 1L << MAX_WINDOW_LOG) {
            throw corrupt(
                    consumed(),
                    "the zstd frame needs a window of " + window + " bytes, and no more than 2 GiB are supported",
                    null);
        }
    }

    private void takeHead(ByteBuffer target) {
        target.put(head, headFrom, headLength - headFrom);
        headFrom = 0;
        headLength = 0;
    }

    private void feedBlock(ByteBuffer in, ByteBuffer out, NativeBuffers buffers) {
        ByteBuffer source = buffers.in.clear();
        takeHead(source);
        int length = (int) Math.min(bodyLeft, in.remaining());
        source.put(source.position(), in, in.position(), length);
        source.limit(source.position() + length).position(0);
        in.position(in.position() + length);
        consumed(length);
        bodyLeft -= length;
        feed(buffers, out);
    }

    /**
     * Runs the library over {@code buffers.in} and delivers what comes out.
     *
     * @return whether the frame is over
     */
    private boolean feed(NativeBuffers buffers, ByteBuffer out) {
        ByteBuffer target = buffers.out.clear();
        target.limit(Math.min(target.capacity(), out.remaining()));
        boolean frameOver;
        try {
            frameOver = context().decompressDirectByteBufferStream(target, buffers.in);
        } catch (ZstdException e) {
            throw failure(e);
        }
        pending = !target.hasRemaining() && !frameOver;
        lastByteHeld = buffers.in.hasRemaining();
        if (lastByteHeld && !pending) {
            throw corrupt(consumed() + bodyLeft, "damaged zstd frame", null);
        }
        deliver(target, out, consumed() + bodyLeft);
        if (state == State.BLOCK && bodyLeft == 0 && !pending) {
            blockOver(frameOver);
        }
        return frameOver;
    }

    private void blockOver(boolean frameOver) {
        if (frameOver != (lastBlock && !checksum)) {
            throw corrupt(consumed(), "damaged zstd frame", null);
        }
        if (frameOver) {
            expectFrame();
        } else if (lastBlock) {
            want(State.CHECKSUM, 0, 4);
        } else {
            want(State.BLOCK_HEADER, 0, 3);
        }
    }

    private ZstdDecompressCtx context() {
        ZstdDecompressCtx current = context;
        if (current == null) {
            current = new ZstdDecompressCtx();
            context = current;
            int log = 64 - Long.numberOfLeadingZeros(Math.max(1, maxWindowBytes - 1));
            current.setLongMax(Math.max(10, Math.min(MAX_WINDOW_LOG, log)));
        }
        return current;
    }

    private SluiceException failure(ZstdException e) {
        long code = Math.abs(e.getErrorCode());
        long at = consumed() + bodyLeft;
        if (code == Zstd.errMemoryAllocation()) {
            return new SluiceException(
                    null, -1, produced(), "no native memory for the window of a zstd frame; lower maxWindowBytes", e);
        }
        if (code == Zstd.errChecksumWrong()) {
            return corrupt(at, "the checksum of the zstd frame is wrong: its content is damaged", e);
        }
        return corrupt(at, "damaged zstd frame: " + e.getMessage(), e);
    }

    @Override
    public void end() {
        if (state != State.MAGIC || headLength > 0 || pending) {
            throw corrupt(consumed(), "the zstd stream is cut off", null);
        }
    }

    @Override
    public void close() {
        closed = true;
        ZstdDecompressCtx current = context;
        if (current != null) {
            context = null;
            current.close();
        }
    }
}
