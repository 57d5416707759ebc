package io.sluice.cli;

import io.sluice.Dataset;
import io.sluice.DatasetListener;
import io.sluice.ErrorPolicy;
import io.sluice.Position;
import io.sluice.ReadProgress;
import io.sluice.ReadSpec;
import io.sluice.Rejected;
import io.sluice.ShardReport;
import io.sluice.SluiceException;
import io.sluice.avro.Avro;
import io.sluice.avro.AvroSpec;
import io.sluice.format.Jsonl;
import io.sluice.storage.ObjectMeta;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;

/** Every bad record, one line each. A damaged shard does not keep it from looking at the next. */
@CommandLine.Command(
        name = "validate",
        mixinStandardHelpOptions = true,
        description = "Prints every bad record as file:line:offset: why. Exit code 1 if there is any.")
final class ValidateCommand extends Command {

    @Mixin
    private final Source source = new Source();

    ValidateCommand(Streams streams) {
        super(streams);
    }

    @Override
    public Integer call() {
        Columns.refuseArrow("validate", source.location);
        Out out = new Out(streams);
        try (Progress progress = new Progress(streams, true)) {
            Findings findings = new Findings(out, progress);
            Dataset<?> dataset = AvroFiles.isNamedBy(source.location)
                    ? source.open(streams, Avro.bytes(AvroSpec.create()))
                    : source.open(streams, Jsonl.maps());
            ReadSpec spec = source.spec(new Observer(progress), OnError.of("skip", source.location))
                    .listener(findings)
                    .onError(ErrorPolicy.deadLetter(findings::bad));
            @Nullable Position from = null;
            do {
                try {
                    dataset.read(from == null ? spec : spec.from(from)).then().block();
                    from = null;
                } catch (SluiceException damaged) {
                    if (findings.shards.isEmpty()) {
                        throw damaged; // not one shard was found
                    }
                    out.flush();
                    findings.damaged++;
                    say(String.valueOf(damaged.getMessage()));
                    from = findings.afterDamage();
                }
            } while (from != null);
            out.flush();
            progress.finish();
            say(findings.summary());
            return findings.rejected + findings.damaged == 0 ? DONE : FAILED;
        }
    }

    private static final class Findings implements DatasetListener {

        private final Out out;
        private final Progress progress;
        private List<ObjectMeta> shards = List.of();
        private int finished;
        private boolean lastWasDamaged;
        private long records;
        private long rejected;
        private int damaged;

        Findings(Out out, Progress progress) {
            this.out = out;
            this.progress = progress;
        }

        void bad(Rejected record) {
            rejected++;
            out.line(record.key() + ':' + record.line() + ':' + record.offset() + ": "
                    + record.cause().reason());
        }

        @Override
        public void listed(List<ObjectMeta> all) {
            if (shards.isEmpty()) {
                shards = all;
            }
        }

        @Override
        public void shardCompleted(ShardReport report) {
            records += report.records();
            finished++;
            lastWasDamaged = !report.complete();
        }

        @Override
        public void progress(ReadProgress now) {
            progress.update(now);
        }

        /** The start of the shard after the one that failed, or null where that was the last. */
        @Nullable
        Position afterDamage() {
            if (!lastWasDamaged) {
                finished++; // it failed before there was anything to report
            }
            lastWasDamaged = false;
            return finished < shards.size()
                    ? Position.startOf(shards.get(finished).key())
                    : null;
        }

        String summary() {
            return records + (records == 1 ? " good record, " : " good records, ")
                    + rejected + " bad, in " + shards.size() + (shards.size() == 1 ? " shard" : " shards")
                    + (damaged == 0 ? "" : ", of which " + damaged + " could not be read to the end");
        }
    }
}
