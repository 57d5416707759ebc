package io.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The script {@code ./sluice}, in a project of its own whose {@code mvn} is a stand-in: it takes a note of being called and
 * puts a program in place that prints its arguments.
 */
class LauncherTest {

    @TempDir
    Path dir;

    private Path project;
    private Path calls;
    private String path;

    /** What the stand-in build makes. */
    static final class Echo {
        private Echo() {}

        public static void main(String[] args) throws IOException {
            try (OutputStream out = new java.io.FileOutputStream(java.io.FileDescriptor.out)) {
                out.write((String.join("|", args) + "\n").getBytes(StandardCharsets.UTF_8));
                System.in.transferTo(out);
            }
            System.exit(args.length > 1 && args[0].equals("exit") ? Integer.parseInt(args[1]) : 0);
        }
    }

    @BeforeEach
    void layOutAProject() throws Exception {
        Path script = script();
        assumeThat(Files.isExecutable(Path.of("/bin/bash")))
                .as("a shell to run it")
                .isTrue();
        project = Files.createDirectories(dir.resolve("project with spaces"));
        Files.copy(script, project.resolve("sluice"), java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
        for (String module : List.of("core", "examples/cli")) {
            write(project.resolve(module).resolve("src/main/java/A.java"), "class A {}");
            write(project.resolve(module).resolve("pom.xml"), "<project/>");
        }
        write(project.resolve("pom.xml"), "<project/>");
        write(project.resolve("examples/pom.xml"), "<project/>");
        makeOld(project);

        Path jar = dir.resolve("echo.jar");
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, Echo.class.getName());
        String entry = Echo.class.getName().replace('.', '/') + ".class";
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest);
                var in = Echo.class.getClassLoader().getResourceAsStream(entry)) {
            out.putNextEntry(new JarEntry(entry));
            in.transferTo(out);
        }
        calls = dir.resolve("calls");
        write(calls, "");
        Path mvn = dir.resolve("bin/mvn");
        write(
                mvn,
                "#!/bin/bash\n"
                        + "echo \"$PWD $*\" >>'" + calls + "'\n"
                        + "[ ! -e '" + dir + "/broken' ] || { echo '[ERROR] it does not compile'; exit 1; }\n"
                        + "mkdir -p examples/cli/target/lib && cp '" + jar + "' examples/cli/target/sluice-cli.jar\n");
        assertThat(mvn.toFile().setExecutable(true)).isTrue();
        path = mvn.getParent() + ":" + System.getenv("PATH");
    }

    @Test
    void buildsOnceAndSaysSo() throws Exception {
        Run first = run(dir, project.resolve("sluice").toString(), "cat", "a b", "");
        assertThat(first.err()).matches("sluice: building the command line[^\\n]+\\n");
        assertThat(first.out()).isEqualTo("cat|a b|\n");
        assertThat(first.exit()).isZero();

        Run second = run(dir, project.resolve("sluice").toString(), "x");
        assertThat(second.err()).isEmpty();
        assertThat(second.out()).isEqualTo("x\n");
        assertThat(builds()).hasSize(1).first().asString().startsWith(project + " ");
    }

    @Test
    void handsOnExitCodeAndStandardInput() throws Exception {
        assertThat(run(dir, project.resolve("sluice").toString(), "exit", "7").exit())
                .isEqualTo(7);
        Process process = start(dir, Map.of(), List.of(project.resolve("sluice").toString(), "cat", "-"));
        try (OutputStream in = process.getOutputStream()) {
            in.write("hello".getBytes(StandardCharsets.UTF_8));
        }
        assertThat(finish(process).out()).isEqualTo("cat|-\nhello");
    }

    @Test
    void runsThroughSymbolicLinks() throws Exception {
        Path bin = Files.createDirectories(dir.resolve("elsewhere/bin"));
        Files.createSymbolicLink(bin.resolve("direct"), project.resolve("sluice"));
        Files.createSymbolicLink(bin.resolve("sl"), Path.of("direct"));

        Run run = run(project.resolve("core"), bin.resolve("sl").toString(), "x");

        assertThat(run.out()).isEqualTo("x\n");
        assertThat(project.resolve("examples/cli/target/app")).isDirectory();
    }

    @Test
    void buildsAgainWhenASourceIsNewerOrGone() throws Exception {
        String sluice = project.resolve("sluice").toString();
        run(dir, sluice);
        Path source = project.resolve("core/src/main/java/A.java");
        Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(5)));
        assertThat(run(dir, sluice, "x").err()).contains("building");
        assertThat(builds()).hasSize(2);

        makeOld(project.resolve("core"));
        run(dir, sluice);
        assertThat(builds()).hasSize(2);

        Files.delete(source);
        Files.setLastModifiedTime(
                source.getParent(), FileTime.from(Instant.now().plusSeconds(5)));
        assertThat(run(dir, sluice, "x").out()).isEqualTo("x\n");
        assertThat(builds()).hasSize(3);
    }

    @Test
    void buildsOnceForSeveralFirstRuns() throws Exception {
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            processes.add(start(dir, Map.of(), List.of(project.resolve("sluice").toString(), "run", "" + i)));
        }
        for (int i = 0; i < 4; i++) {
            processes.get(i).getOutputStream().close();
            Run run = finish(processes.get(i));
            assertThat(run.out()).isEqualTo("run|" + i + "\n");
            assertThat(run.exit()).isZero();
        }
        assertThat(builds()).hasSize(1);
    }

    @Test
    void tellsWhyABuildFailed() throws Exception {
        write(dir.resolve("broken"), "");
        Run broken = run(dir, project.resolve("sluice").toString(), "x");
        assertThat(broken.exit()).isEqualTo(1);
        assertThat(broken.out()).isEmpty();
        assertThat(broken.err()).contains("[ERROR] it does not compile", "build.log");

        Files.delete(dir.resolve("broken"));
        assertThat(run(dir, project.resolve("sluice").toString(), "x").out()).isEqualTo("x\n");
    }

    @Test
    void passesOverAJavaHomeThatIsTooOld() throws Exception {
        Path old = dir.resolve("jdk8");
        write(old.resolve("release"), "JAVA_VERSION=\"1.8.0_402\"\n");
        for (String tool : List.of("java", "javac")) {
            write(old.resolve("bin").resolve(tool), "#!/bin/bash\nexit 99\n");
            assertThat(old.resolve("bin").resolve(tool).toFile().setExecutable(true))
                    .isTrue();
        }
        Process process = start(
                dir,
                Map.of("JAVA_HOME", old.toString()),
                List.of(project.resolve("sluice").toString(), "x"));
        process.getOutputStream().close();
        assertThat(finish(process).out()).isEqualTo("x\n");
    }

    private static Path script() {
        Path directory = Path.of("").toAbsolutePath();
        while (directory != null && !Files.isExecutable(directory.resolve("sluice"))) {
            directory = directory.getParent();
        }
        assertThat(directory).as("the folder of the script ./sluice").isNotNull();
        return directory.resolve("sluice");
    }

    private List<String> builds() throws IOException {
        return Files.readAllLines(calls);
    }

    private static void write(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private static void makeOld(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            for (Path file : files.filter(f -> !f.toString().contains("target")).toList()) {
                Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(1000)));
            }
        }
    }

    private record Run(int exit, String out, String err) {}

    private Run run(Path workingDirectory, String... command) throws Exception {
        Process process = start(workingDirectory, Map.of(), List.of(command));
        process.getOutputStream().close();
        return finish(process);
    }

    private Process start(Path workingDirectory, Map<String, String> environment, List<String> command)
            throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).directory(workingDirectory.toFile());
        builder.environment().put("PATH", path);
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().putAll(environment);
        return builder.start();
    }

    private static Run finish(Process process) throws Exception {
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        return new Run(process.exitValue(), out, err);
    }
}
