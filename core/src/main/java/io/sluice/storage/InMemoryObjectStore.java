package io.sluice.storage;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Objects on the heap, for tests and small uses. Holds whole objects, at most 2 GiB each, until they are deleted. Signals are
 * emitted on the thread that requests. A new ETag is given with every put.
 */
public final class InMemoryObjectStore implements ObjectStore {

    /** Bytes of the chunks that {@link #get} emits; the last one of a range may be smaller. */
    public static final int CHUNK_BYTES = 256 << 10;

    private static final int MAX_OBJECT_BYTES = Integer.MAX_VALUE - 64;

    private final ConcurrentSkipListMap<String, Stored> objects = new ConcurrentSkipListMap<>(ObjectKeys.ORDER);
    private final AtomicLong versions = new AtomicLong();

    private InMemoryObjectStore() {}

    private record Stored(byte[] content, ObjectMeta meta) {}

    /** An empty store. */
    public static InMemoryObjectStore create() {
        return new InMemoryObjectStore();
    }

    @Override
    public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
        return Flux.defer(() -> {
            Stored stored = find(key);
            if (ifMatch != null && !ifMatch.equals(stored.meta.etag())) {
                throw error(Kind.CHANGED, key, "its ETag is " + stored.meta.etag() + ", not " + ifMatch);
            }
            byte[] content = stored.content;
            if (range.offset() > content.length) {
                throw error(
                        Kind.INVALID_REQUEST,
                        key,
                        "the range begins at byte " + range.offset() + ", behind the end at " + content.length);
            }
            int end = (int) (range.offset() + Math.min(range.length(), content.length - range.offset()));
            return Flux.generate(() -> (int) range.offset(), (at, sink) -> {
                int next = Math.min(end, at + CHUNK_BYTES);
                if (next > at) {
                    sink.next(ByteBuffer.wrap(Arrays.copyOfRange(content, at, next)));
                }
                if (next == end) {
                    sink.complete();
                }
                return next;
            });
        });
    }

    @Override
    public Mono<ObjectMeta> head(String key) {
        return Mono.fromCallable(() -> find(key).meta);
    }

    @Override
    public Flux<ObjectMeta> list(String prefix) {
        return Flux.defer(() -> Flux.fromIterable(
                        objects.tailMap(ObjectKeys.requirePrefix(prefix)).values()))
                .map(Stored::meta)
                .takeWhile(meta -> meta.key().startsWith(prefix));
    }

    @Override
    public Mono<ObjectMeta> put(String key, Publisher<ByteBuffer> content, PutMode mode) {
        Objects.requireNonNull(mode, "mode");
        return Mono.defer(() -> {
            ObjectKeys.requireKey(key);
            requireFree(key, mode);
            return Flux.from(content)
                    .collect(ByteArrayOutputStream::new, (all, buffer) -> append(key, all, buffer))
                    .map(all -> store(key, all.toByteArray(), mode));
        });
    }

    @Override
    public Mono<Void> delete(String key) {
        return Mono.fromRunnable(() -> objects.remove(ObjectKeys.requireKey(key)));
    }

    private ObjectMeta store(String key, byte[] content, PutMode mode) {
        String etag = Long.toHexString(versions.incrementAndGet());
        Stored stored = new Stored(content, new ObjectMeta(key, content.length, etag, Instant.now()));
        if (mode == PutMode.OVERWRITE) {
            objects.put(key, stored);
        } else if (objects.putIfAbsent(key, stored) != null) {
            throw exists(key);
        }
        return stored.meta;
    }

    private void requireFree(String key, PutMode mode) {
        if (mode == PutMode.CREATE && objects.containsKey(key)) {
            throw exists(key);
        }
    }

    private Stored find(String key) {
        Stored stored = objects.get(ObjectKeys.requireKey(key));
        if (stored == null) {
            throw error(Kind.NOT_FOUND, key, "there is no such object");
        }
        return stored;
    }

    private static void append(String key, ByteArrayOutputStream all, ByteBuffer buffer) {
        if (buffer.remaining() > MAX_OBJECT_BYTES - all.size()) {
            throw error(Kind.UNSUPPORTED, key, "an object in memory is at most " + MAX_OBJECT_BYTES + " bytes");
        }
        if (buffer.hasArray()) {
            all.write(buffer.array(), buffer.arrayOffset() + buffer.position(), buffer.remaining());
        } else {
            byte[] bytes = new byte[buffer.remaining()];
            buffer.duplicate().get(bytes);
            all.write(bytes, 0, bytes.length);
        }
    }

    private static StorageException exists(String key) {
        return error(
                Kind.ALREADY_EXISTS, key, "exists already; write to another key, or overwrite with PutMode.OVERWRITE");
    }

    private static StorageException error(Kind kind, String key, String reason) {
        return new StorageException(kind, key, reason, null);
    }
}
