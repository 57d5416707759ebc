package io.sluice.format.jackson2;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.sluice.format.JsonCodec;
import io.sluice.format.JsonCodecFactory;
import java.lang.reflect.Type;

/**
 * Codecs by Jackson 2: {@code Jsonl.of(Jackson2Codecs.using(mapper).of(Event.class))}.
 *
 * <p>A codec takes the mapper's settings as they are when it is made. It never indents, and writes NaN as it is so that it is
 * refused; JSON itself is always read strictly, whatever leniency the mapper was given.
 */
public final class Jackson2Codecs implements JsonCodecFactory {

    private final ObjectMapper mapper;

    private Jackson2Codecs(ObjectMapper mapper) {
        this.mapper = mapper;
    }

    /**
     * With a mapper of our own, set up as in {@code Jackson3Codecs.create()}: unknown properties are ignored; null for
     * a primitive and a fraction for an integer are refused; times are ISO 8601 text where a module for them is on the class path, and
     * keep their offset. Modules found on the class path are registered. No limits beside those of the reader.
     */
    public static Jackson2Codecs create() {
        StreamReadConstraints unlimited = StreamReadConstraints.builder()
                .maxNestingDepth(Integer.MAX_VALUE)
                .maxNumberLength(Integer.MAX_VALUE)
                .maxStringLength(Integer.MAX_VALUE)
                .maxNameLength(Integer.MAX_VALUE)
                .build();
        JsonFactory factory = JsonFactory.builder()
                .streamReadConstraints(unlimited)
                .enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
                .build();
        return new Jackson2Codecs(JsonMapper.builder(factory)
                .findAndAddModules()
                .disable(
                        DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES,
                        DeserializationFeature.ACCEPT_FLOAT_AS_INT,
                        DeserializationFeature.ADJUST_DATES_TO_CONTEXT_TIME_ZONE)
                .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                .disable(
                        SerializationFeature.WRITE_DATES_AS_TIMESTAMPS,
                        SerializationFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
                .build());
    }

    /** With the user's own mapper. */
    public static Jackson2Codecs using(ObjectMapper mapper) {
        String format = mapper.getFactory().getFormatName();
        if (!JsonFactory.FORMAT_NAME_JSON.equals(format)) {
            throw new IllegalArgumentException("a mapper for JSON is needed, not for " + format);
        }
        return new Jackson2Codecs(mapper);
    }

    @Override
    public JsonCodec<?> codec(Type type) {
        JavaType javaType = mapper.constructType(type);
        return new Jackson2Codec<>(mapper, javaType, type instanceof Class);
    }
}
