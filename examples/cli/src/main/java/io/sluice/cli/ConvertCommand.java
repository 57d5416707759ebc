package io.sluice.cli;

import io.sluice.Dataset;
import io.sluice.ReadSpec;
import io.sluice.RollingPolicy;
import io.sluice.Shard;
import io.sluice.ShardWriter;
import io.sluice.StorageException;
import io.sluice.WriteResult;
import io.sluice.WriteSpec;
import io.sluice.arrow.Arrow;
import io.sluice.arrow.ArrowSpec;
import io.sluice.arrow.IpcSpec;
import io.sluice.arrow.RecordBatch;
import io.sluice.arrow.Unexpected;
import io.sluice.avro.Avro;
import io.sluice.avro.AvroHeader;
import io.sluice.avro.AvroSpec;
import io.sluice.codec.Compression;
import io.sluice.codec.Compressions;
import io.sluice.format.Format;
import io.sluice.format.Jsonl;
import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Locale;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import reactor.core.publisher.Flux;

/**
 * Writes records into another file or directory of shards. From JSONL to JSONL every record is checked, and none is changed; from or to
 * Arrow they pass through columns.
 */
@CommandLine.Command(
        name = "convert",
        mixinStandardHelpOptions = true,
        description = "Writes the records of SRC to DST, and says what it wrote.",
        footer = {
            "",
            "DST's extension says format and compression: x.jsonl, x.ndjson.gz, x.jsonl.zst; x.avro; x.arrow is an Arrow file, x.arrows an",
            "Arrow stream. A DST that ends in / is a directory of shards, plain ones unless its name has such an extension",
            "(out.jsonl.zst/, out.arrow/) or --level is given (zstd). From JSONL to Arrow, columns are inferred from the first ten",
            "thousand records, or with --infer-all from all of them."
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

    @Option(
            names = "--compression",
            paramLabel = "NAME",
            description = {
                "For Arrow: how the buffers in the file are compressed: none (default), zstd, lz4.",
                "For Avro: its blocks: none (default; from Avro, as it was), deflate, snappy, zstd, bzip2, xz."
            })
    private @Nullable String compression;

    @Option(
            names = "--infer-all",
            description = "To Arrow: infer the columns from all records, which reads them twice.")
    private boolean inferAll;

    @Option(
            names = "--unexpected",
            paramLabel = "fail|collect|ignore",
            defaultValue = "fail",
            description =
                    "To Arrow: keys and values that the columns did not foresee are bad records (fail, default), collected in a"
                            + " column _rest, or left out (ignore: keys only).")
    private String unexpected = "fail";

    @Mixin
    private final Inferring inferring = new Inferring();

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
        boolean toColumns = Columns.isNamedBy(destination);
        if (!toColumns && !Columns.isNamedBy(source.location)) {
            return convert(Jsonl.checkedBytes(), Jsonl.checkedBytes(), writing);
        }
        if (AvroFiles.isNamedBy(destination) && AvroFiles.isNamedBy(source.location) && !source.isStandardInput()) {
            return convertAvro(writing);
        }
        try (Columns columns = new Columns()) {
            ArrowSpec records = arrowSpec(columns);
            IpcSpec messages = IpcSpec.create();
            Format<RecordBatch> from = columns.format(source.location, records, messages);
            if (AvroFiles.isNamedBy(destination)) {
                columns.avro = columns.avro.codec(
                        AvroFiles.codec(compression == null ? level == null ? "none" : "zstd" : compression, level));
            } else if (toColumns) {
                messages = messages.compression(Columns.compression(
                        compression == null ? level == null ? "none" : "zstd" : compression, level));
            }
            return convert(from, columns.format(destination, ArrowSpec.create(), messages), writing);
        }
    }

    /** Value for value as they stand; the files have one schema, or the one that differs is an error. */
    private Integer convertAvro(WriteSpec writing) {
        AvroHeader header = AvroFiles.header(source.open(streams, Jsonl.bytes()).as(Avro.bytes(AvroSpec.create())));
        AvroSpec like = AvroFiles.like(header);
        if (compression != null || level != null) {
            like = like.codec(AvroFiles.codec(compression == null ? "zstd" : compression, level));
        }
        AvroSpec same = AvroSpec.create().fileSchemas(AvroSpec.FileSchemas.SAME);
        return convert(Avro.bytes(same), Avro.bytes(like), writing);
    }

    private ArrowSpec arrowSpec(Columns columns) {
        ArrowSpec records = inferring.spec();
        switch (unexpected) {
            case "fail" -> {}
            case "collect" -> records = records.unexpected(Unexpected.COLLECT);
            case "ignore" -> records = records.unexpected(Unexpected.IGNORE);
            default -> throw new UsageException("--unexpected is fail, collect or ignore, not " + unexpected);
        }
        if (!inferAll || Columns.isNamedBy(source.location)) {
            return records;
        }
        if (source.isStandardInput()) {
            throw new UsageException("--infer-all reads twice, which standard input can't");
        }
        try (OnError errors = OnError.of(onError.equals("fail") ? "fail" : "skip", source.location);
                Progress progress = new Progress(streams, false)) {
            Dataset<RecordBatch> all = source.open(streams, columns.format(source.location, records, IpcSpec.create()));
            @Nullable
            Schema schema = Arrow.schema(all, source.spec(new Observer(progress), errors))
                    .block();
            progress.finish();
            return schema == null ? records : records.schema(schema);
        }
    }

    private <T> Integer convert(Format<T> read, Format<T> written, WriteSpec writing) {
        Out out = new Out(streams);
        try (OnError errors = OnError.of(onError, source.location);
                Progress progress = new Progress(streams, false)) {
            Observer observer = new Observer(progress);
            Dataset<T> from = source.open(streams, read);
            ReadSpec reading = source.spec(observer, errors);
            Dataset<T> to = source.stores.at(destination, written);
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

    private <T> @Nullable WriteResult write(Flux<T> records, Dataset<T> to, WriteSpec writing) {
        ShardWriter<T> writer = to.writer(writing);
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
        boolean known =
                Columns.isNamedBy(name) || Jsonl.maps().extensions().stream().anyMatch(base::endsWith);
        if (!directory && !known) {
            throw new UsageException("don't know the format of " + name + "; known are "
                    + String.join(" ", Jsonl.maps().extensions()) + " " + String.join(" ", Columns.extensions())
                    + ", with .zst, .zstd or .gz behind; a directory of shards ends in /");
        }
    }

    private Compression compression(String name, boolean directory) {
        Compression named = Compressions.ofKey(name);
        boolean columns = Columns.isNamedBy(name);
        if (compression != null && !columns) {
            throw new UsageException("--compression is for Arrow and Avro; name DST .zst or .gz instead");
        }
        if (level == null || columns) {
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
