package io.sluice.internal.read;

import io.sluice.Checkpoint;
import io.sluice.Position;
import io.sluice.ReadSpec;
import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import io.sluice.codec.Compressions;
import io.sluice.format.Format;
import io.sluice.internal.Glob;
import io.sluice.internal.ShardNames;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.ObjectStore;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Finds the shards that a location names, in reading order: an object's key, a directory (with or without its trailing
 * {@code /}) or a glob.
 */
public final class ShardLister {

    private static final Comparator<ObjectMeta> ORDER = Comparator.comparing(ObjectMeta::key, ShardNames.ORDER);

    private ShardLister() {}

    /** The shards to read under {@code spec}: from its position on, pinned as its checkpoint says. */
    static Mono<List<ObjectMeta>> list(ObjectStore store, String location, Format<?> format, ReadSpec spec) {
        Position position = spec.position();
        Mono<List<ObjectMeta>> all = list(store, location, format);
        return position == null ? all : all.map(found -> rest(store, found, position, spec.checkpoint()));
    }

    /** All shards. */
    public static Mono<List<ObjectMeta>> list(ObjectStore store, String location, Format<?> format) {
        return Mono.defer(() -> {
            if (location.isEmpty() || location.endsWith("/")) {
                return directory(store, location, format);
            }
            Mono<List<ObjectMeta>> literal = literal(store, location, format);
            return Glob.isGlob(location)
                    ? exactly(store, location)
                            .switchIfEmpty(glob(store, location)
                                    .flatMap(found -> found.isEmpty()
                                            ? literal.onErrorMap(
                                                    ShardLister::isNotFound, e -> nothingMatches(store, location))
                                            : Mono.just(found))
                                    // where nothing can be listed, as over HTTP, a ? begins a query
                                    .onErrorResume(
                                            ShardLister::isUnsupported,
                                            noListing -> literal.onErrorMap(
                                                    e -> isNotFound(e) && location.indexOf('?') < 0, e -> noListing)))
                    : literal;
        });
    }

    /** The object with just this name, though it looks like a glob; empty where there is none, or that can't be found out. */
    private static Mono<List<ObjectMeta>> exactly(ObjectStore store, String location) {
        return store.head(location).map(List::of).onErrorComplete(StorageException.class);
    }

    private static StorageException nothingMatches(ObjectStore store, String location) {
        return new StorageException(Kind.NOT_FOUND, store.displayName(location), "no file matches", null);
    }

    private static Mono<List<ObjectMeta>> literal(ObjectStore store, String key, Format<?> format) {
        return store.head(key)
                .switchIfEmpty(Mono.error(() -> new StorageException(
                        Kind.NOT_FOUND, store.displayName(key), "the store has no metadata of it", null)))
                .map(List::of)
                .onErrorResume(
                        ShardLister::isNotFound,
                        missing -> directory(store, key + "/", format)
                                .onErrorMap(e -> isNotFound(e) || isUnsupported(e), alsoMissing -> missing));
    }

    private static boolean isUnsupported(Throwable e) {
        return e instanceof StorageException s && s.kind() == Kind.UNSUPPORTED;
    }

    private static boolean isNotFound(Throwable e) {
        return e instanceof StorageException s && s.kind() == Kind.NOT_FOUND;
    }

    private static Mono<List<ObjectMeta>> directory(ObjectStore store, String directory, Format<?> format) {
        Flux<ObjectMeta> all = store.hasDirectories()
                ? store.listDirectory(directory)
                : store.listDirectory(directory)
                        .switchIfEmpty(Mono.error(() -> new StorageException(
                                Kind.NOT_FOUND, store.displayName(directory), "no object's key begins so", null)));
        return sorted(all.filter(meta -> ShardNames.isShard(meta.key()) && isOf(format, meta.key())));
    }

    private static Mono<List<ObjectMeta>> glob(ObjectStore store, String pattern) {
        Glob glob;
        try {
            glob = Glob.of(pattern);
        } catch (IllegalArgumentException e) {
            return Mono.error(new StorageException(
                    Kind.INVALID_REQUEST, store.displayName(pattern), "not a glob: " + e.getMessage(), e));
        }
        boolean hidden = ShardNames.isShard(pattern); // a pattern that itself begins with . or _ asks for such names
        Flux<ObjectMeta> candidates =
                glob.isRecursive() ? store.list(glob.literalPrefix()) : store.listDirectory(glob.directory());
        return sorted(candidates.filter(
                meta -> (!hidden || isVisible(meta.key(), glob.directory().length())) && glob.matches(meta.key())));
    }

    /** Whether no segment of the key behind the glob's fixed directory begins with {@code .} or {@code _}. */
    private static boolean isVisible(String key, int from) {
        for (int start = from; start >= 0 && start < key.length(); ) {
            char first = key.charAt(start);
            if (first == '.' || first == '_') {
                return false;
            }
            int slash = key.indexOf('/', start);
            start = slash < 0 ? -1 : slash + 1;
        }
        return true;
    }

    private static Mono<List<ObjectMeta>> sorted(Flux<ObjectMeta> found) {
        return found.collectList().map(list -> {
            List<ObjectMeta> ordered = new ArrayList<>(list);
            ordered.sort(ORDER);
            return ordered;
        });
    }

    /** Whether a file in a directory is one of the format's: by its extension, or a numbered shard without any. */
    private static boolean isOf(Format<?> format, String key) {
        String name = Compressions.withoutExtension(key.substring(key.lastIndexOf('/') + 1));
        if (ShardNames.index(name).isPresent() && name.indexOf('.') < 0) {
            return true;
        }
        String lower = name.toLowerCase(Locale.ROOT);
        return format.extensions().stream().anyMatch(lower::endsWith);
    }

    private static List<ObjectMeta> rest(
            ObjectStore store, List<ObjectMeta> found, Position position, @Nullable Checkpoint checkpoint) {
        if (checkpoint == null) {
            for (int i = 0; i < found.size(); i++) {
                if (found.get(i).key().equals(position.key())) {
                    return found.subList(i, found.size());
                }
            }
            throw gone(store, position.key());
        }
        Map<String, ObjectMeta> now = new HashMap<>();
        for (ObjectMeta meta : found) {
            now.put(meta.key(), meta);
        }
        List<ObjectMeta> rest = new ArrayList<>();
        boolean begun = false;
        for (Checkpoint.Pin pin : checkpoint.shards()) {
            begun |= pin.key().equals(position.key());
            if (begun) {
                ObjectMeta meta = now.get(pin.key());
                if (meta == null) {
                    throw gone(store, pin.key());
                }
                boolean same = pin.etag() == null
                        ? pin.size() == meta.size()
                        : pin.etag().equals(meta.etag());
                if (!same) {
                    throw new StorageException(
                            Kind.CHANGED,
                            store.displayName(pin.key()),
                            "has changed since the checkpoint was taken; read the data set from its start",
                            null);
                }
                rest.add(meta);
            }
        }
        if (!begun) {
            throw gone(store, position.key());
        }
        return rest;
    }

    private static StorageException gone(ObjectStore store, String key) {
        return new StorageException(
                Kind.CHANGED,
                store.displayName(key),
                "the shard of the position is no longer part of the data set",
                null);
    }
}
