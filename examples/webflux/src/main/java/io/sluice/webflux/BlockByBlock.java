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
 * client takes; so a group asks for its block only when the one before has gone to the socket.
 */
@SuppressWarnings("NestedPublishers") // as Spring has it
final class BlockByBlock<T> extends BaseSubscriber<T> {

    private final AtomicReference<@Nullable MonoSink<T>> waiting = new AtomicReference<>();
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
                if (pull.done && pull.error == null) {
                    sink.complete();
                } else {
                    sink.next(nextAfterThat);
                }
            });
            return next.flatMapMany(first -> others.startWith(Mono.just(first))).doFinally(end -> pull.cancel());
        });
    }

    private void next(MonoSink<T> sink) {
        waiting.set(sink);
        if (done) {
            end();
        } else {
            request(1);
        }
    }

    private void end() {
        MonoSink<T> sink = waiting.getAndSet(null);
        Throwable e = error;
        if (sink != null && e != null) {
            sink.error(e);
        } else if (sink != null) {
            sink.success();
        }
    }

    @Override
    protected void hookOnSubscribe(Subscription subscription) {
        // next() requests
    }

    @Override
    protected void hookOnNext(T block) {
        MonoSink<T> sink = waiting.getAndSet(null);
        if (sink != null) {
            sink.success(block);
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
