package io.sluice.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import io.sluice.storage.StoreProvider.Location;
import java.net.URI;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StoresTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "events.jsonl|''|events.jsonl",
                "events/|''|events/",
                "./events//a.jsonl|''|events/a.jsonl",
                ".|''|''",
                "./|''|''",
                "events/.|''|events/",
                "logs/*/x?.{jsonl,avro}|''|logs/*/x?.{jsonl,avro}",
                "a:b|''|a:b",
                "/|/|''",
                "/data/a.jsonl|/|data/a.jsonl",
                "/data//x/../y/./|/|data/y/",
                "/data/x/..|/|data/",
                "file:///data/a%20b.jsonl|/|data/a%20b.jsonl",
                "FILE://localhost/data/|/|data/",
                "..a/b..|''|..a/b.."
            })
    void resolvesPaths(String location, String root, String key) {
        Location resolved = Stores.resolve(location);
        assertThat(resolved.store())
                .isInstanceOfSatisfying(
                        LocalObjectStore.class,
                        store -> assertThat(store.root()).isEqualTo(Path.of(root)));
        assertThat(resolved.key()).isEqualTo(key);
        assertThat(Stores.resolve(location).store()).as("shared").isSameAs(resolved.store());
    }

    @Test
    void resolvesAPathThatClimbs() {
        Path working = Path.of("").toAbsolutePath();
        assertThat(Stores.resolve("../a/b/"))
                .isEqualTo(new Location(
                        Stores.resolve("/").store(),
                        working.getParent().resolve("a/b").toString().substring(1) + "/"));
        assertThat(Stores.resolve("x/../y.jsonl").key())
                .isEqualTo(working.resolve("y.jsonl").toString().substring(1));
        assertThatExceptionOfType(StorageException.class)
                .isThrownBy(() -> Stores.resolve("/../x"))
                .satisfies(error -> assertThat(error.kind()).isEqualTo(Kind.INVALID_REQUEST));
    }

    @Test
    void resolvesPathObjects() {
        assertThat(Stores.resolve(Path.of("a/b")).key()).isEqualTo("a/b");
        assertThat(Stores.resolve(Path.of("")).key()).isEmpty();
        assertThat(Stores.resolve(Path.of("/a/b"))).isEqualTo(Stores.resolve("/a/b"));
        assertThat(Stores.resolve(Path.of("a", "https:", "b")).store()).isInstanceOf(LocalObjectStore.class);
    }

    @Test
    void resolvesUris() {
        assertThat(Stores.resolve(URI.create("file:///data/a%20b.jsonl")).key()).isEqualTo("data/a b.jsonl");
        assertThat(Stores.resolve(Path.of("/data/ä b").toUri()).key()).isEqualTo("data/ä b");
    }

    @ParameterizedTest
    @CsvSource({
        "s3://bucket/key,io.sluice:sluice-s3,UNSUPPORTED",
        "s3a://bucket/key,io.sluice:sluice-s3,UNSUPPORTED",
        "gs://bucket/key,gs://,UNSUPPORTED",
        "'',empty,INVALID_REQUEST",
        "file://host/share,file:///path,INVALID_REQUEST"
    })
    void saysWhatIsMissing(String location, String message, Kind kind) {
        assertThatExceptionOfType(StorageException.class)
                .isThrownBy(() -> Stores.resolve(location))
                .withMessageContaining(message)
                .satisfies(error -> assertThat(error.kind()).isEqualTo(kind));
    }

    @Test
    void showsNoCredentials() {
        assertThatExceptionOfType(StorageException.class)
                .isThrownBy(() -> Stores.resolve("ftp://me:secret@host/file"))
                .withMessageContaining("ftp://host/file")
                .withMessageNotContaining("secret");
    }
}
