package io.sluice;

import io.sluice.codec.Compressions;
import io.sluice.format.Format;
import io.sluice.internal.read.ReadFlux;
import io.sluice.internal.read.ShardLister;
import io.sluice.internal.write.ShardWriters;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.ObjectStore;
import io.sluice.storage.StoreProvider;
import io.sluice.storage.Stores;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Files of records in one place: a file, a directory of shards, or all files that match a glob. Immutable, cheap, free of I/O
 * until one of its publishers is subscribed; every subscription lists and reads anew.
 *
 * <p>A location that ends in {@code /}, or that names a directory, stands for the directory's shards: the files with one of the
 * format's extensions, plain or compressed, {@code part-NNNNN} in numeric order first, then the others in natural order; not
 * those that begin with {@code .} or {@code _}, and not those of directories within. A glob ({@code *}, {@code ?}, {@code [ab]}, {@code {a,b}},
 * {@code **} across directories) stands for what it matches, unless there is a file with exactly that name: {@code data[1].jsonl} is that
 * file where it exists.
 *
 * <p>Blocking callers use Reactor's own ways: {@code read().toIterable()}, {@code read().toStream()} (close it),
 * {@code write(...).block()}; not on a non-blocking thread.
 *
 * @param <T> what a record, or a batch of them, becomes
 */
public final class Dataset<T> {

    private final ObjectStore store;
    private final String location;
    private final Format<T> format;

    private Dataset(ObjectStore store, String location, Format<T> format) {
        this.store = Objects.requireNonNull(store, "store");
        this.location = Objects.requireNonNull(location, "location");
        this.format = Objects.requireNonNull(format, "format");
    }

    /** A file, directory or glob on local disk. */
    public static <T> Dataset<T> at(Path path, Format<T> format) {
        return at(Stores.resolve(path), format);
    }

    /**
     * A location as users write it: a path, or {@code scheme://...} of a store on the class path.
     *
     * @throws StorageException where the location is malformed or no store knows its scheme
     */
    public static <T> Dataset<T> at(String location, Format<T> format) {
        return at(Stores.resolve(location), format);
    }

    /** As {@link #at(String, Format)}. */
    public static <T> Dataset<T> at(URI location, Format<T> format) {
        return at(Stores.resolve(location), format);
    }

    /** A key, directory or glob in a store. */
    public static <T> Dataset<T> at(ObjectStore store, String keyOrDirectoryOrGlob, Format<T> format) {
        return new Dataset<>(store, keyOrDirectoryOrGlob, format);
    }

    private static <T> Dataset<T> at(StoreProvider.Location where, Format<T> format) {
        return new Dataset<>(where.store(), where.key(), format);
    }

    /** The same files read as something else. */
    public <R> Dataset<R> as(Format<R> other) {
        return new Dataset<>(store, location, other);
    }

    /** {@link #read(ReadSpec)} with all defaults. */
    public Flux<T> read() {
        return read(ReadSpec.create());
    }

    /**
     * All records in order.
     *
     * <p>Cold: the shards are listed at the first request, and nothing is opened before. From then on, bytes are fetched, decompressed
     * and decoded ahead of the subscriber on {@link ReadSpec#scheduler()}, as far as {@link ReadSpec#prefetchBytes()}
     * allows. Values are emitted one at a time, on that scheduler's threads or on the thread that requests. Cancel stops the I/O
     * and releases all.
     *
     * <p>Errors: {@link StorageException}, {@link CorruptDataException}, and, as {@link ReadSpec#onError} says, {@link RecordException};
     * always after all values that come before.
     */
    public Flux<T> read(ReadSpec spec) {
        return named(ReadFlux.values(store, location, format, spec));
    }

    /** {@link #readPositioned(ReadSpec)} with all defaults. */
    public Flux<Positioned<T>> readPositioned() {
        return readPositioned(ReadSpec.create());
    }

    /** As {@link #read(ReadSpec)}, every value with the position behind it, to go on from after an interruption. */
    public Flux<Positioned<T>> readPositioned(ReadSpec spec) {
        return named(ReadFlux.positioned(store, location, format, spec));
    }

    /** {@link #readBatches(int, ReadSpec)} with all defaults. */
    public Flux<List<T>> readBatches(int size) {
        return readBatches(size, ReadSpec.create());
    }

    /** As {@link #read(ReadSpec)}, in lists of exactly {@code size} records, the last one shorter. */
    public Flux<List<T>> readBatches(int size, ReadSpec spec) {
        return read(spec).buffer(size);
    }

    /** {@link #write(Publisher, WriteSpec)} with all defaults. */
    public Mono<WriteResult> write(Publisher<? extends T> values) {
        return write(values, WriteSpec.create());
    }

    /**
     * Writes what {@code values} emits, to a file or, where the location ends in {@code /}, as shards of a directory.
     *
     * <p>Cold: {@code values} is subscribed to with each subscription, which makes a {@linkplain #writer(WriteSpec) writer} of its
     * own. Completes once everything is committed; cancel aborts the open shard, of which nothing is left. Runs on {@link
     * WriteSpec#scheduler()}. Errors: those of {@code values}, {@link StorageException}, and, as {@link WriteSpec#onError} says,
     * {@link RecordException}; what was committed before stays, see {@link WriteAbortedException}.
     */
    public Mono<WriteResult> write(Publisher<? extends T> values, WriteSpec spec) {
        return ShardWriters.write(values, store, target(spec), format, spec)
                .name("sluice.write")
                .tag("format", format.name())
                .checkpoint("sluice: write " + this);
    }

    /**
     * A writer to subscribe to one publisher, for those who want to follow what it commits.
     *
     * @throws IllegalArgumentException where the spec has a rolling policy and the location is a file
     * @throws UnsupportedOperationException where the format can only be read
     */
    public ShardWriter<T> writer(WriteSpec spec) {
        return ShardWriters.create(store, target(spec), format, spec);
    }

    /** {@link #writer(WriteSpec)} with all defaults. */
    public ShardWriter<T> writer() {
        return writer(WriteSpec.create());
    }

    /** Where to write: a location that is to be cut into shards is a directory, unless it has a file's name. */
    private String target(WriteSpec spec) {
        if (spec.rolling().isNever() || location.isEmpty() || location.endsWith("/")) {
            return location;
        }
        String name = Compressions.withoutExtension(location).toLowerCase(Locale.ROOT);
        return format.extensions().stream().anyMatch(name::endsWith) ? location : location + "/";
    }

    /** The shards as they are now, in reading order. */
    public Flux<ObjectMeta> shards() {
        return ShardLister.list(store, location, format).flatMapIterable(shards -> shards);
    }

    private <R> Flux<R> named(Flux<R> flux) {
        return flux.name("sluice.read").tag("format", format.name()).checkpoint("sluice: read " + this);
    }

    /** The store. */
    public ObjectStore store() {
        return store;
    }

    /** The key, directory or glob in the store. */
    public String location() {
        return location;
    }

    /** The format. */
    public Format<T> format() {
        return format;
    }

    @Override
    public String toString() {
        return store.displayName(location) + " as " + format.name();
    }
}
