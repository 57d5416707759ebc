package io.sluice.avro;

import io.sluice.storage.ByteRange;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.ObjectStore;
import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Counts the bytes that were handed over. */
public final class CountingStore implements ObjectStore {

    public final AtomicLong bytes = new AtomicLong();
    private final ObjectStore store;

    public CountingStore(ObjectStore store) {
        this.store = store;
    }

    @Override
    public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
        return store.get(key, range, ifMatch).doOnNext(chunk -> bytes.addAndGet(chunk.remaining()));
    }

    @Override
    public Mono<ObjectMeta> head(String key) {
        return store.head(key);
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
