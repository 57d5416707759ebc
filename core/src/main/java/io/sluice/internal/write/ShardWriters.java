package io.sluice.internal.write;

import io.sluice.ShardWriter;
import io.sluice.WriteResult;
import io.sluice.WriteSpec;
import io.sluice.codec.Compression;
import io.sluice.codec.Compressions;
import io.sluice.format.Format;
import io.sluice.storage.ObjectStore;
import java.util.List;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/** Makes writers, for {@code Dataset}. */
public final class ShardWriters {

    private ShardWriters() {}

    /**
     * A writer for one upstream. Nothing happens before it is subscribed to that.
     *
     * @param location a file's key, or a directory: empty, or with a slash at its end
     * @throws IllegalArgumentException where the spec has a rolling policy and the location is a file
     * @throws UnsupportedOperationException where the format can only be read
     */
    public static <T> ShardWriter<T> create(ObjectStore store, String location, Format<T> format, WriteSpec spec) {
        return create(store, location, format, spec, Context.empty());
    }

    /** The same, with the context that the upstream and the store see. */
    public static <T> ShardWriter<T> create(
            ObjectStore store, String location, Format<T> format, WriteSpec spec, ContextView context) {
        boolean directory = location.isEmpty() || location.endsWith("/");
        if (!directory && !spec.rolling().isNever()) {
            throw new IllegalArgumentException("a single file can't be cut into shards; write to a directory, \""
                    + location + "/\", or without a rolling policy");
        }
        format.encoder().close();
        Compression compression = spec.compression();
        if (compression == null) {
            compression = directory ? Compressions.none() : Compressions.ofKey(location);
        }
        WriteTarget target = directory
                ? new DirectoryTarget(
                        store,
                        location,
                        spec.basename(),
                        first(format.extensions()) + first(compression.extensions()),
                        spec.requiresEmpty())
                : new FileTarget(store, location, spec.mode());
        return new RollingSubscriber<>(store, target, format, compression, spec, Context.of(context));
    }

    /** Writes what a publisher emits; one writer per subscription, cancelled with it. */
    public static <T> Mono<WriteResult> write(
            Publisher<? extends T> values, ObjectStore store, String location, Format<T> format, WriteSpec spec) {
        return Mono.deferContextual(context -> {
            ShardWriter<T> writer = create(store, location, format, spec, context);
            return writer.result().doOnSubscribe(s -> values.subscribe(writer)).doOnCancel(writer::dispose);
        });
    }

    private static String first(List<String> extensions) {
        return extensions.isEmpty() ? "" : extensions.get(0);
    }
}
