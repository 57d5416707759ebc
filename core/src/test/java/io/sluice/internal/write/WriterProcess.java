package io.sluice.internal.write;

import io.sluice.RollingPolicy;
import io.sluice.ShardWriter;
import io.sluice.WriteSpec;
import io.sluice.codec.Compressions;
import io.sluice.storage.LocalObjectStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import reactor.core.publisher.Flux;

/**
 * A writer in a process of its own: writes {@code "name n"} records, n = 0, 1, 2, …, and prints the key of each shard as soon
 * as it is committed.
 */
final class WriterProcess {

    private WriterProcess() {}

    public static void main(String[] args) {
        Path directory = Path.of(args[0]);
        String name = args[1];
        int records = Integer.parseInt(args[2]);
        int recordsPerShard = Integer.parseInt(args[3]);
        boolean zstd = Boolean.parseBoolean(args[4]);
        ShardWriter<String> writer = ShardWriters.create(
                LocalObjectStore.at(directory),
                "d/",
                new LineFormat(),
                WriteSpec.create()
                        .rolling(RollingPolicy.maxRecords(recordsPerShard))
                        .compression(zstd ? Compressions.zstd() : Compressions.none())
                        .frameBytes(1024)
                        .flushBytes(500));
        Flux.range(0, records).map(n -> name + " " + n).subscribe(writer);
        writer.committed().doOnNext(shard -> System.out.println(shard.key())).blockLast();
        System.out.println("done");
    }

    static Process start(Path directory, String name, int records, int recordsPerShard, boolean zstd)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m", "-cp"));
        command.add(System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
        command.add(WriterProcess.class.getName());
        command.addAll(List.of(
                directory.toString(),
                name,
                Integer.toString(records),
                Integer.toString(recordsPerShard),
                Boolean.toString(zstd)));
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }
}
