package io.sluice.arrow;

import io.sluice.arrow.internal.ipc.IpcEncoder;
import io.sluice.codec.Output;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Scannable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;

/**
 * Batches as the bytes of an IPC stream or file. A batch is encoded within {@code onNext} and closed before that returns, so none ever
 * waits in a queue: what waits is bytes on the heap, of one batch at most.
 */
final class IpcBytes extends Flux<ByteBuffer> {

    /** The largest buffer that is emitted. */
    private static final int CHUNK_BYTES = 256 << 10;

    private final Publisher<RecordBatch> batches;
    private final boolean isFile;
    private final IpcSpec spec;

    IpcBytes(Publisher<RecordBatch> batches, boolean isFile, IpcSpec spec) {
        this.batches = batches;
        this.isFile = isFile;
        this.spec = spec;
    }

    @Override
    public void subscribe(CoreSubscriber<? super ByteBuffer> actual) {
        batches.subscribe(new Bytes(actual, IpcFormat.encoder(isFile, spec)));
    }

    private static final class Bytes implements CoreSubscriber<RecordBatch>, Subscription, Scannable {

        private static final AtomicLongFieldUpdater<Bytes> REQUESTED =
                AtomicLongFieldUpdater.newUpdater(Bytes.class, "requested");
        private static final AtomicIntegerFieldUpdater<Bytes> WIP =
                AtomicIntegerFieldUpdater.newUpdater(Bytes.class, "wip");

        private final CoreSubscriber<? super ByteBuffer> actual;
        private final IpcEncoder encoder;
        private final Output out = new Output(64 << 10);

        private volatile long requested;

        @SuppressWarnings("UnusedVariable") // by WIP
        private volatile int wip;

        private volatile boolean cancelled;
        /** Set by upstream's thread, taken by the drain: then {@link #out} is the drain's until it asks for more. */
        private volatile boolean filled;

        private volatile boolean done;
        private volatile @Nullable Throwable error;

        @SuppressWarnings("NullAway.Init") // by onSubscribe
        private Subscription upstream;

        // the drain's
        private int emitted;
        private boolean waiting;
        private boolean finished;
        private boolean terminated;

        Bytes(CoreSubscriber<? super ByteBuffer> actual, IpcEncoder encoder) {
            this.actual = actual;
            this.encoder = encoder;
        }

        @Override
        public Context currentContext() {
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
        public void onNext(RecordBatch batch) {
            try (batch) {
                if (done || cancelled) {
                    return;
                }
                if (filled) {
                    fail(reactor.core.Exceptions.failWithOverflow("a batch came that was not requested"));
                    return;
                }
                encoder.encode(batch.root(), batch.dictionaries(), out);
                filled = true;
            } catch (Throwable e) {
                out.position(0);
                upstream.cancel();
                fail(Operators.onOperatorError(null, e, actual.currentContext()));
                return;
            }
            drain();
        }

        private void fail(Throwable e) {
            error = e;
            done = true;
            drain();
        }

        @Override
        public void onError(Throwable t) {
            if (done) {
                Operators.onErrorDropped(t, actual.currentContext());
                return;
            }
            fail(t);
        }

        @Override
        public void onComplete() {
            if (!done) {
                done = true;
                drain();
            }
        }

        @Override
        public void request(long n) {
            if (Operators.validate(n)) {
                Operators.addCap(REQUESTED, this, n);
                drain();
            }
        }

        @Override
        public void cancel() {
            if (!cancelled) {
                cancelled = true;
                upstream.cancel();
            }
        }

        private void drain() {
            if (WIP.getAndIncrement(this) != 0) {
                return;
            }
            int missed = 1;
            do {
                while (step()) {}
                missed = WIP.addAndGet(this, -missed);
            } while (missed != 0);
        }

        /** Does one thing; false where there is nothing to do now. */
        private boolean step() {
            if (cancelled || terminated) {
                return false;
            }
            boolean ending = done; // read before the batch, which cannot follow it
            if (filled) {
                waiting = false;
                if (emitted < out.position()) {
                    return emit();
                }
                emitted = 0;
                out.position(0);
                filled = false;
                return true;
            }
            if (ending) {
                Throwable e = error;
                if (e != null) {
                    terminated = true;
                    actual.onError(e);
                    return false;
                }
                if (!finished) {
                    finished = true;
                    try {
                        encoder.finish(out);
                    } catch (RuntimeException failed) {
                        error = failed;
                        return true;
                    }
                    filled = true;
                    return true;
                }
                terminated = true;
                actual.onComplete();
                return false;
            }
            if (!waiting && requested > 0) {
                waiting = true;
                upstream.request(1);
                return true;
            }
            return false;
        }

        private boolean emit() {
            if (requested == 0) {
                return false;
            }
            int length = Math.min(CHUNK_BYTES, out.position() - emitted);
            byte[] bytes = new byte[length];
            System.arraycopy(out.array(), emitted, bytes, 0, length);
            emitted += length;
            if (requested != Long.MAX_VALUE) {
                REQUESTED.decrementAndGet(this);
            }
            actual.onNext(ByteBuffer.wrap(bytes));
            return true;
        }

        @Override
        @SuppressWarnings("rawtypes") // as declared
        public @Nullable Object scanUnsafe(Attr key) {
            if (key == Attr.PARENT) {
                return upstream;
            } else if (key == Attr.ACTUAL) {
                return actual;
            } else if (key == Attr.CANCELLED) {
                return cancelled;
            } else if (key == Attr.TERMINATED) {
                return terminated;
            } else if (key == Attr.ERROR) {
                return error;
            } else if (key == Attr.RUN_STYLE) {
                return Attr.RunStyle.SYNC;
            }
            return null;
        }
    }
}
