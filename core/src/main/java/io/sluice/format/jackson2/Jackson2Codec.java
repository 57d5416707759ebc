package io.sluice.format.jackson2;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.PrettyPrinter;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.sluice.RecordException;
import io.sluice.RecordException.Kind;
import io.sluice.codec.Output;
import io.sluice.format.JsonCodec;
import io.sluice.internal.json.JsonPath;
import io.sluice.internal.json.OutputStreamTo;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

final class Jackson2Codec<T> implements JsonCodec<T> {

    private final ObjectReader reader;
    private final ObjectWriter writer;

    Jackson2Codec(ObjectMapper mapper, JavaType type, boolean plainClass) {
        // what may be written as NaN is for the format to say, which looks at every line before and after
        reader = mapper.readerFor(type).with(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS.mappedFeature());
        // a value of a subclass is written with all that it has; only type parameters must be told beforehand
        ObjectWriter anyWriter = plainClass ? mapper.writer() : mapper.writerFor(type);
        writer = anyWriter
                .with((PrettyPrinter) null)
                .without(SerializationFeature.INDENT_OUTPUT)
                .without(JsonWriteFeature.WRITE_NAN_AS_STRINGS.mappedFeature());
    }

    @Override
    public @Nullable T read(byte[] bytes, int from, int to) throws IOException {
        try {
            return reader.readValue(bytes, from, to - from);
        } catch (JsonProcessingException e) {
            JsonLocation place = e.getLocation();
            throw refused(e, place == null ? -1 : place.getByteOffset());
        }
    }

    @Override
    public void write(T value, Output out) throws IOException {
        try {
            writer.writeValue(new OutputStreamTo(out), value);
        } catch (JsonProcessingException e) {
            throw refused(e, -1);
        }
    }

    private static RecordException refused(JsonProcessingException e, long offset) {
        JsonPath path = new JsonPath();
        if (e instanceof JsonMappingException mapping) {
            for (JsonMappingException.Reference step : mapping.getPath()) {
                path.add(step.getFieldName(), step.getIndex());
            }
        }
        return new RecordException(Kind.UNMAPPABLE, null, -1, offset, path + ": " + e.getOriginalMessage(), e);
    }
}
