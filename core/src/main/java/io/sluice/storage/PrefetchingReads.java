package io.sluice.storage;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;

/**
 * What a store adds that itself fetches ahead of demand, such as several ranges of an object at a time: how much is then for
 * the read pipeline to say, which requests without bounds and counts what the store fetches within
 * {@link io.sluice.ReadSpec#prefetchBytes(long)}.
 */
public interface PrefetchingReads {

    /** As {@link ObjectStore#get}, except that not demand but the budget says how far to fetch ahead. */
    Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch, PrefetchBudget budget);

    /** {@link io.sluice.ReadSpec#prefetchBytes(long)} for this store where the user does not say. */
    long prefetchBytes();
}
