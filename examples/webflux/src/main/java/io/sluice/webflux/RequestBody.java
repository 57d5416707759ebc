package io.sluice.webflux;

import io.sluice.StorageException;
import io.sluice.storage.ByteRange;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.ObjectStore;
import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.HttpStatus;
import org.springframework.web.ErrorResponseException;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * A request's body as a store of one object: so an upload is read like any file, with the same decompression, limits, checks and
 * places in messages, and with the same backpressure, here down to the socket.
 */
final class RequestBody implements ObjectStore {

    static final String KEY = "body";

    private final Flux<DataBuffer> body;
    private final long maxBytes;
    private final Duration stall;

    RequestBody(Flux<DataBuffer> body, Limits limits) {
        this.body = body;
        this.maxBytes = limits.maxBody().toBytes();
        this.stall = limits.stall();
    }

    @Override
    public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
        AtomicLong length = new AtomicLong();
        Flux<ByteBuffer> bytes = body.map(buffer -> {
                    ByteBuffer copy = ByteBuffer.allocate(buffer.readableByteCount());
                    buffer.toByteBuffer(copy);
                    DataBufferUtils.release(buffer);
                    if (length.addAndGet(copy.remaining()) > maxBytes) {
                        throw tooLarge(maxBytes);
                    }
                    return copy;
                })
                .doOnDiscard(DataBuffer.class, DataBufferUtils::release);
        return Patience.limit(bytes, stall, this::stalled);
    }

    private RuntimeException stalled() {
        ErrorResponseException problem =
                Problem.of(HttpStatus.REQUEST_TIMEOUT, "nothing came for " + stall.toMillis() + " ms");
        problem.getHeaders().setConnection("close"); // the rest of the body is nobody's any more
        return problem;
    }

    static RuntimeException tooLarge(long maxBytes) {
        return Problem.of(HttpStatus.CONTENT_TOO_LARGE, "the body is longer than " + maxBytes + " bytes");
    }

    @Override
    public Mono<ObjectMeta> head(String key) {
        return Mono.just(new ObjectMeta(key, -1, null, null));
    }

    @Override
    public Flux<ObjectMeta> list(String prefix) {
        return Flux.error(unsupported());
    }

    @Override
    public Mono<ObjectMeta> put(String key, Publisher<ByteBuffer> content, PutMode mode) {
        return Mono.error(unsupported());
    }

    @Override
    public Mono<Void> delete(String key) {
        return Mono.error(unsupported());
    }

    private static StorageException unsupported() {
        return new StorageException(StorageException.Kind.UNSUPPORTED, KEY, "a request can only be read", null);
    }
}
