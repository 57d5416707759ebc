package io.sluice.cli;

import io.sluice.Dataset;
import io.sluice.format.Format;
import io.sluice.s3.S3ClientSpec;
import io.sluice.s3.S3StoreProvider;
import io.sluice.s3.S3StoreSpec;
import io.sluice.storage.StoreProvider;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where locations lead: shared by the commands that take any. The options are for {@code s3://} and leave others alone. */
final class Stores {

    @Option(
            names = "--endpoint",
            paramLabel = "URI",
            description = "For s3://: a store other than Amazon's (default: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL).")
    @Nullable
    String endpoint;

    @Option(
            names = "--region",
            paramLabel = "NAME",
            description = "For s3://: the region (default: AWS_REGION, then the profile's).")
    @Nullable
    String region;

    @Option(
            names = "--profile",
            paramLabel = "NAME",
            description = "For s3://: the profile with region and credentials (default: AWS_PROFILE).")
    @Nullable
    String profile;

    @Option(
            names = "--path-style",
            description = "For s3://: the bucket is in the path, not in the host name (default with an endpoint).")
    boolean pathStyle;

    @Option(names = "--anonymous", description = "For s3://: sign nothing, for public buckets.")
    boolean anonymous;

    private @Nullable StoreProvider s3;

    <T> Dataset<T> at(String location, Format<T> format) {
        if (!location.toLowerCase(Locale.ROOT).startsWith("s3://")) {
            return Dataset.at(location, format);
        }
        if (s3 == null) {
            s3 = new S3StoreProvider(client(), S3StoreSpec.create());
        }
        StoreProvider.Location found = s3.resolve(location);
        return Dataset.at(found.store(), found.key(), format);
    }

    private S3ClientSpec client() {
        S3ClientSpec client = S3ClientSpec.create();
        client = endpoint == null ? client : client.endpoint(address(endpoint));
        client = region == null ? client : client.region(region);
        client = profile == null ? client : client.profile(profile);
        client = pathStyle ? client.pathStyle(true) : client;
        return anonymous ? client.anonymous() : client;
    }

    private static URI address(String text) {
        try {
            URI uri = new URI(text);
            boolean http = "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
            if (http && uri.getHost() != null && uri.getUserInfo() == null) {
                return uri;
            }
        } catch (URISyntaxException malformed) {
            // as below
        }
        // without what was given, which may have a password in it
        throw new UsageException("--endpoint is an address such as http://localhost:9000, without a user");
    }
}
