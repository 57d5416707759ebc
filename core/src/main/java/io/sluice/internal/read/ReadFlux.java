package io.sluice.internal.read;

import io.sluice.ReadSpec;
import io.sluice.format.Format;
import io.sluice.storage.ObjectStore;
import org.jspecify.annotations.Nullable;
import reactor.core.CoreSubscriber;
import reactor.core.Scannable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;

/**
 * Reads the shards of a data set as values of {@code T} or {@code Positioned<T>}. Cold; every subscription stands alone.
 *
 * @param <R> what is emitted: T itself or Positioned of T
 */
public final class ReadFlux<T, R> extends Flux<R> implements Scannable {

    private final ObjectStore store;
    private final String location;
    private final Format<T> format;
    private final ReadSpec spec;
    private final boolean positioned;

    private ReadFlux(ObjectStore store, String location, Format<T> format, ReadSpec spec, boolean positioned) {
        this.store = store;
        this.location = location;
        this.format = format;
        this.spec = spec;
        this.positioned = positioned;
    }

    /** The values alone. */
    public static <T> Flux<T> values(ObjectStore store, String location, Format<T> format, ReadSpec spec) {
        return new ReadFlux<T, T>(store, location, format, spec, false);
    }

    /** The values with their positions. */
    public static <T> Flux<io.sluice.Positioned<T>> positioned(
            ObjectStore store, String location, Format<T> format, ReadSpec spec) {
        return new ReadFlux<T, io.sluice.Positioned<T>>(store, location, format, spec, true);
    }

    @Override
    public void subscribe(CoreSubscriber<? super R> actual) {
        if (spec.limit() == 0) {
            Operators.complete(actual);
            return;
        }
        actual.onSubscribe(new ReadSubscription<Object, T, R>(actual, store, location, format, spec, positioned));
    }

    @Override
    @SuppressWarnings("rawtypes") // as Scannable declares it
    public @Nullable Object scanUnsafe(Attr key) {
        if (key == Attr.RUN_STYLE) {
            return Attr.RunStyle.ASYNC;
        }
        if (key == Attr.NAME) {
            return "sluice.read";
        }
        return null;
    }
}
