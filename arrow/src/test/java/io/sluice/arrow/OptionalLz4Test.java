package io.sluice.arrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who does not use LZ4 needs no library for it. */
class OptionalLz4Test {

    @Test
    void ipcWorksWithoutIt() throws Exception {
        List<URL> classPath = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            if (!entry.contains("commons-compress")) {
                classPath.add(Path.of(entry).toUri().toURL());
            }
        }
        try (URLClassLoader without =
                new URLClassLoader(classPath.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
            assertThatThrownBy(() -> without.loadClass("org.apache.commons.compress.compressors.CompressorException"))
                    .isInstanceOf(ClassNotFoundException.class);
            Class<?> spec = Class.forName("io.sluice.arrow.IpcSpec", true, without);
            assertThat(spec.getMethod("create").invoke(null)).isNotNull();
        }
    }
}
