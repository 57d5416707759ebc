package io.sluice.testing;

import io.sluice.storage.ByteRange;
import io.sluice.storage.ObjectMeta;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/** One object, whose bytes come when the test sends them, on its thread. */
public final class HandFedStore extends StoreWrapper {

    /** Chunks that were asked for so far. */
    public final AtomicLong requested = new AtomicLong();

    private final Sinks.Many<ByteBuffer> content = Sinks.many().unicast().onBackpressureBuffer();
    private final long size;

    /** An object that says it has {@code size} bytes; -1: it does not say. */
    public HandFedStore(long size) {
        super(new ChunkedStore(1, null));
        this.size = size;
    }

    /** Sends a chunk. */
    public void send(byte[] chunk) {
        content.tryEmitNext(ByteBuffer.wrap(chunk)).orThrow();
    }

    /** There are no more. */
    public void end() {
        content.tryEmitComplete().orThrow();
    }

    @Override
    public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
        return content.asFlux().doOnRequest(requested::addAndGet);
    }

    @Override
    public Mono<ObjectMeta> head(String key) {
        return Mono.just(new ObjectMeta(key, size, null, null));
    }
}
