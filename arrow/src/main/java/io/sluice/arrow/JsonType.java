package io.sluice.arrow;

import java.util.Map;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;

/** Arrow's canonical extension type {@code arrow.json}: strings that are JSON text. */
final class JsonType {

    private static final String NAME_KEY = ArrowType.ExtensionType.EXTENSION_METADATA_KEY_NAME;
    private static final String METADATA_KEY = ArrowType.ExtensionType.EXTENSION_METADATA_KEY_METADATA;
    private static final String NAME = "arrow.json";

    private JsonType() {}

    static FieldType fieldType() {
        return new FieldType(true, new ArrowType.Utf8(), null, Map.of(NAME_KEY, NAME, METADATA_KEY, ""));
    }

    static boolean isJson(Field field) {
        return NAME.equals(field.getMetadata().get(NAME_KEY));
    }
}
