package io.sluice.internal.write;

import com.github.luben.zstd.ZstdInputStream;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.ObjectStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** What a store holds, for assertions: decoded by other code than the library's. */
final class Stored {

    private Stored() {}

    static List<String> keys(ObjectStore store) {
        return store.list("").map(ObjectMeta::key).collectList().block();
    }

    static byte[] bytes(ObjectStore store, String key) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        store.get(key)
                .doOnNext(b -> all.write(b.array(), b.arrayOffset() + b.position(), b.remaining()))
                .blockLast();
        return all.toByteArray();
    }

    static String text(ObjectStore store, String key) {
        try {
            ByteArrayInputStream in = new ByteArrayInputStream(bytes(store, key));
            byte[] plain = (key.endsWith(".zst")
                            ? new ZstdInputStream(in)
                            : key.endsWith(".gz") ? new GZIPInputStream(in) : in)
                    .readAllBytes();
            return new String(plain, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<String> lines(ObjectStore store, String key) {
        return text(store, key).lines().toList();
    }
}
