package io.sluice.cli;

import io.sluice.arrow.ArrowSpec;
import picocli.CommandLine.Option;

/** How columns are inferred from JSONL: shared by the commands that do. */
final class Inferring {

    @Option(names = "--timestamps", description = "Strings that are all timestamps, dates or times become such.")
    private boolean timestamps;

    @Option(names = "--decimals", description = "Numbers with a fraction become decimals, not doubles.")
    private boolean decimals;

    @Option(names = "--unions", description = "Columns with values of several kinds become unions, not JSON text.")
    private boolean unions;

    ArrowSpec spec() {
        ArrowSpec spec = ArrowSpec.create();
        spec = timestamps ? spec.detectTimestamps() : spec;
        spec = decimals ? spec.decimals() : spec;
        return unions ? spec.unions() : spec;
    }
}
