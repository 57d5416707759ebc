package io.sluice.s3;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import io.sluice.s3.PartFlux.Part;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.Logger;
import reactor.util.Loggers;
import reactor.util.retry.Retry;
import software.amazon.awssdk.core.async.AsyncRequestBody;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.s3.model.CompleteMultipartUploadRequest;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.CreateMultipartUploadRequest;
import software.amazon.awssdk.services.s3.model.CreateMultipartUploadResponse;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.Tag;
import software.amazon.awssdk.services.s3.model.Tagging;
import software.amazon.awssdk.services.s3.model.UploadPartRequest;

/**
 * One object on its way into the store. Content that fits into a part is written by one PutObject, more by a multipart upload,
 * of which nobody sees anything before its last request.
 *
 * <p>The object carries a UUID of this write in its metadata. Where the answer to the last request is lost, or says that the
 * key is taken, which is also what a retried request that had succeeded gets to hear, the UUID tells whose object is there.
 */
final class S3Put {

    /** The name of the metadata that holds the UUID of the write. */
    static final String WRITER = "sluice-writer";

    private static final Logger LOG = Loggers.getLogger(S3Put.class);
    private static final int MAX_PARTS = 10_000;
    private static final int ABORTS = 20;

    private final S3Calls calls;
    private final String key;
    private final boolean create;
    private final ConditionCheck conditions;
    private final String writer = UUID.randomUUID().toString();

    S3Put(S3Calls calls, String key, PutMode mode, ConditionCheck conditions) {
        this.calls = calls;
        this.key = key;
        this.create = mode == PutMode.CREATE;
        this.conditions = conditions;
    }

    Mono<ObjectMeta> write(Publisher<ByteBuffer> content) {
        return new PartFlux(content, calls.spec().partBytes)
                .switchOnFirst((signal, parts) -> {
                    Part first = signal.get();
                    if (first == null) {
                        return parts.cast(ObjectMeta.class);
                    }
                    return first.last() ? parts.concatMap(this::putWhole, 1) : upload(parts);
                })
                .single();
    }

    // ---- in one piece

    private Mono<ObjectMeta> putWhole(Part part) {
        long size = part.length();
        PutObjectRequest.Builder put = PutObjectRequest.builder()
                .bucket(calls.bucket())
                .key(key)
                .metadata(metadata())
                .tagging(tagging())
                .storageClass(calls.spec().storageClass)
                .serverSideEncryption(calls.spec().encryption)
                .ssekmsKeyId(calls.spec().kmsKeyId)
                .requestPayer(calls.payer());
        if (isConditional()) {
            put.ifNoneMatch("*");
        }
        return allowed(false)
                .then(retried(calls.raw(client -> {
                    if (calls.sendsChecksums()) {
                        put.checksumAlgorithm(ChecksumAlgorithm.CRC32).checksumCRC32(part.crc32());
                    }
                    return client.putObject(put.build(), body(part));
                })))
                .map(response -> new ObjectMeta(key, size, S3ObjectStore.etag(response.eTag()), null))
                .onErrorResume(this::unlessOurs);
    }

    // ---- in parts

    private Flux<ObjectMeta> upload(Flux<Part> parts) {
        return Flux.usingWhen(
                Mono.fromSupplier(Upload::new),
                upload -> allowed(true)
                        .then(retried(upload.begin()))
                        .flatMapMany(id -> parts.flatMap(part -> uploadPart(id, part), calls.spec().partsInFlight, 1)
                                .collectList()
                                .flatMap(uploaded -> complete(id, uploaded))),
                upload -> Mono.empty(),
                (upload, error) -> upload.abort(),
                Upload::abort);
    }

    /** Knows whether there is something to abort, also where the answer that says so comes after a cancel. */
    private final class Upload {

        private @Nullable String id;
        private boolean isOver;

        Mono<String> begin() {
            CreateMultipartUploadRequest begin = CreateMultipartUploadRequest.builder()
                    .bucket(calls.bucket())
                    .key(key)
                    .metadata(metadata())
                    .tagging(tagging())
                    .storageClass(calls.spec().storageClass)
                    .serverSideEncryption(calls.spec().encryption)
                    .ssekmsKeyId(calls.spec().kmsKeyId)
                    .requestPayer(calls.payer())
                    .build();
            // a cancel does not reach the request, whose answer would be lost with the upload that it names
            return Mono.fromFuture(
                            () -> calls.client().createMultipartUpload(begin).whenComplete(this::begun), true)
                    .map(CreateMultipartUploadResponse::uploadId)
                    .subscribeOn(calls.spec().scheduler);
        }

        private void begun(@Nullable CreateMultipartUploadResponse response, @Nullable Throwable error) {
            if (response == null) {
                return;
            }
            synchronized (this) {
                if (!isOver) {
                    id = response.uploadId();
                    return;
                }
            }
            S3Put.this.abort(response.uploadId()).subscribe();
        }

        Mono<Void> abort() {
            return Mono.defer(() -> {
                String open;
                synchronized (this) {
                    isOver = true;
                    open = id;
                }
                return open == null ? Mono.empty() : S3Put.this.abort(open);
            });
        }
    }

    private Mono<UploadedPart> uploadPart(String upload, Part part) {
        if (part.number() > MAX_PARTS) {
            return Mono.error(new StorageException(
                    Kind.UNSUPPORTED, calls.shown(key), "needs more than 10,000 parts; raise partBytes", null));
        }
        UploadPartRequest.Builder request = UploadPartRequest.builder()
                .bucket(calls.bucket())
                .key(key)
                .uploadId(upload)
                .partNumber(part.number())
                .requestPayer(calls.payer());
        long bytes = part.length();
        return retried(calls.raw(client -> {
                    if (calls.sendsChecksums()) {
                        request.checksumAlgorithm(ChecksumAlgorithm.CRC32).checksumCRC32(part.crc32());
                    }
                    return client.uploadPart(request.build(), body(part));
                }))
                .map(response -> new UploadedPart(
                        part.number(),
                        bytes,
                        CompletedPart.builder()
                                .partNumber(part.number())
                                .eTag(response.eTag())
                                .checksumCRC32(response.checksumCRC32())
                                .checksumCRC32C(response.checksumCRC32C())
                                .checksumCRC64NVME(response.checksumCRC64NVME())
                                .checksumSHA1(response.checksumSHA1())
                                .checksumSHA256(response.checksumSHA256())
                                .build()));
    }

    private record UploadedPart(int number, long bytes, CompletedPart completed) {}

    private Mono<ObjectMeta> complete(String upload, List<UploadedPart> parts) {
        List<CompletedPart> inOrder = parts.stream()
                .sorted(Comparator.comparingInt(UploadedPart::number))
                .map(UploadedPart::completed)
                .toList();
        long size = parts.stream().mapToLong(UploadedPart::bytes).sum();
        CompleteMultipartUploadRequest.Builder complete = CompleteMultipartUploadRequest.builder()
                .bucket(calls.bucket())
                .key(key)
                .uploadId(upload)
                .multipartUpload(all -> all.parts(inOrder))
                .requestPayer(calls.payer());
        if (isConditional()) {
            complete.ifNoneMatch("*");
        }
        return stillFree()
                .then(retried(calls.raw(client -> client.completeMultipartUpload(complete.build()))))
                .map(response -> new ObjectMeta(key, size, S3ObjectStore.etag(response.eTag()), null))
                .onErrorResume(this::unlessOurs);
    }

    /** Aborts until there is nothing to list: a part that was under way may arrive after the first abort. Never fails. */
    private Mono<Void> abort(String upload) {
        return Mono.defer(() -> calls.call(
                                key,
                                client -> client.abortMultipartUpload(abort -> abort.bucket(calls.bucket())
                                        .key(key)
                                        .uploadId(upload)
                                        .requestPayer(calls.payer())))
                        .onErrorResume(S3Errors::isNotFound, gone -> Mono.empty())
                        .then(calls.call(
                                key,
                                client -> client.listParts(list -> list.bucket(calls.bucket())
                                        .key(key)
                                        .uploadId(upload)
                                        .maxParts(1)
                                        .requestPayer(calls.payer()))))
                        .map(listed -> !listed.parts().isEmpty())
                        .onErrorResume(S3Errors::isNotFound, gone -> Mono.just(false)))
                .flatMap(left -> left ? Mono.<Void>error(new IllegalStateException("still there")) : Mono.<Void>empty())
                .retryWhen(Retry.backoff(ABORTS, calls.spec().minBackoff)
                        .maxBackoff(calls.spec().maxBackoff)
                        .filter(error -> error instanceof IllegalStateException))
                .onErrorResume(error -> {
                    LOG.warn("could not abort upload {} of {}", upload, calls.shown(key), error);
                    return Mono.empty();
                });
    }

    // ---- conditions and lost answers

    private boolean isConditional() {
        return create && calls.spec().conditionalWrites != ConditionalWrites.CHECK_BEFORE;
    }

    /** Whether a create-only write may begin. Where it is a long one, it shall not find out at its end that the key is taken. */
    private Mono<Void> allowed(boolean inParts) {
        if (!create) {
            return Mono.empty();
        }
        return switch (calls.spec().conditionalWrites) {
            case PROBE -> conditions.require(key, inParts).then(inParts ? free() : Mono.empty());
            case TRUST -> inParts ? free() : Mono.empty();
            case CHECK_BEFORE -> free();
        };
    }

    private Mono<Void> stillFree() {
        return create && calls.spec().conditionalWrites == ConditionalWrites.CHECK_BEFORE ? free() : Mono.empty();
    }

    private Mono<Void> free() {
        return head().flatMap(taken -> Mono.error(taken()));
    }

    private StorageException taken() {
        return new StorageException(
                Kind.ALREADY_EXISTS,
                calls.shown(key),
                "exists already; write to another key, or overwrite with PutMode.OVERWRITE",
                null);
    }

    /** What is at the key; empty if nothing is. */
    private Mono<HeadObjectResponse> head() {
        return calls.call(
                        key,
                        client -> client.headObject(
                                head -> head.bucket(calls.bucket()).key(key).requestPayer(calls.payer())))
                .onErrorResume(S3Errors::isNotFound, nothing -> Mono.empty());
    }

    private Mono<ObjectMeta> unlessOurs(Throwable error) {
        boolean unsure = S3Errors.isPreconditionFailed(error)
                || S3Errors.isNotFound(error)
                || (error instanceof StorageException storage && storage.isTransient());
        if (!unsure) {
            return Mono.error(error);
        }
        return head().onErrorMap(later -> error)
                .flatMap(found -> {
                    if (writer.equals(found.metadata().get(WRITER))) {
                        return Mono.just(S3ObjectStore.meta(key, found));
                    }
                    return Mono.<ObjectMeta>error(create ? taken() : error);
                })
                .switchIfEmpty(Mono.error(error));
    }

    private <T> Mono<T> retried(Mono<T> request) {
        return calls.retried(request, key, Kind.ALREADY_EXISTS);
    }

    // ---- what requests carry

    private static AsyncRequestBody body(Part part) {
        return new PartBody(part);
    }

    private Map<String, String> metadata() {
        Map<String, String> all = new HashMap<>(calls.spec().metadata);
        all.put(WRITER, writer);
        return all;
    }

    private @Nullable Tagging tagging() {
        if (calls.spec().tags.isEmpty()) {
            return null;
        }
        List<Tag> tags = new ArrayList<>();
        calls.spec()
                .tags
                .forEach((name, value) ->
                        tags.add(Tag.builder().key(name).value(value).build()));
        return Tagging.builder().tagSet(tags).build();
    }
}
