package io.sluice.avro.internal;

import io.sluice.SluiceException;
import io.sluice.avro.AvroHeader;
import io.sluice.avro.AvroSpec;
import io.sluice.avro.AvroSpec.FileSchemas;
import java.util.List;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;

/** Which schema each file of a data set is read with. Immutable; shared by the workers of one subscription. */
public final class FileResolution {

    private final FileSchemas rule;
    private final @Nullable Schema given;
    private final @Nullable Schema first;
    private final List<String> fields;

    /**
     * @param byDefault what to do where the spec leaves it open
     * @param first the first file's header, needed by {@link FileSchemas#SAME} and {@link FileSchemas#FIRST}
     */
    public FileResolution(AvroSpec spec, FileSchemas byDefault, @Nullable AvroHeader first) {
        FileSchemas chosen = spec.fileSchemas();
        this.rule = chosen == null ? byDefault : chosen;
        this.given = spec.schema();
        this.first = first == null ? null : first.schema();
        this.fields = spec.fields();
    }

    /** Whether the first file must be seen before anything is decoded. */
    public static boolean needsFirst(AvroSpec spec, FileSchemas byDefault) {
        FileSchemas chosen = spec.fileSchemas();
        return spec.schema() == null && (chosen == null ? byDefault : chosen) != FileSchemas.AS_WRITTEN;
    }

    /** The schema that all values have, projection included; null where each file has its own, or there is none. */
    public @Nullable Schema columns() {
        Schema one = given != null ? given : first;
        return one == null || (given == null && rule == FileSchemas.AS_WRITTEN) ? null : Projection.of(one, fields);
    }

    /**
     * The schema that the values of a file have, projection included.
     *
     * @throws SluiceException where the file's schema must equal the first one's and does not
     */
    public Schema reader(Schema file) {
        if (given != null) {
            return Projection.of(given, fields);
        }
        if (rule == FileSchemas.AS_WRITTEN || first == null) {
            return Projection.of(file, fields);
        }
        if (rule == FileSchemas.SAME && !first.equals(file)) {
            throw new SluiceException(
                    null,
                    -1,
                    -1,
                    "the file's schema differs from the first file's: " + difference(first, file)
                            + "; give a schema, or read with FileSchemas.FIRST, to resolve one to the other",
                    null);
        }
        return Projection.of(first, fields);
    }

    private static String difference(Schema first, Schema file) {
        if (first.getType() != Schema.Type.RECORD || file.getType() != Schema.Type.RECORD) {
            return file.getType().getName() + " where the first has "
                    + first.getType().getName();
        }
        if (!first.getFullName().equals(file.getFullName())) {
            return "record " + file.getFullName() + " where the first has " + first.getFullName();
        }
        for (Schema.Field field : file.getFields()) {
            Schema.Field known = first.getField(field.name());
            if (known == null) {
                return "field '" + field.name() + "' is new";
            }
            if (!known.equals(field)) {
                return "field '" + field.name() + "' is " + shortly(field.schema()) + " where the first has "
                        + shortly(known.schema());
            }
        }
        for (Schema.Field field : first.getFields()) {
            if (file.getField(field.name()) == null) {
                return "field '" + field.name() + "' is missing";
            }
        }
        return "the order of its fields, or what is said of them";
    }

    private static String shortly(Schema schema) {
        String text = schema.toString();
        return text.length() <= 120 ? text : text.substring(0, 120) + "…";
    }
}
