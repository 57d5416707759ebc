package io.sluice.cli;

import io.sluice.Dataset;
import io.sluice.ReadSpec;
import io.sluice.avro.Avro;
import io.sluice.avro.AvroSpec;
import io.sluice.format.Jsonl;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import reactor.core.publisher.Mono;

/** How many records there are, and on demand where every byte went. */
@CommandLine.Command(
        name = "count",
        mixinStandardHelpOptions = true,
        description = "Prints the number of records, all of them parsed.")
final class CountCommand extends Command {

    @Mixin
    private final Source source = new Source();

    @Option(names = "--raw", description = "Count lines that are not blank, without parsing them.")
    private boolean raw;

    @Option(names = "--report", description = "Print the account of every byte as one JSON object instead.")
    private boolean report;

    @Option(
            names = "--on-error",
            paramLabel = "fail|skip|FILE",
            defaultValue = "fail",
            description = "Bad records: fail (default), skip, or write them to FILE as they are.")
    private String onError = "fail";

    CountCommand(Streams streams) {
        super(streams);
    }

    @Override
    public Integer call() {
        Columns.refuseArrow("count", source.location);
        Out out = new Out(streams);
        try (OnError errors = OnError.of(onError, source.location);
                Progress progress = new Progress(streams, false)) {
            Observer observer = new Observer(progress);
            Mono<Long> counting;
            if (raw) {
                Dataset<Long> dataset = source.open(streams, Jsonl.counts());
                counting = dataset.read(source.spec(observer, errors)).reduce(0L, Long::sum);
            } else {
                Dataset<?> dataset = AvroFiles.isNamedBy(source.location)
                        ? source.open(streams, Avro.bytes(AvroSpec.create()))
                        : source.open(streams, Jsonl.maps());
                ReadSpec reading = source.spec(observer, errors);
                counting = dataset.read(reading).count();
            }
            @Nullable Long count = null;
            try {
                count = counting.block();
            } finally {
                // an account is worth having of a read that failed, too: the exit code tells
                if (report && (count != null || observer.hasReport())) {
                    out.line(observer.report());
                    out.flush();
                }
            }
            progress.finish();
            if (!report) {
                out.line(String.valueOf(count));
                out.flush();
            }
            String note = errors.note(observer.total().rejected());
            if (note != null) {
                say(note);
            }
        }
        return DONE;
    }
}
