package io.sluice.cli;

import static io.sluice.cli.Cli.numbers;
import static io.sluice.cli.Cli.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchService;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command line as a process of its own: pipes, exit codes, bytes. */
class ProcessTest {

    @TempDir
    Path dir;

    @Test
    void printsUtf8WhateverTheLocale() throws Exception {
        Path file = write(dir.resolve("a.jsonl"), "{\"city\":\"Zürich 東京\"}\n");
        Path out = dir.resolve("out");
        Process process = start(List.of("-Dfile.encoding=US-ASCII"), out.toFile(), "cat", file.toString());

        assertThat(exit(process)).isZero();
        assertThat(err(process)).isEmpty();
        assertThat(out).hasContent("{\"city\":\"Zürich 東京\"}\n");
    }

    @Test
    void takesPathsRelativeToTheWorkingDirectory() throws Exception {
        write(dir.resolve("sub/part-0.jsonl"), numbers(0, 3));
        for (String location : List.of("sub/part-0.jsonl", "./sub", "sub/", "sub/*.jsonl", ".")) {
            ProcessBuilder builder = builder(List.of(), "count", location);
            Path folder = location.equals(".") ? dir.resolve("sub") : dir;
            Process process = builder.directory(folder.toFile()).start();
            assertThat(err(process)).as(location).isEmpty();
            assertThat(process.getInputStream().readAllBytes())
                    .as(location)
                    .asString()
                    .isEqualTo("3\n");
        }
    }

    @Test
    void endsSilentlyWhenItsReaderLeaves() throws Exception {
        Path file = write(dir.resolve("a.jsonl"), numbers(0, 500_000));
        Process process = start(List.of(), null, "cat", file.toString());
        try (BufferedReader reader = reader(process)) {
            assertThat(reader.readLine()).isEqualTo("{\"n\":0}");
        }

        assertThat(err(process)).isEmpty();
        assertThat(exit(process)).isZero();
    }

    @Test
    void readsAPipeThatComesInPieces() throws Exception {
        Process process = start(List.of(), null, "count", "-");
        try (OutputStream stdin = process.getOutputStream()) {
            for (int i = 0; i < 50; i++) {
                stdin.write(numbers(i, i + 1).getBytes(StandardCharsets.UTF_8));
                stdin.flush();
            }
        }

        assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEqualTo("50\n");
        assertThat(exit(process)).isZero();
    }

    @Test
    void printsWhatTricklesInAtOnce() throws Exception {
        Process process = start(List.of(), null, "cat", "-");
        try (OutputStream stdin = process.getOutputStream();
                BufferedReader reader = reader(process)) {
            for (int i = 0; i < 3; i++) {
                stdin.write(numbers(i, i + 1).getBytes(StandardCharsets.UTF_8));
                stdin.flush();
                assertThat(reader.readLine()).isEqualTo("{\"n\":" + i + "}");
            }
        }
        assertThat(exit(process)).isZero();
    }

    @Test
    void leavesNothingBehindWhenInterrupted() throws Exception {
        Path out = Files.createDirectory(dir.resolve("out"));
        try (WatchService changes = dir.getFileSystem().newWatchService()) {
            out.register(changes, StandardWatchEventKinds.ENTRY_CREATE);
            Process process = start(
                    List.of(), null, "convert", "-", out.resolve("x.jsonl").toString());
            OutputStream stdin = process.getOutputStream();
            stdin.write(numbers(0, 500_000).getBytes(StandardCharsets.UTF_8));
            stdin.flush();
            assertThat(changes.poll(60, TimeUnit.SECONDS))
                    .as("the temporary file")
                    .isNotNull();

            process.destroy();

            assertThat(exit(process)).isNotZero();
            assertThat(out).isEmptyDirectory();
        }
    }

    @Test
    void doesNotWaitForMoreThanItsLimit() throws Exception {
        Process process = start(List.of(), null, "cat", "-", "--limit", "1");
        try (OutputStream stdin = process.getOutputStream()) {
            stdin.write(numbers(0, 5).getBytes(StandardCharsets.UTF_8));
            stdin.flush();
            assertThat(exit(process)).isZero();
        }
        assertThat(process.getInputStream().readAllBytes()).asString().isEqualTo(numbers(0, 1));
    }

    @Test
    void failsWithOneLineWhenTheDiskIsFull() throws Exception {
        File full = new File("/dev/full");
        assumeThat(full).as("a device that is always full").exists();
        Path file = write(dir.resolve("a.jsonl"), numbers(0, 10));
        Process process = start(List.of(), full, "cat", file.toString());

        assertThat(err(process))
                .startsWith("sluice cat: cannot write to standard output: ")
                .matches("[^\n]+\n");
        assertThat(exit(process)).isEqualTo(1);
    }

    @Test
    void exitsWith1ForBadDataAnd2ForUsage() throws Exception {
        Path file = write(dir.resolve("a.jsonl"), "{\n");
        Process bad = start(List.of(), null, "count", file.toString());
        assertThat(err(bad)).matches("[^\n]+\n");
        assertThat(exit(bad)).isEqualTo(1);

        Process usage = start(List.of(), null, "count");
        assertThat(err(usage)).matches("[^\n]+\n");
        assertThat(exit(usage)).isEqualTo(2);
    }

    @Test
    void readsLargeFilesInLittleMemory() throws Exception {
        Path file = dir.resolve("large.jsonl");
        String chunk = ("{\"text\":\"" + "x".repeat(1000) + "\"}\n").repeat(1000);
        try (var out = Files.newOutputStream(file)) {
            for (int i = 0; i < 100; i++) {
                out.write(chunk.getBytes(StandardCharsets.UTF_8));
            }
        }
        Process process = start(List.of("-Xmx48m"), new File("/dev/null"), "cat", file.toString());

        assertThat(err(process)).isEmpty();
        assertThat(exit(process)).isZero();
    }

    private static Process start(List<String> options, @Nullable File out, String... args) throws IOException {
        ProcessBuilder builder = builder(options, args);
        if (out != null) {
            builder.redirectOutput(out);
        }
        return builder.start();
    }

    static ProcessBuilder builder(List<String> options, String... args) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-XX:+UseSerialGC");
        command.addAll(options);
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add("io.sluice.cli.Main");
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("LC_ALL", "C");
        return builder;
    }

    private static BufferedReader reader(Process process) {
        return new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    private static String err(Process process) throws IOException {
        return new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    private static int exit(Process process) throws InterruptedException {
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("the process does not end");
        }
        return process.exitValue();
    }
}
