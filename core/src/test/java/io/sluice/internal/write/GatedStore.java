package io.sluice.internal.write;

import io.sluice.storage.ByteRange;
import io.sluice.storage.InMemoryObjectStore;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.ObjectStore;
import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.BiFunction;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** An in-memory store whose writing of shards a test can hold up or break, and that remembers what was asked of it. */
final class GatedStore implements ObjectStore {

    final InMemoryObjectStore inner = InMemoryObjectStore.create();

    /** Operations in the order in which they were subscribed to: {@code "put a/part-00000.txt"}. */
    final List<String> calls = Collections.synchronizedList(new ArrayList<>());

    /** What becomes of the content of a shard on its way in. */
    volatile BiFunction<String, Flux<ByteBuffer>, Flux<ByteBuffer>> content = (key, bytes) -> bytes;

    /** What becomes of a put, claims left out. */
    volatile BiFunction<String, Mono<ObjectMeta>, Mono<ObjectMeta>> put = (key, result) -> result;

    /** What becomes of all other operations and of the put of claims. */
    volatile BiFunction<String, Mono<Object>, Mono<Object>> other = (call, result) -> result;

    @Override
    public Flux<ByteBuffer> get(String key, ByteRange range, String ifMatch) {
        return inner.get(key, range, ifMatch);
    }

    @Override
    public Mono<ObjectMeta> head(String key) {
        return other("head " + key, inner.head(key));
    }

    @Override
    public Flux<ObjectMeta> list(String prefix) {
        return other("list " + prefix, inner.list(prefix).collectList()).flatMapIterable(all -> all);
    }

    @Override
    public Mono<ObjectMeta> put(String key, Publisher<ByteBuffer> bytes, PutMode mode) {
        if (key.contains("_claims/")) {
            return other("put " + key, inner.put(key, bytes, mode));
        }
        return Mono.defer(() -> {
            calls.add("put " + key);
            return put.apply(key, inner.put(key, content.apply(key, Flux.from(bytes)), mode));
        });
    }

    @Override
    public Mono<Void> delete(String key) {
        return other("delete " + key, inner.delete(key).thenReturn(true)).then();
    }

    @SuppressWarnings("unchecked")
    private <R> Mono<R> other(String call, Mono<R> result) {
        return Mono.defer(() -> {
            calls.add(call);
            return (Mono<R>) other.apply(call, (Mono<Object>) result);
        });
    }
}
