package io.sluice.spring;

import io.sluice.Dataset;
import io.sluice.ReadSpec;
import io.sluice.RollingPolicy;
import io.sluice.WriteSpec;
import io.sluice.codec.Compression;
import io.sluice.codec.Compressions;
import io.sluice.format.Jsonl;
import io.sluice.storage.LocalObjectStore;
import io.sluice.storage.ObjectStore;
import io.sluice.storage.StoreProvider.Location;
import io.sluice.storage.Stores;
import java.nio.file.Path;
import java.util.Map;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.core.ResolvableType;
import org.springframework.core.env.Environment;
import org.springframework.util.unit.DataSize;

/**
 * The beans that {@code sluice.*} asks for: the {@link ObjectStore} and {@link Location} of {@code sluice.location}, a {@link ReadSpec}
 * and a {@link WriteSpec}, and a {@code Dataset<Map<String, Object>>} for each of {@code sluice.datasets}, by its name
 * ({@code dataset.as(...)} makes it one of anything else). A bean of your own takes the place of any of them. For {@code s3://} an
 * {@code S3AsyncClient} is made, where there is none; it works on Reactor Netty.
 */
@AutoConfiguration
@ConditionalOnClass(Dataset.class)
@EnableConfigurationProperties(SluiceProperties.class)
@Import(S3Configuration.class)
public class SluiceAutoConfiguration {

    private static final ResolvableType DATASET_OF_MAPS = ResolvableType.forClassWithGenerics(
            Dataset.class, ResolvableType.forClassWithGenerics(Map.class, String.class, Object.class));

    /** The root on local disk, or wherever a store on the class path finds it. */
    @Bean
    @ConditionalOnMissingBean
    Location sluiceLocation(SluiceProperties properties) {
        String location = properties.location();
        return location.contains("://")
                ? directory(Stores.resolve(location))
                : new Location(LocalObjectStore.at(Path.of(location)), "");
    }

    /** The store of the location. */
    @Bean
    @ConditionalOnMissingBean
    ObjectStore sluiceStore(Location location) {
        return location.store();
    }

    /** How beans are read. */
    @Bean
    @ConditionalOnMissingBean
    ReadSpec sluiceReadSpec(SluiceProperties properties) {
        SluiceProperties.Read read = properties.read();
        ReadSpec spec = ReadSpec.create();
        spec = read.parallelism() == null ? spec : spec.parallelism(read.parallelism());
        spec = read.prefetch() == null
                ? spec
                : spec.prefetchBytes(read.prefetch().toBytes());
        spec = read.block() == null ? spec : spec.blockBytes(bytes(read.block()));
        return read.maxRecord() == null ? spec : spec.maxRecordBytes(bytes(read.maxRecord()));
    }

    /** How beans are written. */
    @Bean
    @ConditionalOnMissingBean
    WriteSpec sluiceWriteSpec(SluiceProperties properties) {
        SluiceProperties.Write write = properties.write();
        WriteSpec spec = WriteSpec.create()
                .compression(compression(write.compression()))
                .rolling(RollingPolicy.maxBytes(write.shard().toBytes()));
        spec = write.buffer() == null ? spec : spec.bufferBytes(write.buffer().toBytes());
        return write.frame() == null ? spec : spec.frameBytes(bytes(write.frame()));
    }

    /** Registers the data sets; before other beans are made, so that they can be injected. */
    @Bean
    static BeanFactoryPostProcessor sluiceDatasets(Environment environment) {
        Map<String, String> datasets = Binder.get(environment)
                .bind("sluice.datasets", Bindable.mapOf(String.class, String.class))
                .orElse(Map.of());
        return factory -> datasets.forEach((name, key) -> {
            BeanDefinitionRegistry registry = (BeanDefinitionRegistry) factory;
            if (!registry.containsBeanDefinition(name)) {
                registry.registerBeanDefinition(name, definition(factory, key));
            }
        });
    }

    private static BeanDefinition definition(BeanFactory factory, String key) {
        RootBeanDefinition definition = new RootBeanDefinition();
        definition.setTargetType(DATASET_OF_MAPS);
        definition.setInstanceSupplier(() -> {
            Location root = factory.getBean(Location.class);
            return Dataset.at(root.store(), root.key() + key, Jsonl.maps());
        });
        return definition;
    }

    private static Compression compression(String name) {
        return switch (name) {
            case "none" -> Compressions.none();
            case "gzip" -> Compressions.gzip();
            case "zstd" -> Compressions.zstd();
            default ->
                throw new IllegalArgumentException(
                        "sluice.write.compression must be none, gzip or zstd: \"" + name + '"');
        };
    }

    private static Location directory(Location found) {
        String key = found.key();
        return new Location(found.store(), key.isEmpty() || key.endsWith("/") ? key : key + "/");
    }

    private static int bytes(DataSize size) {
        return Math.toIntExact(size.toBytes());
    }
}
