package io.sluice.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Measures contenders in processes of their own, in turn, on the same cores and data, and prints medians and ratios.
 * Arguments: {@code [read|write|all] [--mb N] [--rounds N] [--data NAME] [--dir DIR]}.
 */
public final class Tables {

    private static final List<String> JVM = List.of("-Xmx96m");
    private static final int PASSES = 3;

    /**
     * Megabytes of records that the writing contenders hold in memory as maps, and write again and again: so few that what
     * is measured is the writing and not the fetching of a million objects from memory.
     */
    private static final int WRITE_MEGABYTES = 1;

    private static final int ZST_WRITE_MEGABYTES = 20;

    private final int megabytes;
    private final int rounds;
    private final Path dir;

    private Tables(int megabytes, int rounds, Path dir) {
        this.megabytes = megabytes;
        this.rounds = rounds;
        this.dir = dir;
    }

    /** Runs the tables that the arguments name. */
    public static void main(String[] args) throws Exception {
        if (args.length > 0 && (args[0].equals("arrow") || args[0].equals("avro"))) {
            ArrowTables.measure(args);
            return;
        }
        String what = "all";
        int megabytes = 500;
        int rounds = 3;
        Path dir = Path.of(System.getProperty("java.io.tmpdir"), "sluice-benchmarks");
        List<String> data = Data.names();
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--mb" -> megabytes = Integer.parseInt(args[++i]);
                case "--rounds" -> rounds = Integer.parseInt(args[++i]);
                case "--data" -> data = List.of(args[++i].split(","));
                case "--dir" -> dir = Path.of(args[++i]);
                default -> what = args[i];
            }
        }
        Tables tables = new Tables(megabytes, rounds, dir);
        System.out.printf(
                Locale.ROOT,
                "JVM: %s %s, %s; %d processors%n",
                System.getProperty("java.vm.name"),
                System.getProperty("java.runtime.version"),
                String.join(" ", JVM),
                Runtime.getRuntime().availableProcessors());
        System.out.printf(
                Locale.ROOT,
                "MB/s of JSON, the median of %d processes of %d passes after warm-up, in turn; ratio to the first peer%n",
                rounds,
                PASSES);
        for (String name : data) {
            if (!what.equals("write")) {
                tables.read(name);
            }
            if (!what.equals("read")) {
                tables.write(name);
            }
        }
    }

    private void read(String name) throws Exception {
        Path file = Data.file(dir, name, megabytes);
        table(
                name + ", reading, 1 core",
                file,
                1,
                Contender.JACKSON_MAPS,
                Contender.SLUICE_MAPS,
                Contender.FASTJSON2_MAPS);
        table(
                name + ", reading, 2 cores (Jackson on one)",
                file,
                2,
                Contender.JACKSON_MAPS,
                Contender.SLUICE_MAPS,
                Contender.SLUICE_MAPS_ZST,
                Contender.FASTJSON2_MAPS,
                Contender.WEBFLUX_NDJSON);
        table(name + ", raw, 2 cores", file, 2, Contender.RAW_READ, Contender.SLUICE_BYTES, Contender.SLUICE_COUNT);
    }

    private void write(String name) throws Exception {
        Path records = Data.file(dir, name, WRITE_MEGABYTES);
        table(
                name + ", writing, 1 core",
                records,
                1,
                Contender.JACKSON_WRITE,
                Contender.SLUICE_WRITE,
                Contender.SLUICE_REWRITE);
        Path file = Data.file(dir, name, megabytes);
        table(name + ", writing zst, 2 cores: the command", file, 2, Contender.ZSTD_COMMAND);
        // more than a compressor's window: the same records over and over would be nothing to compress
        Path varied = Data.file(dir, name, ZST_WRITE_MEGABYTES);
        table(name + ", writing zst, 2 cores", varied, 2, Contender.SLUICE_WRITE_ZST);
    }

    private void table(String title, Path file, int cores, Contender... contenders) throws Exception {
        System.out.println();
        System.out.println(title);
        Map<Contender, List<Double>> rates = new EnumMap<>(Contender.class);
        long records = -1;
        for (int round = 0; round < rounds; round++) {
            for (Contender contender : contenders) {
                List<Double> result = run(contender, file, cores);
                long seen = result.remove(0).longValue();
                if (seen >= 0) {
                    if (records >= 0 && records != seen) {
                        throw new IllegalStateException(contender + " saw " + seen + " records, others " + records);
                    }
                    records = seen;
                }
                rates.computeIfAbsent(contender, c -> new ArrayList<>()).addAll(result);
            }
        }
        double base = median(rates.get(contenders[0]));
        for (Contender contender : contenders) {
            List<Double> all = rates.getOrDefault(contender, List.of());
            double median = median(all);
            System.out.printf(
                    Locale.ROOT,
                    "  %-18s %7.0f   %5.2fx   (%.0f to %.0f)%n",
                    contender.name().toLowerCase(Locale.ROOT).replace('_', '-'),
                    median,
                    median / base,
                    all.get(0),
                    all.get(all.size() - 1));
        }
    }

    private static double median(@Nullable List<Double> values) {
        if (values == null || values.isEmpty()) {
            return Double.NaN;
        }
        values.sort(null);
        return values.get(values.size() / 2);
    }

    private static List<Double> run(Contender contender, Path file, int cores)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        if (Files.isExecutable(Path.of("/usr/bin/taskset"))) {
            command.addAll(List.of("taskset", "-c", cores == 1 ? "0" : "0-" + (cores - 1)));
        }
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (contender == Contender.SLUICE_WRITE_ZST) {
            command.addAll(List.of("-Xmx768m", "-Dsluice.benchmarks.repeats=" + 200 / ZST_WRITE_MEGABYTES));
        } else {
            command.addAll(JVM);
            command.add("-Dsluice.benchmarks.repeats=" + 200 / WRITE_MEGABYTES);
        }
        command.add(cores == 1 ? "-XX:+UseSerialGC" : "-XX:+UseParallelGC");
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Pass.class.getName()));
        command.addAll(List.of(contender.name(), file.toString(), String.valueOf(cores), "3", String.valueOf(PASSES)));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        List<Double> result = new ArrayList<>();
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line; (line = lines.readLine()) != null; ) {
                if (line.startsWith("RESULT ")) {
                    for (String number : line.substring(7).split(" ")) {
                        result.add(Double.valueOf(number));
                    }
                }
            }
        }
        if (process.waitFor() != 0 || result.isEmpty()) {
            throw new IOException(contender + " failed: " + String.join(" ", command));
        }
        return result;
    }
}
