package io.sluice.s3;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;

/**
 * Cuts content into the parts of an upload: one per request, each copied together from buffers that are asked for one by one.
 * There is always a last part, which alone may be empty, and only if it is the first as well.
 */
final class PartFlux extends Flux<PartFlux.Part> {

    /** Parts up to which each size is used; then it doubles. */
    private static final int PARTS_OF_A_SIZE = 2000;

    private static final int FIRST_BYTES = 32 << 10;
    private static final int MOST_BYTES = 1 << 20;

    /** Copied at a time, and summed up while it is still in the cache. */
    private static final int STEP_BYTES = 64 << 10;

    /**
     * A part.
     *
     * @param number counted from 1
     * @param offset of its first byte in the object
     * @param length of all its pieces
     * @param pieces its bytes; nobody else's
     * @param sum their CRC32
     * @param last whether it is the last one
     */
    record Part(int number, long offset, int length, List<ByteBuffer> pieces, int sum, boolean last) {

        /** The checksum of its bytes, as S3 wants to have it in a header. */
        String crc32() {
            byte[] bigEndian = ByteBuffer.allocate(Integer.BYTES).putInt(sum).array();
            return Base64.getEncoder().encodeToString(bigEndian);
        }
    }

    private final Publisher<ByteBuffer> content;
    private final int partBytes;

    PartFlux(Publisher<ByteBuffer> content, int partBytes) {
        this.content = content;
        this.partBytes = partBytes;
    }

    /** Bytes of the n-th part, so that 10,000 parts are enough for terabytes. */
    static int partBytes(int partBytes, int number) {
        long doubled = (long) partBytes << Math.min(8, (number - 1) / PARTS_OF_A_SIZE);
        return (int) Math.min(doubled, Math.max(partBytes, 1 << 30));
    }

    @Override
    public void subscribe(CoreSubscriber<? super Part> actual) {
        content.subscribe(new Cutter(actual, partBytes));
    }

    private static final class Cutter implements CoreSubscriber<ByteBuffer>, Subscription {

        private final CoreSubscriber<? super Part> actual;
        private final int partBytes;
        private final AtomicLong requested = new AtomicLong();
        private final AtomicInteger draining = new AtomicInteger();
        private @Nullable Subscription upstream;
        private volatile @Nullable ByteBuffer pending;
        private volatile boolean done;
        private volatile @Nullable Throwable error;
        private volatile boolean cancelled;

        // what follows is touched while draining only
        private List<ByteBuffer> pieces = new ArrayList<>();
        /** The last of the pieces, in which there is room; or none. */
        private ByteBuffer filling = ByteBuffer.allocate(0);

        private final CRC32 sum = new CRC32();
        private int length;
        private int number = 1;
        private long offset;
        /** From the request of a buffer until that is copied: looked at from elsewhere it would be asked for twice. */
        private boolean asked;

        private boolean finished;

        Cutter(CoreSubscriber<? super Part> actual, int partBytes) {
            this.actual = actual;
            this.partBytes = partBytes;
        }

        @Override
        public reactor.util.context.Context currentContext() {
            return actual.currentContext();
        }

        @Override
        public void onSubscribe(Subscription s) {
            if (Operators.validate(upstream, s)) {
                upstream = s;
                actual.onSubscribe(this);
            }
        }

        @Override
        public void onNext(ByteBuffer bytes) {
            pending = bytes.duplicate();
            drain();
        }

        @Override
        public void onError(Throwable e) {
            error = Objects.requireNonNull(e, "e"); // Reactive Streams 2.13
            drain();
        }

        @Override
        public void onComplete() {
            done = true;
            drain();
        }

        @Override
        public void request(long n) {
            if (Operators.validate(n)) {
                requested.accumulateAndGet(n, Operators::addCap);
                drain();
            }
        }

        @Override
        public void cancel() {
            cancelled = true;
            Subscription s = upstream;
            if (s != null) {
                s.cancel();
            }
        }

        private void drain() {
            if (draining.getAndIncrement() != 0) {
                return;
            }
            int missed = 1;
            do {
                while (!finished && !cancelled && step()) {
                    // until there is nothing to do
                }
                missed = draining.addAndGet(-missed);
            } while (missed != 0);
        }

        /** @return whether there may be more to do */
        private boolean step() {
            Throwable wrong = error;
            if (wrong != null) {
                finished = true;
                pieces = List.of();
                actual.onError(wrong);
                return false;
            }
            if (requested.get() == 0) {
                return false;
            }
            boolean over = done;
            ByteBuffer next = pending;
            int full = partBytes(partBytes, number);
            if (next != null && next.hasRemaining()) {
                if (length == full) {
                    emit(false);
                } else {
                    append(next, full);
                }
                return true;
            }
            if (next != null) {
                // and only then: where nothing was there, something may have come since
                pending = null;
                asked = false;
            }
            if (over) {
                finished = true;
                emit(true);
                actual.onComplete();
                return false;
            }
            if (!asked) {
                asked = true;
                Subscription s = upstream;
                if (s != null) {
                    s.request(1);
                }
                return true;
            }
            return false;
        }

        /** Into pieces that grow with the part: what is there is not copied once more for the sake of what comes. */
        private void append(ByteBuffer next, int full) {
            if (!filling.hasRemaining()) {
                int piece = Math.min(MOST_BYTES, Math.max(FIRST_BYTES, Math.max(length, next.remaining())));
                filling = ByteBuffer.allocate(Math.min(full - length, piece));
                pieces.add(filling);
            }
            int n = Math.min(Math.min(next.remaining(), filling.remaining()), STEP_BYTES);
            int at = filling.position();
            filling.put(at, next, next.position(), n);
            filling.position(at + n);
            sum.update(filling.array(), at, n);
            next.position(next.position() + n);
            length += n;
        }

        private void emit(boolean last) {
            pieces.forEach(ByteBuffer::flip);
            Part part = new Part(number, offset, length, pieces, (int) sum.getValue(), last);
            sum.reset();
            offset += length;
            number++;
            pieces = new ArrayList<>();
            filling = ByteBuffer.allocate(0);
            length = 0;
            if (requested.get() != Long.MAX_VALUE) {
                requested.decrementAndGet();
            }
            actual.onNext(part);
        }
    }
}
