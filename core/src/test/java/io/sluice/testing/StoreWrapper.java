package io.sluice.testing;

import io.sluice.storage.ByteRange;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.ObjectStore;
import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Passes everything on to another store; a test overrides what it wants to go differently. */
public class StoreWrapper implements ObjectStore {

    protected final ObjectStore inner;

    public StoreWrapper(ObjectStore inner) {
        this.inner = inner;
    }

    @Override
    public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
        return inner.get(key, range, ifMatch);
    }

    @Override
    public Mono<ObjectMeta> head(String key) {
        return inner.head(key);
    }

    @Override
    public Flux<ObjectMeta> list(String prefix) {
        return inner.list(prefix);
    }

    @Override
    public Mono<ObjectMeta> put(String key, Publisher<ByteBuffer> content, PutMode mode) {
        return inner.put(key, content, mode);
    }

    @Override
    public Mono<Void> delete(String key) {
        return inner.delete(key);
    }
}
