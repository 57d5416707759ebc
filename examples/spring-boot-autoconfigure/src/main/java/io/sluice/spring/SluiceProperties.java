package io.sluice.spring;

import java.net.URI;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * What {@code sluice.*} says.
 *
 * @param location the directory that data sets live in: a path, or {@code s3://bucket/prefix/}
 * @param datasets data sets by the name of their bean: a key, directory or glob below {@code location}
 * @param read how beans are read
 * @param write how beans are written
 * @param s3 how to reach S3, where the location is there
 */
@ConfigurationProperties("sluice")
public record SluiceProperties(
        @DefaultValue(".") String location,
        @DefaultValue Map<String, String> datasets,
        @DefaultValue Read read,
        @DefaultValue Write write,
        @DefaultValue S3 s3) {

    /**
     * See {@code io.sluice.ReadSpec}; null leaves its default.
     *
     * @param parallelism blocks decoded at a time
     * @param prefetch bytes read ahead, over all shards of a read
     * @param block length of a block
     * @param maxRecord the longest record
     */
    public record Read(
            @Nullable Integer parallelism,
            @Nullable DataSize prefetch,
            @Nullable DataSize block,
            @Nullable DataSize maxRecord) {}

    /**
     * See {@code io.sluice.WriteSpec}; null leaves its default.
     *
     * @param compression {@code none}, {@code gzip} or {@code zstd}
     * @param shard uncompressed bytes after which a shard ends
     * @param buffer bytes that may wait for the store
     * @param frame uncompressed length of a compressed frame
     */
    public record Write(
            @DefaultValue("zstd") String compression,
            @DefaultValue("256MB") DataSize shard,
            @Nullable DataSize buffer,
            @Nullable DataSize frame) {}

    /**
     * See {@code io.sluice.s3.S3ClientSpec}; null leaves what the environment says.
     *
     * @param endpoint a store other than Amazon's
     * @param region such as {@code eu-central-1}
     * @param profile of the AWS configuration files
     * @param accessKey with {@code secretKey}, instead of the environment's credentials
     * @param secretKey see there
     * @param anonymous signs nothing
     */
    public record S3(
            @Nullable URI endpoint,
            @Nullable String region,
            @Nullable String profile,
            @Nullable String accessKey,
            @Nullable String secretKey,
            @DefaultValue("false") boolean anonymous) {

        @Override
        public String toString() {
            return "S3[" + endpoint + ", " + region + "]"; // no secrets
        }
    }
}
