package io.sluice.storage;

import java.net.URI;

/** Finds the store for a URI; found itself by {@link java.util.ServiceLoader}. */
public interface StoreProvider {

    /** Whether this provider knows the scheme, lower case: {@code "s3"}. */
    boolean supports(String scheme);

    /**
     * The store and the key (or prefix with a trailing {@code /}, or glob) that a location names. No I/O yet. The store is shared by
     * equal configurations and lives as long as the process.
     *
     * @param location scheme and the rest, unescaped as the user wrote it (globs are not legal URIs)
     */
    Location resolve(String location);

    /** A store and a key in it. */
    record Location(ObjectStore store, String key) {}

    /** {@link #resolve(String)} for a URI. */
    default Location resolve(URI uri) {
        return resolve(uri.toString());
    }
}
