package io.sluice.cli;

import io.sluice.StorageException;
import io.sluice.codec.Compression;
import io.sluice.codec.Compressions;
import io.sluice.storage.ByteRange;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.ObjectStore;
import io.sluice.storage.PutMode;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** A store of one object that can be read once: standard input. An example of how little a store needs. */
final class StandardInput implements ObjectStore {

    static final String KEY = "stdin";

    private static final int CHUNK_BYTES = 64 << 10; // what a pipe holds

    private final PushbackInputStream in;

    StandardInput(InputStream in) {
        this.in = new PushbackInputStream(in, 4);
    }

    /** What its first bytes show; it has no name that would tell. Waits for them. */
    Compression compression() throws IOException {
        byte[] head = new byte[4];
        int length = in.readNBytes(head, 0, head.length);
        in.unread(head, 0, length);
        return Compressions.ofHead(head, 0, length);
    }

    /** Bytes as they come, so that a slow writer's records are there as soon as it has written them. */
    @Override
    public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
        if (range.offset() != 0) {
            return Flux.error(() -> unsupported("standard input can be read from its start only"));
        }
        Flux<ByteBuffer> chunks = Flux.generate(sink -> {
            byte[] chunk = new byte[CHUNK_BYTES];
            try {
                int length = in.read(chunk);
                if (length < 0) {
                    sink.complete();
                } else {
                    sink.next(ByteBuffer.wrap(chunk, 0, length));
                }
            } catch (IOException e) {
                sink.error(new StorageException(
                        StorageException.Kind.IO, KEY, "standard input can't be read: " + e.getMessage(), e));
            }
        });
        return chunks.subscribeOn(Schedulers.boundedElastic());
    }

    @Override
    public Mono<ObjectMeta> head(String key) {
        return Mono.just(new ObjectMeta(KEY, -1, null, null));
    }

    @Override
    public Flux<ObjectMeta> list(String prefix) {
        return head(KEY).flux();
    }

    @Override
    public Mono<ObjectMeta> put(String key, Publisher<ByteBuffer> content, PutMode mode) {
        return Mono.error(() -> unsupported("standard input can't be written"));
    }

    @Override
    public Mono<Void> delete(String key) {
        return Mono.error(() -> unsupported("standard input can't be deleted"));
    }

    private static StorageException unsupported(String why) {
        return new StorageException(StorageException.Kind.UNSUPPORTED, KEY, why, null);
    }
}
