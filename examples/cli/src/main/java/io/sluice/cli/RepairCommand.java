package io.sluice.cli;

import io.sluice.Dataset;
import io.sluice.Rejected;
import io.sluice.ShardReport;
import io.sluice.SluiceException;
import io.sluice.StorageException;
import io.sluice.WriteSpec;
import io.sluice.avro.Avro;
import io.sluice.avro.AvroSpec;
import io.sluice.format.Format;
import io.sluice.format.Jsonl;
import io.sluice.storage.ObjectMeta;
import io.sluice.storage.PutMode;
import java.nio.ByteBuffer;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Saves what is good of damaged files, byte for byte, and tells what is lost. */
@CommandLine.Command(
        name = "repair",
        mixinStandardHelpOptions = true,
        description =
                "Writes what is good in damaged files to others, and prints what was lost as file:record:offset: why.",
        footer = {
            "",
            "OUT is a file, or, for a directory or a glob, a directory with / at its end, in which every file keeps its name.",
            "Avro files keep schema, compression and metadata. Exit code 1 where a file has nothing that can be saved."
        })
final class RepairCommand extends Command {

    @Mixin
    private final Source source = new Source();

    @Parameters(index = "1", paramLabel = "OUT", description = "The file to write, or a directory with / at its end.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private String destination;

    @Option(names = "--overwrite", description = "Replace what OUT has already.")
    private boolean overwrite;

    private long good;
    private long lostBytes;
    private long lostRecords;

    RepairCommand(Streams streams) {
        super(streams);
    }

    @Override
    public Integer call() {
        if (source.isStandardInput()) {
            throw new UsageException("repair reads files, whose headers it wants first; not standard input");
        }
        if (source.location.replaceAll("/+$", "").equals(destination.replaceAll("/+$", ""))) {
            throw new UsageException("OUT is what is read: " + destination);
        }
        boolean directory = destination.endsWith("/");
        Dataset<ByteBuffer> all = source.open(streams, Jsonl.bytes());
        if (AvroFiles.isNamedBy(source.location)) {
            all = all.as(Avro.bytes(AvroSpec.create()));
        }
        List<ObjectMeta> files = all.shards().collectList().block();
        if (files == null || files.isEmpty()) {
            throw new UsageException("there is nothing in " + source.location);
        }
        if (files.size() > 1 && !directory) {
            throw new UsageException(
                    source.location + " has " + files.size() + " files, so OUT must be a directory, with / at its end");
        }
        Out out = new Out(streams);
        int unsaved = 0;
        try (Progress progress = new Progress(streams, true)) {
            for (ObjectMeta file : files) {
                String name = file.key().substring(file.key().lastIndexOf('/') + 1);
                try {
                    repair(all, file.key(), directory ? destination + name : destination, out, progress);
                } catch (StorageException e) {
                    throw e;
                } catch (SluiceException e) {
                    unsaved++;
                    lostBytes += file.size();
                    say("nothing can be saved of it: " + e.getMessage());
                }
            }
            progress.finish();
        } finally {
            out.flush();
        }
        say(good + (good == 1 ? " good record" : " good records") + " written to " + destination + ", " + lostBytes
                + " bytes lost" + (lostRecords == 0 ? "" : ", with " + lostRecords + " records or more"));
        return unsaved == 0 ? DONE : FAILED;
    }

    private void repair(Dataset<?> all, String key, String to, Out out, Progress progress) {
        Format<ByteBuffer> reading;
        Format<ByteBuffer> writing;
        if (AvroFiles.isNamedBy(key)) {
            reading = Avro.bytes(AvroSpec.create());
            writing = Avro.bytes(AvroFiles.like(AvroFiles.header(Dataset.at(all.store(), key, reading))));
        } else {
            reading = writing = Jsonl.checkedBytes();
        }
        Observer observer = new Observer(progress) {
            @Override
            public void rejected(Rejected lost) {
                out.line(lost.key() + ':' + lost.line() + ':' + lost.offset() + ": "
                        + lost.cause().reason() + " (" + lost.length() + " bytes lost)");
            }
        };
        Dataset<ByteBuffer> saved = source.stores.at(to, writing);
        try {
            saved.write(
                            Dataset.at(all.store(), key, reading)
                                    .read(source.spec(observer, OnError.of("skip", source.location))),
                            WriteSpec.create().mode(overwrite ? PutMode.OVERWRITE : PutMode.CREATE))
                    .block();
        } catch (StorageException e) {
            if (e.kind() == StorageException.Kind.ALREADY_EXISTS) {
                throw new StorageException(e.kind(), to, "there is such a file already; --overwrite replaces it", e);
            }
            throw e;
        }
        ShardReport report = observer.total();
        good += report.records();
        lostBytes += report.bytesLost() + report.bytesRejected();
        // a stretch that was lost counts as one refusal, whatever was in it
        lostRecords += report.bytesLost() == 0 ? report.rejected() : report.lostRecords();
    }
}
