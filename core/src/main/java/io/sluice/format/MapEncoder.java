package io.sluice.format;

import io.sluice.codec.Encoder;
import io.sluice.codec.Output;
import io.sluice.internal.json.JsonWriter;
import java.util.Map;

/** Maps as JSON objects, a line each. */
final class MapEncoder implements Encoder<Map<String, Object>> {

    private final JsonWriter writer;

    MapEncoder(JsonlSpec spec) {
        this.writer = new JsonWriter(spec.acceptsNonFinite());
    }

    @Override
    public int encode(Map<String, Object> value, Output out) {
        writer.write(value, out);
        out.write('\n');
        return 1;
    }
}
