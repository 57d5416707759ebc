package io.sluice.webflux;

import io.sluice.Dataset;
import io.sluice.StorageException;
import io.sluice.format.Format;
import io.sluice.format.Jsonl;
import io.sluice.storage.LocalObjectStore;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.StoreProvider.Location;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * The data sets below the location: each a directory of shards. This class alone makes keys of what clients say, so nothing outside
 * the location can be reached: a name is one plain segment, and on local disk what a symbolic link leads out of it to is not there.
 */
@Component
class Catalog {

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");

    private final Location root;

    Catalog(Location root) {
        this.root = root;
    }

    /** A data set, as {@code GET /datasets} shows it. */
    record Summary(String name, int shards, long bytes) {}

    Flux<Summary> list() {
        int from = root.key().length();
        return root.store()
                .list(root.key())
                .onErrorResume(Catalog::isNotFound, noneYet -> Flux.empty())
                .filter(meta -> meta.key().indexOf('/', from) > 0)
                .map(meta -> meta.key().substring(from, meta.key().indexOf('/', from)))
                .distinctUntilChanged()
                .filter(name -> NAME.matcher(name).matches())
                .concatMap(
                        name -> shards(name)
                                .map(shards -> new Summary(
                                        name,
                                        shards.size(),
                                        shards.stream()
                                                .mapToLong(ObjectMeta::size)
                                                .sum()))
                                .onErrorResume(Catalog::isNotFound, empty -> Mono.empty()),
                        1);
    }

    /** The shards of a data set in reading order, at least one; else {@code NOT_FOUND}. */
    Mono<List<ObjectMeta>> shards(String name) {
        return at(name, Jsonl.blocks())
                .flatMap(data -> data.shards().filter(this::isInside).collectList())
                .onErrorMap(Catalog::isNotFound, missing -> notFound(name))
                .flatMap(shards -> shards.isEmpty() ? Mono.error(notFound(name)) : Mono.just(shards));
    }

    /** A data set, there or not. */
    <T> Mono<Dataset<T>> at(String name, Format<T> format) {
        if (!NAME.matcher(name).matches()) {
            return Mono.error(
                    Problem.of(
                            HttpStatus.BAD_REQUEST,
                            "a data set's name has up to 100 letters, digits, '.', '_' and '-' and begins with a letter or digit"));
        }
        String directory = root.key() + name + "/";
        return Mono.fromCallable(() -> isInside(directory))
                .subscribeOn(Schedulers.boundedElastic())
                .flatMap(inside ->
                        inside ? Mono.just(Dataset.at(root.store(), directory, format)) : Mono.error(notFound(name)));
    }

    /** Removes all there is of a data set, but not the claims of those who are just writing to it. */
    Mono<Void> delete(String name) {
        return shards(name)
                .then(at(name, Jsonl.blocks()))
                .flatMapMany(data -> data.store()
                        .list(data.location())
                        .filter(meta ->
                                !meta.key().startsWith("_", data.location().length())))
                .filter(this::isInside)
                .flatMap(meta -> root.store().delete(meta.key()), 8)
                .then();
    }

    private boolean isInside(ObjectMeta meta) {
        return isInside(meta.key());
    }

    private boolean isInside(String key) {
        if (!(root.store() instanceof LocalObjectStore local)) {
            return true;
        }
        Path path = local.root().resolve(key);
        try {
            return !Files.exists(path)
                    || path.toRealPath().startsWith(local.root().toRealPath());
        } catch (IOException unreadable) {
            return false;
        }
    }

    private static boolean isNotFound(Throwable e) {
        return e instanceof StorageException s && s.kind() == StorageException.Kind.NOT_FOUND;
    }

    private static StorageException notFound(String name) {
        return new StorageException(StorageException.Kind.NOT_FOUND, name, "there is no such data set", null);
    }
}
