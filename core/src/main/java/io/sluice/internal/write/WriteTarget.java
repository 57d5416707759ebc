package io.sluice.internal.write;

import reactor.core.publisher.Mono;

/** Where a writer's shards go: hands out the key of each, so that no other writer gets the same one. */
interface WriteTarget {

    /** Done once, before the first key is asked for: fails where nothing must be written. */
    Mono<Void> prepare();

    /** The key of the next shard, taken for this writer. One call at a time. */
    Mono<String> take();

    /** The key is not needed any more: its shard is committed, or was never written. */
    Mono<Void> release(String key);

    /** What to call the target in messages before a key is known. */
    String name();

    /** Whether there is exactly one shard, written even when it has no records. */
    boolean single();
}
