package io.sluice.webflux;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;
import reactor.core.publisher.SignalType;

/**
 * Turns a body into groups of one block each, for {@code writeAndFlushWith}. The server asks for 64 groups at once, whatever the
 * client takes; so a group takes its block only when the one before has gone to the socket. By then that block is there: it was asked
 * for when the one before was taken, so that the next one is read while this one is written.
 */
@SuppressWarnings("NestedPublishers") // as Spring has it
final class BlockByBlock<T> extends BaseSubscriber<T> {

    /** The block that nobody has taken yet; or who waits for one, a {@link MonoSink}; or null. */
    private final AtomicReference<@Nullable Object> hand = new AtomicReference<>();

    private boolean begun;
    private volatile boolean done;
    private volatile @Nullable Throwable error;

    private BlockByBlock() {}

    /**
     * Emits the first group once the first block is there, or fails: until then another answer can be given.
     *
     * @param written completes when what was emitted before it was subscribed to has gone to the socket
     */
    static <T> Flux<Publisher<T>> of(Flux<T> blocks, Mono<Void> written) {
        return Flux.defer(() -> {
            BlockByBlock<T> pull = new BlockByBlock<>();
            blocks.subscribe(pull);
            Mono<T> next = Mono.create(pull::next);
            Mono<T> nextAfterThat = written.then(next);
            Flux<Publisher<T>> others = Flux.generate(sink -> {
                if (pull.isExhausted()) {
                    sink.complete();
                } else {
                    sink.next(nextAfterThat);
                }
            });
            return next.flatMapMany(first -> others.startWith(Mono.just(first))).doFinally(end -> pull.cancel());
        });
    }

    private void next(MonoSink<T> sink) {
        Object block = hand.get();
        if (block != null && hand.compareAndSet(block, null)) {
            give(block, sink);
        } else if (hand.compareAndSet(null, sink)) {
            if (done) {
                end();
            } else if (!begun) {
                begun = true;
                request(1);
            }
        } else {
            next(sink);
        }
    }

    /** Asks for the next block before it hands this one on: to write it takes its time. */
    @SuppressWarnings("unchecked") // what hookOnNext was given
    private void give(Object block, MonoSink<T> sink) {
        request(1);
        sink.success((T) block);
    }

    private boolean isExhausted() {
        return done && error == null && hand.get() == null;
    }

    private void end() {
        if (hand.get() instanceof MonoSink<?> sink && hand.compareAndSet(sink, null)) {
            Throwable e = error;
            if (e == null) {
                sink.success();
            } else {
                sink.error(e);
            }
        }
    }

    @Override
    protected void hookOnSubscribe(Subscription subscription) {
        // next() requests
    }

    @Override
    @SuppressWarnings("unchecked") // only next() puts one there
    protected void hookOnNext(T block) {
        if (hand.get() instanceof MonoSink<?> sink && hand.compareAndSet(sink, null)) {
            give(block, (MonoSink<T>) sink);
        } else if (!hand.compareAndSet(null, block)) {
            hookOnNext(block); // somebody has come meanwhile
        }
    }

    @Override
    protected void hookOnError(Throwable e) {
        error = e;
    }

    @Override
    protected void hookFinally(SignalType type) {
        done = true;
        end();
    }
}
