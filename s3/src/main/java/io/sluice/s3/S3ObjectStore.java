package io.sluice.s3;

import io.sluice.ReadSpec;
import io.sluice.StorageException;
import io.sluice.storage.ByteRange;
import io.sluice.storage.ObjectKeys;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.ObjectStore;
import io.sluice.storage.PrefetchBudget;
import io.sluice.storage.PrefetchingReads;
import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * A bucket of Amazon S3, or of what speaks its protocol.
 *
 * <p><b>Reading.</b> Objects come in ranges, several at a time, in order, all of one version: the first answer, or the
 * caller, pins the ETag. A range is read into memory as fast as it comes, so a consumer may pause as long as it likes and no
 * connection waits for it. A reset, a stall or an overloaded server in mid-body is resumed at the next byte. Bytes are
 * signalled on the HTTP client's threads, which a consumer must not block.
 *
 * <p><b>Writing.</b> An object is written by one request, or by a multipart upload with bounded memory; either way nobody sees
 * it before it is whole. A cancel or an error aborts the upload and makes sure that nothing of it is left; one that comes
 * while the very last request is under way may be too late. What a crash of the process leaves is an upload that nobody
 * completes: let a lifecycle rule of the bucket abort those.
 *
 * <p>Objects whose keys are not those of {@link ObjectStore}, such as markers of directories ({@code a/}), are not listed.
 */
public final class S3ObjectStore implements ObjectStore, PrefetchingReads {

    private static final int PAGE = 1000;

    private final S3Calls calls;
    private final ReadAhead readAhead;
    private final ConditionCheck conditions;

    private S3ObjectStore(S3AsyncClient client, String bucket, S3StoreSpec spec) {
        this.calls =
                new S3Calls(Objects.requireNonNull(client, "client"), Objects.requireNonNull(bucket, "bucket"), spec);
        this.readAhead = new ReadAhead(spec.readAheadBytes);
        this.conditions = new ConditionCheck(calls);
    }

    /** A bucket, with all defaults. The client stays yours to close. */
    public static S3ObjectStore create(S3AsyncClient client, String bucket) {
        return new S3ObjectStore(client, bucket, S3StoreSpec.create());
    }

    /** A bucket. The client stays yours to close. */
    public static S3ObjectStore create(S3AsyncClient client, String bucket, S3StoreSpec spec) {
        return new S3ObjectStore(client, bucket, spec);
    }

    @Override
    public Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch) {
        return get(key, range, ifMatch, (PrefetchBudget) null);
    }

    @Override
    public Flux<ByteBuffer> get(
            String key, ByteRange range, @Nullable String ifMatch, @Nullable PrefetchBudget budget) {
        return new RangedGet(calls, readAhead, budget, key, range, ifMatch == null ? null : etag(ifMatch), this::head);
    }

    /** Twice the ranges that may be in flight, since half of it is for blocks, but not more than may be read ahead at all. */
    @Override
    public long prefetchBytes() {
        S3StoreSpec spec = calls.spec();
        return Math.max(
                ReadSpec.DEFAULT_PREFETCH_BYTES,
                2 * Math.min(spec.readAheadBytes, (long) spec.rangeBytes * spec.rangesInFlight));
    }

    @Override
    public Mono<ObjectMeta> head(String key) {
        return Mono.defer(() -> {
            ObjectKeys.requireKey(key);
            return calls.call(
                            key,
                            client -> client.headObject(
                                    head -> head.bucket(calls.bucket()).key(key).requestPayer(calls.payer())))
                    .map(found -> meta(key, found));
        });
    }

    @Override
    public Flux<ObjectMeta> list(String prefix) {
        return list(prefix, null);
    }

    @Override
    public Flux<ObjectMeta> listDirectory(String directory) {
        return list(ObjectStore.directoryPrefix(directory), "/");
    }

    private Flux<ObjectMeta> list(String prefix, @Nullable String delimiter) {
        return Flux.defer(() -> {
            ObjectKeys.requirePrefix(prefix);
            return page(prefix, delimiter, null)
                    .expand(page -> Boolean.TRUE.equals(page.isTruncated())
                            ? page(prefix, delimiter, page.nextContinuationToken())
                            : Mono.empty())
                    .concatMapIterable(ListObjectsV2Response::contents, 1)
                    .filter(object -> isKey(object.key()))
                    .map(S3ObjectStore::meta);
        });
    }

    private Mono<ListObjectsV2Response> page(String prefix, @Nullable String delimiter, @Nullable String after) {
        return calls.call(
                prefix,
                client -> client.listObjectsV2(list -> list.bucket(calls.bucket())
                        .prefix(prefix)
                        .delimiter(delimiter)
                        .continuationToken(after)
                        .maxKeys(PAGE)
                        .requestPayer(calls.payer())));
    }

    @Override
    public Mono<ObjectMeta> put(String key, Publisher<ByteBuffer> content, PutMode mode) {
        Objects.requireNonNull(mode, "mode");
        return Mono.defer(() -> {
            ObjectKeys.requireKey(key);
            return new S3Put(calls, key, mode, conditions).write(content);
        });
    }

    @Override
    public Mono<Void> delete(String key) {
        return Mono.defer(() -> {
            ObjectKeys.requireKey(key);
            return calls.call(
                            key,
                            client -> client.deleteObject(delete ->
                                    delete.bucket(calls.bucket()).key(key).requestPayer(calls.payer())))
                    .onErrorResume(S3ObjectStore::isMissingObject, missing -> Mono.empty())
                    .then();
        });
    }

    private static boolean isMissingObject(Throwable error) {
        return S3Errors.isNotFound(error) && !S3Errors.isNoSuchBucket(error);
    }

    @Override
    public String displayName(String key) {
        return calls.shown(key);
    }

    @Override
    public String toString() {
        return calls.shown("");
    }

    /** Bytes of read-ahead that no read has taken. */
    long readAheadFree() {
        return readAhead.free();
    }

    private static boolean isKey(String key) {
        if (key.startsWith(ConditionCheck.PROBE, key.lastIndexOf('/') + 1)) {
            return false;
        }
        try {
            ObjectKeys.requireKey(key);
            return true;
        } catch (StorageException marker) {
            return false;
        }
    }

    /** In the one form that answers, listings and callers then have in common: with quotes. */
    static @Nullable String etag(@Nullable String etag) {
        return etag == null || etag.endsWith("\"") ? etag : '"' + etag + '"';
    }

    static ObjectMeta meta(String key, HeadObjectResponse found) {
        long size = found.contentLength() == null ? -1 : found.contentLength();
        return new ObjectMeta(key, size, etag(found.eTag()), found.lastModified());
    }

    private static ObjectMeta meta(S3Object object) {
        return new ObjectMeta(object.key(), object.size(), etag(object.eTag()), object.lastModified());
    }
}
