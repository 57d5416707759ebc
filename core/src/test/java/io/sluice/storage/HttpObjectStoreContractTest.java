package io.sluice.storage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;

/** The reading half of the contract, against a server that knows ranges, one that does not, and one that has dates for ETags. */
class HttpObjectStoreContractTest {

    @Nested
    class WithRanges extends Http {}

    @Nested
    class WithoutRanges extends Http {
        @Override
        boolean ranges() {
            return false;
        }
    }

    @Nested
    class WithoutEtags extends Http {
        @Override
        boolean etags() {
            return false;
        }
    }

    abstract static class Http extends ObjectStoreContract {

        private final Map<String, TestHttpServer.Resource> resources = new ConcurrentHashMap<>();
        private final AtomicInteger versions = new AtomicInteger();
        private final TestHttpServer server;
        private @Nullable HttpObjectStore store;

        Http() {
            try {
                server = new TestHttpServer((request, response) -> {
                    TestHttpServer.Resource resource = resources.get(
                            URLDecoder.decode(request.target().replace("+", "%2B"), StandardCharsets.UTF_8));
                    if (resource == null) {
                        response.status(404);
                    } else {
                        resource.handle(request, response);
                    }
                });
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }

        @AfterEach
        void close() throws IOException {
            server.close();
        }

        boolean ranges() {
            return true;
        }

        boolean etags() {
            return true;
        }

        @Override
        protected ObjectStore store() {
            if (store == null) {
                store = HttpObjectStore.create(server.url() + "base dir/".replace(" ", "%20"));
            }
            return store;
        }

        @Override
        protected void given(String key, byte[] content) {
            int version = versions.incrementAndGet();
            TestHttpServer.Resource resource =
                    new TestHttpServer.Resource(content.clone(), etags() ? "\"v" + version + "\"" : null);
            resource.lastModified = "Wed, 21 Oct 2015 07:%02d:00 GMT".formatted(version);
            resource.ranges = ranges();
            resources.put(
                    URLDecoder.decode("/base%20dir/" + key.replace("+", "%2B"), StandardCharsets.UTF_8), resource);
        }

        @Override
        protected String key(String name) {
            StringBuilder key = new StringBuilder();
            for (String segment : name.split("/", -1)) {
                key.append(key.isEmpty() ? "" : "/")
                        .append(URLEncoder.encode(segment, StandardCharsets.UTF_8)
                                .replace("+", "%20"));
            }
            return key.toString();
        }

        @Override
        protected boolean writable() {
            return false;
        }

        @Override
        protected boolean listable() {
            return false;
        }
    }
}
