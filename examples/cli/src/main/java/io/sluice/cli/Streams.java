package io.sluice.cli;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * What a run is connected to; tests put their own here.
 *
 * @param in standard input
 * @param out standard output, unbuffered
 * @param err standard error
 * @param progress whether to show progress on {@code err}: it is a terminal
 * @param outIsTerminal whether {@code out} is a terminal, where records and a progress bar would get in each other's way
 */
record Streams(InputStream in, OutputStream out, PrintStream err, boolean progress, boolean outIsTerminal) {

    /** The process's own. The launcher knows what is a terminal; Java 17 does not tell. */
    static Streams ofProcess() {
        return new Streams(
                new FileInputStream(FileDescriptor.in),
                new FileOutputStream(FileDescriptor.out),
                new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8),
                Boolean.getBoolean("sluice.terminal"),
                Boolean.getBoolean("sluice.terminal.out"));
    }
}
