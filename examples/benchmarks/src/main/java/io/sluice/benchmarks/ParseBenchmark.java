package io.sluice.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.ReadLimits;
import io.sluice.format.Jsonl;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** One block of 256 KiB to maps: the parser alone. Run with {@code java -cp ... org.openjdk.jmh.Main ParseBenchmark}. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class ParseBenchmark {

    /** The data set: logs, airline, events, chat, or generated. */
    @Param({"logs", "airline", "events", "chat"})
    public String data = "logs";

    private byte[] bytes = new byte[0];
    private BlockDecoder<?> decoder = block -> {
        throw new IllegalStateException("not set up");
    };
    private final ObjectReader jackson = new ObjectMapper().readerFor(Map.class);

    /** Takes the first block of the data. */
    @Setup
    public void setUp() throws IOException {
        byte[] all = Files.readAllBytes(
                Data.file(Path.of(System.getProperty("java.io.tmpdir"), "sluice-benchmarks"), data, 20));
        int end = 256 << 10;
        while (all[end - 1] != '\n') {
            end--;
        }
        bytes = Arrays.copyOf(all, end);
        decoder = Jsonl.maps()
                .reader(new ReadLimits(256 << 10, 16 << 20, 1000), List.of())
                .decoder();
    }

    /** Ours. */
    @Benchmark
    public Object sluice() {
        return decoder.decode(new Block(bytes, 0, bytes.length, 0, null));
    }

    /** Jackson's. */
    @Benchmark
    public Object jackson() throws IOException {
        Object last = bytes;
        try (var records = jackson.readValues(bytes)) {
            while (records.hasNext()) {
                last = records.next();
            }
        }
        return last;
    }
}
