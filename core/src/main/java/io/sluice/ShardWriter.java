package io.sluice;

import reactor.core.CoreSubscriber;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * A Subscriber that writes what it receives as shards, for one subscription.
 *
 * <p>It requests what it can buffer and no more: the demand follows what the store takes. Values are encoded, compressed
 * and rotated on the {@linkplain WriteSpec#scheduler() spec's scheduler}; {@code onNext} only hands them over and may be
 * called on any thread, an event loop included. A value is the writer's from then on.
 *
 * <p>An upstream error, a {@link #dispose()} and any failure of its own abort the open shard, of which nothing is left;
 * shards committed before stay. Values received before an upstream error are written first, so that the shards they fill are
 * committed.
 *
 * @param <T> what it takes
 */
public interface ShardWriter<T> extends CoreSubscriber<T>, Disposable {

    /**
     * Completes with all shards when the upstream has completed and the last shard is committed. Fails with the
     * upstream's error or the writer's own, after the open shard is cleaned away, and with a
     * {@link java.util.concurrent.CancellationException} after {@code dispose}; {@link WriteAbortedException#committedBefore}
     * tells what had been committed by then. Can be subscribed to at any time and any number of times; to cancel such a
     * subscription does not stop the writer.
     */
    Mono<WriteResult> result();

    /**
     * Each shard as soon as it is committed, for late subscribers from the first one on; completes and fails with {@link
     * #result()}. Emitted on the writer's scheduler, one at a time: a subscriber that takes its time holds up the writing.
     */
    Flux<Shard> committed();

    /**
     * Cancels the upstream and aborts the open shard. A shard that the store is just committing is let finish; {@link
     * #result()} waits for that and for the cleaning up. Has no effect after the end.
     */
    @Override
    void dispose();
}
