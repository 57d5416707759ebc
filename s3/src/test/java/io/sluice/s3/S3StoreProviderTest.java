package io.sluice.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sluice.StorageException;
import io.sluice.storage.PutMode;
import io.sluice.storage.StoreProvider;
import io.sluice.storage.StoreProvider.Location;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;

class S3StoreProviderTest {

    private final S3StoreProvider provider = new S3StoreProvider(TestS3.clientSpec(), TestS3.spec());

    @Test
    void isFoundByItsScheme() {
        assertThat(ServiceLoader.load(StoreProvider.class))
                .anyMatch(found -> found instanceof S3StoreProvider && found.supports("s3"));
        assertThat(provider.supports("s3a")).isFalse();
    }

    @Test
    void tellsBucketAndKey() {
        Location location = provider.resolve("s3://bucket/a b/*.jsonl.zst?x#y");
        assertThat(location.key()).isEqualTo("a b/*.jsonl.zst?x#y");
        assertThat(location.store().displayName(location.key())).isEqualTo("s3://bucket/a b/*.jsonl.zst?x#y");
        assertThat(provider.resolve("s3://bucket").key()).isEmpty();
        assertThat(provider.resolve("s3://bucket/").key()).isEmpty();
        assertThat(provider.resolve("S3://bucket/dir/").key()).isEqualTo("dir/");
        assertThat(provider.resolve(URI.create("s3://bucket/dir/x")).key()).isEqualTo("dir/x");
    }

    @Test
    void sharesItsStores() {
        assertThat(provider.resolve("s3://bucket/a").store())
                .isSameAs(provider.resolve("s3://bucket/b").store())
                .isNotSameAs(provider.resolve("s3://other/a").store());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"s3://", "s3:///key", "s3://key:secret@bucket/key", "s3://bucket:80/key", "http://bucket/key"})
    void refusesWhatIsNoLocation(String location) {
        assertThatThrownBy(() -> provider.resolve(location))
                .isInstanceOf(StorageException.class)
                .hasMessageContaining("s3://bucket/key")
                .message()
                .doesNotContain("secret");
    }

    @Test
    void itsStoresWork() {
        Location location = provider.resolve("s3://" + TestS3.newBucket() + "/key");
        location.store()
                .put(location.key(), Flux.just(ByteBuffer.allocate(9)), PutMode.CREATE)
                .block();
        assertThat(location.store().head(location.key()).block().size()).isEqualTo(9);
    }
}
