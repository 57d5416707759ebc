package io.sluice.internal.write;

import io.sluice.OpenShard;
import io.sluice.Shard;
import io.sluice.StorageException;
import io.sluice.codec.Encoder;
import io.sluice.codec.Output;
import io.sluice.storage.ObjectMeta;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Mono;

/**
 * One shard from its first value to its commit: its encoder, its pieces in order, its key and its put. Everything happens on
 * the writer's drain, except for the callbacks, which leave their news in a volatile field and wake the drain.
 */
final class ShardUpload<T> {

    private final WriterResources resources;
    private final WriteTarget target;
    private final Encoder<T> encoder;
    /** Not handed to the store yet, in order. */
    private final ArrayDeque<Piece> pieces = new ArrayDeque<>();
    /** Those of them whose compression has not begun. */
    private final ArrayDeque<Piece> waiting = new ArrayDeque<>();
    /** Those of them that are being compressed. */
    private final List<Piece> running = new ArrayList<>();

    private final ShardContent content;
    private final CRC32C crc = new CRC32C();
    private final Disposable.Swap ageTimer = Disposables.swap();
    private final Disposable.Swap idleTimer = Disposables.swap();

    private Output out;
    private long records;
    private long sealedBytes;
    private long compressedFrom;
    private long compressedTo;
    private long writtenBytes;
    private long startedMillis;
    private boolean hasPieces;
    private boolean closed;
    private @Nullable Throwable aborted;
    private boolean taking;
    private @Nullable Disposable put;
    private @Nullable FrameCompressor streamCompressor;
    private @Nullable Throwable compressionError;

    private volatile @Nullable String key;
    private volatile @Nullable Throwable takeError;
    private volatile @Nullable ObjectMeta meta;
    private volatile @Nullable Throwable putError;
    private volatile boolean putOver;
    private volatile boolean overdue;

    ShardUpload(WriterResources resources, WriteTarget target, Encoder<T> encoder) {
        this.resources = resources;
        this.target = target;
        this.encoder = encoder;
        this.content = new ShardContent(resources::wake);
        this.out = resources.buffer(true);
    }

    // --- filling

    void start() {
        encoder.start(out);
    }

    /**
     * Encodes a value unless the shard, having records, would exceed a limit with it.
     *
     * @return false if the value belongs into the next shard
     */
    boolean encode(T value, long recordLimit, long byteLimit) {
        Output to = out;
        int mark = to.position();
        int count;
        try {
            count = encoder.encode(value, to);
        } catch (Throwable e) {
            to.position(mark);
            throw e;
        }
        if (records > 0 && (records + count > recordLimit || bytes() > byteLimit)) {
            to.position(mark);
            encoder.undo();
            return false;
        }
        records += count;
        if (to.position() >= resources.pieceBytes()) {
            seal(false);
        }
        return true;
    }

    private void seal(boolean last) {
        Output full = out;
        if (full.position() == 0 && (!last || hasPieces && !resources.streams())) {
            return;
        }
        sealedBytes += full.position();
        hasPieces = true;
        if (resources.compresses()) {
            Piece piece = new Piece(full, last || !resources.streams(), resources::wake);
            pieces.add(piece);
            waiting.add(piece);
            resources.addBuffered(piece.length);
            out = last ? resources.noBuffer() : resources.buffer(false);
        } else {
            // encoding again into the same warm buffer and copying is faster than encoding into fresh memory
            pieces.add(Piece.plain(resources.copy(full)));
            resources.addBuffered(full.position());
            full.position(0);
            if (last) {
                resources.recycle(full);
                out = resources.noBuffer();
            }
        }
    }

    /** No value follows: writes the end, and commits when all is stored. */
    void close() {
        if (records == 0 && !target.single()) {
            abort(new CancellationException("no records"));
            return;
        }
        encoder.finish(out);
        seal(true);
        closed = true;
        stopTimers();
        encoder.close();
    }

    /** Nothing of this shard is to be seen, unless the store has all of it: then it may be committing, and is let. */
    void abort(Throwable why) {
        if (aborted == null && !content.isCompleted()) {
            aborted = why;
            closed = true;
            stopTimers();
            encoder.close();
        }
    }

    long records() {
        return records;
    }

    long bytes() {
        return sealedBytes + out.position() + encoder.pendingBytes();
    }

    /** What the shard would take if it ended here: what was compressed, and the rest at the same ratio. */
    double estimatedWrittenBytes() {
        if (!resources.compresses()) {
            return bytes();
        }
        return compressedTo + (bytes() - compressedFrom) * resources.ratio();
    }

    OpenShard progress() {
        return new OpenShard(
                records,
                bytes(),
                resources.compresses() ? compressedTo : bytes(),
                Duration.ofMillis(resources.nowMillis() - startedMillis));
    }

    void startedNow() {
        startedMillis = resources.nowMillis();
    }

    void ageTimer(Disposable timer) {
        ageTimer.update(timer);
    }

    /** In place of the one before it, which has gone off. */
    void idleTimer(Disposable timer) {
        idleTimer.update(timer);
    }

    private void stopTimers() {
        ageTimer.dispose();
        idleTimer.dispose();
    }

    /** Called by a timer, on any thread. */
    void setOverdue() {
        overdue = true;
        resources.wake();
    }

    boolean isOverdue() {
        return overdue;
    }

    boolean isClosed() {
        return closed;
    }

    boolean isAborted() {
        return aborted != null;
    }

    /** How messages name the shard, null before its key is known. */
    @Nullable
    String displayName() {
        String known = key;
        return known == null ? null : resources.store().displayName(known);
    }

    // --- storing

    /**
     * Does what can be done now.
     *
     * @param first whether the shards before it are committed, so that this one may be
     * @param numbered whether the shards before it have their keys, so that this one's comes after them
     */
    void advance(boolean first, boolean numbered) {
        if (aborted == null && numbered) {
            take();
        }
        collect();
        if (aborted != null) {
            abortPut(aborted);
            return;
        }
        startCompression();
        if (key != null && put == null && isWorthPutting()) {
            put(key);
        }
        while (content.wantsMore()) {
            Piece head = pieces.peek();
            if (head == null || !head.isDone() || head.result == null) {
                break;
            }
            pieces.remove();
            emit(head.result);
        }
        if (first && closed && pieces.isEmpty() && put != null && !resources.isCancelled()) {
            content.terminate(null);
        }
    }

    private void take() {
        if (!taking) {
            taking = true;
            target.take()
                    .subscribe(
                            taken -> {
                                key = taken;
                                resources.wake();
                            },
                            e -> {
                                takeError = e;
                                resources.wake();
                            },
                            null,
                            resources.context());
        }
    }

    private boolean isWorthPutting() {
        Piece head = pieces.peek();
        return head != null && head.isDone();
    }

    private void put(String to) {
        put = Mono.defer(() -> resources.store().put(to, content, resources.mode()))
                .subscribe(
                        stored -> meta = stored,
                        e -> {
                            putError = e;
                            putOver = true;
                            resources.wake();
                        },
                        () -> {
                            putOver = true;
                            resources.wake();
                        },
                        resources.context());
    }

    private void emit(ByteBuffer bytes) {
        int length = bytes.remaining();
        if (length == 0) {
            return;
        }
        resources.addBuffered(-length);
        writtenBytes += length;
        crc.update(bytes.duplicate());
        content.emit(bytes);
    }

    /** Takes over what has been compressed since. */
    private void collect() {
        for (int i = running.size() - 1; i >= 0; i--) {
            Piece piece = running.get(i);
            if (piece.isDone()) {
                running.remove(i);
                collect(piece);
            }
        }
    }

    private void collect(Piece piece) {
        FrameCompressor free = piece.compressor;
        piece.compressor = null;
        if (free != null && free != streamCompressor) {
            resources.free(free);
        }
        Output input = piece.input;
        piece.input = null;
        if (input != null) {
            resources.recycle(input);
        }
        ByteBuffer result = piece.result;
        if (result == null) {
            compressionError = piece.error;
            return;
        }
        resources.addBuffered(result.remaining() - piece.length);
        resources.addRatio(piece.length, result.remaining());
        compressedFrom += piece.length;
        compressedTo += result.remaining();
    }

    private void startCompression() {
        while (!waiting.isEmpty()) {
            FrameCompressor compressor;
            if (!resources.streams()) {
                compressor = resources.idleCompressor();
            } else if (!running.isEmpty()) {
                return;
            } else {
                if (streamCompressor == null) {
                    streamCompressor = resources.newCompressor();
                }
                compressor = streamCompressor;
            }
            if (compressor == null) {
                return;
            }
            Piece piece = waiting.remove();
            piece.compressor = compressor;
            running.add(piece);
            resources.execute(piece);
        }
    }

    private void abortPut(Throwable why) {
        if (put != null && !putOver) {
            content.terminate(why);
        }
    }

    // --- outcome

    /** What went wrong here, if anything. */
    @Nullable
    Throwable error() {
        if (takeError != null) {
            return takeError;
        }
        if (compressionError != null) {
            return compressionError;
        }
        if (content.broken() != null) {
            return content.broken();
        }
        if (putOver && putError != null) {
            return putError;
        }
        ObjectMeta stored = meta;
        if (stored != null && isOfAnotherSize(stored)) {
            return new StorageException(
                    StorageException.Kind.IO,
                    displayName(),
                    "the store has " + stored.size() + " bytes of the " + writtenBytes
                            + " that it was given; delete what is there",
                    null);
        }
        if (putOver && aborted == null && !content.isCompleted()) {
            return new StorageException(
                    StorageException.Kind.IO,
                    displayName(),
                    "the store ended the write before it had the whole content",
                    null);
        }
        return null;
    }

    /** What was committed, null as long as (or because) nothing was. */
    @Nullable
    Shard committed() {
        String known = key;
        if (known == null || !putOver || putError != null || !content.isCompleted()) {
            return null;
        }
        ObjectMeta stored = meta;
        if (stored != null && isOfAnotherSize(stored)) {
            return null;
        }
        return new Shard(
                known, records, sealedBytes, writtenBytes, crc.getValue(), stored == null ? null : stored.etag());
    }

    /** A store that loses bytes is not believed. */
    private boolean isOfAnotherSize(ObjectMeta stored) {
        return putOver && content.isCompleted() && stored.size() >= 0 && stored.size() != writtenBytes;
    }

    /** Whether nothing is left to wait for. */
    boolean isOver() {
        if (!running.isEmpty()) {
            return false;
        }
        if (takeError != null || !taking) {
            return aborted != null;
        }
        if (key == null) {
            return false;
        }
        if (put == null) {
            return aborted != null;
        }
        return putOver || content.broken() != null;
    }

    /** Gives back what it holds; called once, when it {@link #isOver}. */
    Mono<Void> release() {
        if (put != null) {
            put.dispose();
        }
        if (streamCompressor != null) {
            streamCompressor.close();
        }
        for (Piece piece : pieces) {
            ByteBuffer result = piece.result;
            resources.addBuffered(-(result == null ? piece.length : result.remaining()));
        }
        pieces.clear();
        String known = key;
        return known == null || isUnknown() ? Mono.empty() : target.release(known);
    }

    /** The store had everything and then failed: the shard may still turn up, so its number stays taken. */
    private boolean isUnknown() {
        boolean refused = putError instanceof StorageException e && e.kind() == StorageException.Kind.ALREADY_EXISTS;
        return content.isCompleted() && committed() == null && !refused;
    }
}
