package io.sluice.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.github.luben.zstd.Zstd;
import io.sluice.Dataset;
import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import io.sluice.format.Jsonl;
import io.sluice.storage.TestHttpServer.Resource;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A data set behind a URL, as a user names it. */
class HttpDatasetTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static byte[] lines(int n) {
        return IntStream.range(0, n)
                .mapToObj(i -> "{\"n\":" + i + "}\n")
                .collect(Collectors.joining())
                .getBytes(UTF_8);
    }

    @Test
    void readsACompressedFileBehindASignedUrlThroughCuts() throws IOException {
        byte[] stored = Zstd.compress(lines(200_000));
        Resource resource = new Resource(stored, "\"v1\"");
        try (TestHttpServer server = new TestHttpServer((request, response) -> {
            int[] span = resource.head(request, response);
            response.body(stored, span[0], Math.min(span[1], span[0] + 100_000));
            response.close();
        })) {
            Dataset<?> rows = Dataset.at(server.url() + "dir/part-00000.jsonl.zst?X-Signature=a*b", Jsonl.maps());
            assertThat(rows.read().count().block(PATIENCE)).isEqualTo(200_000);
            assertThat(rows.toString()).doesNotContain("a*b");
        }
    }

    @Test
    void readsAnAnswerOfUnknownLength() throws IOException {
        byte[] content = lines(5000);
        try (TestHttpServer server = new TestHttpServer((request, response) -> {
            response.header("Transfer-Encoding", "chunked").head(200, -1);
            if (request.method().equals("GET")) {
                for (int at = 0; at < content.length; at += 1000) {
                    response.chunk(Arrays.copyOfRange(content, at, Math.min(content.length, at + 1000)));
                }
                response.chunk(new byte[0]);
            }
        })) {
            assertThat(Dataset.at(server.url() + "export?format=ndjson", Jsonl.maps())
                            .read()
                            .count()
                            .block(PATIENCE))
                    .isEqualTo(5000);
        }
    }

    @Test
    void saysThatAFileIsMissingOrCantBeListed() throws IOException {
        try (TestHttpServer server = new TestHttpServer((request, response) -> response.status(404))) {
            assertFails(server.url() + "missing.jsonl", Kind.NOT_FOUND);
            assertFails(server.url() + "missing.jsonl?a=1", Kind.NOT_FOUND);
            assertFails(server.url() + "dir/", Kind.UNSUPPORTED);
            assertFails(server.url() + "dir/*.jsonl", Kind.UNSUPPORTED);
        }
    }

    private static void assertFails(String location, Kind kind) {
        assertThatExceptionOfType(StorageException.class)
                .isThrownBy(() -> Dataset.at(location, Jsonl.maps()).read().blockLast(PATIENCE))
                .as(location)
                .withMessageContaining(location.replace("*.jsonl", ""))
                .satisfies(error -> assertThat(error.kind()).isEqualTo(kind));
    }
}
