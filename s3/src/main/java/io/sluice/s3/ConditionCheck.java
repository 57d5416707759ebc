package io.sluice.s3;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import software.amazon.awssdk.core.async.AsyncRequestBody;
import software.amazon.awssdk.services.s3.model.CompletedPart;

/**
 * Finds out, once, whether a store honours {@code If-None-Match: *} with PutObject, and with CompleteMultipartUpload, by
 * writing a small object twice. Amazon's own endpoints are taken at their word.
 */
final class ConditionCheck {

    /** Begins the names of the objects that are written; they are never listed. */
    static final String PROBE = "_sluice-probe-";

    private final S3Calls calls;
    private volatile @Nullable Boolean honouredByPut;
    private volatile @Nullable Boolean honouredByComplete;
    private final AtomicReference<@Nullable Mono<Boolean>> probingPut = new AtomicReference<>();
    private final AtomicReference<@Nullable Mono<Boolean>> probingComplete = new AtomicReference<>();

    ConditionCheck(S3Calls calls) {
        this.calls = calls;
        if (calls.client().serviceClientConfiguration().endpointOverride().isEmpty()) {
            honouredByPut = true;
            honouredByComplete = true;
        }
    }

    /** Completes where create-only writes are safe, and fails with {@code UNSUPPORTED} where they are not. */
    Mono<Void> require(String key, boolean inParts) {
        return Mono.defer(() -> {
            Boolean known = inParts ? honouredByComplete : honouredByPut;
            return (known != null ? Mono.just(known) : shared(key, inParts))
                    .flatMap(honoured -> honoured ? Mono.<Void>empty() : Mono.<Void>error(unsupported(key)));
        });
    }

    private StorageException unsupported(String key) {
        return new StorageException(
                Kind.UNSUPPORTED,
                calls.shown(key),
                "the store ignores or refuses If-None-Match, so a create-only write could overwrite another's object;"
                        + " accept that with ConditionalWrites.CHECK_BEFORE, or use PutMode.OVERWRITE",
                null);
    }

    /**
     * One probe at a time, for all writes that wait for it. It goes on to its end, which takes its object away again, even if
     * every one of them is cancelled.
     */
    private Mono<Boolean> shared(String key, boolean inParts) {
        AtomicReference<@Nullable Mono<Boolean>> probing = inParts ? probingComplete : probingPut;
        Mono<Boolean> fresh =
                probe(key, inParts).doOnTerminate(() -> probing.set(null)).cache();
        return Objects.requireNonNullElse(probing.compareAndExchange(null, fresh), fresh);
    }

    private Mono<Boolean> probe(String key, boolean inParts) {
        // '_' keeps it from being taken for a shard while it is there
        String probe = key.substring(0, key.lastIndexOf('/') + 1) + PROBE + UUID.randomUUID();
        Mono<Boolean> again = inParts ? completeOver(key, probe) : isRefused(put(key, probe));
        return put(key, probe)
                .then(again)
                // the first one may have been retried by the client and so refused itself
                .onErrorResume(S3Errors::isPreconditionFailed, refused -> Mono.just(true))
                .onErrorResume(S3Errors::isNotImplemented, refused -> Mono.just(false))
                .delayUntil(honoured -> delete(key, probe))
                .doOnNext(honoured -> {
                    if (inParts) {
                        honouredByComplete = honoured;
                    } else {
                        honouredByPut = honoured;
                    }
                });
    }

    private Mono<?> put(String key, String probe) {
        return calls.call(
                key,
                client -> client.putObject(
                        put -> put.bucket(calls.bucket())
                                .key(probe)
                                .ifNoneMatch("*")
                                .requestPayer(calls.payer()),
                        AsyncRequestBody.empty()));
    }

    private Mono<Boolean> completeOver(String key, String probe) {
        return calls.call(
                        key,
                        client -> client.createMultipartUpload(
                                begin -> begin.bucket(calls.bucket()).key(probe).requestPayer(calls.payer())))
                .flatMap(begun -> calls.call(
                                key,
                                client -> client.uploadPart(
                                        part -> part.bucket(calls.bucket())
                                                .key(probe)
                                                .uploadId(begun.uploadId())
                                                .partNumber(1)
                                                .requestPayer(calls.payer()),
                                        AsyncRequestBody.fromBytes(new byte[1])))
                        .map(part -> CompletedPart.builder()
                                .partNumber(1)
                                .eTag(part.eTag())
                                .checksumCRC32(part.checksumCRC32())
                                .checksumCRC64NVME(part.checksumCRC64NVME())
                                .build())
                        .flatMap(part -> isRefused(calls.call(
                                key,
                                client -> client.completeMultipartUpload(complete -> complete.bucket(calls.bucket())
                                        .key(probe)
                                        .uploadId(begun.uploadId())
                                        .ifNoneMatch("*")
                                        .multipartUpload(all -> all.parts(part))
                                        .requestPayer(calls.payer())))))
                        .delayUntil(refused -> calls.call(
                                        key,
                                        client -> client.abortMultipartUpload(abort -> abort.bucket(calls.bucket())
                                                .key(probe)
                                                .uploadId(begun.uploadId())
                                                .requestPayer(calls.payer())))
                                .onErrorResume(StorageException.class, gone -> Mono.empty())));
    }

    private static Mono<Boolean> isRefused(Mono<?> write) {
        return write.thenReturn(false)
                .onErrorResume(S3Errors::isPreconditionFailed, refused -> Mono.just(true))
                .onErrorResume(S3Errors::isNotImplemented, refused -> Mono.just(false));
    }

    private Mono<?> delete(String key, String probe) {
        return calls.call(
                        key,
                        client -> client.deleteObject(delete ->
                                delete.bucket(calls.bucket()).key(probe).requestPayer(calls.payer())))
                // a probe that may not be deleted is in nobody's way
                .onErrorResume(StorageException.class, refused -> Mono.empty());
    }
}
