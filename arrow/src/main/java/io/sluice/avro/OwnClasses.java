package io.sluice.avro;

import java.util.HashSet;
import java.util.Set;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificData;

/**
 * Finds the class that a user asked for, and those that its own schema names, by its own class loader. Avro by itself loads
 * only classes of packages that a system property trusts, as it takes their names from files; these come from the class.
 */
final class OwnClasses extends SpecificData {

    private final ClassLoader loader;
    private final Set<String> names = new HashSet<>();

    private OwnClasses(ClassLoader loader) {
        super(loader);
        this.loader = loader;
    }

    static SpecificData of(Class<?> type) {
        SpecificData model = SpecificData.getForClass(type);
        ClassLoader loader = type.getClassLoader();
        OwnClasses own = new OwnClasses(loader == null ? ClassLoader.getSystemClassLoader() : loader);
        model.getConversions().forEach(own::addLogicalTypeConversion);
        own.setCustomCoders(model.useCustomCoders());
        own.collect(model.getSchema(type));
        return own;
    }

    private void collect(Schema schema) {
        switch (schema.getType()) {
            case RECORD -> {
                if (names.add(schema.getFullName())) {
                    schema.getFields().forEach(field -> collect(field.schema()));
                }
            }
            case ENUM, FIXED -> names.add(schema.getFullName());
            case ARRAY -> collect(schema.getElementType());
            case MAP -> collect(schema.getValueType());
            case UNION -> schema.getTypes().forEach(this::collect);
            default -> {}
        }
    }

    @Override
    public Class<?> getClass(Schema schema) {
        boolean named = schema.getType() == Schema.Type.RECORD
                || schema.getType() == Schema.Type.ENUM
                || schema.getType() == Schema.Type.FIXED;
        if (named && names.contains(schema.getFullName())) {
            try {
                return Class.forName(getClassName(schema), false, loader);
            } catch (ClassNotFoundException e) {
                return super.getClass(schema);
            }
        }
        return super.getClass(schema);
    }
}
