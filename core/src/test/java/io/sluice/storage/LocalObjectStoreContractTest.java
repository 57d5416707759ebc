package io.sluice.storage;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.testing.Folders;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.scheduler.Scheduler;
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

        private final Scheduler scheduler = Schedulers.newBoundedElastic(8, 10_000, "contract-io");
        private @Nullable LocalObjectStore store;

        abstract LocalPut.Linker linker();

        /** Lets what was cancelled end, before the directory is deleted. */
        @AfterEach
        void close() {
            scheduler.disposeGracefully().block(PATIENCE);
        }

        @Override
        protected ObjectStore store() {
            if (store == null) {
                store = new LocalObjectStore(root, scheduler, linker());
            }
            return store;
        }

        @Override
        protected boolean hasDirectories() {
            return true;
        }

        @Override
        protected void assertNoLeftovers() {
            assertThat(Folders.fileNames(root))
                    .noneMatch(name -> name.startsWith(LocalObjectStore.RESERVED_PREFIX) && name.endsWith(".tmp"));
        }
    }
}
