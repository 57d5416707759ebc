package io.sluice.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;

/** Core where no object mapper is on the class path: a class loader that leaves its jars out. */
class WithoutDatabindTest {

    /** What runs inside; it sees only what the class loader shows. */
    public static final class Inside implements Callable<String> {
        @Override
        public String call() {
            byte[] written = JsonlWritingTest.encode(Jsonl.maps(), List.of(java.util.Map.of("a", 1)));
            assertThat(JsonlWritingTest.decode(Jsonl.maps(), written)).isEqualTo(List.of(java.util.Map.of("a", 1)));
            return Jsonl.of(String.class).toString();
        }
    }

    private static Object runWithout(String... artifacts) throws Exception {
        URL[] classPath = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> Arrays.stream(artifacts).noneMatch(entry::contains))
                .map(WithoutDatabindTest::url)
                .toArray(URL[]::new);
        try (URLClassLoader loader = new URLClassLoader(classPath, ClassLoader.getPlatformClassLoader())) {
            Object inside =
                    loader.loadClass(Inside.class.getName()).getConstructor().newInstance();
            return ((Callable<?>) inside).call();
        }
    }

    private static URL url(String entry) {
        try {
            return Path.of(entry).toUri().toURL();
        } catch (MalformedURLException e) {
            throw new IllegalArgumentException(entry, e);
        }
    }

    @Test
    void mapsWorkAndTypedSaysWhatToAdd() {
        assertThatThrownBy(() -> runWithout("jackson-databind"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("java.lang.String")
                .hasMessageContaining("tools.jackson.core:jackson-databind")
                .hasMessageContaining("com.fasterxml.jackson.core:jackson-databind");
    }

    @Test
    void eitherJacksonWillDo() throws Exception {
        assertThat(runWithout("jackson-databind-2.")).isEqualTo("jsonl values");
        assertThat(runWithout("jackson-databind-3.", "jackson-core-3.")).isEqualTo("jsonl values");
        assertThat(runWithout("nothing")).isEqualTo("jsonl values");
    }
}
