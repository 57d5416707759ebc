package io.sluice.internal.write;

import io.sluice.StorageException;
import io.sluice.storage.ObjectStore;
import io.sluice.storage.PutMode;
import reactor.core.publisher.Mono;

/** One file. */
final class FileTarget implements WriteTarget {

    private final ObjectStore store;
    private final String key;
    private final PutMode mode;

    FileTarget(ObjectStore store, String key, PutMode mode) {
        this.store = store;
        this.key = key;
        this.mode = mode;
    }

    /** The put at the end decides; to find out before hours of writing is a courtesy, so its own failures don't matter. */
    @Override
    public Mono<Void> prepare() {
        if (mode == PutMode.OVERWRITE) {
            return Mono.empty();
        }
        return Mono.defer(() -> store.head(key))
                .hasElement()
                .onErrorReturn(false)
                .flatMap(exists -> exists
                        ? Mono.error(new StorageException(
                                StorageException.Kind.ALREADY_EXISTS,
                                store.displayName(key),
                                "exists already; write to another name, or with PutMode.OVERWRITE",
                                null))
                        : Mono.empty());
    }

    @Override
    public Mono<String> take() {
        return Mono.just(key);
    }

    @Override
    public Mono<Void> release(String taken) {
        return Mono.empty();
    }

    @Override
    public String name() {
        return store.displayName(key);
    }

    @Override
    public boolean single() {
        return true;
    }
}
