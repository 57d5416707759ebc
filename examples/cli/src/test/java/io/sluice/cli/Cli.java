package io.sluice.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;

/** Runs the command line in this JVM, and makes the files that it reads. */
final class Cli {

    private Cli() {}

    /** What a run left behind. */
    record Result(int exit, byte[] bytes, String err) {

        String out() {
            return new String(bytes, StandardCharsets.UTF_8);
        }

        List<String> lines() {
            return out().lines().toList();
        }

        /** The one line on standard error. */
        String message() {
            if (!err.endsWith("\n") || err.indexOf('\n') != err.length() - 1) {
                throw new AssertionError("not one line on standard error: \"" + err + '"');
            }
            return err.strip();
        }
    }

    static Result run(Object... args) {
        return runWith(new byte[0], args);
    }

    static Result runWith(byte[] stdin, Object... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exit = runWith(stdin, out, err, args);
        return new Result(exit, out.toByteArray(), err.toString(StandardCharsets.UTF_8));
    }

    static int runWith(byte[] stdin, OutputStream out, OutputStream err, Object... args) {
        Streams streams = new Streams(
                new ByteArrayInputStream(stdin), out, new PrintStream(err, true, StandardCharsets.UTF_8), false, false);
        return Main.run(streams, Stream.of(args).map(Object::toString).toArray(String[]::new));
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Records {@code {"n":from}} up to, excluding, {@code to}, a line each. */
    static String numbers(int from, int to) {
        StringBuilder text = new StringBuilder();
        for (int i = from; i < to; i++) {
            text.append("{\"n\":").append(i).append("}\n");
        }
        return text.toString();
    }

    static Path write(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        return Files.write(file, utf8(text));
    }

    static byte[] gzip(String text) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (OutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(utf8(text));
        }
        return out.toByteArray();
    }

    static byte[] zstd(String text) {
        return com.github.luben.zstd.Zstd.compress(utf8(text));
    }

    static byte[] cut(byte[] bytes, int by) {
        return Arrays.copyOf(bytes, bytes.length - by);
    }
}
