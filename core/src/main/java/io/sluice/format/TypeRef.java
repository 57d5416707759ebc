package io.sluice.format;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;

/**
 * Holds a type with its parameters, which a {@code Class} can't: {@code new TypeRef<Map<String, Event>>() {}}, with the
 * braces.
 */
public abstract class TypeRef<T> {

    private final Type type;

    /** Takes the type from the subclass that the braces make. */
    protected TypeRef() {
        Type base = getClass().getGenericSuperclass();
        if (!(base instanceof ParameterizedType parameterized) || parameterized.getRawType() != TypeRef.class) {
            throw new IllegalArgumentException("a TypeRef must be made as new TypeRef<Type>() {}");
        }
        type = parameterized.getActualTypeArguments()[0];
        if (type instanceof TypeVariable) {
            throw new IllegalArgumentException("a TypeRef must name a type, not the type variable " + type);
        }
    }

    /** The type. */
    public final Type type() {
        return type;
    }

    @Override
    public String toString() {
        return type.getTypeName();
    }
}
