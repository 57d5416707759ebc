package io.sluice.s3;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.sluice.Dataset;
import io.sluice.format.Jsonl;
import io.sluice.s3.FaultProxy.Fault;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.util.Loggers;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/** Two gibibytes through a heap of 64 MiB, every third response being cut off. */
@Timeout(value = 240, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class S3LargeObjectTest {

    /** Every record has this length, so that a range begins anywhere in the object without counting. */
    private static final int RECORD = 1024;

    private static final String BEFORE = "{\"id\":1";
    private static final int DIGITS = 9;
    private static final int RECORDS = (2 << 20);
    private static final long BYTES = (long) RECORD * RECORDS;

    @Test
    void everyRecordComesOnceInOrder() throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
        server.setExecutor(threads);
        server.createContext("/", S3LargeObjectTest::answer);
        server.start();
        Random random = new Random(1);
        try (FaultProxy proxy = new FaultProxy(server.getAddress().getPort())
                .rule(request -> request.method().equals("GET") && request.number() % 3 == 0
                        ? new Fault.Cut(random.nextInt(1 << 19))
                        : FaultProxy.NONE)) {
            Process reader = S3Process.start(
                    Reader.class, List.of("-Xmx64m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError"), proxy.port());
            String output;
            try {
                output = new String(reader.getInputStream().readAllBytes(), UTF_8);
                assertThat(reader.waitFor(30, TimeUnit.SECONDS)).isTrue();
            } finally {
                reader.destroyForcibly();
            }
            assertThat(output).isEqualTo("records=" + RECORDS + " wrong=0\n");
            long cut = proxy.requests().stream()
                    .filter(request -> request.number() % 3 == 0)
                    .count();
            assertThat(cut).isGreaterThan(600);
        } finally {
            server.stop(0);
            threads.shutdownNow();
        }
    }

    /** The object as its ranges are asked for: nothing of it is kept anywhere. */
    private static void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            exchange.getResponseHeaders().set("ETag", "\"made\"");
            exchange.getResponseHeaders().set("Accept-Ranges", "bytes");
            if (exchange.getRequestMethod().equals("HEAD")) {
                exchange.getResponseHeaders().set("Content-Length", Long.toString(BYTES));
                exchange.sendResponseHeaders(200, -1);
                return;
            }
            String range = exchange.getRequestHeaders().getFirst("Range");
            int dash = range.indexOf('-');
            long from = Long.parseLong(range.substring(6, dash));
            long last = Math.min(BYTES - 1, Long.parseLong(range.substring(dash + 1)));
            exchange.getResponseHeaders().set("Content-Range", "bytes " + from + "-" + last + "/" + BYTES);
            exchange.sendResponseHeaders(206, last + 1 - from);
            send(exchange.getResponseBody(), from, last + 1);
        }
    }

    private static void send(OutputStream body, long from, long to) throws IOException {
        int perBatch = 64;
        byte[] batch = (BEFORE + "0".repeat(DIGITS) + ",\"text\":\"").getBytes(US_ASCII);
        byte[] records = new byte[perBatch * RECORD];
        java.util.Arrays.fill(records, (byte) 'x');
        for (int i = 0; i < perBatch; i++) {
            System.arraycopy(batch, 0, records, i * RECORD, batch.length);
            byte[] end = "\"}\n".getBytes(US_ASCII);
            System.arraycopy(end, 0, records, (i + 1) * RECORD - end.length, end.length);
        }
        for (long first = from / RECORD; first * RECORD < to; first += perBatch) {
            for (int i = 0; i < perBatch; i++) {
                long id = first + i;
                int at = i * RECORD + BEFORE.length() + DIGITS;
                for (int digit = 1; digit <= DIGITS; digit++, id /= 10) {
                    records[at - digit] = (byte) ('0' + id % 10);
                }
            }
            int skip = (int) Math.max(0, from - first * RECORD);
            body.write(records, skip, (int) Math.min(records.length, to - first * RECORD) - skip);
        }
    }

    /** The forked JVM. */
    static final class Reader {

        private static final int FIRST = 1_000_000_000;

        private Reader() {}

        public static void main(String[] args) {
            Loggers.useJdkLoggers();
            long[] counts = new long[2];
            try (S3AsyncClient client = S3ClientSpec.create()
                    .endpoint(URI.create("http://127.0.0.1:" + args[0]))
                    .region("us-east-1")
                    .anonymous()
                    .client()) {
                S3StoreSpec spec = S3StoreSpec.create().backoff(Duration.ofMillis(1), Duration.ofMillis(20));
                Dataset.at(S3ObjectStore.create(client, "bucket", spec), "large.jsonl", Jsonl.maps())
                        .read()
                        .doOnNext(record -> check(record, counts))
                        .blockLast(Duration.ofMinutes(3));
            }
            System.out.println("records=" + counts[0] + " wrong=" + counts[1]);
        }

        private static void check(Map<String, Object> record, long[] counts) {
            if (!Integer.valueOf(FIRST + (int) counts[0]).equals(record.get("id"))) {
                counts[1]++;
            }
            counts[0]++;
        }
    }
}
