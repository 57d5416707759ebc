package io.sluice.storage;

import java.util.concurrent.ConcurrentHashMap;

/** Resolves {@code http://} and {@code https://}, where Reactor Netty is on the class path; names none of its classes itself. */
final class HttpStoreProvider implements StoreProvider {

    private static final boolean PRESENT = isPresent();

    private final ConcurrentHashMap<String, ObjectStore> stores = new ConcurrentHashMap<>();

    private static boolean isPresent() {
        try {
            Class.forName("reactor.netty.http.client.HttpClient", false, HttpStoreProvider.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException absent) {
            return false;
        }
    }

    @Override
    public boolean supports(String scheme) {
        return PRESENT && (scheme.equals("http") || scheme.equals("https"));
    }

    /** The store is the server's; the key is the URL's path and query, a fragment is left out. */
    @Override
    public Location resolve(String location) {
        int fragment = location.indexOf('#');
        String url = fragment < 0 ? location : location.substring(0, fragment);
        int authority = url.indexOf("://") + 3;
        int end = authority;
        while (end < url.length() && url.charAt(end) != '/' && url.charAt(end) != '?') {
            end++;
        }
        String base = url.substring(0, end) + "/";
        String key = end < url.length() && url.charAt(end) == '/' ? url.substring(end + 1) : url.substring(end);
        return new Location(stores.computeIfAbsent(base, HttpObjectStore::create), key);
    }
}
