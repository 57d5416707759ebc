package io.sluice.storage;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import io.sluice.storage.StoreProvider.Location;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.ServiceLoader;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Finds the store that a location names. A location without a scheme is a path: {@code events/}, {@code /data/a.jsonl},
 * {@code logs/*.jsonl.zst}. One with a scheme, {@code s3://bucket/key}, is resolved by the {@link StoreProvider} that knows the
 * scheme. There is no I/O.
 *
 * <p>A relative path is relative to the working directory, and stays so in messages. {@code ..} in a path is resolved by its
 * text, without a look at symbolic links.
 */
public final class Stores {

    /** At least two letters before the colon, as one is a drive. */
    private static final Pattern SCHEME = Pattern.compile("([a-zA-Z][a-zA-Z0-9+.-]+)://.*", Pattern.DOTALL);

    /** Those of this module, which are always there. */
    private static final List<StoreProvider> BUILT_IN = List.of(new FileStoreProvider(), new HttpStoreProvider());

    private Stores() {}

    /** Those that other modules bring; looked for when a location needs one. */
    private static final class Modules {
        private static final List<StoreProvider> PROVIDERS = load(Stores.class.getClassLoader());
    }

    /**
     * The store and key of a location.
     *
     * @param location a path, a directory's path with a trailing {@code /}, a glob, or one of these behind {@code scheme://}
     * @throws StorageException {@code INVALID_REQUEST} if the location is malformed, {@code UNSUPPORTED} if no provider on the
     *     class path knows its scheme
     */
    public static Location resolve(String location) {
        Objects.requireNonNull(location, "location");
        Matcher matcher = SCHEME.matcher(location);
        if (matcher.matches()) {
            return provider(matcher.group(1).toLowerCase(Locale.ROOT), location).resolve(location);
        }
        if (location.isEmpty()) {
            throw new StorageException(
                    Kind.INVALID_REQUEST, null, "a location must not be empty; the working directory is \".\"", null);
        }
        return LocalLocations.resolve(location);
    }

    /** The local store and key of a path, or of a directory or glob, as {@link #resolve(String)}; it never has a scheme. */
    public static Location resolve(Path path) {
        return LocalLocations.resolve(path);
    }

    /**
     * The store and key of a URI.
     *
     * @throws StorageException as {@link #resolve(String)}
     */
    public static Location resolve(URI uri) {
        String scheme = uri.getScheme();
        if (scheme == null) {
            throw new StorageException(Kind.INVALID_REQUEST, uri.toString(), "a URI needs a scheme", null);
        }
        return provider(scheme.toLowerCase(Locale.ROOT), uri.toString()).resolve(uri);
    }

    private static StoreProvider provider(String scheme, String location) {
        StoreProvider found = find(BUILT_IN, scheme);
        if (found == null) {
            found = find(Modules.PROVIDERS, scheme);
        }
        if (found == null) {
            // in containers, an application's modules may be seen by its own class loader only
            ClassLoader context = Thread.currentThread().getContextClassLoader();
            if (context != null && context != Stores.class.getClassLoader()) {
                found = find(load(context), scheme);
            }
        }
        if (found == null) {
            throw new StorageException(Kind.UNSUPPORTED, withoutSecrets(location), hint(scheme), null);
        }
        return found;
    }

    private static List<StoreProvider> load(@Nullable ClassLoader loader) {
        return ServiceLoader.load(StoreProvider.class, loader).stream()
                .map(ServiceLoader.Provider::get)
                .toList();
    }

    private static @Nullable StoreProvider find(List<StoreProvider> providers, String scheme) {
        for (StoreProvider provider : providers) {
            if (provider.supports(scheme)) {
                return provider;
            }
        }
        return null;
    }

    private static String hint(String scheme) {
        return switch (scheme) {
            case "s3", "s3a", "s3n" ->
                "no store for " + scheme + ":// on the class path: add io.sluice:sluice-s3"
                        + (scheme.equals("s3") ? "" : " and write s3://");
            case "http", "https" ->
                "no store for " + scheme + ":// on the class path: add io.projectreactor.netty:reactor-netty-http";
            default ->
                "no store on the class path knows the scheme " + scheme
                        + "://; give a path, s3:// or http(s)://, or add a StoreProvider";
        };
    }

    /** A message must not show the credentials of {@code scheme://user:password@host}. */
    private static String withoutSecrets(String location) {
        return location.replaceFirst("://[^/?#]*@", "://");
    }
}
