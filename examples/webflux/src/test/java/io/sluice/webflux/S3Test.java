package io.sluice.webflux;

import static io.sluice.webflux.Service.joined;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.s3.S3ClientSpec;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.TransientNio2BlobStore;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/** The service on S3: the same requests, another {@code sluice.location}. */
class S3Test {

    private static final List<String> LINES = Service.lines(20_000, 11);

    private static S3Proxy server;
    private static S3AsyncClient client;
    private static Service service;

    @BeforeAll
    static void start() throws Exception {
        server = S3Proxy.builder()
                .blobStore(new TransientNio2BlobStore())
                .awsAuthentication(AuthenticationType.AWS_V4, "test-key", "test-secret")
                .endpoint(URI.create("http://127.0.0.1:0"))
                .ignoreUnknownHeaders(true)
                .stopTimeout(0)
                .build();
        server.start();
        String endpoint = "http://127.0.0.1:" + server.getPort();
        client = S3ClientSpec.create()
                .endpoint(URI.create(endpoint))
                .region("us-east-1")
                .credentials(StaticCredentialsProvider.create(AwsBasicCredentials.create("test-key", "test-secret")))
                .client();
        client.createBucket(create -> create.bucket("bucket")).join();
        service = Service.at(
                "s3://bucket/some/prefix/",
                "--sluice.s3.endpoint=" + endpoint,
                "--sluice.s3.region=us-east-1",
                "--sluice.s3.access-key=test-key",
                "--sluice.s3.secret-key=test-secret",
                "--sluice.write.shard=300KB",
                "--sluice.write.frame=64KB");
    }

    @AfterAll
    static void stop() throws Exception {
        service.close();
        client.close();
        server.stop();
    }

    private static List<String> keys() {
        return client.listObjectsV2(list -> list.bucket("bucket")).join().contents().stream()
                .map(object -> object.key())
                .toList();
    }

    private static HttpResponse<String> upload(String name) throws Exception {
        return service.post("/datasets/" + name, joined(LINES).getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void uploadListReadAndDelete() throws Exception {
        assertThat(upload("events").statusCode()).isEqualTo(201);
        assertThat(keys())
                .contains("some/prefix/events/part-00000.jsonl.zst", "some/prefix/events/part-00001.jsonl.zst");
        assertThat(service.text("/datasets")).contains("\"name\":\"events\"");
        assertThat(service.text("/datasets/events")).isEqualTo(joined(LINES));
        assertThat(service.text("/datasets/events?limit=5000")).isEqualTo(joined(LINES.subList(0, 5000)));
        assertThat(service.text("/actuator/health")).contains("UP");
        var delete = service.request("/datasets/events").DELETE().build();
        assertThat(service.jdk.send(delete, BodyHandlers.ofString()).statusCode())
                .isEqualTo(204);
        assertThat(keys()).noneMatch(key -> key.startsWith("some/prefix/events/"));
        assertThat(service.get("/datasets/events").statusCode()).isEqualTo(404);
        assertThat(service.get("/datasets/..%2fevents").statusCode()).isEqualTo(400);
    }

    @Test
    void aCutConnectionGoesOnWhereItWasAndNotInAnotherDataSet() throws Exception {
        upload("cut");
        StringBuilder got = new StringBuilder();
        String from = "";
        for (boolean whole = false; !whole; ) {
            HttpResponse<InputStream> response = service.jdk.send(
                    service.request("/datasets/cut?positions=true" + from).build(), BodyHandlers.ofInputStream());
            byte[] some;
            try (InputStream in = response.body()) {
                some = in.readNBytes(700_000);
                whole = some.length < 700_000;
            }
            String text = new String(some, StandardCharsets.UTF_8);
            DownloadTest.Marks marks = DownloadTest.Marks.in(text);
            got.append(marks.withoutMarks(whole ? text : text.substring(0, marks.endOfLast())));
            from = "&from=" + marks.last();
        }
        assertThat(got.toString()).isEqualTo(joined(LINES));

        service.jdk.send(service.request("/datasets/cut").DELETE().build(), BodyHandlers.ofString());
        service.post("/datasets/cut", "{}\n".getBytes(StandardCharsets.UTF_8));
        assertThat(service.get("/datasets/cut?x=" + from).statusCode()).isEqualTo(412);
    }

    @Test
    void anUploadThatIsBrokenOffOrBadLeavesNothing() throws Exception {
        byte[] bad = (joined(LINES) + "nonsense\n").getBytes(StandardCharsets.UTF_8);
        assertThat(service.post("/datasets/bad", bad).statusCode()).isEqualTo(400);
        assertThat(keys()).noneMatch(key -> key.startsWith("some/prefix/bad/"));

        try (Socket socket = new Socket("127.0.0.1", service.port)) {
            UploadTest.begin(socket.getOutputStream(), "broken");
            UploadTest.chunk(socket.getOutputStream(), joined(LINES).getBytes(StandardCharsets.UTF_8));
            BackpressureTest.await(() -> keys().stream().anyMatch(key -> key.contains("/broken/part-")));
        }
        BackpressureTest.await(() -> keys().stream().noneMatch(key -> key.contains("/broken/")));
    }
}
