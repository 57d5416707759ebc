package io.sluice.webflux;

import static io.sluice.webflux.Service.joined;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.MeterRegistry;
import io.sluice.codec.Compressions;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowStreamReader;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.apache.arrow.vector.types.pojo.Field;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Arrow IPC streams, both ways; the other side is arrow-java's own reader and writer. Nothing is left of the service's Arrow memory. */
class ArrowTest {

    private static final String ARROW = "application/vnd.apache.arrow.stream";
    private static final List<String> LINES = Service.lines(20_000, 12);
    private static final JsonMapper JSON = new JsonMapper();

    @TempDir
    static Path data;

    private static Service service;
    private final BufferAllocator clients = new RootAllocator();

    @BeforeAll
    static void start() throws IOException {
        Service.write(data.resolve("events"), LINES, Compressions.zstd(), 7_000);
        Service.write(data.resolve("large"), Service.lines(100_000, 6), Compressions.none(), 1_000_000);
        for (int i = 1; i < 10; i++) {
            Files.createLink(data.resolve("large/part-0000" + i + ".jsonl"), data.resolve("large/part-00000.jsonl"));
        }
        Service.write(data.resolve("late"), LINES, Compressions.none(), 100_000);
        Service.write(data.resolve("late"), List.of("{\"id\":1,\"new\":true}"), Compressions.none(), 100_000);
        service = new Service(
                data,
                "--sluice.write.shard=300KB",
                "--sluice.write.frame=64KB",
                "--sluice.service.max-body=3MB",
                "--sluice.service.arrow.message=1MB");
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        BackpressureTest.await(() -> memory() == 0 && open("read") == 0 && open("write") == 0);
        clients.close();
    }

    private static long memory() {
        return service.context.getBean(BufferAllocator.class).getAllocatedMemory();
    }

    private static double open(String direction) {
        return meter("sluice.service.open", direction);
    }

    private static double meter(String name, String direction) {
        MeterRegistry meters = service.context.getBean(MeterRegistry.class);
        return meters.get(name)
                .tag("direction", direction)
                .meter()
                .measure()
                .iterator()
                .next()
                .getValue();
    }

    /** What an answer holds, as lines of JSON like those that were stored. */
    private record Answer(List<String> columns, List<String> rows, int batches, int largest) {}

    private Answer read(InputStream body) throws IOException {
        List<String> rows = new ArrayList<>();
        int batches = 0;
        int largest = 0;
        try (ArrowStreamReader reader = new ArrowStreamReader(body, clients)) {
            VectorSchemaRoot root = reader.getVectorSchemaRoot();
            while (reader.loadNextBatch()) {
                batches++;
                int bytes = 0;
                for (var vector : root.getFieldVectors()) {
                    bytes += vector.getBufferSize();
                }
                largest = Math.max(largest, bytes);
                for (int i = 0; i < root.getRowCount(); i++) {
                    List<String> fields = new ArrayList<>();
                    for (var vector : root.getFieldVectors()) {
                        Object value = vector.getObject(i);
                        if (value != null) {
                            fields.add("\"" + vector.getName() + "\":"
                                    + (value instanceof Number ? value : "\"" + value + '"'));
                        }
                    }
                    rows.add('{' + String.join(",", fields) + '}');
                }
            }
            return new Answer(
                    root.getSchema().getFields().stream().map(Field::getName).toList(), rows, batches, largest);
        }
    }

    private Answer get(String path) throws Exception {
        HttpResponse<byte[]> response = service.get(path, "Accept", ARROW);
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("content-type")).contains(ARROW);
        return read(new ByteArrayInputStream(response.body()));
    }

    private static List<String> trimmed(List<String> lines) {
        return lines.stream().map(String::strip).toList();
    }

    @Test
    void aStreamHasTheSameRowsInBatchesOfBoundedSize() throws Exception {
        Answer all = get("/datasets/events");
        assertThat(all.columns).containsExactly("id", "text");
        assertThat(all.rows).isEqualTo(trimmed(LINES));
        assertThat(all.batches).isGreaterThan(5);
        assertThat(all.largest).isBetween(128 << 10, 264 << 10);
        assertThat(get("/datasets/events?limit=8001").rows).isEqualTo(trimmed(LINES.subList(0, 8001)));
    }

    @Test
    void columnsAreThoseThatWereAskedFor() throws Exception {
        Answer chosen = get("/datasets/events?columns=text,id&limit=1");
        assertThat(chosen.columns).containsExactly("text", "id");
        assertThat(get("/datasets/events?columns=id&limit=2").rows).containsExactly("{\"id\":0}", "{\"id\":1}");
        assertThat(get("/datasets/events?columns=id&limit=0").columns).containsExactly("id");
        HttpResponse<byte[]> none = service.get("/datasets/events?columns=id,what", "Accept", ARROW);
        assertThat(none.statusCode()).isEqualTo(400);
        assertThat(new String(none.body(), StandardCharsets.UTF_8)).contains("there are [id, text]");
    }

    @Test
    void anAnswerGoesOnFromAPositionWithTheSameColumns() throws Exception {
        List<String> got = new ArrayList<>();
        String from = "";
        for (int page = 0; page < 4; page++) {
            try (HttpSocket socket = new HttpSocket(service.port)) {
                socket.send(HttpSocket.head("GET", "/datasets/events?limit=6001" + from, "Accept", ARROW));
                HttpSocket.Response response = socket.receive(false);
                got.addAll(read(new ByteArrayInputStream(response.bytes())).rows);
                from = "&from=" + response.headers().get("sluice-position");
            }
        }
        assertThat(got).isEqualTo(trimmed(LINES));
        assertThat(get("/datasets/events?x=" + from).rows).isEmpty();
        assertThat(get("/datasets/events?x=" + from).columns).containsExactly("id", "text");
        assertThat(get("/datasets/events?skip=19998").rows).isEqualTo(trimmed(LINES.subList(19_998, 20_000)));
        // the record at the end has no text: the columns are those of the data set, not of what is sent
        assertThat(get("/datasets/late?skip=20000&columns=id,text").columns).containsExactly("id", "text");
    }

    @Test
    void aKeyThatTurnsUpLateBreaksTheAnswerOff() throws Exception {
        assertThatThrownBy(() -> service.get("/datasets/late", "Accept", ARROW)).isInstanceOf(IOException.class);
        Answer whole = get("/datasets/late?schema=all");
        assertThat(whole.columns).containsExactly("id", "text", "new");
        assertThat(whole.rows).hasSize(20_001).endsWith("{\"id\":1,\"new\":\"true\"}");
        assertThat(get("/datasets/late?columns=id").rows).hasSize(20_001).endsWith("{\"id\":1}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"identity", "gzip", "zstd"})
    void bothWaysCompressed(String encoding) throws Exception {
        HttpResponse<byte[]> response = service.get("/datasets/events", "Accept", ARROW, "Accept-Encoding", encoding);
        HttpResponse<String> created = service.post(
                "/datasets/" + encoding, response.body(), "Content-Type", ARROW, "Content-Encoding", encoding);
        assertThat(created.statusCode()).isEqualTo(201);
        JsonNode summary = JSON.readTree(created.body());
        assertThat(summary.get("records").asInt()).isEqualTo(20_000);
        assertThat(summary.get("shards").size()).isGreaterThan(3);
        assertThat(service.text("/datasets/" + encoding)).isEqualTo(joined(trimmed(LINES)));
    }

    /** A stream of batches, by the writer of arrow-java. */
    private byte[] stream(int batches, int rows, double number) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (BigIntVector id = new BigIntVector("id", clients);
                VarCharVector text = new VarCharVector("text", clients);
                Float8Vector x = new Float8Vector("x", clients);
                VectorSchemaRoot root = VectorSchemaRoot.of(id, text, x);
                ArrowStreamWriter writer = new ArrowStreamWriter(root, null, Channels.newChannel(out))) {
            for (int batch = 0; batch < batches; batch++) {
                for (int i = 0; i < rows; i++) {
                    id.setSafe(i, batch * rows + i);
                    text.setSafe(i, ("row " + i).getBytes(StandardCharsets.UTF_8));
                    x.setSafe(i, number);
                }
                root.setRowCount(rows);
                writer.writeBatch();
            }
            writer.end();
        }
        return out.toByteArray();
    }

    private static HttpResponse<String> post(String path, byte[] body) throws Exception {
        return service.post(path, body, "Content-Type", ARROW);
    }

    @Test
    void rowsBecomeRecords() throws Exception {
        HttpResponse<String> created = post("/datasets/rows", stream(3, 2, 0.5));
        assertThat(created.statusCode()).isEqualTo(201);
        assertThat(service.text("/datasets/rows?skip=3&limit=2")).isEqualTo("""
                {"id":3,"text":"row 1","x":0.5}
                {"id":4,"text":"row 0","x":0.5}
                """);
    }

    @Test
    void whatIsNoStreamIsRefusedAndNothingIsLeft() throws Exception {
        byte[] good = stream(40, 1_000, 0.5);
        HttpResponse<String> cut = post("/datasets/bad", Arrays.copyOf(good, good.length - 20_000));
        assertThat(cut.statusCode()).isEqualTo(400);
        assertThat(cut.body()).contains("\"kind\":\"TRUNCATED\"", "\"offset\":");
        assertThat(post("/datasets/bad", joined(LINES).getBytes(StandardCharsets.UTF_8))
                        .statusCode())
                .isEqualTo(400);
        HttpResponse<String> nan = post("/datasets/bad", stream(1, 10, Double.NaN));
        assertThat(nan.statusCode()).isEqualTo(400);
        assertThat(nan.body()).contains("NaN");
        assertThat(post("/datasets/bad", stream(1, 60_000, 0.5)).statusCode()).isEqualTo(413); // one message
        assertThat(post("/datasets/bad", stream(150, 1_000, 0.5)).statusCode()).isEqualTo(413); // all of them
        UploadTest.assertNothingOf(data.resolve("bad"));
    }

    @Test
    void anUploadThatIsBrokenOffLeavesNothing() throws Exception {
        byte[] some = Arrays.copyOf(stream(40, 1_000, 0.5), 1_000_000);
        try (Socket socket = new Socket("127.0.0.1", service.port)) {
            OutputStream out = socket.getOutputStream();
            out.write(HttpSocket.head("POST", "/datasets/cut", "Content-Type", ARROW, "Content-Length", "2000000")
                    .getBytes(StandardCharsets.UTF_8));
            out.write(some);
            BackpressureTest.await(() -> Files.exists(data.resolve("cut/part-00002.jsonl.zst")));
            assertThat(open("write")).isEqualTo(1);
        }
        BackpressureTest.await(() -> open("write") == 0);
        UploadTest.assertNothingOf(data.resolve("cut"));
    }

    @Test
    void aClientThatDoesNotReadHoldsABatchAndOneThatLeavesStopsTheReading() throws Exception {
        double before = meter("sluice.service.bytes", "read");
        HttpResponse<InputStream> response = service.jdk.send(
                service.request("/datasets/large").header("Accept", ARROW).build(), BodyHandlers.ofInputStream());
        try (InputStream in = response.body()) {
            assertThat(in.read()).isEqualTo(0xff);
            BackpressureTest.await(() -> BackpressureTest.settled(() -> meter("sluice.service.bytes", "read")));
            assertThat(meter("sluice.service.bytes", "read") - before).isLessThan(16 << 20); // of 85 MB
            assertThat(memory()).isLessThan(512 << 10); // the next batch
            assertThat(open("read")).isEqualTo(1);
        }
        BackpressureTest.await(() -> open("read") == 0);
        assertThat(meter("sluice.service.bytes", "read") - before).isLessThan(40 << 20);
    }
}
