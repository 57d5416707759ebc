package io.sluice.cli;

import io.sluice.Dataset;
import io.sluice.ReadSpec;
import io.sluice.format.Jsonl;
import io.sluice.storage.ObjectMeta;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The shards of a data set, in the order in which they are read. */
@CommandLine.Command(
        name = "ls",
        mixinStandardHelpOptions = true,
        description =
                "Lists the shards in reading order: records, stored bytes, name. What is not known without reading is -.")
final class LsCommand extends Command {

    @Parameters(paramLabel = "DIR", description = "A directory of shards, a glob in quotes, or a file.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private String location;

    @Mixin
    private final Stores stores = new Stores();

    @Option(names = "--count", description = "Read the shards to count their records, without parsing them.")
    private boolean count;

    LsCommand(Streams streams) {
        super(streams);
    }

    @Override
    public Integer call() {
        if (location.equals("-")) {
            throw new UsageException("standard input has no shards");
        }
        Out out = new Out(streams);
        Dataset<Long> dataset = stores.at(location, Jsonl.counts());
        for (ObjectMeta shard :
                Objects.requireNonNull(dataset.shards().collectList().block())) {
            out.line(line(
                    count ? records(dataset, shard) : null,
                    shard.size() < 0 ? null : shard.size(),
                    dataset.store().displayName(shard.key())));
        }
        out.flush();
        return DONE;
    }

    private static @Nullable Long records(Dataset<Long> dataset, ObjectMeta shard) {
        return Dataset.at(dataset.store(), shard.key(), dataset.format())
                .read(ReadSpec.create())
                .reduce(0L, Long::sum)
                .block();
    }

    static String line(@Nullable Long records, @Nullable Long bytes, String name) {
        return String.format(
                Locale.ROOT, "%12s %14s %s", records == null ? "-" : records, bytes == null ? "-" : bytes, name);
    }
}
