package io.sluice.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What all commands share. Their exit code: 0 done, 1 the data or the I/O failed, 2 usage. */
abstract class Command implements Callable<Integer> {

    static final int DONE = 0;
    static final int FAILED = 1;
    static final int USAGE = 2;

    final Streams streams;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Option(names = "--debug", description = "Show the stack trace of an error.")
    boolean debug;

    Command(Streams streams) {
        this.streams = streams;
    }

    /** One line on standard error. */
    void say(String message) {
        streams.err().println(spec.qualifiedName() + ": " + message.strip().replaceAll("\\s*\\R\\s*", " "));
    }
}
