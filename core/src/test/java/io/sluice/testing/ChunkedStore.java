package io.sluice.testing;

import io.sluice.storage.ByteRange;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.ObjectStore;
import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/** Objects in memory that arrive in chunks of a chosen size, on a chosen scheduler or on the requesting thread. */
public final class ChunkedStore implements ObjectStore {

    public final Map<String, byte[]> objects = new TreeMap<>();
    public final AtomicInteger opened = new AtomicInteger();
    public final AtomicInteger cancelled = new AtomicInteger();

    private final int chunkBytes;
    private final @Nullable Scheduler scheduler;

    public ChunkedStore(int chunkBytes, @Nullable Scheduler scheduler) {
        this.chunkBytes = chunkBytes;
        this.scheduler = scheduler;
    }

    public ChunkedStore with(String key, byte[] content) {
        objects.put(key, content);
        return this;
    }

    @Override
    public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
        Flux<ByteBuffer> chunks = Flux.defer(() -> {
            opened.incrementAndGet();
            byte[] content = objects.get(key);
            List<ByteBuffer> parts = new ArrayList<>();
            for (int from = (int) range.offset(); from < content.length; from += chunkBytes) {
                parts.add(ByteBuffer.wrap(content, from, Math.min(chunkBytes, content.length - from))
                        .slice());
            }
            return Flux.fromIterable(parts);
        });
        return (scheduler == null ? chunks : chunks.publishOn(scheduler, 1)).doOnCancel(cancelled::incrementAndGet);
    }

    @Override
    public Mono<ObjectMeta> head(String key) {
        return Mono.fromSupplier(() -> meta(key));
    }

    private ObjectMeta meta(String key) {
        byte[] content = objects.get(key);
        if (content == null) {
            throw new io.sluice.StorageException(io.sluice.StorageException.Kind.NOT_FOUND, key, "no such key", null);
        }
        return new ObjectMeta(key, content.length, "v1-" + content.length, null);
    }

    @Override
    public Flux<ObjectMeta> list(String prefix) {
        return Flux.defer(() -> Flux.fromStream(
                objects.keySet().stream().filter(k -> k.startsWith(prefix)).map(this::meta)));
    }

    @Override
    public Mono<ObjectMeta> put(String key, Publisher<ByteBuffer> content, PutMode mode) {
        return Mono.error(new UnsupportedOperationException());
    }

    @Override
    public Mono<Void> delete(String key) {
        return Mono.error(new UnsupportedOperationException());
    }
}
