package io.sluice.arrow;

import io.sluice.Dataset;
import io.sluice.ReadSpec;
import java.util.function.Function;
import reactor.core.publisher.Mono;

/** What is to be seen in a data set's first batch. */
final class FirstBatch {

    private FirstBatch() {}

    /**
     * What a function makes of the first batch, which is closed for it. It comes when the read has ended and not before: by then all memory is
     * back, that of what was read ahead included, and whoever waits may close the allocator. Empty where there is no batch.
     *
     * @param rows how many rows to read, of one batch or several; the allocator needs room for no more
     */
    static <R> Mono<R> of(Dataset<RecordBatch> dataset, ReadSpec spec, long rows, Function<RecordBatch, R> look) {
        return dataset.read(spec.parallelism(1).limit(rows))
                .map(batch -> {
                    try (batch) {
                        return look.apply(batch);
                    }
                })
                .reduce((first, later) -> first);
    }
}
