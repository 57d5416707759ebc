package io.sluice.internal.json;

import org.jspecify.annotations.Nullable;

/** Where a value stands in its record, for people: {@code $.a['b c'][3]}. Of long paths, the end is left out. */
public final class JsonPath {

    private static final int LONGEST = 300;

    private final StringBuilder text = new StringBuilder("$");

    /** Goes into a member where {@code key} is not null, else into an element. */
    public void add(@Nullable String key, int index) {
        if (text.length() >= LONGEST) {
            return;
        }
        if (key == null) {
            text.append('[').append(index).append(']');
        } else {
            text.append(step(key));
        }
        if (text.length() > LONGEST) {
            text.setLength(LONGEST);
            text.append('…');
        }
    }

    static String step(String key) {
        boolean plain =
                !key.isEmpty() && key.chars().allMatch(c -> c < 128 && (Character.isLetterOrDigit(c) || c == '_'));
        return plain ? "." + key : "['" + key.replace("\\", "\\\\").replace("'", "\\'") + "']";
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
