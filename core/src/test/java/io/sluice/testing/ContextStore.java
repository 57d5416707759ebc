package io.sluice.testing;

import io.sluice.storage.ByteRange;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.ObjectStore;
import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** One object, and the {@code tenant} of every context that asked for it. */
public final class ContextStore implements ObjectStore {

    public final List<Object> seen = new CopyOnWriteArrayList<>();

    private final ChunkedStore store = new ChunkedStore(10, null).with("a.jsonl", TestData.numbered(0, 10));

    @Override
    public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
        return Flux.deferContextual(context -> {
            seen.add(context.get("tenant"));
            return store.get(key, range, ifMatch);
        });
    }

    @Override
    public Mono<ObjectMeta> head(String key) {
        return Mono.deferContextual(context -> {
            seen.add(context.get("tenant"));
            return store.head(key);
        });
    }

    @Override
    public Flux<ObjectMeta> list(String prefix) {
        return store.list(prefix);
    }

    @Override
    public Mono<ObjectMeta> put(String key, Publisher<ByteBuffer> content, PutMode mode) {
        return store.put(key, content, mode);
    }

    @Override
    public Mono<Void> delete(String key) {
        return store.delete(key);
    }
}
