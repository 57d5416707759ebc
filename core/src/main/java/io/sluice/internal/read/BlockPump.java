package io.sluice.internal.read;

import io.sluice.Position;
import io.sluice.SluiceException;
import io.sluice.StorageException;
import io.sluice.codec.Block;
import io.sluice.codec.Framer;
import io.sluice.codec.Rejection;
import java.io.IOException;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * The reading side: fills buffers with a shard's uncompressed bytes and has them framed into slots. Single-threaded: whoever
 * holds the subscription's pump token calls it.
 */
final class BlockPump<B> {

    private final ShardSequence shards;
    private final int blockBytes;
    private final int maxBuffer;

    /** Buffers of {@code blockBytes} that were decoded and can be used again. */
    private final Queue<byte[]> spare = new ConcurrentLinkedQueue<>();

    private byte[] buffer;
    private int from;
    private int to;
    private long total;
    private boolean ended;

    BlockPump(ShardSequence shards, int blockBytes, int maxBlockBytes) {
        this.shards = shards;
        this.blockBytes = blockBytes;
        this.maxBuffer = (int) Math.min(Integer.MAX_VALUE - 16, (long) maxBlockBytes + blockBytes);
        this.buffer = new byte[0];
    }

    /** Whether every shard was framed to its end. */
    boolean ended() {
        return ended;
    }

    /**
     * The next slot, or null where none can be had now: bytes are still to come (the pump will be woken), or all is
     * {@linkplain #ended() over}.
     *
     * @param eager whether a few records now are better than a full block later, because nobody has anything to do
     */
    @Nullable
    Slot<B> next(boolean eager) {
        for (; ; ) {
            OpenShard shard = shards.current();
            if (shard == null) {
                ended = true;
                return null;
            }
            shards.prefetch();
            Slot<B> slot = new Slot<>(shard);
            boolean pending;
            try {
                pending = fill(shard, slot, eager);
            } catch (IOException e) {
                pending = false;
                fail(
                        shard,
                        slot,
                        new StorageException(StorageException.Kind.IO, shard.name, "reading failed: " + e, e));
            } catch (RuntimeException e) {
                pending = false;
                fail(shard, slot, e);
            }
            if (!slot.parts.isEmpty() || slot.ends) {
                slot.begins = !shard.begun;
                shard.begun = true;
                slot.storedBytes = shard.input.storedBytes();
                slot.charge = slot.buffer == null ? 0 : slot.buffer.length;
                if (slot.ends) {
                    shards.finish();
                }
                return slot;
            }
            if (pending) {
                return null;
            }
        }
    }

    /** Takes back a slot's buffer. */
    void recycle(byte[] used) {
        if (used.length == blockBytes) {
            spare.offer(used);
        }
    }

    /** Releases all. */
    void close() {
        ended = true;
        shards.close();
        spare.clear();
        buffer = new byte[0];
    }

    /** Reads and frames until the slot has something, or bytes are wanting: then true. */
    private boolean fill(OpenShard shard, Slot<B> slot, boolean eager) throws IOException {
        ensureRoom(shard);
        boolean full = false;
        int n = 0;
        while (!(full = to == buffer.length)) {
            n = shard.input.read(buffer, to, buffer.length - to);
            if (n == RawInput.PENDING) {
                shards.prefetch(); // what was taken makes room in the budget; a store may answer at once
                n = shard.input.read(buffer, to, buffer.length - to);
            }
            if (n <= 0) {
                break;
            }
            if (shard.skip > 0) {
                long skipped = Math.min(shard.skip, n);
                shard.skip -= skipped;
                System.arraycopy(buffer, to + (int) skipped, buffer, to, n - (int) skipped);
                n -= (int) skipped;
            }
            to += n;
            total += n;
        }
        boolean end = !full && n == RawInput.END;
        boolean pending = !full && n == RawInput.PENDING;
        if (pending && !eager) {
            return true; // a full block is worth waiting for while there is other work
        }
        if (shard.seekingHeader) {
            return seekHeader(shard, end) && pending;
        }
        frame(shard, slot, end);
        if (end) {
            if (from != to) {
                throw new IllegalStateException(
                        "[" + shard.name + "] the framer left " + (to - from) + " bytes at the end");
            }
            slot.ends = true;
            slot.bytesIn = bytesIn();
            from = to = 0;
            if (slot.buffer != null && !compact(slot)) {
                buffer = new byte[0]; // the slot's now
            }
        } else if (!slot.parts.isEmpty()) {
            handOver(slot);
        }
        return pending;
    }

    /** Shows the unframed bytes to the framer until it wants more. */
    private void frame(OpenShard shard, Slot<B> slot, boolean last) {
        Framer framer = shard.framer;
        while (from < to || last) {
            int n = framer.next(buffer, from, to, last);
            if (n == Framer.NEED_MORE && !(last && shard.dropStart >= 0)) {
                return;
            }
            int taken = Math.abs(n);
            if (taken > to - from) {
                throw new IllegalStateException("[" + shard.name + "] the framer took more than it was shown");
            }
            if (n > 0) {
                Block block = new Block(buffer, from, from + n, shard.offset, framer.header());
                slot.parts.add(new Part<>(shard.offset, n, shard.input.restartFor(shard.offset), block, null));
                slot.buffer = buffer;
            } else {
                if (shard.dropStart < 0) {
                    shard.dropStart = shard.offset;
                }
                Rejection dropped = framer.dropped();
                if (dropped != null) {
                    long length = shard.offset + taken - shard.dropStart;
                    slot.parts.add(new Part<>(
                            shard.dropStart, length, shard.input.restartFor(shard.dropStart), null, dropped));
                    shard.dropStart = -1;
                } else if (n == Framer.NEED_MORE) {
                    throw new IllegalStateException(
                            "[" + shard.name + "] the framer does not account for its last bytes");
                }
            }
            from += taken;
            shard.offset += taken;
        }
    }

    /** Goes on until the header is known, then starts over at the position; true while bytes are wanting. */
    private boolean seekHeader(OpenShard shard, boolean end) {
        Framer framer = shard.framer;
        while (framer.header() == null && (from < to || end)) {
            int n = framer.next(buffer, from, to, end);
            if (n == Framer.NEED_MORE) {
                break;
            }
            from += Math.abs(n);
        }
        if (framer.header() == null) {
            if (end) {
                throw new SluiceException(
                        shard.name, -1, 0, "ended before its header; the position can't be resumed", null);
            }
            return true;
        }
        Position position = shard.from;
        if (position == null) {
            throw new IllegalStateException("a header is sought only for a position");
        }
        from = to = 0;
        total = 0;
        shards.reopenAtPosition(shard, position);
        return false;
    }

    /** Gives the buffer to the slot and takes the unframed bytes along into another one. */
    private void handOver(Slot<B> slot) {
        if (slot.buffer == null || compact(slot)) {
            return; // only dropped stretches, or copied: the buffer stays
        }
        int rest = to - from;
        byte[] fresh = rest < blockBytes ? spareOrNew() : new byte[roomFor(rest, blockBytes, maxBuffer)];
        System.arraycopy(buffer, from, fresh, 0, rest);
        buffer = fresh;
        from = 0;
        to = rest;
    }

    /** How large a buffer is that takes {@code rest} bytes along and has room for as many more, within its limits. */
    static int roomFor(int rest, int blockBytes, int maxBuffer) {
        return (int) Math.min(maxBuffer, Math.max(blockBytes, rest * 2L));
    }

    /** Has a slot with little in it take along just that: tiny shards and slow sources would pin whole buffers. */
    private boolean compact(Slot<B> slot) {
        int length = 0;
        for (Part<B> part : slot.parts) {
            length += part.block == null ? 0 : part.block.length();
        }
        if (length > buffer.length / 4) {
            return false;
        }
        byte[] own = new byte[length + 64]; // decoders like to read a little beyond a block
        int at = 0;
        for (Part<B> part : slot.parts) {
            Block b = part.block;
            if (b != null) {
                System.arraycopy(b.bytes(), b.from(), own, at, b.length());
                part.block = new Block(own, at, at + b.length(), b.offset(), b.header());
                at += b.length();
            }
        }
        slot.buffer = own;
        return true;
    }

    private void ensureRoom(OpenShard shard) {
        if (from == to) {
            from = to = 0;
        }
        if (buffer.length < blockBytes) {
            buffer = spareOrNew();
        }
        int wanted = Math.min(maxBuffer, Math.max(shard.framer.wanted(), to - from + 1));
        if (buffer.length - from >= wanted && to < buffer.length) {
            return;
        }
        if (wanted <= buffer.length && from > 0) {
            System.arraycopy(buffer, from, buffer, 0, to - from);
        } else if (to - from >= maxBuffer) {
            throw new IllegalStateException("[" + shard.name + "] the framer wants more than " + maxBuffer + " bytes");
        } else {
            byte[] larger = new byte[Math.max(wanted, roomFor(to - from, blockBytes, maxBuffer))];
            System.arraycopy(buffer, from, larger, 0, to - from);
            buffer = larger;
        }
        to -= from;
        from = 0;
    }

    private byte[] spareOrNew() {
        byte[] used = spare.poll();
        return used == null ? new byte[blockBytes] : used;
    }

    private void fail(OpenShard shard, Slot<B> slot, RuntimeException e) {
        if (!shard.seekingHeader) { // those bytes are the shard's first, not the position's
            try {
                frame(shard, slot, false); // the whole records before the damage come first
            } catch (RuntimeException framing) {
                if (framing != e) {
                    e.addSuppressed(framing);
                }
            }
        }
        slot.ends = true;
        slot.failure = Failures.placed(e, shard.name, shard.offset + (to - from));
        slot.bytesIn = bytesIn();
        slot.bytesLost = shard.seekingHeader
                ? slot.bytesIn
                : to - from + (shard.dropStart < 0 ? 0 : shard.offset - shard.dropStart);
        if (slot.buffer != null && !compact(slot)) {
            buffer = new byte[0];
        }
        from = to = 0;
    }

    private long bytesIn() {
        long bytes = total;
        total = 0;
        return bytes;
    }
}
