package io.sluice.s3;

import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.client.config.SdkAdvancedAsyncClientOption;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.profiles.ProfileFile;
import software.amazon.awssdk.profiles.ProfileFileSystemSetting;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.regions.providers.DefaultAwsRegionProviderChain;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3AsyncClientBuilder;

/**
 * How to make an SDK client for S3 where the user has none: as the AWS command line finds region and credentials, unless
 * told otherwise. Immutable: every method gives a copy.
 */
public final class S3ClientSpec {

    /** Default of {@link #maxRetries}. */
    public static final int DEFAULT_MAX_RETRIES = 3;

    private final @Nullable String region;
    private final @Nullable String profile;
    private final @Nullable URI endpoint;
    private final @Nullable Boolean pathStyle;
    private final boolean anonymous;
    private final @Nullable AwsCredentialsProvider credentials;
    private final boolean crossRegion;
    private final boolean checksumsWhenRequired;
    private final int maxConnections;
    private final Duration connectTimeout;
    private final Duration readTimeout;
    private final int maxRetries;
    private final @Nullable SdkAsyncHttpClient httpClient;

    private S3ClientSpec(Builder from) {
        this.region = from.region;
        this.profile = from.profile;
        this.endpoint = from.endpoint;
        this.pathStyle = from.pathStyle;
        this.anonymous = from.anonymous;
        this.credentials = from.credentials;
        this.crossRegion = from.crossRegion;
        this.checksumsWhenRequired = from.checksumsWhenRequired;
        this.maxConnections = from.maxConnections;
        this.connectTimeout = from.connectTimeout;
        this.readTimeout = from.readTimeout;
        this.maxRetries = from.maxRetries;
        this.httpClient = from.httpClient;
    }

    /** All defaults: region and credentials from the environment, the profile files or the machine. */
    public static S3ClientSpec create() {
        return new S3ClientSpec(new Builder());
    }

    /** The region, such as {@code eu-central-1}. Without it, and with none found, a store at an endpoint of its own gets {@code us-east-1}. */
    public S3ClientSpec region(String name) {
        Builder copy = new Builder(this);
        copy.region = Objects.requireNonNull(name, "name");
        return new S3ClientSpec(copy);
    }

    /** The profile of the AWS configuration files that region and credentials come from. */
    public S3ClientSpec profile(String name) {
        Builder copy = new Builder(this);
        copy.profile = Objects.requireNonNull(name, "name");
        return new S3ClientSpec(copy);
    }

    /**
     * A store other than Amazon's: {@code http://localhost:9000}. Implies {@link #pathStyle path style} unless that is set.
     * Without it, {@code AWS_ENDPOINT_URL_S3}, {@code AWS_ENDPOINT_URL} and the profile's {@code endpoint_url} are asked.
     */
    public S3ClientSpec endpoint(URI uri) {
        Builder copy = new Builder(this);
        copy.endpoint = Objects.requireNonNull(uri, "uri");
        return new S3ClientSpec(copy);
    }

    /** Whether the bucket is a part of the path ({@code host/bucket/key}) and not of the host ({@code bucket.host/key}). */
    public S3ClientSpec pathStyle(boolean inPath) {
        Builder copy = new Builder(this);
        copy.pathStyle = inPath;
        return new S3ClientSpec(copy);
    }

    /** Signs nothing: for public buckets. */
    public S3ClientSpec anonymous() {
        Builder copy = new Builder(this);
        copy.anonymous = true;
        return new S3ClientSpec(copy);
    }

    /** Credentials of your own, with or without a session token. */
    public S3ClientSpec credentials(AwsCredentialsProvider provider) {
        Builder copy = new Builder(this);
        copy.credentials = Objects.requireNonNull(provider, "provider");
        return new S3ClientSpec(copy);
    }

    /** Follows a bucket into another region than the client's, at the price of a further request. */
    public S3ClientSpec crossRegion() {
        Builder copy = new Builder(this);
        copy.crossRegion = true;
        return new S3ClientSpec(copy);
    }

    /** Sends and checks checksums only where an operation demands them, for stores that do not know them. */
    public S3ClientSpec checksumsWhenRequired() {
        Builder copy = new Builder(this);
        copy.checksumsWhenRequired = true;
        return new S3ClientSpec(copy);
    }

    /** Connections at a time; more requests wait. Not used with an {@link #httpClient} of your own. */
    public S3ClientSpec maxConnections(int connections) {
        Builder copy = new Builder(this);
        copy.maxConnections = connections;
        return new S3ClientSpec(copy);
    }

    /** How long to wait for a connection, and for the next bytes of a response. Not used with an {@link #httpClient} of your own. */
    public S3ClientSpec timeouts(Duration connect, Duration read) {
        Builder copy = new Builder(this);
        copy.connectTimeout = connect;
        copy.readTimeout = read;
        return new S3ClientSpec(copy);
    }

    /** How many times the client itself makes a request again. */
    public S3ClientSpec maxRetries(int retries) {
        Builder copy = new Builder(this);
        copy.maxRetries = retries;
        return new S3ClientSpec(copy);
    }

    /** The HTTP client to use, such as a {@link ReactorNettyAsyncHttpClient} on a service's own. It stays yours to close. */
    public S3ClientSpec httpClient(SdkAsyncHttpClient client) {
        Builder copy = new Builder(this);
        copy.httpClient = Objects.requireNonNull(client, "client");
        return new S3ClientSpec(copy);
    }

    /**
     * A new client, the caller's to close. May read files; makes no request.
     *
     * @throws SdkClientException if there is no region to be found, or not the profile
     */
    public S3AsyncClient client() {
        if (profile != null && ProfileFile.defaultProfileFile().profile(profile).isEmpty()) {
            throw SdkClientException.create("there is no profile " + profile + " in the AWS configuration files");
        }
        URI elsewhere = endpoint != null ? endpoint : endpointOfEnvironment();
        S3AsyncClientBuilder builder = S3AsyncClient.builder()
                .region(region(elsewhere != null))
                .credentialsProvider(credentialsProvider())
                .forcePathStyle(pathStyle != null ? pathStyle : elsewhere != null)
                .crossRegionAccessEnabled(crossRegion)
                // a question before every upload costs a round trip, and only a bucket of another region is likely to
                // say no
                .serviceConfiguration(s3 -> s3.expectContinueEnabled(crossRegion))
                .overrideConfiguration(override -> {
                    override.retryStrategy(AwsRetryStrategy.standardRetryStrategy().toBuilder()
                            .maxAttempts(1 + maxRetries)
                            .build());
                    if (profile != null) {
                        override.defaultProfileName(profile);
                    }
                })
                // what follows a response is short and does not block: no need of another pool of threads
                .asyncConfiguration(async ->
                        async.advancedOption(SdkAdvancedAsyncClientOption.FUTURE_COMPLETION_EXECUTOR, Runnable::run));
        if (elsewhere != null) {
            builder.endpointOverride(elsewhere);
        }
        if (checksumsWhenRequired) {
            builder.requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                    .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED);
        }
        if (httpClient != null) {
            builder.httpClient(httpClient);
        } else {
            builder.httpClientBuilder(ReactorNettyAsyncHttpClient.builder()
                    .maxConnections(maxConnections)
                    .connectTimeout(connectTimeout)
                    .readTimeout(readTimeout));
        }
        return builder.build();
    }

    /** The SDK would find it as well, but only when the client is made, and then path style and region would not follow. */
    private @Nullable URI endpointOfEnvironment() {
        for (String name : new String[] {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}) {
            String uri = System.getenv(name);
            if (uri != null && !uri.isBlank()) {
                return address(name, uri);
            }
        }
        String chosen = profile != null ? profile : ProfileFileSystemSetting.AWS_PROFILE.getStringValueOrThrow();
        return ProfileFile.defaultProfileFile()
                .profile(chosen)
                .flatMap(found -> found.property("endpoint_url"))
                .map(uri -> address("endpoint_url of the profile " + chosen, uri))
                .orElse(null);
    }

    /** Without what is there in the error, which may name a user and a password. */
    private static URI address(String source, String text) {
        try {
            URI uri = new URI(text.strip());
            if (uri.getScheme() != null && uri.getHost() != null) {
                return uri;
            }
        } catch (URISyntaxException malformed) {
            // as below; its message has the text
        }
        throw new IllegalArgumentException(source + " is no address such as http://localhost:9000");
    }

    private Region region(boolean elsewhere) {
        if (region != null) {
            return Region.of(region);
        }
        DefaultAwsRegionProviderChain.Builder chain = DefaultAwsRegionProviderChain.builder();
        if (profile != null) {
            chain.profileFile(ProfileFile::defaultProfileFile).profileName(profile);
        }
        try {
            return chain.build().getRegion();
        } catch (SdkClientException none) {
            if (elsewhere) {
                return Region.US_EAST_1;
            }
            throw SdkClientException.create(
                    "there is no region; set AWS_REGION, or name one here or in the profile", none);
        }
    }

    private AwsCredentialsProvider credentialsProvider() {
        if (anonymous) {
            return AnonymousCredentialsProvider.create();
        }
        if (credentials != null) {
            return credentials;
        }
        return profile == null
                ? DefaultCredentialsProvider.builder().build()
                : DefaultCredentialsProvider.builder().profileName(profile).build();
    }

    private static final class Builder {
        private @Nullable String region;
        private @Nullable String profile;
        private @Nullable URI endpoint;
        private @Nullable Boolean pathStyle;
        private boolean anonymous;
        private @Nullable AwsCredentialsProvider credentials;
        private boolean crossRegion;
        private boolean checksumsWhenRequired;
        private int maxConnections = ReactorNettyAsyncHttpClient.DEFAULT_MAX_CONNECTIONS;
        private Duration connectTimeout = ReactorNettyAsyncHttpClient.DEFAULT_CONNECT_TIMEOUT;
        private Duration readTimeout = ReactorNettyAsyncHttpClient.DEFAULT_READ_TIMEOUT;
        private int maxRetries = DEFAULT_MAX_RETRIES;
        private @Nullable SdkAsyncHttpClient httpClient;

        Builder() {}

        Builder(S3ClientSpec from) {
            region = from.region;
            profile = from.profile;
            endpoint = from.endpoint;
            pathStyle = from.pathStyle;
            anonymous = from.anonymous;
            credentials = from.credentials;
            crossRegion = from.crossRegion;
            checksumsWhenRequired = from.checksumsWhenRequired;
            maxConnections = from.maxConnections;
            connectTimeout = from.connectTimeout;
            readTimeout = from.readTimeout;
            maxRetries = from.maxRetries;
            httpClient = from.httpClient;
        }
    }
}
