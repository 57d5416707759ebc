package io.sluice.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.scheduler.Schedulers;

/** The contract, on a file system with hard links and on one that pretends to have none. */
class LocalObjectStoreContractTest {

    @Nested
    class WithLinks extends Local {
        @Override
        LocalPut.Linker linker() {
            return Files::createLink;
        }
    }

    @Nested
    class WithoutLinks extends Local {
        @Override
        LocalPut.Linker linker() {
            return (link, existing) -> {
                throw new UnsupportedOperationException();
            };
        }
    }

    abstract static class Local extends ObjectStoreContract {

        @TempDir
        Path root;

        private LocalObjectStore store;

        abstract LocalPut.Linker linker();

        @Override
        protected ObjectStore store() {
            if (store == null) {
                store = new LocalObjectStore(root, Schedulers.boundedElastic(), linker());
            }
            return store;
        }

        @Override
        protected boolean hasDirectories() {
            return true;
        }

        @Override
        protected void assertNoLeftovers() {
            try (Stream<Path> files = Files.walk(root)) {
                assertThat(files.map(file -> file.getFileName().toString()))
                        .noneMatch(name -> name.startsWith(LocalObjectStore.RESERVED_PREFIX) && name.endsWith(".tmp"));
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }
    }
}
