package io.sluice.arrow;

import io.sluice.StorageException;
import io.sluice.storage.ByteRange;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.ObjectStore;
import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** One object that is whatever a publisher emits: lets bytes that come from anywhere be read as data sets are. */
final class BodyStore implements ObjectStore {

    static final String KEY = "body.arrows";

    private final Publisher<ByteBuffer> bytes;

    BodyStore(Publisher<ByteBuffer> bytes) {
        this.bytes = bytes;
    }

    @Override
    public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
        return Flux.from(bytes);
    }

    @Override
    public Mono<ObjectMeta> head(String key) {
        return Mono.just(new ObjectMeta(KEY, -1, null, null));
    }

    @Override
    public Flux<ObjectMeta> list(String prefix) {
        return Flux.from(head(prefix));
    }

    @Override
    public Mono<ObjectMeta> put(String key, Publisher<ByteBuffer> content, PutMode mode) {
        return Mono.error(
                () -> new StorageException(StorageException.Kind.INVALID_REQUEST, key, "can't be written", null));
    }

    @Override
    public Mono<Void> delete(String key) {
        return Mono.error(
                () -> new StorageException(StorageException.Kind.INVALID_REQUEST, key, "can't be deleted", null));
    }
}
