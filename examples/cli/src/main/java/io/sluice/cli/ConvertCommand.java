package io.sluice.cli;

import io.sluice.Dataset;
import io.sluice.ReadSpec;
import io.sluice.RollingPolicy;
import io.sluice.Shard;
import io.sluice.ShardWriter;
import io.sluice.StorageException;
import io.sluice.WriteResult;
import io.sluice.WriteSpec;
import io.sluice.codec.Compression;
import io.sluice.codec.Compressions;
import io.sluice.format.Format;
import io.sluice.format.Jsonl;
import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import reactor.core.publisher.Flux;

/** Writes records into another file or directory of shards. Every record is checked, and none is changed. */
@CommandLine.Command(
        name = "convert",
        mixinStandardHelpOptions = true,
        description = "Writes the records of SRC to DST, and says what it wrote.",
        footer = {
            "",
            "DST's extension says format and compression: x.jsonl, x.ndjson.gz, x.jsonl.zst. A DST that ends in / is a",
            "directory of shards, plain ones unless its name has such an extension (out.jsonl.zst/) or --level is given (zstd)."
        })
final class ConvertCommand extends Command {

    private static final Duration CLEANING_TIME = Duration.ofSeconds(5);

    @Mixin
    private final Source source = new Source();

    @Parameters(index = "1", paramLabel = "DST", description = "The file to write, or a directory with / at its end.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private String destination;

    @Option(names = "--max-records", paramLabel = "N", description = "At most so many records a shard.")
    private @Nullable Long maxRecords;

    @Option(names = "--max-bytes", paramLabel = "N", description = "At most so many uncompressed bytes a shard.")
    private @Nullable Long maxBytes;

    @Option(names = "--level", paramLabel = "N", description = "The level of the compression.")
    private @Nullable Integer level;

    @Option(names = "--append", description = "Go on after the last shard of the directory.")
    private boolean append;

    @Option(names = "--overwrite", description = "Replace the file, if there is one.")
    private boolean overwrite;

    @Option(
            names = "--on-error",
            paramLabel = "fail|skip|FILE",
            defaultValue = "fail",
            description = "Bad records: fail (default), skip, or write them to FILE as they are.")
    private String onError = "fail";

    ConvertCommand(Streams streams) {
        super(streams);
    }

    @Override
    public Integer call() {
        WriteSpec writing = writeSpec();
        Format<ByteBuffer> format = Jsonl.checkedBytes();
        Out out = new Out(streams);
        try (OnError errors = OnError.of(onError, source.location);
                Progress progress = new Progress(streams, false)) {
            Observer observer = new Observer(progress);
            Dataset<ByteBuffer> from = source.open(streams, format);
            ReadSpec reading = source.spec(observer, errors);
            Dataset<ByteBuffer> to = source.stores.at(destination, format);
            WriteResult result = write(from.read(reading), to, writing);
            progress.finish();
            if (result != null) {
                print(result, out);
            }
            String note = errors.note(observer.total().rejected());
            if (note != null) {
                say(note);
            }
        }
        return DONE;
    }

    private @Nullable WriteResult write(Flux<ByteBuffer> records, Dataset<ByteBuffer> to, WriteSpec writing) {
        ShardWriter<ByteBuffer> writer = to.writer(writing);
        // an interrupted run takes away what it has not finished
        Thread cleaner = new Thread(() -> {
            writer.dispose();
            writer.result().onErrorComplete().block(CLEANING_TIME);
        });
        Runtime.getRuntime().addShutdownHook(cleaner);
        try {
            records.subscribe(writer);
            return writer.result().block();
        } catch (StorageException e) {
            if (e.kind() != StorageException.Kind.ALREADY_EXISTS) {
                throw e;
            }
            String way = writing.requiresEmpty()
                    ? "there are shards already; --append goes on after them"
                    : "there is such a file already; --overwrite replaces it";
            throw new StorageException(e.kind(), destination, way, e);
        } finally {
            if (!cleaner.isAlive()) {
                Runtime.getRuntime().removeShutdownHook(cleaner);
            }
        }
    }

    private WriteSpec writeSpec() {
        boolean directory = destination.endsWith("/");
        if (destination.equals("-")) {
            throw new UsageException("DST is a file or a directory; cat prints to standard output");
        }
        if (!directory && append) {
            throw new UsageException(
                    "--append is for a directory of shards, whose name ends in /; " + destination + " is a file");
        }
        if (!directory && (maxRecords != null || maxBytes != null)) {
            throw new UsageException(
                    "--max-records and --max-bytes cut shards, so DST must be a directory, with / at its end");
        }
        if (directory && overwrite) {
            throw new UsageException("--overwrite is for a single file; remove the directory, or --append to it");
        }
        String name = directory ? destination.replaceAll("/+$", "") : destination;
        checkFormat(name, directory);
        WriteSpec writing = WriteSpec.create().compression(compression(name, directory));
        if (directory) {
            writing = append ? writing.append() : writing.requireEmpty();
        } else {
            writing = writing.mode(overwrite ? PutMode.OVERWRITE : PutMode.CREATE);
        }
        RollingPolicy rolling = RollingPolicy.never();
        try {
            rolling = maxRecords == null ? rolling : rolling.or(RollingPolicy.maxRecords(maxRecords));
            rolling = maxBytes == null ? rolling : rolling.or(RollingPolicy.maxBytes(maxBytes));
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
        return writing.rolling(rolling);
    }

    private static void checkFormat(String name, boolean directory) {
        String base = Compressions.withoutExtension(name).toLowerCase(Locale.ROOT);
        if (!directory && Jsonl.maps().extensions().stream().noneMatch(base::endsWith)) {
            throw new UsageException("don't know the format of " + name + "; known are "
                    + String.join(" ", Jsonl.maps().extensions())
                    + ", with .zst, .zstd or .gz behind; a directory of shards ends in /");
        }
    }

    private Compression compression(String name, boolean directory) {
        Compression named = Compressions.ofKey(name);
        if (level == null) {
            return named;
        }
        try {
            if (named.name().equals(Compressions.gzip().name())) {
                return Compressions.gzip(level);
            }
            if (directory || named.name().equals(Compressions.zstd().name())) {
                return Compressions.zstd(level);
            }
        } catch (IllegalArgumentException e) {
            throw new UsageException("--level: " + e.getMessage());
        }
        throw new UsageException("--level is for compressed files, and " + name + " is not: name it .zst or .gz");
    }

    private void print(WriteResult result, Out out) {
        Dataset<ByteBuffer> to = source.stores.at(destination, Jsonl.bytes());
        for (Shard shard : result.shards()) {
            out.line(LsCommand.line(
                    shard.records(), shard.writtenBytes(), to.store().displayName(shard.key())));
        }
        out.line("wrote " + result.records() + " records, " + result.bytes() + " bytes"
                + (result.bytes() == result.writtenBytes() ? "" : " (" + result.writtenBytes() + " compressed)")
                + " in " + result.shards().size() + (result.shards().size() == 1 ? " file" : " files"));
        out.flush();
    }
}
