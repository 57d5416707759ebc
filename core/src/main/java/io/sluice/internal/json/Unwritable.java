package io.sluice.internal.json;

import io.sluice.RecordException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A value that can't be written, on its way up to the root; collects its path. */
final class Unwritable extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final RecordException.Kind kind;
    private final String reason;
    /** From the value to the root: keys, and indexes as Integer. */
    private final transient List<Object> path = new ArrayList<>();

    Unwritable(RecordException.Kind kind, String reason, @Nullable Throwable cause) {
        super(reason, cause, false, false);
        this.kind = kind;
        this.reason = reason;
    }

    Unwritable inside(Object step) {
        path.add(step);
        return this;
    }

    RecordException toRecordException() {
        JsonPath text = new JsonPath();
        for (int i = path.size() - 1; i >= 0; i--) {
            if (path.get(i) instanceof Integer index) {
                text.add(null, index);
            } else {
                text.add((String) path.get(i), -1);
            }
        }
        return new RecordException(kind, null, -1, -1, text + ": " + reason, getCause());
    }
}
