package io.sluice.benchmarks;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Measures files to Arrow batches against native engines, in processes of their own, in turn, on the same cores and data. Peers that are
 * not there are left out, and named. Arguments: {@code [--mb N] [--rounds N] [--passes N] [--data NAME,...] [--dir DIR] [--cores 1,2]
 * [--codecs NAME,...]}.
 */
final class ArrowTables {

    /** The Java heap of our own processes; with {@link ArrowContender#BATCH_MEMORY} off the heap it is less than 128 MiB. */
    static final String HEAP = "-Xmx60m";

    private static final long TIMEOUT_SECONDS = 600;
    private static final int WARM_UP_MEGABYTES = 4000;

    /**
     * One way to do the work.
     *
     * @param processes how many of them run at once, each on cores of its own; their rates are added up
     */
    private record Runner(String name, int processes, int cores, List<String> command) {}

    private int megabytes = 500;
    private int rounds = 3;
    private int passes = 3;
    private Path dir = Path.of(System.getProperty("java.io.tmpdir"), "sluice-benchmarks");
    private List<String> data = Data.names();
    private String cores = "1,2";
    private List<String> codecs = List.of("null", "snappy", "zstandard");
    private boolean avro;
    private final Map<String, String> absent = new LinkedHashMap<>();
    private final Map<String, String> failed = new LinkedHashMap<>();

    private ArrowTables() {}

    /** Runs the tables. */
    static void measure(String... args) throws Exception {
        ArrowTables tables = new ArrowTables();
        tables.avro = args[0].equals("avro");
        for (int i = 1; i < args.length; i++) {
            switch (args[i]) {
                case "--mb" -> tables.megabytes = Integer.parseInt(args[++i]);
                case "--rounds" -> tables.rounds = Integer.parseInt(args[++i]);
                case "--passes" -> tables.passes = Integer.parseInt(args[++i]);
                case "--data" -> tables.data = List.of(args[++i].split(","));
                case "--dir" -> tables.dir = Path.of(args[++i]);
                case "--codecs" -> tables.codecs = List.of(args[++i].split(","));
                case "--cores" -> tables.cores = args[++i];
                default -> throw new IllegalArgumentException("no such option: " + args[i]);
            }
        }
        tables.run();
    }

    private void run() throws Exception {
        System.out.printf(
                Locale.ROOT,
                "JVM: %s %s, %s; %d processors%n",
                System.getProperty("java.vm.name"),
                System.getProperty("java.runtime.version"),
                HEAP,
                Runtime.getRuntime().availableProcessors());
        System.out.printf(
                Locale.ROOT,
                "MB/s of the file, rows/s: the median of %d processes of %d passes after warm-up, in turn; then rows, and peak memory of the process%n",
                rounds,
                passes);
        for (String name : data) {
            if (avro && AvroData.NAMES.contains(name)) {
                for (String codec : codecs) {
                    avro(name, codec);
                }
            } else if (!avro) {
                json(name);
            }
        }
        System.out.println();
        failed.forEach((name, why) ->
                System.out.println("failed: " + name + ": " + why.substring(0, Math.min(120, why.length()))));
        absent.forEach((name, why) -> System.out.println("left out: " + name + ": " + why));
    }

    private void json(String name) throws Exception {
        Path file = Data.file(dir, name, megabytes);
        double size = Files.size(file) / 1e6;
        if (cores.contains("1")) {
            table(
                    name + ".jsonl to Arrow, one core",
                    size,
                    ours(ArrowContender.SLUICE, file, 1),
                    ours(ArrowContender.SCHEMA, file, 1),
                    nativePeer("arrow-dataset", file),
                    nativePeer("duckdb-jdbc", file),
                    python("pyarrow", file),
                    python("polars", file),
                    python("duckdb", file));
        }
        if (cores.contains("2")) {
            table(
                    name + ".jsonl to Arrow, two cores (the first line: one)",
                    size,
                    ours(ArrowContender.SLUICE, file, 1),
                    twice("two processes", ours(ArrowContender.SLUICE, file, 1)),
                    ours(ArrowContender.SLUICE, file, 2),
                    ours(ArrowContender.SCHEMA, file, 2),
                    ours(ArrowContender.SLUICE_ZST, file, 2),
                    ours(ArrowContender.DECOMPRESSION, file, 2));
        }
    }

    private void avro(String name, String codec) throws Exception {
        Path file = AvroData.file(dir, name, megabytes, codec);
        double size = Files.size(file) / 1e6;
        String title = name + ".avro to Arrow, codec " + codec;
        if (cores.contains("1")) {
            table(
                    title + ", one core",
                    size,
                    ours(ArrowContender.SLUICE_AVRO, file, 1),
                    ours(ArrowContender.SLUICE_AVRO_FIVE, file, 1),
                    ours(ArrowContender.APACHE_AVRO, file, 1),
                    python("jetliner", file),
                    python("polars", file),
                    codec.equals("null") ? python("fastavro", file) : null);
        }
        if (cores.contains("2")) {
            table(
                    title + ", two cores (the first line: one)",
                    size,
                    ours(ArrowContender.SLUICE_AVRO, file, 1),
                    twice("two processes", ours(ArrowContender.SLUICE_AVRO, file, 1)),
                    ours(ArrowContender.SLUICE_AVRO, file, 2),
                    ours(ArrowContender.SLUICE_AVRO_FIVE, file, 2),
                    codec.equals("null")
                            ? null
                            : twice("blocks alone, twice", ours(ArrowContender.AVRO_BLOCKS, file, 1)));
        }
    }

    // ---- who takes part ---------------------------------------------------------------------------------------------

    private Runner ours(ArrowContender contender, Path file, int onCores) {
        return java(
                contender.name().toLowerCase(Locale.ROOT).replace('_', '-') + (onCores > 1 ? " x" + onCores : ""),
                onCores,
                List.of(HEAP),
                System.getProperty("java.class.path"),
                ArrowContender.class.getName(),
                contender.name(),
                file);
    }

    /** The same in two processes at once: as much as two cores of this machine can give. */
    private static Runner twice(String name, Runner runner) {
        return new Runner(name, 2, runner.cores, runner.command);
    }

    /** Engines in C++ under a Java API; they have their own module, which need not be built. */
    private @Nullable Runner nativePeer(String name, Path file) {
        Path jars = Path.of("examples/benchmarks/peers/target/lib");
        if (!Files.isDirectory(jars)) {
            absent.put(name, "not built, see examples/benchmarks/run");
            return null;
        }
        return java(
                name,
                1,
                List.of("-Xmx512m", "--add-opens=java.base/java.nio=ALL-UNNAMED"),
                jars + "/*" + File.pathSeparator + jars.resolveSibling("classes"),
                "io.sluice.benchmarks.peers.NativePeers",
                name,
                file);
    }

    private Runner java(
            String name, int onCores, List<String> options, String classPath, String main, String what, Path file) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.add(onCores == 1 ? "-XX:+UseSerialGC" : "-XX:+UseParallelGC");
        command.addAll(List.of("-cp", classPath, main, what, file.toString()));
        command.addAll(List.of(String.valueOf(onCores), String.valueOf(warmUp()), String.valueOf(passes)));
        return new Runner(name, 1, onCores, command);
    }

    /** Passes before those that count: compilers take the same time however small the files are, on one core half of the first seconds. */
    private int warmUp() {
        return avro ? 24 : Math.max(4, WARM_UP_MEGABYTES / megabytes);
    }

    private @Nullable Runner python(String name, Path file) throws Exception {
        String python = System.getenv().getOrDefault("SLUICE_PYTHON", "python3");
        try {
            Process probe = new ProcessBuilder(python, "-c", "import " + name)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (probe.waitFor() != 0) {
                absent.put(name, "not importable by " + python + " (set SLUICE_PYTHON)");
                return null;
            }
        } catch (IOException e) {
            absent.put(name, "no " + python);
            return null;
        }
        return new Runner(
                name,
                1,
                1,
                List.of(
                        python,
                        "examples/benchmarks/peers/peers.py",
                        name,
                        file.toString(),
                        "1",
                        "1",
                        String.valueOf(passes)));
    }

    // ---- running and telling ----------------------------------------------------------------------------------------

    private void table(String title, double size, @Nullable Runner... runners) throws Exception {
        System.out.println();
        System.out.println(title);
        Map<Runner, Outcome> outcomes = new LinkedHashMap<>();
        for (int round = 0; round < rounds; round++) {
            for (Runner runner : runners) {
                if (runner != null && !failed.containsKey(title + ", " + runner.name)) {
                    String failure =
                            outcomes.computeIfAbsent(runner, r -> new Outcome()).add(runner);
                    if (failure != null) {
                        failed.put(title + ", " + runner.name, failure);
                    }
                }
            }
        }
        double base = 0;
        for (Map.Entry<Runner, Outcome> entry : outcomes.entrySet()) {
            Outcome outcome = entry.getValue();
            if (!outcome.seconds.isEmpty()) {
                double rate = size / outcome.median();
                base = base == 0 ? rate : base;
                System.out.printf(
                        Locale.ROOT,
                        "  %-18s %7.0f   %5.2fx   %10.0f rows/s   %9d rows   %5d MiB%n",
                        entry.getKey().name,
                        rate,
                        rate / base,
                        outcome.rows / outcome.median(),
                        outcome.rows,
                        outcome.peak >> 20);
            }
        }
    }

    private static final class Outcome {
        private final List<Double> seconds = new ArrayList<>();
        private long rows;
        private long peak;

        double median() {
            seconds.sort(null);
            return seconds.get(seconds.size() / 2);
        }

        /** Runs it once; answers what it said where it failed. */
        @Nullable
        String add(Runner runner) throws IOException, InterruptedException {
            List<Process> processes = new ArrayList<>();
            for (int i = 0; i < runner.processes; i++) {
                processes.add(start(runner, i * runner.cores));
            }
            List<List<Double>> times = new ArrayList<>();
            String failure = null;
            for (Process process : processes) {
                List<Double> own = new ArrayList<>();
                String said = read(process, own);
                failure = failure == null ? said : failure;
                times.add(own);
            }
            if (failure == null) {
                for (int pass = 0; pass < times.get(0).size(); pass++) {
                    double rate = 0;
                    for (List<Double> own : times) {
                        rate += 1 / own.get(pass);
                    }
                    seconds.add(1 / rate);
                }
            }
            return failure;
        }

        private static Process start(Runner runner, int firstCore) throws IOException {
            List<String> command = new ArrayList<>();
            if (Files.isExecutable(Path.of("/usr/bin/taskset"))) {
                command.addAll(List.of("taskset", "-c", firstCore + "-" + (firstCore + runner.cores - 1)));
            }
            command.addAll(runner.command);
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            builder.environment().put("POLARS_MAX_THREADS", String.valueOf(runner.cores));
            return builder.start();
        }

        private @Nullable String read(Process process, List<Double> times) throws IOException, InterruptedException {
            String last = "";
            boolean measured = false;
            try (BufferedReader lines =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                for (String line; (line = lines.readLine()) != null; ) {
                    if (line.startsWith("RESULT ")) {
                        String[] numbers = line.substring(7).split(" ");
                        rows = Long.parseLong(numbers[0]);
                        for (int i = 1; i < numbers.length; i++) {
                            times.add(Double.valueOf(numbers[i]));
                        }
                        measured = true;
                        peak = Math.max(peak, peakOf(process.pid()));
                    } else if (!line.isBlank() && !line.startsWith("\tat ")) {
                        last = line;
                    }
                }
            }
            if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS) || !measured) {
                process.destroyForcibly();
                return last;
            }
            return null;
        }

        /** The largest resident size so far; 0 where there is no {@code /proc}, or the process has gone. */
        private static long peakOf(long pid) {
            try {
                for (String line : Files.readAllLines(Path.of("/proc", String.valueOf(pid), "status"))) {
                    if (line.startsWith("VmHWM:")) {
                        return Long.parseLong(line.replaceAll("\\D", "")) << 10;
                    }
                }
            } catch (IOException e) {
                return 0;
            }
            return 0;
        }
    }
}
