package io.sluice.cli;

import io.sluice.SluiceException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.CancellationException;
import java.util.logging.LogManager;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code sluice}: streams files of records. Exit codes: 0 done, 1 the data or the I/O failed, 2 usage. */
@CommandLine.Command(
        name = "sluice",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        description =
                "Streams files of records: JSONL, plain or compressed, Avro and Arrow, in single files or directories of shards.",
        footer = {
            "",
            "SRC is a file, a directory of shards, a glob in quotes, or - for standard input.",
            "Exit codes: 0 done, 1 the data or the I/O failed, 2 wrong usage."
        })
public final class Main implements Runnable {

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    private Main() {}

    /** Runs the command line and ends the process with its exit code. */
    public static void main(String[] args) {
        System.exit(run(Streams.ofProcess(), args));
    }

    static int run(Streams streams, String... args) {
        boolean debug = Arrays.asList(args).contains("--debug");
        if (!debug) {
            LogManager.getLogManager().reset(); // libraries log what we report in our own words
        }
        CommandLine line = new CommandLine(new Main())
                .addSubcommand("cat", new CatCommand(streams))
                .addSubcommand("count", new CountCommand(streams))
                .addSubcommand("convert", new ConvertCommand(streams))
                .addSubcommand("validate", new ValidateCommand(streams))
                .addSubcommand("repair", new RepairCommand(streams))
                .addSubcommand("schema", new SchemaCommand(streams))
                .addSubcommand("ls", new LsCommand(streams))
                .addSubcommand("demo", new DemoCommand(streams))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setOut(new PrintWriter(streams.out(), true, StandardCharsets.UTF_8))
                .setErr(new PrintWriter(streams.err(), true, StandardCharsets.UTF_8))
                .setParameterExceptionHandler((e, wrong) -> misused(streams, e))
                .setExecutionExceptionHandler((e, command, parsed) -> failed(streams, e, command));
        try {
            return line.execute(args);
        } catch (OutOfMemoryError e) {
            streams.err().println("sluice: out of memory; give it more with SLUICE_JAVA_OPTS=-Xmx1g");
        } catch (Error e) { // a broken installation; picocli takes care of exceptions only
            if (debug) {
                e.printStackTrace(streams.err());
            }
            streams.err().println("sluice: " + describe(e));
        }
        return Command.FAILED;
    }

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "say what to do: " + String.join(", ", spec.subcommands().keySet()));
    }

    private static int misused(Streams streams, ParameterException e) {
        String name = e.getCommandLine().getCommandSpec().qualifiedName();
        streams.err().println(name + ": " + oneLine(e.getMessage()) + " (see " + name + " --help)");
        return Command.USAGE;
    }

    private static int failed(Streams streams, Exception e, CommandLine line) {
        boolean debug = line.getCommand() instanceof Command command && command.debug;
        if (e instanceof Out.ReaderGone) {
            return Command.DONE;
        }
        if (debug) {
            e.printStackTrace(streams.err());
        }
        String name = line.getCommandSpec().qualifiedName();
        if (e instanceof UsageException) {
            streams.err().println(name + ": " + oneLine(e.getMessage()) + " (see " + name + " --help)");
            return Command.USAGE;
        }
        streams.err().println(name + ": " + describe(e));
        return Command.FAILED;
    }

    private static String describe(Throwable e) {
        String message = oneLine(e.getMessage());
        if (e instanceof UncheckedIOException && e.getCause() != null) {
            return message + " (" + e.getCause().getClass().getSimpleName() + ": "
                    + oneLine(e.getCause().getMessage()) + ")";
        }
        if (e instanceof CancellationException) {
            return "interrupted";
        }
        if (e instanceof SluiceException || e instanceof Out.Failed || e instanceof IOException) {
            return message;
        }
        return e.getClass().getSimpleName() + ": " + message + " (--debug shows where)";
    }

    private static String oneLine(@Nullable String message) {
        return String.valueOf(message).strip().replaceAll("\\s*\\R\\s*", " ");
    }

    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"sluice " + (version == null ? "(development)" : version)};
        }
    }
}
