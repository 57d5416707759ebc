package io.sluice.s3;

import io.sluice.StorageException;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.TransientNio2BlobStore;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/** An S3 server in this process, one for all tests; each test has a bucket of its own. */
final class TestS3 {

    static final String ACCESS_KEY = "test-access-key";
    static final String SECRET_KEY = "test-secret-key";

    /** Started when it is needed: not in a JVM that a test has forked. */
    private static final class Signed {
        private static final S3Proxy SERVER = start(AuthenticationType.AWS_V4);
        private static final S3AsyncClient CLIENT = clientSpec(SERVER.getPort()).client();
    }

    /** Checks no signatures, so that a proxy may change requests; started when it is needed. */
    private static final class Open {
        private static final S3Proxy SERVER = start(AuthenticationType.NONE);
        private static final S3AsyncClient CLIENT = clientSpec(SERVER.getPort()).client();
    }

    private TestS3() {}

    private static S3Proxy start(AuthenticationType authentication) {
        try {
            S3Proxy server = S3Proxy.builder()
                    .blobStore(new TransientNio2BlobStore())
                    .awsAuthentication(authentication, ACCESS_KEY, SECRET_KEY)
                    .endpoint(URI.create("http://127.0.0.1:0"))
                    .ignoreUnknownHeaders(true)
                    .stopTimeout(0)
                    .build();
            server.start();
            return server;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    static int port() {
        return Signed.SERVER.getPort();
    }

    static int openPort() {
        return Open.SERVER.getPort();
    }

    /** A client straight to the server that checks no signatures. */
    static S3AsyncClient openClient() {
        return Open.CLIENT;
    }

    static String newOpenBucket() {
        return newBucket(Open.CLIENT);
    }

    /** A client straight to the server, for all tests. */
    static S3AsyncClient client() {
        return Signed.CLIENT;
    }

    static S3ClientSpec clientSpec() {
        return clientSpec(port());
    }

    static S3ClientSpec clientSpec(int port) {
        return S3ClientSpec.create()
                .endpoint(URI.create("http://127.0.0.1:" + port))
                .region("us-east-1")
                .credentials(StaticCredentialsProvider.create(AwsBasicCredentials.create(ACCESS_KEY, SECRET_KEY)));
    }

    /** Small numbers, so that small objects come and go in many pieces. */
    static S3StoreSpec spec() {
        return S3StoreSpec.create()
                .rangeBytes(300_000)
                .partBytes(S3StoreSpec.MIN_PART_BYTES)
                .backoff(Duration.ofMillis(1), Duration.ofMillis(20));
    }

    static String newBucket() {
        return newBucket(Signed.CLIENT);
    }

    private static String newBucket(S3AsyncClient client) {
        String name = "test-" + UUID.randomUUID();
        done(client.createBucket(create -> create.bucket(name)));
        return name;
    }

    /** Random ones, the same for the same length. */
    static byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    /** All bytes of a read, within a minute. */
    static byte[] read(Flux<ByteBuffer> get) {
        return get.collect(ByteArrayOutputStream::new, (all, chunk) -> all.write(chunk.array(), 0, chunk.limit()))
                .map(ByteArrayOutputStream::toByteArray)
                .block(Duration.ofSeconds(60));
    }

    /** What something that must fail fails with, within a minute. */
    static StorageException error(Publisher<?> operation) {
        try {
            Flux.from(operation).blockLast(Duration.ofSeconds(60));
        } catch (StorageException e) {
            return e;
        }
        throw new AssertionError("no error");
    }

    /** What a future gives, within a minute: it is waited for in field initialisers too, where no time-out of a test reaches. */
    static <T> T done(CompletableFuture<T> future) {
        try {
            return future.get(60, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError(e);
        }
    }
}
