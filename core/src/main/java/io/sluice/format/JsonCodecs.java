package io.sluice.format;

import java.lang.reflect.InvocationTargetException;
import java.util.List;

/** Finds the JSON library that is there. By name only, so that this package loads without any of them. */
final class JsonCodecs {

    private record Known(String library, String factory) {}

    private static final List<Known> KNOWN = List.of(
            new Known("tools.jackson.databind.json.JsonMapper", "io.sluice.format.jackson3.Jackson3Codecs"),
            new Known("com.fasterxml.jackson.databind.json.JsonMapper", "io.sluice.format.jackson2.Jackson2Codecs"));

    private JsonCodecs() {}

    /** The default factory. */
    static JsonCodecFactory find(Object wantedBy) {
        ClassLoader loader = JsonCodecs.class.getClassLoader();
        for (Known known : KNOWN) {
            try {
                Class.forName(known.library, false, loader);
            } catch (ClassNotFoundException absent) {
                continue;
            }
            return create(known.factory, loader);
        }
        throw new IllegalStateException("to map JSON to " + wantedBy
                + ", add tools.jackson.core:jackson-databind (Jackson 3) or com.fasterxml.jackson.core:jackson-databind"
                + " (Jackson 2) to the class path, or use Jsonl.of(JsonCodec) with a codec of your own");
    }

    private static JsonCodecFactory create(String name, ClassLoader loader) {
        try {
            return (JsonCodecFactory)
                    Class.forName(name, true, loader).getMethod("create").invoke(null);
        } catch (InvocationTargetException e) {
            throw new IllegalStateException(name + " can't be set up: " + e.getCause(), e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(name + " can't be set up: " + e, e);
        }
    }
}
