package io.sluice.s3;

import io.sluice.storage.StoreProvider;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/**
 * Resolves {@code s3://bucket/key}. The one that is found by {@link java.util.ServiceLoader} takes region, credentials and
 * endpoint from where the AWS command line takes them ({@code AWS_REGION}, {@code AWS_PROFILE}, {@code AWS_ENDPOINT_URL}, …);
 * programs that want it otherwise make one with specs of their own.
 *
 * <p>All stores of a provider share a client, which is made for the first one and lives as long as the process.
 */
public final class S3StoreProvider implements StoreProvider {

    private static final String SCHEME = "s3://";

    private final S3ClientSpec clientSpec;
    private final S3StoreSpec storeSpec;
    private final ConcurrentHashMap<String, S3ObjectStore> stores = new ConcurrentHashMap<>();
    private @Nullable S3AsyncClient client;

    /** As the environment says. */
    public S3StoreProvider() {
        this(S3ClientSpec.create(), S3StoreSpec.create());
    }

    /** With clients and stores of these specs. */
    public S3StoreProvider(S3ClientSpec clientSpec, S3StoreSpec storeSpec) {
        this.clientSpec = clientSpec;
        this.storeSpec = storeSpec;
    }

    @Override
    public boolean supports(String scheme) {
        return scheme.equals("s3");
    }

    @Override
    public Location resolve(String location) {
        if (!location.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
            throw S3Errors.invalid(location, "is no location in S3: s3://bucket/key", null);
        }
        int slash = location.indexOf('/', SCHEME.length());
        String bucket = location.substring(SCHEME.length(), slash < 0 ? location.length() : slash);
        String key = slash < 0 ? "" : location.substring(slash + 1);
        if (bucket.isEmpty() || bucket.indexOf('@') >= 0 || bucket.indexOf(':') >= 0) {
            throw S3Errors.invalid(
                    bucket.indexOf('@') >= 0 ? null : location, "is no location in S3: s3://bucket/key", null);
        }
        return new Location(stores.computeIfAbsent(bucket, name -> store(name, location)), key);
    }

    private S3ObjectStore store(String bucket, String location) {
        return S3ObjectStore.create(client(location), bucket, storeSpec);
    }

    private synchronized S3AsyncClient client(String location) {
        S3AsyncClient current = client;
        if (current == null) {
            try {
                current = clientSpec.client();
            } catch (RuntimeException e) {
                throw S3Errors.invalid(location, "no client for S3: " + e.getMessage(), e);
            }
            client = current;
        }
        return current;
    }
}
