package io.sluice.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Reactor Netty is optional: all else works where it is not on the class path. */
class OptionalHttpTest {

    @Test
    void worksWithoutReactorNetty() throws Exception {
        try (URLClassLoader loader = withoutNetty()) {
            Method resolve = loader.loadClass(Stores.class.getName()).getMethod("resolve", String.class);
            assertThat(resolve.invoke(null, "dir/file.jsonl"))
                    .hasToString(Stores.resolve("dir/file.jsonl").toString());
            assertThatThrownBy(() -> resolve.invoke(null, "https://host/file.jsonl"))
                    .isInstanceOf(InvocationTargetException.class)
                    .cause()
                    .hasMessageContaining("io.projectreactor.netty:reactor-netty-http");
        }
    }

    private static URLClassLoader withoutNetty() throws MalformedURLException {
        List<URL> urls = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            if (!entry.contains("netty")) {
                urls.add(new File(entry).toURI().toURL());
            }
        }
        return new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
    }
}
