package io.sluice.s3;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.Dataset;
import io.sluice.format.Jsonl;
import io.sluice.storage.PutMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Flux;

/** {@code s3://bucket/key} and nothing else said: region, credentials and endpoint come from where AWS users expect it. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class S3EnvironmentTest {

    private static final String TOKEN = "a-session-token";

    @TempDir
    private Path home;

    private final FaultProxy proxy = new FaultProxy(TestS3.openPort());
    private final String bucket = TestS3.newOpenBucket();

    @BeforeEach
    void store() {
        S3ObjectStore.create(TestS3.openClient(), bucket)
                .put("a.jsonl", Flux.just(ByteBuffer.wrap("{}\n{}\n".getBytes(UTF_8))), PutMode.CREATE)
                .block();
    }

    @AfterEach
    void close() {
        proxy.close();
    }

    private String endpoint() {
        return "http://127.0.0.1:" + proxy.port();
    }

    /** Counts the records in a JVM that has this environment. */
    private String count(Map<String, String> environment) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                Main.class.getName(),
                "s3://" + bucket + "/a.jsonl");
        builder.environment().keySet().removeIf(name -> name.startsWith("AWS_"));
        builder.environment().put("AWS_EC2_METADATA_DISABLED", "true");
        builder.environment().put("HOME", home.toString());
        builder.environment().putAll(environment);
        Process process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try {
            String output = new String(process.getInputStream().readAllBytes(), UTF_8);
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            return output;
        } finally {
            process.destroyForcibly();
        }
    }

    private void assertSigned(String accessKey, String region) {
        assertThat(proxy.requests()).isNotEmpty().allSatisfy(request -> {
            assertThat(request.header("Authorization"))
                    .contains("Credential=" + accessKey + "/", "/" + region + "/s3/");
            assertThat(request.header("X-Amz-Security-Token")).isEqualTo(TOKEN);
            assertThat(request.target()).startsWith("/" + bucket + "/");
        });
    }

    @Test
    void theVariables() throws Exception {
        assertThat(count(Map.of(
                        "AWS_REGION", "eu-west-3",
                        "AWS_ACCESS_KEY_ID", "from-variables",
                        "AWS_SECRET_ACCESS_KEY", "x",
                        "AWS_SESSION_TOKEN", TOKEN,
                        "AWS_ENDPOINT_URL_S3", endpoint())))
                .isEqualTo("2\n");
        assertSigned("from-variables", "eu-west-3");
    }

    @Test
    void theDefaultProfile() throws Exception {
        profile("default", "[default]");
        assertThat(count(Map.of("AWS_ENDPOINT_URL", endpoint()))).isEqualTo("2\n");
        assertSigned("from-default", "eu-default-1");
    }

    @Test
    void aProfileThatIsNamedWithAnEndpointOfItsOwn() throws Exception {
        profile("work", "[profile work]");
        Path config = home.resolve(".aws/config");
        Files.writeString(config, "endpoint_url = " + endpoint() + "\n", java.nio.file.StandardOpenOption.APPEND);
        assertThat(count(Map.of("AWS_PROFILE", "work"))).isEqualTo("2\n");
        assertSigned("from-work", "eu-work-1");
    }

    @Test
    void saysWhatIsMissing() throws Exception {
        assertThat(count(Map.of("AWS_ENDPOINT_URL", endpoint())))
                .startsWith("ACCESS_DENIED")
                .contains("credentials")
                .contains("s3://" + bucket + "/a.jsonl");
        assertThat(count(Map.of("AWS_ACCESS_KEY_ID", "x", "AWS_SECRET_ACCESS_KEY", "x")))
                .contains("region", "AWS_REGION", "s3://" + bucket + "/a.jsonl")
                .doesNotContain("Provider");
        assertThat(count(Map.of("AWS_ENDPOINT_URL", "me:geheim@localhost:9000")))
                .contains("AWS_ENDPOINT_URL is no address", "s3://" + bucket + "/a.jsonl")
                .doesNotContain("geheim");
    }

    private void profile(String name, String head) throws IOException {
        Path folder = Files.createDirectories(home.resolve(".aws"));
        Files.writeString(
                folder.resolve("credentials"),
                String.join(
                        "\n",
                        "[" + name + "]",
                        "aws_access_key_id = from-" + name,
                        "aws_secret_access_key = x",
                        "aws_session_token = " + TOKEN,
                        ""));
        Files.writeString(folder.resolve("config"), head + "\nregion = eu-" + name + "-1\n");
    }

    /** The forked JVM. */
    static final class Main {

        private Main() {}

        public static void main(String[] args) {
            try {
                Long records = Dataset.at(args[0], Jsonl.maps()).read().count().block(Duration.ofSeconds(30));
                System.out.println(records);
            } catch (io.sluice.StorageException e) {
                System.out.println(e.kind() + " " + List.of(e.getMessage().split("\n")));
            }
            System.exit(0);
        }
    }
}
