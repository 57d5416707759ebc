package io.sluice.format.jackson3;

import io.sluice.format.JsonCodec;
import io.sluice.format.JsonCodecFactory;
import java.lang.reflect.Type;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamWriteConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JavaType;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.cfg.DateTimeFeature;
import tools.jackson.databind.cfg.EnumFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Codecs by Jackson 3: {@code Jsonl.of(Jackson3Codecs.using(mapper).of(Event.class))}.
 *
 * <p>A codec takes the mapper's settings. It never indents, and writes NaN as it is so that it is refused; JSON itself
 * is always read strictly, whatever leniency the mapper was given.
 */
public final class Jackson3Codecs implements JsonCodecFactory {

    private final JsonMapper mapper;

    private Jackson3Codecs(JsonMapper mapper) {
        this.mapper = mapper;
    }

    /**
     * With a mapper of our own: unknown properties are ignored; null for a primitive and a fraction for an integer are
     * refused; properties are written in the order of their declaration, enums by their name, times as ISO 8601 text, and
     * times that are read keep their offset. Modules found on the class path are registered. No limits beside those of the reader.
     */
    public static Jackson3Codecs create() {
        StreamReadConstraints unlimited = StreamReadConstraints.builder()
                .maxNestingDepth(Integer.MAX_VALUE)
                .maxNumberLength(Integer.MAX_VALUE)
                .maxStringLength(Integer.MAX_VALUE)
                .maxNameLength(Integer.MAX_VALUE)
                .build();
        JsonFactory factory = JsonFactory.builder()
                .streamReadConstraints(unlimited)
                .streamWriteConstraints(
                        StreamWriteConstraints.builder().maxNestingDepth(1000).build())
                .build();
        return new Jackson3Codecs(JsonMapper.builder(factory)
                .findAndAddModules()
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, DeserializationFeature.ACCEPT_FLOAT_AS_INT)
                .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                .enable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
                .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
                .disable(
                        DateTimeFeature.ADJUST_DATES_TO_CONTEXT_TIME_ZONE,
                        DateTimeFeature.WRITE_DATES_AS_TIMESTAMPS,
                        DateTimeFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
                .disable(EnumFeature.READ_ENUMS_USING_TO_STRING, EnumFeature.WRITE_ENUMS_USING_TO_STRING)
                .build());
    }

    /** With the user's own mapper. */
    public static Jackson3Codecs using(JsonMapper mapper) {
        return new Jackson3Codecs(mapper);
    }

    @Override
    public JsonCodec<?> codec(Type type) {
        JavaType javaType = mapper.constructType(type);
        return new Jackson3Codec<>(mapper, javaType, type instanceof Class);
    }
}
