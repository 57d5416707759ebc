package io.sluice.internal.json;

import io.sluice.RecordException;
import org.jspecify.annotations.Nullable;

/** A value that can't be written, on its way up to the root; collects its path. */
final class Unwritable extends RuntimeException {

    private static final long serialVersionUID = 1L;
    private static final int MAX_PATH = 300;

    private final RecordException.Kind kind;
    private final String reason;
    private String path = "";
    private boolean cut;

    Unwritable(RecordException.Kind kind, String reason, @Nullable Throwable cause) {
        super(reason, cause, false, false);
        this.kind = kind;
        this.reason = reason;
    }

    Unwritable inside(String key) {
        return prepend(
                isPlain(key) ? "." + key : "['" + key.replace("\\", "\\\\").replace("'", "\\'") + "']");
    }

    Unwritable inside(int index) {
        return prepend("[" + index + "]");
    }

    private Unwritable prepend(String step) {
        path = step + path;
        if (path.length() > MAX_PATH) { // the end that is nearest to the root is the one to keep
            path = path.substring(0, MAX_PATH);
            cut = true;
        }
        return this;
    }

    private static boolean isPlain(String key) {
        return !key.isEmpty() && key.chars().allMatch(c -> c < 128 && (Character.isLetterOrDigit(c) || c == '_'));
    }

    RecordException toRecordException() {
        return new RecordException(kind, null, -1, -1, "$" + path + (cut ? "…" : "") + ": " + reason, getCause());
    }
}
