package io.sluice.format;

import java.lang.reflect.Type;

/** Makes codecs for types: what a JSON library is to Sluice. Immutable and thread-safe. */
public interface JsonCodecFactory {

    /**
     * A codec for values of {@code type}.
     *
     * @throws IllegalArgumentException where the library can't map such a type at all, as far as it knows beforehand
     */
    JsonCodec<?> codec(Type type);

    /** A codec for a class without type parameters. */
    @SuppressWarnings("unchecked") // the codec of a type makes values of that type
    default <T> JsonCodec<T> of(Class<T> type) {
        return (JsonCodec<T>) codec(type);
    }

    /** A codec for a type with parameters: {@code of(new TypeRef<Map<String, Event>>() {})}. */
    @SuppressWarnings("unchecked") // the codec of a type makes values of that type
    default <T> JsonCodec<T> of(TypeRef<T> type) {
        return (JsonCodec<T>) codec(type.type());
    }
}
