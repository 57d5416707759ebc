package io.sluice.s3;

import static io.sluice.s3.TestS3.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/** What uploads say of the bytes that they carry. */
class S3ChecksumsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int PART = S3StoreSpec.MIN_PART_BYTES;
    private static final String CRC = "x-amz-checksum-crc32";

    private final FaultProxy proxy = new FaultProxy(TestS3.port());
    private final String bucket = TestS3.newBucket();

    @AfterEach
    void close() {
        proxy.close();
    }

    private void write(S3AsyncClient client, byte[] content, int chunk) {
        Flux<ByteBuffer> chunks = Flux.range(0, (content.length + chunk - 1) / chunk)
                .map(i -> ByteBuffer.wrap(content, i * chunk, Math.min(chunk, content.length - i * chunk)));
        S3ObjectStore store = S3ObjectStore.create(client, bucket, TestS3.spec());
        store.put("object", chunks, PutMode.OVERWRITE).block(PATIENCE);
        byte[] read = store.get("object")
                .reduce(ByteBuffer.allocate(content.length), ByteBuffer::put)
                .block(PATIENCE)
                .array();
        assertThat(read).isEqualTo(content);
    }

    /** The requests that carried content. */
    private List<FaultProxy.Request> uploads() {
        return proxy.requests().stream().filter(r -> r.method().equals("PUT")).toList();
    }

    private static String crc(byte[] content, int from, int to) {
        CRC32 sum = new CRC32();
        sum.update(content, from, to - from);
        byte[] value = new byte[4];
        for (int i = 0; i < 4; i++) {
            value[i] = (byte) (sum.getValue() >> 24 - 8 * i);
        }
        return Base64.getEncoder().encodeToString(value);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1000, PART - 1, PART, PART + 1, 2 * PART + 12_345})
    void eachPartSaysItsChecksumBeforehand(int length) {
        byte[] content = bytes(length);
        try (S3AsyncClient client = TestS3.clientSpec(proxy.port()).client()) {
            write(client, content, 70_001);
        }
        List<FaultProxy.Request> uploads = uploads();
        assertThat(uploads).hasSize((length + PART - 1) / PART);
        for (FaultProxy.Request upload : uploads) {
            int number =
                    length <= PART ? 1 : Integer.parseInt(upload.target().replaceAll(".*partNumber=(\\d+).*", "$1"));
            int from = (number - 1) * PART;
            assertThat(upload.header(CRC)).isEqualTo(crc(content, from, Math.min(length, from + PART)));
            assertThat(upload.header("x-amz-sdk-checksum-algorithm")).isEqualTo("CRC32");
            assertThat(upload.header("x-amz-trailer")).isNull();
            assertThat(upload.header("Content-Encoding")).isNull();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1000, PART + 1})
    void noneIsSentWhereOnlyTheRequiredOnesShallBe(int length) {
        try (S3AsyncClient client =
                TestS3.clientSpec(proxy.port()).checksumsWhenRequired().client()) {
            write(client, bytes(length), 70_001);
        }
        assertThat(uploads())
                .isNotEmpty()
                .allMatch(upload -> upload.header(CRC) == null && upload.header("x-amz-trailer") == null);
    }

    @Test
    void aPartCanBeCheckedAndSentMoreThanOnce() {
        byte[] content = bytes(100_000);
        PartFlux.Part part = new PartFlux(Flux.just(ByteBuffer.wrap(content)), PART).blockFirst(PATIENCE);
        assertThat(part.crc32()).isEqualTo(part.crc32()).isEqualTo(crc(content, 0, content.length));
        for (int attempt = 0; attempt < 2; attempt++) {
            byte[] sent = Flux.from(new PartBody(part))
                    .reduce(ByteBuffer.allocate(content.length), ByteBuffer::put)
                    .block(PATIENCE)
                    .array();
            assertThat(Arrays.equals(sent, content)).isTrue();
        }
    }
}
