package io.sluice.cli;

import static io.sluice.cli.Cli.numbers;
import static io.sluice.cli.Cli.run;
import static io.sluice.cli.Cli.write;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.cli.Cli.Result;
import io.sluice.s3.S3ClientSpec;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.TransientNio2BlobStore;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/** The commands on {@code s3://}, against a server in this process that wants no signatures. */
class S3LocationsTest {

    private static S3Proxy server;

    @TempDir
    Path dir;

    @BeforeAll
    static void start() throws Exception {
        server = S3Proxy.builder()
                .blobStore(new TransientNio2BlobStore())
                .awsAuthentication(AuthenticationType.NONE, null, null)
                .endpoint(URI.create("http://127.0.0.1:0"))
                .ignoreUnknownHeaders(true)
                .stopTimeout(0)
                .build();
        server.start();
        S3ClientSpec spec = S3ClientSpec.create()
                .endpoint(URI.create(endpoint()))
                .region("us-east-1")
                .anonymous();
        try (S3AsyncClient client = spec.client()) {
            client.createBucket(create -> create.bucket("bucket")).join();
        }
    }

    @AfterAll
    static void stop() throws Exception {
        server.stop();
    }

    private static String endpoint() {
        return "http://127.0.0.1:" + server.getPort();
    }

    private static Result runThere(Object... command) {
        Object[] all = new Object[command.length + 6];
        System.arraycopy(command, 0, all, 0, command.length);
        Object[] options = {"--endpoint", endpoint(), "--region", "us-east-1", "--anonymous", "--path-style"};
        System.arraycopy(options, 0, all, command.length, options.length);
        return run(all);
    }

    @Test
    void readsAndWrites() throws IOException {
        Path file = write(dir.resolve("a.jsonl"), numbers(0, 1000));

        Result wrote = runThere("convert", file, "s3://bucket/out.jsonl.zst/", "--max-records", 400);
        assertThat(wrote.err()).isEmpty();
        assertThat(wrote.exit()).isZero();
        assertThat(wrote.out()).contains("s3://bucket/out.jsonl.zst/part-00002.jsonl.zst");

        assertThat(runThere("cat", "s3://bucket/out.jsonl.zst/").out()).isEqualTo(numbers(0, 1000));
        assertThat(runThere("count", "s3://bucket/out.jsonl.zst/part-0000[01]*").out())
                .isEqualTo("800\n");
        assertThat(runThere("ls", "s3://bucket/out.jsonl.zst/", "--count").lines())
                .hasSize(3);
        assertThat(runThere("validate", "s3://bucket/out.jsonl.zst/").exit()).isZero();
        Path back = dir.resolve("back.jsonl");
        assertThat(runThere("convert", "s3://bucket/out.jsonl.zst/", back).exit())
                .isZero();
        assertThat(back).hasContent(numbers(0, 1000));
    }

    @Test
    void namesWhatIsNotThere() {
        Result missing = runThere("cat", "s3://bucket/nothing.jsonl");
        assertThat(missing.exit()).isEqualTo(1);
        assertThat(missing.message()).contains("s3://bucket/nothing.jsonl");
        assertThat(runThere("count", "s3://no-such-bucket/a.jsonl").exit()).isEqualTo(1);
    }

    @Test
    void setsBadRecordsOfABucketAsideInAFileThatIsThereAlready() throws IOException {
        Path bad = write(dir.resolve("bad.jsonl"), "old");
        write(dir.resolve("a.jsonl"), "{}\n");
        assertThat(runThere("convert", dir.resolve("a.jsonl"), "s3://bucket/one.jsonl")
                        .exit())
                .isZero();
        assertThat(runThere("cat", "s3://bucket/one.jsonl", "--on-error", bad).out())
                .isEqualTo("{}\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost:9000", "127.0.0.1:9000", "http:// x", "ftp://host", "http://me:geheim@host"})
    void refusesAnEndpointThatIsNone(String endpoint) {
        Result result = run("cat", "s3://bucket/a.jsonl", "--endpoint", endpoint, "--anonymous");
        assertThat(result.exit()).isEqualTo(2);
        assertThat(result.message())
                .contains("--endpoint", "http://localhost:9000")
                .doesNotContain("geheim", "URI");
    }

    /** Whatever the command: with bucket and key, and nothing of how the program is made. */
    @ParameterizedTest
    @CsvSource({
        "cat, s3://bucket/nothing.jsonl, no such object",
        "count, s3://no-such-bucket/a.jsonl, no such bucket",
        "validate, s3://no-such-bucket/dir/, no such bucket",
        "schema, s3://bucket/nothing/, no object's key begins so",
        "ls, s3://bucket/nothing*.jsonl, no file matches",
        "cat, s3:///key, s3://bucket/key",
    })
    void saysInOneLineWhatIsWrong(String command, String location, String what) {
        Result result = runThere(command, location);
        assertThat(result.exit()).isEqualTo(1);
        assertThat(result.message()).contains(location, what).doesNotContain("Exception", "io.sluice");
    }

    /** The command in a process that has this environment and home, and nothing else of AWS. */
    private Result runWith(Map<String, String> environment, String... command) throws Exception {
        ProcessBuilder builder = ProcessTest.builder(List.of("-XX:TieredStopAtLevel=1"), command);
        builder.environment().keySet().removeIf(name -> name.startsWith("AWS_"));
        builder.environment().putAll(environment);
        builder.environment().put("HOME", dir.toString());
        builder.environment().put("AWS_EC2_METADATA_DISABLED", "true");
        Process process = builder.start();
        byte[] out = process.getInputStream().readAllBytes();
        String err = new String(process.getErrorStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return new Result(process.exitValue(), out, err);
    }

    @Test
    void takesEndpointRegionAndCredentialsFromTheEnvironmentOrAProfile() throws Exception {
        S3Proxy signed = S3Proxy.builder()
                .blobStore(new TransientNio2BlobStore())
                .awsAuthentication(AuthenticationType.AWS_V4, "the-key", "the-secret")
                .endpoint(URI.create("http://127.0.0.1:0"))
                .ignoreUnknownHeaders(true)
                .stopTimeout(0)
                .build();
        signed.start();
        String there = "http://127.0.0.1:" + signed.getPort();
        try (S3AsyncClient client = S3ClientSpec.create()
                .endpoint(URI.create(there))
                .region("us-east-1")
                .credentials(StaticCredentialsProvider.create(AwsBasicCredentials.create("the-key", "the-secret")))
                .client()) {
            client.createBucket(create -> create.bucket("bucket")).join();
            Path file = write(dir.resolve("a.jsonl"), numbers(0, 7));
            Map<String, String> variables = Map.of(
                    "AWS_ACCESS_KEY_ID", "the-key",
                    "AWS_SECRET_ACCESS_KEY", "the-secret",
                    "AWS_REGION", "us-east-1",
                    "AWS_ENDPOINT_URL", there);
            assertThat(runWith(variables, "convert", file.toString(), "s3://bucket/a.jsonl")
                            .exit())
                    .isZero();
            write(
                    dir.resolve(".aws/credentials"),
                    "[work]\naws_access_key_id = the-key\naws_secret_access_key = the-secret\n"
                            + "[other]\naws_access_key_id = the-key\naws_secret_access_key = not-the-secret\n");
            write(
                    dir.resolve(".aws/config"),
                    "[profile work]\nregion = us-east-1\n[profile other]\nregion = us-east-1\n");
            assertThat(runWith(Map.of(), "count", "s3://bucket/a.jsonl", "--profile", "work", "--endpoint", there)
                            .out())
                    .isEqualTo("7\n");
            Result other = runWith(Map.of(), "count", "s3://bucket/a.jsonl", "--profile", "other", "--endpoint", there);
            assertThat(other.exit()).isEqualTo(1);
            assertThat(other.err())
                    .contains("s3://bucket/a.jsonl", "credentials")
                    .doesNotContain("not-the-secret");
            assertThat(runWith(Map.of("AWS_PROFILE", "work"), "count", "s3://bucket/a.jsonl", "--endpoint", there)
                            .out())
                    .isEqualTo("7\n");
        } finally {
            signed.stop();
        }
    }
}
