package io.sluice.cli;

import io.sluice.Dataset;
import io.sluice.ReadSpec;
import io.sluice.codec.Compression;
import io.sluice.format.Format;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What to read, and how: shared by the commands that read. */
final class Source {

    @Parameters(
            paramLabel = "SRC",
            description =
                    "A file, a directory of shards, a glob in quotes, s3://bucket/…, http(s)://… or - for standard input.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    String location;

    @Mixin
    final Stores stores = new Stores();

    @Option(
            names = "--parallelism",
            paramLabel = "N",
            description = "Blocks to decode at a time (default: one per processor).")
    @Nullable
    Integer parallelism;

    private @Nullable StandardInput stdin;

    boolean isStandardInput() {
        return location.equals("-");
    }

    <T> Dataset<T> open(Streams streams, Format<T> format) {
        if (!isStandardInput()) {
            return stores.at(location, format);
        }
        if (stdin == null) {
            stdin = new StandardInput(streams.in());
        }
        return Dataset.at(stdin, StandardInput.KEY, format);
    }

    /** How to read it; after {@link #open}. */
    ReadSpec spec(Observer observer, OnError onError) {
        ReadSpec spec = ReadSpec.create().listener(observer).onError(onError.policy());
        try {
            if (parallelism != null) {
                spec = spec.parallelism(parallelism);
            }
            if (stdin != null) {
                Compression compression = stdin.compression();
                spec = spec.compression(compression);
            }
            return spec;
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read standard input", e);
        }
    }
}
