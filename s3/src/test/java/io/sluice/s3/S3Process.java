package io.sluice.s3;

import io.sluice.Dataset;
import io.sluice.RollingPolicy;
import io.sluice.ShardWriter;
import io.sluice.WriteSpec;
import io.sluice.format.Jsonl;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import reactor.core.publisher.Flux;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/** What tests let JVMs of their own do with a server in this one. */
final class S3Process {

    private S3Process() {}

    static Process start(Class<?> main, List<String> jvmArguments, Object... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(jvmArguments);
        command.add("-cp");
        command.add(System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
        command.add(main.getName());
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    /**
     * Writes records {@code {"w": name, "n": 0}}, {@code {"w": name, "n": 1}}, … into the prefix {@code d/}, and prints the key
     * of each shard as soon as it is committed.
     */
    static final class Writer {

        private Writer() {}

        static Process start(int port, String bucket, String name, int records, int perShard, int padding)
                throws IOException {
            return S3Process.start(
                    Writer.class,
                    List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx192m"),
                    port,
                    bucket,
                    name,
                    records,
                    perShard,
                    padding);
        }

        public static void main(String[] args) {
            String name = args[2];
            String padding = "x".repeat(Integer.parseInt(args[5]));
            try (S3AsyncClient client =
                    TestS3.clientSpec(Integer.parseInt(args[0])).client()) {
                ShardWriter<Map<String, Object>> writer = Dataset.at(
                                S3ObjectStore.create(client, args[1], TestS3.spec()), "d/", Jsonl.maps())
                        .writer(WriteSpec.create().rolling(RollingPolicy.maxRecords(Integer.parseInt(args[4]))));
                Flux.range(0, Integer.parseInt(args[3]))
                        .map(n -> record(name, n, padding))
                        .subscribe(writer);
                writer.committed()
                        .doOnNext(shard -> System.out.println(shard.key()))
                        .blockLast(Duration.ofMinutes(2));
                System.out.println("done");
            }
        }

        static Map<String, Object> record(String name, int n, String padding) {
            Map<String, Object> record = new HashMap<>();
            record.put("w", name);
            record.put("n", n);
            record.put("padding", padding);
            return record;
        }
    }
}
