package io.sluice.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.StorageException.Kind;
import io.sluice.testing.Folders;
import io.sluice.testing.WatchedFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Flux;

/** In which order a file is written, made to last and named, so that a power cut leaves the whole of it or nothing. */
class LocalDurabilityTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    Path root;

    private WatchedFiles files;
    private LocalObjectStore store;

    @BeforeEach
    void watch() {
        files = new WatchedFiles(root);
        store = LocalObjectStore.at(files.root());
    }

    @Test
    void aNewFileIsOnTheDiskBeforeItHasItsName_andItsNameBeforeItIsDone() {
        put("a/b/file", PutMode.CREATE);

        assertThat(events())
                .containsExactly(
                        "mkdir a",
                        "mkdir a/b",
                        "create a/b/TEMPORARY",
                        "write a/b/TEMPORARY",
                        "write a/b/TEMPORARY",
                        "force a/b/TEMPORARY",
                        "link a/b/file",
                        "delete a/b/TEMPORARY",
                        // every directory that has got a new name in it
                        "force ",
                        "force a",
                        "force a/b");
        assertThat(root.resolve("a/b/file")).hasContent("first second");
    }

    @Test
    void soIsOneThatTakesTheNameOfAnother() {
        put("file", PutMode.CREATE);
        files.events.clear();

        put("file", PutMode.OVERWRITE);

        assertThat(events())
                .containsExactly(
                        "create TEMPORARY",
                        "write TEMPORARY",
                        "write TEMPORARY",
                        "force TEMPORARY",
                        "move file",
                        "force ");
    }

    @Test
    void aDirectoryThatCantBeForcedIsNoReasonToFail() {
        files.failing = "force ";

        put("file", PutMode.CREATE);

        assertThat(root.resolve("file")).hasContent("first second");
    }

    @Test
    void contentThatCantBeForcedIsAnErrorAndGetsNoName() throws IOException {
        Flux<ByteBuffer> content =
                content().doOnComplete(() -> files.failing = last("create").replace("create", "force"));

        assertThat(ObjectStoreContract.expectError(store.put("file", content, PutMode.CREATE), Kind.IO))
                .hasMessageContaining("file")
                .hasMessageContaining("made to fail");
        assertThat(Folders.files(root)).isEmpty();
    }

    private void put(String key, PutMode mode) {
        store.put(key, content(), mode).block(PATIENCE);
    }

    private static Flux<ByteBuffer> content() {
        return Flux.just("first ", "second").map(text -> ByteBuffer.wrap(text.getBytes(UTF_8)));
    }

    private String last(String kind) {
        return List.copyOf(files.events).stream()
                .filter(event -> event.startsWith(kind))
                .reduce((before, event) -> event)
                .orElseThrow();
    }

    private List<String> events() {
        return files.events.stream()
                .map(event -> event.replaceAll("\\.sluice-[-0-9a-f]+\\.tmp", "TEMPORARY"))
                .toList();
    }
}
