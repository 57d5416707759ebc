package io.sluice.avro.internal;

import io.sluice.SluiceException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.Schema.Field;

/** Cuts a schema down to the fields that are wanted, so that resolution to it skips the others. */
public final class Projection {

    private Projection() {}

    /** A name and what is wanted below it; nothing below means all of it. */
    private static final class Wanted {
        final Map<String, Wanted> below = new LinkedHashMap<>();
        boolean whole;
    }

    /**
     * The schema with only the fields at these paths, in its own order; the schema itself where there are no paths.
     *
     * @throws SluiceException where a path leads nowhere
     */
    public static Schema of(Schema schema, List<String> paths) {
        if (paths.isEmpty()) {
            return schema;
        }
        Schema from = schema;
        Wanted root = new Wanted();
        for (String path : paths) {
            Wanted at = root;
            for (String name : path.split("\\.", -1)) {
                at = at.below.computeIfAbsent(name, n -> new Wanted());
            }
            at.whole = true;
        }
        return prune(from, root, "");
    }

    private static Schema prune(Schema schema, Wanted wanted, String path) {
        if (wanted.whole || wanted.below.isEmpty()) {
            return schema;
        }
        return switch (schema.getType()) {
            case RECORD -> record(schema, wanted, path);
            case ARRAY -> with(schema, Schema.createArray(prune(schema.getElementType(), wanted, path)));
            case MAP -> with(schema, Schema.createMap(prune(schema.getValueType(), wanted, path)));
            case UNION -> union(schema, wanted, path);
            default -> throw nowhere(path, wanted, schema);
        };
    }

    private static Schema record(Schema schema, Wanted wanted, String path) {
        for (String name : wanted.below.keySet()) {
            if (schema.getField(name) == null) {
                throw new SluiceException(
                        null,
                        -1,
                        -1,
                        "no field '" + (path.isEmpty() ? name : path + "." + name) + "' to select: record "
                                + schema.getFullName() + " has "
                                + schema.getFields().stream().map(Field::name).toList(),
                        null);
            }
        }
        List<Field> fields = new ArrayList<>();
        for (Field field : schema.getFields()) {
            Wanted below = wanted.below.get(field.name());
            if (below != null) {
                String at = path.isEmpty() ? field.name() : path + "." + field.name();
                fields.add(new Field(field, prune(field.schema(), below, at)));
            }
        }
        Schema pruned = Schema.createRecord(schema.getName(), schema.getDoc(), schema.getNamespace(), schema.isError());
        pruned.setFields(fields);
        schema.getAliases().forEach(pruned::addAlias);
        return with(schema, pruned);
    }

    /** A path goes on in the branches that have it; the others stay as they are. */
    private static Schema union(Schema schema, Wanted wanted, String path) {
        List<Schema> branches = new ArrayList<>();
        SluiceException nowhere = null;
        boolean found = false;
        for (Schema branch : schema.getTypes()) {
            if (branch.getType() == Schema.Type.NULL) {
                branches.add(branch);
                continue;
            }
            try {
                branches.add(prune(branch, wanted, path));
                found = true;
            } catch (SluiceException e) {
                nowhere = e;
                branches.add(branch);
            }
        }
        if (!found) {
            throw nowhere != null ? nowhere : nowhere(path, wanted, schema);
        }
        return Schema.createUnion(branches);
    }

    private static Schema with(Schema from, Schema to) {
        from.getObjectProps().forEach(to::addProp);
        return to;
    }

    private static SluiceException nowhere(String path, Wanted wanted, Schema schema) {
        return new SluiceException(
                null,
                -1,
                -1,
                "can't select " + wanted.below.keySet() + " inside '" + path + "', which is "
                        + schema.getType().getName(),
                null);
    }
}
