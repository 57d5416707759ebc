package io.sluice.internal;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * A pattern for keys: {@code *} and {@code ?} within a segment, {@code **} over any number of segments, {@code [a-z]} and
 * {@code [!a-z]}, {@code {a,b}} (nestable), and {@code \} before a character that is meant literally. The time to match grows with the
 * length of the key times that of the pattern and no faster, whatever the pattern. Immutable.
 */
public final class Glob {

    /** More alternatives than this, after all braces are multiplied out, are refused. */
    public static final int MAX_ALTERNATIVES = 1024;

    private final String pattern;
    private final String literalPrefix;
    private final boolean recursive;
    private final List<Step[]> alternatives;

    private Glob(String pattern, String literalPrefix, boolean recursive, List<Step[]> alternatives) {
        this.pattern = pattern;
        this.literalPrefix = literalPrefix;
        this.recursive = recursive;
        this.alternatives = alternatives;
    }

    /**
     * Reads a pattern.
     *
     * @throws IllegalArgumentException for brackets or braces without an end, a {@code \} at the end, too many alternatives
     */
    public static Glob of(String pattern) {
        List<String> expanded = new ArrayList<>();
        expand(pattern, 0, expanded);
        List<Step[]> alternatives = new ArrayList<>();
        for (String alternative : expanded) {
            alternatives.add(compile(alternative, pattern));
        }
        int special = firstSpecial(pattern);
        boolean recursive = pattern.contains("**") || pattern.indexOf('/', special) >= 0;
        return new Glob(pattern, unescape(pattern.substring(0, special)), recursive, alternatives);
    }

    /** Whether a text has any of a pattern's special characters. */
    public static boolean isGlob(String text) {
        return firstSpecial(text) < text.length() || text.indexOf('\\') >= 0;
    }

    /** The pattern for exactly this text. */
    public static String escape(String text) {
        StringBuilder escaped = new StringBuilder();
        for (char c : text.toCharArray()) {
            if ("*?[]{},\\".indexOf(c) >= 0) {
                escaped.append('\\');
            }
            escaped.append(c);
        }
        return escaped.toString();
    }

    /** What every matching key begins with: a prefix to list. */
    public String literalPrefix() {
        return literalPrefix;
    }

    /** The directory, with its trailing {@code /}, or empty, that all matching keys are in or below. */
    public String directory() {
        return literalPrefix.substring(0, literalPrefix.lastIndexOf('/') + 1);
    }

    /** Whether matching keys may lie deeper than in {@link #directory} itself. */
    public boolean isRecursive() {
        return recursive;
    }

    /** Whether the whole key matches. */
    public boolean matches(String key) {
        int[] text = key.codePoints().toArray();
        for (Step[] steps : alternatives) {
            if (matches(steps, text)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public String toString() {
        return pattern;
    }

    // ---- matching: all positions in the pattern that the text so far leads to are followed at once

    /** @param kind what a step takes of the text; the characters of a set are pairs of first and last */
    private record Step(Kind kind, int[] set) {}

    private enum Kind {
        LITERAL,
        ONE,
        SET,
        NOT_SET,
        /** {@code *} */
        WITHIN_SEGMENT,
        /** {@code **} */
        ACROSS_SEGMENTS,
        /** {@code **}{@code /}, at the start of a segment; followed by INSIDE_DIRECTORY. */
        DIRECTORIES,
        INSIDE_DIRECTORY
    }

    private static boolean matches(Step[] steps, int[] text) {
        BitSet current = new BitSet(steps.length + 1);
        enter(steps, 0, current);
        for (int c : text) {
            BitSet next = new BitSet(steps.length + 1);
            for (int at = current.nextSetBit(0); at >= 0 && at < steps.length; at = current.nextSetBit(at + 1)) {
                step(steps, at, c, next);
            }
            if (next.isEmpty()) {
                return false;
            }
            current = next;
        }
        return current.get(steps.length);
    }

    private static void step(Step[] steps, int at, int c, BitSet next) {
        Step step = steps[at];
        switch (step.kind) {
            case LITERAL -> enterIf(c == step.set[0], steps, at + 1, next);
            case ONE -> enterIf(c != '/', steps, at + 1, next);
            case SET -> enterIf(c != '/' && contains(step.set, c), steps, at + 1, next);
            case NOT_SET -> enterIf(c != '/' && !contains(step.set, c), steps, at + 1, next);
            case WITHIN_SEGMENT -> enterIf(c != '/', steps, at, next);
            case ACROSS_SEGMENTS -> enter(steps, at, next);
            case DIRECTORIES -> enterIf(c != '/', steps, at + 1, next);
            case INSIDE_DIRECTORY -> enter(steps, c == '/' ? at - 1 : at, next);
        }
    }

    private static void enterIf(boolean condition, Step[] steps, int at, BitSet states) {
        if (condition) {
            enter(steps, at, states);
        }
    }

    /** Marks a position and those behind steps that may take nothing. */
    private static void enter(Step[] steps, int start, BitSet states) {
        int at = start;
        while (true) {
            states.set(at);
            if (at == steps.length) {
                return;
            }
            switch (steps[at].kind) {
                case WITHIN_SEGMENT, ACROSS_SEGMENTS -> at++;
                case DIRECTORIES -> at += 2;
                default -> {
                    return;
                }
            }
        }
    }

    private static boolean contains(int[] set, int c) {
        for (int i = 0; i < set.length; i += 2) {
            if (c >= set[i] && c <= set[i + 1]) {
                return true;
            }
        }
        return false;
    }

    // ---- reading the pattern

    private static Step[] compile(String text, String whole) {
        List<Step> steps = new ArrayList<>();
        int[] c = text.codePoints().toArray();
        int i = 0;
        while (i < c.length) {
            switch (c[i]) {
                case '*' -> i = star(c, i, steps);
                case '?' -> {
                    steps.add(new Step(Kind.ONE, new int[0]));
                    i++;
                }
                case '[' -> i = set(c, i, steps, whole);
                case '\\' -> {
                    steps.add(new Step(Kind.LITERAL, new int[] {c[i + 1]}));
                    i += 2;
                }
                default -> steps.add(new Step(Kind.LITERAL, new int[] {c[i++]}));
            }
        }
        return steps.toArray(Step[]::new);
    }

    private static int star(int[] c, int start, List<Step> steps) {
        int end = start;
        while (end < c.length && c[end] == '*') {
            end++;
        }
        if (end - start == 1) {
            steps.add(new Step(Kind.WITHIN_SEGMENT, new int[0]));
            return end;
        }
        if ((start == 0 || c[start - 1] == '/') && end < c.length && c[end] == '/') {
            steps.add(new Step(Kind.DIRECTORIES, new int[0]));
            steps.add(new Step(Kind.INSIDE_DIRECTORY, new int[0]));
            return end + 1;
        }
        steps.add(new Step(Kind.ACROSS_SEGMENTS, new int[0]));
        return end;
    }

    private static int set(int[] c, int start, List<Step> steps, String whole) {
        int i = start + 1;
        boolean negated = i < c.length && (c[i] == '!' || c[i] == '^');
        if (negated) {
            i++;
        }
        List<Integer> pairs = new ArrayList<>();
        // a ] that comes first is a member
        for (int first = i; i < c.length && (c[i] != ']' || i == first); i++) {
            if (c[i] == '\\' && i + 1 < c.length) {
                i++;
            }
            int low = c[i];
            int high = low;
            if (i + 2 < c.length && c[i + 1] == '-' && c[i + 2] != ']') {
                i += 2;
                if (c[i] == '\\' && i + 1 < c.length) {
                    i++;
                }
                high = c[i];
            }
            pairs.add(low);
            pairs.add(high);
        }
        if (i >= c.length) {
            throw malformed(whole, "'[' without ']'");
        }
        steps.add(new Step(
                negated ? Kind.NOT_SET : Kind.SET,
                pairs.stream().mapToInt(Integer::intValue).toArray()));
        return i + 1;
    }

    /** Multiplies out the first pair of braces, then the rest. */
    private static void expand(String text, int from, List<String> results) {
        int open = nextUnescaped(text, from, '{', text);
        if (open < 0) {
            if (results.size() == MAX_ALTERNATIVES) {
                throw malformed(text, "more than " + MAX_ALTERNATIVES + " alternatives");
            }
            results.add(text);
            return;
        }
        int depth = 0;
        List<String> choices = new ArrayList<>();
        int start = open + 1;
        int i = open;
        for (; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\') {
                i++;
            } else if (c == '{') {
                depth++;
            } else if (c == ',' && depth == 1) {
                choices.add(text.substring(start, i));
                start = i + 1;
            } else if (c == '}' && --depth == 0) {
                break;
            }
        }
        if (i >= text.length()) {
            throw malformed(text, "'{' without '}'");
        }
        choices.add(text.substring(start, i));
        for (String choice : choices) {
            expand(text.substring(0, open) + choice + text.substring(i + 1), open, results);
        }
    }

    /** Outside of brackets. */
    private static int nextUnescaped(String text, int from, char wanted, String whole) {
        for (int i = from; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\') {
                if (++i == text.length()) {
                    throw malformed(whole, "'\\' at the end");
                }
            } else if (c == wanted) {
                return i;
            } else if (c == '[') {
                int close =
                        text.indexOf(']', text.startsWith("!", i + 1) || text.startsWith("^", i + 1) ? i + 3 : i + 2);
                i = close < 0 ? text.length() : close;
            }
        }
        return -1;
    }

    private static int firstSpecial(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\') {
                i++;
            } else if (c == '*' || c == '?' || c == '[' || c == '{') {
                return i;
            }
        }
        return text.length();
    }

    private static String unescape(String text) {
        StringBuilder plain = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == '\\' && i + 1 < text.length()) {
                i++;
            }
            plain.append(text.charAt(i));
        }
        return plain.toString();
    }

    private static IllegalArgumentException malformed(String pattern, String why) {
        return new IllegalArgumentException("malformed glob \"" + pattern + "\": " + why);
    }
}
