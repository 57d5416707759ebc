package io.sluice.internal.write;

import io.sluice.StorageException;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.ObjectStore;
import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * A directory of numbered shards: {@code part-00000.jsonl}, {@code part-00001.jsonl.zst}. Numbers go on after the highest
 * one, whatever its extension, and are claimed so that writers in other processes take others.
 *
 * <p>The protocol, for number n: create {@code _claims/part-n} (create-only, so one of several wins); then look whether a
 * shard n has appeared meanwhile, because its writer may have committed it and given its claim up between our look at the
 * directory and our claim; if so, give the claim up and start over. Then write the shard, and remove the claim after the
 * commit. While a claim stands, nobody else writes n; once it is gone, the shard is there to be seen. A writer that is
 * killed leaves its claim behind, which costs its number, never a shard.
 */
final class DirectoryTarget implements WriteTarget {

    static final String CLAIMS = "_claims/";

    /** Enough for any contention: each lost attempt means that another writer got on. */
    private static final long MAX_ATTEMPTS = 10_000;

    private static final int MAX_DIGITS = 18;

    private final ObjectStore store;
    private final String directory;
    private final String prefix;
    private final String extension;
    private final boolean requireEmpty;
    private final byte[] owner;

    /** The number to try next; -1: look at the directory first. Used by one take at a time. */
    private volatile long next = -1;

    /**
     * @param directory empty (the store's root) or ending with a slash
     * @param extension with its dot
     */
    DirectoryTarget(ObjectStore store, String directory, String basename, String extension, boolean requireEmpty) {
        this.store = store;
        this.directory = directory;
        this.prefix = basename + "-";
        this.extension = extension;
        this.requireEmpty = requireEmpty;
        this.owner = (UUID.randomUUID() + "\n").getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public Mono<Void> prepare() {
        Mono<Void> empty = requireEmpty
                ? list(directory).filter(this::isShard).next().flatMap(found -> Mono.error(notEmpty(found)))
                : Mono.empty();
        return empty.then(look());
    }

    private StorageException notEmpty(ObjectMeta found) {
        return new StorageException(
                StorageException.Kind.ALREADY_EXISTS,
                name(),
                "the directory must be empty but holds " + found.key() + "; write to another one, or append",
                null);
    }

    /** As readers see it: a direct child whose name does not begin with a dot or an underscore. */
    private boolean isShard(ObjectMeta meta) {
        String name = meta.key().substring(directory.length());
        return !name.isEmpty() && name.charAt(0) != '.' && name.charAt(0) != '_' && name.indexOf('/') < 0;
    }

    /** Finds the first number after all shards that nobody claims. */
    private Mono<Void> look() {
        Mono<Long> highest = list(directory + prefix)
                .map(meta -> number(meta.key(), directory))
                .reduce(-1L, Math::max);
        Mono<Set<Long>> claimed = list(directory + CLAIMS + prefix)
                .map(meta -> number(meta.key(), directory + CLAIMS))
                .collect(HashSet::new, Set::add);
        // claims first: a shard that is committed between the two looks must not be missed by both
        return claimed.flatMap(claims -> highest.doOnNext(last -> {
                    long free = last + 1;
                    while (claims.contains(free)) {
                        free++;
                    }
                    next = free;
                }))
                .then();
    }

    @Override
    public Mono<String> take() {
        return Mono.defer(() -> next < 0 ? look().then(claim()) : claim())
                .repeatWhenEmpty((int) MAX_ATTEMPTS, lost -> lost)
                .map(this::key);
    }

    /** The number, or empty if another writer was faster. */
    private Mono<Long> claim() {
        return Mono.defer(() -> {
            long number = next;
            String claim = directory + CLAIMS + name(number);
            return store.put(claim, Mono.fromSupplier(() -> ByteBuffer.wrap(owner.clone())), PutMode.CREATE)
                    .thenReturn(true)
                    .onErrorResume(DirectoryTarget::isTaken, e -> Mono.just(false))
                    .flatMap(won -> {
                        if (!won) {
                            next = -1;
                            return Mono.empty();
                        }
                        return list(directory + name(number))
                                .any(meta -> number(meta.key(), directory) == number)
                                .onErrorResume(e -> delete(claim).then(Mono.error(e)))
                                .flatMap(exists -> {
                                    if (exists) {
                                        next = -1;
                                        return delete(claim).then(Mono.empty());
                                    }
                                    next = number + 1;
                                    return Mono.just(number);
                                });
                    });
        });
    }

    @Override
    public Mono<Void> release(String key) {
        return delete(directory + CLAIMS + name(number(key, directory)));
    }

    /** A claim that can't be removed costs its number: no reason to fail. */
    private Mono<Void> delete(String claim) {
        return Mono.defer(() -> store.delete(claim)).onErrorComplete();
    }

    private Flux<ObjectMeta> list(String keyPrefix) {
        return Flux.defer(() -> store.list(keyPrefix)).onErrorResume(DirectoryTarget::isMissing, e -> Flux.empty());
    }

    private static boolean isTaken(Throwable e) {
        return e instanceof StorageException s && s.kind() == StorageException.Kind.ALREADY_EXISTS;
    }

    private static boolean isMissing(Throwable e) {
        return e instanceof StorageException s && s.kind() == StorageException.Kind.NOT_FOUND;
    }

    private String key(long number) {
        return directory + name(number) + extension;
    }

    /** Five digits, more where five are not enough. */
    private String name(long number) {
        return prefix + String.format(Locale.ROOT, "%05d", number);
    }

    /** The number in a key, -1 if it has none: the digits after the prefix, whatever follows them. */
    private long number(String key, String parent) {
        int from = parent.length() + prefix.length();
        if (!key.startsWith(prefix, parent.length()) || key.indexOf('/', parent.length()) >= 0) {
            return -1;
        }
        int to = from;
        while (to < key.length() && key.charAt(to) >= '0' && key.charAt(to) <= '9') {
            to++;
        }
        return to == from || to - from > MAX_DIGITS ? -1 : Long.parseLong(key, from, to, 10);
    }

    @Override
    public String name() {
        return store.displayName(directory);
    }

    @Override
    public boolean single() {
        return false;
    }
}
