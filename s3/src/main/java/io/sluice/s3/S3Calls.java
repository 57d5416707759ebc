package io.sluice.s3;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.RequestPayer;

/** What all requests of a store share: its client, bucket and spec, where requests are made, and how they are retried. */
record S3Calls(S3AsyncClient client, String bucket, S3StoreSpec spec) {

    String shown(String key) {
        return "s3://" + bucket + "/" + key;
    }

    /** A request; its errors are the SDK's. Cancel aborts it. */
    <T> Mono<T> raw(Function<S3AsyncClient, CompletableFuture<T>> request) {
        return Mono.fromFuture(() -> request.apply(client)).subscribeOn(spec.scheduler);
    }

    /** A request that is retried after transient errors; its errors are StorageExceptions. */
    <T> Mono<T> call(String key, Function<S3AsyncClient, CompletableFuture<T>> request) {
        return retried(raw(request), key, Kind.CHANGED);
    }

    /** Maps errors and retries the transient ones; what status 412 means depends on the request. */
    <T> Mono<T> retried(Mono<T> request, String key, Kind onPrecondition) {
        return request.onErrorMap(error -> S3Errors.map(error, shown(key), onPrecondition))
                .retryWhen(reactor.util.retry.Retry.from(this::transientOnly));
    }

    /** The header for buckets whose readers pay, or none. */
    @Nullable
    RequestPayer payer() {
        return spec.requesterPays ? RequestPayer.REQUESTER : null;
    }

    /**
     * Whether uploads shall carry checksums that nobody demands. One that is known beforehand goes into a header: by itself the
     * SDK would count while it sends, and append it to a body in chunks, which takes client and server longer.
     */
    boolean sendsChecksums() {
        return client.serviceClientConfiguration().requestChecksumCalculation()
                == RequestChecksumCalculation.WHEN_SUPPORTED;
    }

    private Flux<Long> transientOnly(Flux<reactor.util.retry.Retry.RetrySignal> signals) {
        return signals.concatMap(signal -> {
            boolean again = signal.failure() instanceof StorageException error && error.isTransient();
            return again && signal.totalRetries() < spec.maxRetries
                    ? Mono.delay(backoff(signal.totalRetries()))
                    : Mono.error(signal.failure());
        });
    }

    /** The pause before the n-th retry in a row, counted from 0. */
    Duration backoff(long retry) {
        long longest = spec.maxBackoff.toNanos();
        long first = Math.max(1, spec.minBackoff.toNanos());
        long full = retry >= 40 || first > longest >> retry ? longest : first << retry;
        return Duration.ofNanos(full / 2 + ThreadLocalRandom.current().nextLong(full / 2 + 1));
    }
}
