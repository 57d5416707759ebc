package io.sluice.webflux;

import static io.sluice.webflux.Service.joined;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.NamedCsvRecord;
import io.sluice.codec.Compression;
import io.sluice.codec.Compressions;
import io.sluice.codec.DecompressionLimits;
import io.sluice.codec.Decompressor;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What data sets are answered as, by {@code Accept} and {@code Accept-Encoding}. */
class RepresentationTest {

    private static final List<String> LINES = Service.lines(10_000, 5);
    private static final JsonMapper JSON = new JsonMapper();

    @TempDir
    static Path data;

    private static Service service;

    @BeforeAll
    static void start() {
        Service.write(data.resolve("events"), LINES, Compressions.zstd(), 4_000);
        service = new Service(data);
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            */*                                            | application/x-ndjson
            application/x-ndjson                           | application/x-ndjson
            application/json                               | application/json
            application/json;q=0.5, text/csv;q=0.9         | text/csv
            text/html,application/xml;q=0.9,*/*;q=0.8      | application/x-ndjson
            text/*                                         | text/csv
            application/json;q=0, */*                      | application/x-ndjson
            """)
    void theMostWantedIsGiven(String accept, String type) throws Exception {
        HttpResponse<byte[]> response = service.get("/datasets/events?limit=1", "Accept", accept);
        assertThat(response.headers().firstValue("content-type")).contains(type);
        assertThat(response.headers().allValues("vary").toString()).contains("Accept", "Accept-Encoding");
    }

    @Test
    void anArrayHasTheSameRecords() throws Exception {
        String text = service.text("/datasets/events", "Accept", "application/json");
        JsonNode array = JSON.readTree(text);
        List<JsonNode> expected = LINES.stream().map(JSON::readTree).toList();
        assertThat(array.values()).containsExactlyElementsOf(expected);
        assertThat(service.text("/datasets/events?limit=0", "Accept", "application/json"))
                .isEqualTo("[]\n");
    }

    @Test
    void anArrayWithABadRecordIsBrokenOff() throws Exception {
        Files.createDirectory(data.resolve("bad"));
        Files.writeString(data.resolve("bad/part-00000.jsonl"), joined(LINES) + "nonsense\n");
        assertThatThrownBy(() -> service.text("/datasets/bad", "Accept", "application/json"))
                .isInstanceOf(IOException.class);
    }

    @Test
    void csvHasAHeaderAndQuotesWhatNeedsIt() throws Exception {
        Files.createDirectory(data.resolve("csv"));
        Files.writeString(data.resolve("csv/part-00000.jsonl"), """
                {"a":1,"b":"x,\\"y\\"","c":null}
                {"a":1.50,"b":"","d":{"e":[1,"z"]}}
                {"b":"two\\nlines","c":true,"d":[]}
                """);
        assertThat(service.text("/datasets/csv", "Accept", "text/csv")).isEqualTo("""
                a,b,c,d\r
                1,"x,""y""\",,\r
                1.50,"",,"{""e"":[1,""z""]}"\r
                ,"two
                lines",true,[]\r
                """);
        assertThat(service.text("/datasets/csv?columns=c,a&limit=1", "Accept", "text/csv"))
                .isEqualTo("c,a\r\n,1\r\n");
    }

    @Test
    void csvHasAllRecords() throws Exception {
        List<String> ids = new ArrayList<>();
        try (CsvReader<NamedCsvRecord> csv =
                CsvReader.builder().ofNamedCsvRecord(service.text("/datasets/events", "Accept", "text/csv"))) {
            csv.forEach(row -> ids.add(row.getField("id") + row.getField("text")));
        }
        assertThat(ids)
                .isEqualTo(LINES.stream()
                        .map(JSON::readTree)
                        .map(row -> row.get("id").asInt() + row.get("text").asString())
                        .toList());
    }

    @Test
    void csvIsBrokenOffWhereAKeyTurnsUpLate() throws Exception {
        Files.createDirectory(data.resolve("late"));
        Files.writeString(data.resolve("late/part-00000.jsonl"), joined(LINES) + "{\"id\":1,\"new\":2}\n");
        assertThatThrownBy(() -> service.text("/datasets/late", "Accept", "text/csv"))
                .isInstanceOf(IOException.class);
        assertThat(service.text("/datasets/late?columns=id,new", "Accept", "text/csv"))
                .endsWith("\r\n1,2\r\n");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            gzip                         | gzip
            zstd                         | zstd
            gzip, deflate, br, zstd      | zstd
            gzip;q=1.0, zstd;q=0.5       | gzip
            zstd;q=0, gzip               | gzip
            br                           |
            identity                     |
            """)
    void compressed(String accept, String expected) throws Exception {
        for (String type : List.of("application/x-ndjson", "text/csv")) {
            HttpResponse<byte[]> response = service.get("/datasets/events", "Accept-Encoding", accept, "Accept", type);
            assertThat(response.headers().firstValue("content-encoding").orElse(null))
                    .isEqualTo(expected);
            byte[] body = response.body();
            if (expected != null) {
                body = decompress(body, expected.equals("gzip") ? Compressions.gzip() : Compressions.zstd());
                assertThat(response.body().length).isLessThan(body.length / 5);
            }
            assertThat(new String(body, StandardCharsets.UTF_8))
                    .isEqualTo(service.text("/datasets/events", "Accept", type));
        }
    }

    private static byte[] decompress(byte[] bytes, Compression compression) {
        ByteBuffer out = ByteBuffer.allocate(4 << 20);
        try (Decompressor decompressor =
                compression.decompressor(new DecompressionLimits(1 << 30, Long.MAX_VALUE, 1 << 27))) {
            decompressor.decompress(ByteBuffer.wrap(bytes), out);
            decompressor.end();
        }
        return java.util.Arrays.copyOf(out.array(), out.position());
    }
}
