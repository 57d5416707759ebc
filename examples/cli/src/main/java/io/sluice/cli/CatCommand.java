package io.sluice.cli;

import io.sluice.ReadSpec;
import io.sluice.arrow.Arrow;
import io.sluice.arrow.ArrowSpec;
import io.sluice.arrow.IpcSpec;
import io.sluice.arrow.RecordBatch;
import io.sluice.codec.Encoder;
import io.sluice.format.Format;
import io.sluice.format.Jsonl;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Records on standard output: read as values and encoded again, so that what comes out has been understood. */
@CommandLine.Command(
        name = "cat",
        mixinStandardHelpOptions = true,
        description = "Prints the records as JSONL, parsed and encoded again. Takes Arrow files, too.")
final class CatCommand extends Command {

    @Mixin
    private final Source source = new Source();

    @Option(names = "--limit", paramLabel = "N", description = "Stop after so many records.")
    private @Nullable Long limit;

    @Option(names = "--raw", description = "Pass lines through as they are, without parsing them.")
    private boolean raw;

    @Option(
            names = "--on-error",
            paramLabel = "fail|skip|FILE",
            defaultValue = "fail",
            description = "Bad records: fail (default), skip, or write them to FILE as they are.")
    private String onError = "fail";

    CatCommand(Streams streams) {
        super(streams);
    }

    @Override
    public Integer call() {
        if (limit != null && limit < 0) {
            throw new UsageException("--limit must not be negative: " + limit);
        }
        if (Columns.isNamedBy(source.location)) {
            if (raw) {
                throw new UsageException(
                        "--raw is for lines of text, and " + source.location + " is a file of batches");
            }
            try (Columns columns = new Columns()) {
                Format<RecordBatch> batches = columns.format(source.location, ArrowSpec.create(), IpcSpec.create());
                print(batches, Arrow.jsonl(columns.allocator));
            }
        } else if (raw) {
            print(Jsonl.bytes(), Jsonl.bytes());
        } else {
            print(Jsonl.maps(), Jsonl.maps());
        }
        return DONE;
    }

    private <T> void print(Format<T> format, Format<T> printed) {
        Out out = new Out(streams);
        try (OnError errors = OnError.of(onError, source.location);
                Progress progress = new Progress(streams, true);
                Encoder<T> encoder = printed.encoder()) {
            Observer observer = new Observer(progress);
            var dataset = source.open(streams, format);
            ReadSpec reading = source.spec(observer, errors);
            if (source.isStandardInput()) {
                observer.afterBlock(out::flush); // what trickles in, trickles out
            }
            if (limit != null) {
                reading = reading.limit(limit);
            }
            try {
                encoder.start(out.buffer());
                dataset.read(reading)
                        .doOnNext(value -> {
                            try {
                                encoder.encode(value, out.buffer());
                            } finally {
                                format.release(value);
                            }
                            out.written();
                        })
                        .then()
                        .block();
                encoder.finish(out.buffer());
            } catch (Out.ReaderGone gone) {
                throw gone;
            } catch (RuntimeException e) {
                out.flush(); // what came before the error is as good as ever
                throw e;
            }
            out.flush();
            String note = errors.note(observer.total().rejected());
            if (note != null) {
                say(note);
            }
        }
    }
}
