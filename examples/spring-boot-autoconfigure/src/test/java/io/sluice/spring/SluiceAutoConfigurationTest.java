package io.sluice.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.Dataset;
import io.sluice.ReadSpec;
import io.sluice.WriteSpec;
import io.sluice.codec.Compressions;
import io.sluice.s3.S3ObjectStore;
import io.sluice.storage.InMemoryObjectStore;
import io.sluice.storage.LocalObjectStore;
import io.sluice.storage.ObjectStore;
import io.sluice.storage.StoreProvider.Location;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringBootVersion;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import reactor.core.publisher.Flux;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/** Runs in this module on Spring Boot 3.5, and once more in the module webflux, on 4.1. */
class SluiceAutoConfigurationTest {

    @TempDir
    Path directory;

    private final ApplicationContextRunner boot =
            new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(SluiceAutoConfiguration.class));

    @Test
    void runsOnTheVersionThatTheModuleNames() {
        assertThat(SpringBootVersion.getVersion()).startsWith(System.getProperty("expected.boot"));
    }

    @Test
    void dataSetsAreBeansThatCanBeInjectedByName() {
        boot.withUserConfiguration(Injected.class)
                .withPropertyValues(
                        "sluice.location=" + directory,
                        "sluice.datasets.events=events/",
                        "sluice.datasets.users=users.jsonl.gz")
                .run(context -> {
                    Injected injected = context.getBean(Injected.class);
                    List<Map<String, Object>> rows = List.of(Map.of("a", 1), Map.of("a", 2));
                    injected.events
                            .write(Flux.fromIterable(rows), context.getBean(WriteSpec.class))
                            .block();
                    assertThat(injected.events.read().collectList().block()).isEqualTo(rows);
                    assertThat(directory.resolve("events/part-00000.jsonl.zst")).exists();
                    assertThat(context.getBean("users", Dataset.class).location())
                            .isEqualTo("users.jsonl.gz");
                    assertThat(context.getBean(ObjectStore.class)).isInstanceOf(LocalObjectStore.class);
                });
    }

    @Test
    void specsFollowTheProperties() {
        boot.withPropertyValues(
                        "sluice.read.parallelism=3",
                        "sluice.read.prefetch=1MB",
                        "sluice.read.block=64KB",
                        "sluice.read.max-record=2MB",
                        "sluice.write.compression=gzip",
                        "sluice.write.buffer=2MB",
                        "sluice.write.frame=1MB")
                .run(context -> {
                    ReadSpec read = context.getBean(ReadSpec.class);
                    assertThat(List.of(read.parallelism(), read.blockBytes(), read.maxRecordBytes()))
                            .containsExactly(3, 64 << 10, 2 << 20);
                    assertThat(read.prefetchBytes()).isEqualTo(1 << 20);
                    WriteSpec write = context.getBean(WriteSpec.class);
                    assertThat(write.compression()).isSameAs(Compressions.gzip());
                    assertThat(List.of(write.bufferBytes(), (long) write.frameBytes()))
                            .containsExactly(2L << 20, 1L << 20);
                });
    }

    @Test
    void aPropertyThatIsWrongSaysSo() {
        boot.withPropertyValues("sluice.write.compression=lzma")
                .run(context -> assertThat(context.getStartupFailure())
                        .hasRootCauseMessage("sluice.write.compression must be none, gzip or zstd: \"lzma\""));
    }

    @Test
    void beansOfTheApplicationComeFirst() {
        boot.withBean(ObjectStore.class, InMemoryObjectStore::create)
                .withBean(ReadSpec.class, () -> ReadSpec.create().limit(1))
                .run(context -> {
                    assertThat(context.getBean(ObjectStore.class)).isInstanceOf(InMemoryObjectStore.class);
                    assertThat(context.getBean(ReadSpec.class).limit()).isEqualTo(1);
                });
        InMemoryObjectStore mine = InMemoryObjectStore.create();
        boot.withBean(Location.class, () -> new Location(mine, "x/"))
                .withPropertyValues("sluice.datasets.a=a/")
                .run(context -> {
                    assertThat(context.getBean(ObjectStore.class)).isSameAs(mine);
                    assertThat(context.getBean("a", Dataset.class).location()).isEqualTo("x/a/");
                });
    }

    @Test
    void aLocationInS3HasAClientOnReactorNetty() {
        boot.withPropertyValues(
                        "sluice.location=s3://bucket/some/prefix",
                        "sluice.s3.endpoint=http://localhost:1",
                        "sluice.s3.access-key=a",
                        "sluice.s3.secret-key=b",
                        "sluice.datasets.a=a/")
                .run(context -> {
                    assertThat(context.getBean(ObjectStore.class)).isInstanceOf(S3ObjectStore.class);
                    assertThat(context.getBean("a", Dataset.class).location()).isEqualTo("some/prefix/a/");
                    assertThat(context).hasSingleBean(S3AsyncClient.class);
                    assertThat(context.getBean(SluiceProperties.class).toString())
                            .doesNotContain("a=b")
                            .contains("http://localhost:1");
                });
    }

    @Test
    void worksWithoutTheModuleForS3() {
        boot.withClassLoader(new FilteredClassLoader("io.sluice.s3", "software.amazon.awssdk"))
                .withPropertyValues("sluice.location=" + directory)
                .run(context -> assertThat(context).hasNotFailed().hasSingleBean(ObjectStore.class));
        boot.withPropertyValues("sluice.location=nowhere://x")
                .run(context -> assertThat(context.getStartupFailure()).hasStackTraceContaining("nowhere"));
    }

    @Test
    void withoutSluiceThereIsNothing() {
        boot.withClassLoader(new FilteredClassLoader(Dataset.class))
                .run(context -> assertThat(context).doesNotHaveBean(SluiceAutoConfiguration.class));
    }

    @Configuration(proxyBeanMethods = false)
    static class Injected {
        final Dataset<Map<String, Object>> events;

        Injected(Dataset<Map<String, Object>> events) {
            this.events = events;
        }

        @Bean
        String something() {
            return "";
        }
    }
}
