package io.sluice.avro;

import io.sluice.storage.ByteRange;
import io.sluice.storage.ObjectStore;
import io.sluice.testing.StoreWrapper;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;

/** Counts the bytes that were handed over. */
public final class CountingStore extends StoreWrapper {

    public final AtomicLong bytes = new AtomicLong();

    public CountingStore(ObjectStore store) {
        super(store);
    }

    @Override
    public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
        return super.get(key, range, ifMatch).doOnNext(chunk -> bytes.addAndGet(chunk.remaining()));
    }
}
