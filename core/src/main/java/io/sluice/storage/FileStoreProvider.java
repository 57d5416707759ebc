package io.sluice.storage;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import java.net.URI;

/** Resolves {@code file:///path}; the path is taken as it is written, without percent-decoding. */
final class FileStoreProvider implements StoreProvider {

    private static final String SCHEME = "file://";
    private static final String LOCALHOST = "localhost";

    @Override
    public boolean supports(String scheme) {
        return scheme.equals("file");
    }

    @Override
    public Location resolve(String location) {
        String rest = location.substring(SCHEME.length());
        if (rest.startsWith(LOCALHOST + "/")) {
            rest = rest.substring(LOCALHOST.length());
        }
        if (!rest.startsWith("/")) {
            throw new StorageException(
                    Kind.INVALID_REQUEST, location, "names a host; a file's location is file:///path", null);
        }
        return LocalLocations.resolve(rest);
    }

    /** A URI's path is percent-decoded. */
    @Override
    public Location resolve(URI uri) {
        String path = uri.getPath();
        if (path == null || (uri.getHost() != null && !uri.getHost().equals(LOCALHOST))) {
            throw new StorageException(
                    Kind.INVALID_REQUEST, uri.toString(), "is no location of a file: file:///path", null);
        }
        return LocalLocations.resolve(path);
    }
}
