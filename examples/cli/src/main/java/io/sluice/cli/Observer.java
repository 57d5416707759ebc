package io.sluice.cli;

import io.sluice.DatasetListener;
import io.sluice.ReadProgress;
import io.sluice.ShardReport;
import io.sluice.storage.ObjectMeta;
import java.util.List;
import java.util.Locale;

/** Sums up the reports of a read and passes on its progress. */
class Observer implements DatasetListener {

    private final Progress progress;
    private Runnable afterBlock = () -> {};
    private final long started = System.nanoTime();
    private volatile ShardReport total = ShardReport.empty("");
    private volatile int shards;
    private volatile boolean listed;

    Observer(Progress progress) {
        this.progress = progress;
    }

    /** Calls {@code action} about once a block, on the thread that emits. */
    void afterBlock(Runnable action) {
        afterBlock = action;
    }

    @Override
    public void listed(List<ObjectMeta> all) {
        listed = true;
    }

    @Override
    public void shardCompleted(ShardReport report) {
        total = total.plus(report);
        shards++;
    }

    @Override
    public void progress(ReadProgress now) {
        progress.update(now);
        afterBlock.run();
    }

    ShardReport total() {
        return total;
    }

    int shards() {
        return shards;
    }

    /** Whether there was anything to report on. */
    boolean hasReport() {
        return listed;
    }

    double seconds() {
        return (System.nanoTime() - started) / 1e9;
    }

    /** The account as one JSON object; scripts rely on its keys. */
    String report() {
        ShardReport t = total;
        return String.format(
                Locale.ROOT,
                "{\"records\":%d,\"rejected\":%d,\"blankLines\":%d,\"bytesIn\":%d,\"bytesDelivered\":%d,\"bytesBlank\":%d,"
                        + "\"bytesRejected\":%d,\"bytesLost\":%d,\"shards\":%d,\"seconds\":%.3f}",
                t.records(),
                t.rejected(),
                t.blankLines(),
                t.bytesIn(),
                t.bytesDelivered(),
                t.bytesBlank(),
                t.bytesRejected(),
                t.bytesLost(),
                shards,
                seconds());
    }
}
