package io.sluice.arrow;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * Which columns are wanted, by path: {@code actor} with all that is in it, {@code actor.login} alone. Lists and maps are
 * passed through by name: {@code commits.sha} is the {@code sha} of every element of {@code commits}.
 */
final class Projection {

    static final Projection ALL = new Projection(List.of());

    private final List<String> wanted;
    private final Set<String> leftOut = new HashSet<>();

    private Projection(List<String> wanted) {
        this.wanted = wanted;
    }

    static Projection of(List<String> paths) {
        return paths.isEmpty() ? ALL : new Projection(List.copyOf(paths));
    }

    /** The schema reduced to what is wanted, in the schema's order. */
    Schema apply(Schema schema) {
        if (wanted.isEmpty()) {
            return schema;
        }
        Set<String> found = new HashSet<>();
        List<Field> fields = prune(schema.getFields(), "", "", found);
        for (String path : wanted) {
            if (!found.contains(path)) {
                throw new IllegalArgumentException("no column '" + path + "' to project; there are "
                        + schema.getFields().stream().map(Field::getName).toList());
            }
        }
        return new Schema(fields, schema.getCustomMetadata());
    }

    private List<Field> prune(List<Field> fields, String name, String path, Set<String> found) {
        List<Field> kept = new ArrayList<>();
        for (Field field : fields) {
            String child = name.isEmpty() ? field.getName() : name + "." + field.getName();
            String childPath = path.isEmpty() ? field.getName() : path + "." + field.getName();
            if (wanted.contains(child)) {
                found.add(child);
                kept.add(field);
            } else if (wanted.stream().anyMatch(w -> w.startsWith(child + "."))) {
                kept.add(inside(field, child, childPath, found));
            }
        }
        leftOut.add(path);
        return kept;
    }

    private Field inside(Field field, String name, String path, Set<String> found) {
        List<Field> children = switch (field.getType().getTypeID()) {
            case Struct -> prune(field.getChildren(), name, path, found);
            case List, LargeList, FixedSizeList ->
                List.of(inside(field.getChildren().get(0), name, path + "[]", found));
            default -> field.getChildren();
        };
        return new Field(field.getName(), field.getFieldType(), children);
    }

    /** Whether the object at this path of the pruned schema has keys that nobody wants. */
    boolean leavesOut(String path) {
        return leftOut.contains(path);
    }
}
