package io.sluice.format.jackson3;

import io.sluice.RecordException;
import io.sluice.RecordException.Kind;
import io.sluice.codec.Output;
import io.sluice.format.JsonCodec;
import io.sluice.internal.json.JsonPath;
import io.sluice.internal.json.OutputStreamTo;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.PrettyPrinter;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.databind.JavaType;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.ObjectWriter;
import tools.jackson.databind.SerializationFeature;

final class Jackson3Codec<T> implements JsonCodec<T> {

    private final ObjectReader reader;
    private final ObjectWriter writer;

    Jackson3Codec(ObjectMapper mapper, JavaType type, boolean plainClass) {
        // what may be written as NaN is for the format to say, which looks at every line before and after
        reader = mapper.readerFor(type).with(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS);
        // a value of a subclass is written with all that it has; only type parameters must be told beforehand
        ObjectWriter anyWriter = plainClass ? mapper.writer() : mapper.writerFor(type);
        writer = anyWriter
                .with((PrettyPrinter) null)
                .without(SerializationFeature.INDENT_OUTPUT)
                .without(JsonWriteFeature.WRITE_NAN_AS_STRINGS);
    }

    @Override
    public @Nullable T read(byte[] bytes, int from, int to) {
        try {
            return reader.readValue(bytes, from, to - from);
        } catch (JacksonException e) {
            TokenStreamLocation place = e.getLocation();
            throw refused(e, place == null ? -1 : place.getByteOffset());
        }
    }

    @Override
    public void write(T value, Output out) {
        try {
            writer.writeValue(new OutputStreamTo(out), value);
        } catch (JacksonException e) {
            throw refused(e, -1);
        }
    }

    private static RecordException refused(JacksonException e, long offset) {
        JsonPath path = new JsonPath();
        for (JacksonException.Reference step : e.getPath()) {
            path.add(step.getPropertyName(), step.getIndex());
        }
        return new RecordException(Kind.UNMAPPABLE, null, -1, offset, path + ": " + e.getOriginalMessage(), e);
    }
}
