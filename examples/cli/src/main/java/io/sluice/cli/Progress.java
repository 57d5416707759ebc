package io.sluice.cli;

import io.sluice.ReadProgress;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** A progress bar on standard error for reads that take longer than a moment; shows nothing where that is no terminal. */
final class Progress implements AutoCloseable {

    private static final long PATIENCE_NANOS = 500_000_000;

    private final Streams streams;
    private final boolean shown;
    private final long started = System.nanoTime();
    private @Nullable ProgressBar bar;

    /** @param printsRecords whether the command prints records, with which a bar must not share a terminal */
    Progress(Streams streams, boolean printsRecords) {
        this.streams = streams;
        this.shown = streams.progress() && !(printsRecords && streams.outIsTerminal());
    }

    void update(ReadProgress now) {
        if (!shown) {
            return;
        }
        if (bar == null) {
            if (System.nanoTime() - started < PATIENCE_NANOS) {
                return;
            }
            bar = open(now.bytesTotal());
        }
        bar.stepTo(now.bytes());
        bar.setExtraMessage(now.shardsTotal() > 1 ? " shard " + (now.shards() + 1) + "/" + now.shardsTotal() : "");
    }

    private ProgressBar open(long total) {
        return new ProgressBarBuilder()
                .setInitialMax(total)
                .setTaskName("reading")
                .setUnit(" MiB", 1 << 20)
                .setStyle(ProgressBarStyle.ASCII)
                .showSpeed()
                .setUpdateIntervalMillis(200)
                .setMaxRenderedLength(width())
                .setConsumer(new ConsoleProgressBarConsumer(
                        new PrintStream(streams.err(), true, StandardCharsets.UTF_8), width()))
                .clearDisplayOnFinish()
                .build();
    }

    private static int width() {
        String columns = System.getenv("COLUMNS");
        try {
            return columns == null ? 80 : Math.max(40, Integer.parseInt(columns));
        } catch (NumberFormatException e) {
            return 80;
        }
    }

    /** Takes the bar away, so that something else can be printed. */
    void finish() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
    }

    @Override
    public void close() {
        finish();
    }
}
