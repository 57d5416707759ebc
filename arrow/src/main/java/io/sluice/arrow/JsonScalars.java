package io.sluice.arrow;

import io.sluice.arrow.internal.Column;
import io.sluice.internal.json.NumberScanner;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.apache.arrow.vector.types.pojo.ArrowType;

/** Reads the values of the less common column types. Single-threaded. Nothing is rounded: what does not fit is refused. */
final class JsonScalars {

    private static final int DOES_NOT_FIT = -1;
    private static final BigInteger TWO_64 = BigInteger.ONE.shiftLeft(64);

    private final JsonText text;
    private final Temporals temporals;
    private byte[] b = {};
    private String why = "";

    JsonScalars(JsonText text, JsonRules rules) {
        this.text = text;
        this.temporals = new Temporals(rules.patterns());
    }

    void bytes(byte[] bytes) {
        b = bytes;
    }

    /** Why the last value did not fit. */
    String why() {
        return why;
    }

    private int refuse(String reason) {
        why = reason;
        return DOES_NOT_FIT;
    }

    /** Whether a value that begins like this can be one for a column of this type: nothing is decided yet. */
    static boolean mayTake(int type, byte[] b, int p) {
        byte c = b[p];
        return switch (type) {
            case JsonNode.NULL -> c == 'n';
            case JsonNode.BOOL -> c == 't' || c == 'f';
            case JsonNode.STRUCT, JsonNode.MAP -> c == '{';
            case JsonNode.LIST, JsonNode.FIXED_LIST -> c == '[';
            case JsonNode.STRING, JsonNode.DICTIONARY, JsonNode.BINARY, JsonNode.FIXED_BINARY -> c == '"';
            case JsonNode.INT, JsonNode.INT64, JsonNode.UINT64, JsonNode.DOUBLE, JsonNode.FLOAT, JsonNode.DECIMAL ->
                isNumber(c) || c == 'N' || c == 'I';
            case JsonNode.JSON -> c != 'n';
            default -> c == '"' || isNumber(c);
        };
    }

    private static boolean isNumber(byte c) {
        return c == '-' || c >= '0' && c <= '9';
    }

    /** Appends the value at {@code p}, which is no null; answers the index behind it, or a negative number where it does not fit. */
    int read(JsonNode f, Column column, int p) {
        return switch (f.type) {
            case JsonNode.UINT64 -> unsigned(column, p);
            case JsonNode.FLOAT -> single(column, p);
            case JsonNode.DECIMAL -> decimal(f, column, p);
            case JsonNode.DICTIONARY -> {
                if (b[p] != '"') {
                    yield refuse("takes strings");
                }
                int end = text.slice(p + 1);
                column.appendBytes(text.sliceBytes, text.sliceFrom, text.sliceTo - text.sliceFrom);
                yield end;
            }
            case JsonNode.BINARY, JsonNode.FIXED_BINARY -> binary(f, column, p);
            default -> temporal(f, column, p);
        };
    }

    // ---- numbers ----------------------------------------------------------------------------------------------------

    private int unsigned(Column column, int p) {
        if (!isNumber(b[p]) || text.isNonFinite(p)) {
            return refuse("takes integers from 0 to 2^64-1");
        }
        NumberScanner numbers = text.numbers;
        int kind = numbers.scan(b, p);
        if (kind == NumberScanner.LONG && numbers.integer >= 0) {
            column.appendLong(numbers.integer);
            return numbers.end;
        }
        if (kind == NumberScanner.BIG_INTEGER) {
            BigInteger value = new BigInteger(string(p, numbers.end));
            if (value.signum() >= 0 && value.compareTo(TWO_64) < 0) {
                column.appendLong(value.longValue());
                return numbers.end;
            }
        }
        return refuse("takes integers from 0 to 2^64-1");
    }

    private int single(Column column, int p) {
        byte c = b[p];
        if (text.isNonFinite(p)) {
            int end = text.skip(p, 0);
            column.appendFloat(c == 'N' ? Float.NaN : c == 'I' ? Float.POSITIVE_INFINITY : Float.NEGATIVE_INFINITY);
            return end;
        }
        if (!isNumber(c)) {
            return refuse("takes numbers");
        }
        NumberScanner numbers = text.numbers;
        int kind = numbers.scan(b, p);
        if (kind == NumberScanner.DECIMAL) {
            double d = numbers.decimal;
            float value = (float) d;
            // rounding twice goes wrong only where the double is exactly half-way between two floats
            if ((Double.doubleToRawLongBits(d) & 0x1FFFFFFF) == 0x10000000 || Math.abs(value) < Float.MIN_NORMAL) {
                value = Float.parseFloat(string(p, numbers.end));
            }
            if (Float.isInfinite(value)) {
                return refuse("has no room for this number");
            }
            column.appendFloat(value);
            return numbers.end;
        }
        if (kind == NumberScanner.LONG
                && (long) (float) numbers.integer == numbers.integer
                && (float) numbers.integer != 0x1p63f) {
            column.appendFloat(numbers.integer == 0 && c == '-' ? -0f : (float) numbers.integer);
            return numbers.end;
        }
        return refuse("can't hold this integer exactly");
    }

    private int decimal(JsonNode f, Column column, int p) {
        ArrowType.Decimal type =
                (ArrowType.Decimal) Objects.requireNonNull(f.plan).field.getType();
        if (!isNumber(b[p]) || text.isNonFinite(p)) {
            return refuse("takes numbers");
        }
        int kind = text.numbers.scan(b, p);
        int end = text.numbers.end;
        if (end - p > 1000 || kind == NumberScanner.DECIMAL && Math.abs(text.numbers.exponent) > 1000) {
            return refuse("has no room for this number");
        }
        BigDecimal value = new BigDecimal(string(p, end));
        BigDecimal scaled;
        try {
            scaled = value.setScale(type.getScale(), RoundingMode.UNNECESSARY);
        } catch (ArithmeticException e) {
            return refuse("would have to round this number");
        }
        if (scaled.precision() > type.getPrecision()) {
            return refuse("has no room for this number");
        }
        appendTwosComplement(column, scaled.unscaledValue());
        return end;
    }

    private static void appendTwosComplement(Column column, BigInteger value) {
        byte[] big = value.toByteArray();
        byte[] little = new byte[column.width];
        Arrays.fill(little, (byte) (value.signum() < 0 ? -1 : 0));
        for (int i = 0; i < big.length; i++) {
            little[i] = big[big.length - 1 - i];
        }
        column.appendFixed(little, 0);
    }

    private String string(int from, int to) {
        return new String(b, from, to - from, StandardCharsets.ISO_8859_1);
    }

    // ---- strings that mean something else ---------------------------------------------------------------------------

    private int binary(JsonNode f, Column column, int p) {
        if (b[p] != '"') {
            return refuse("takes strings in base64");
        }
        int end = text.slice(p + 1);
        byte[] decoded;
        try {
            decoded = Base64.getDecoder().decode(Arrays.copyOfRange(text.sliceBytes, text.sliceFrom, text.sliceTo));
        } catch (IllegalArgumentException e) {
            return refuse("takes strings in base64");
        }
        if (f.type == JsonNode.FIXED_BINARY) {
            if (decoded.length != column.width) {
                return refuse("takes " + column.width + " bytes only");
            }
            column.appendFixed(decoded, 0);
        } else {
            column.appendBytes(decoded, 0, decoded.length);
        }
        return end;
    }

    private int temporal(JsonNode f, Column column, int p) {
        ArrowType type = Objects.requireNonNull(f.plan).field.getType();
        int end;
        long value;
        if (b[p] == '"') {
            end = text.slice(p + 1);
            if (!temporals.read(type, text.sliceBytes, text.sliceFrom, text.sliceTo)) {
                return refuse(temporals.why());
            }
            value = temporals.value();
        } else if (isNumber(b[p]) && !text.isNonFinite(p) && text.numbers.scan(b, p) == NumberScanner.LONG) {
            end = text.numbers.end;
            value = text.numbers.integer;
            if (!Temporals.isInRange(type, value)) {
                return refuse("has no room for this number");
            }
        } else {
            return refuse("takes strings, or integers in its unit");
        }
        if (column.width == 4) {
            column.appendInt((int) value);
        } else {
            column.appendLong(value);
        }
        return end;
    }

    // ---- keys of maps -----------------------------------------------------------------------------------------------

    /** Appends the key whose opening quote is at {@code p} to a map's column of keys; negative where it does not fit. */
    int readKey(JsonNode key, int p) {
        int end = text.slice(p + 1);
        Column column = key.column;
        byte[] from = text.sliceBytes;
        int start = text.sliceFrom;
        int length = text.sliceTo - start;
        switch (key.type) {
            case JsonNode.STRING, JsonNode.DICTIONARY -> column.appendBytes(from, start, length);
            case JsonNode.INT, JsonNode.INT64 -> {
                long value;
                try {
                    value = Long.parseLong(new String(from, start, length, StandardCharsets.UTF_8));
                } catch (NumberFormatException e) {
                    return refuse("takes integers as keys");
                }
                if (key.type == JsonNode.INT && (value < key.min || value > key.max)) {
                    return refuse("has no room for this number");
                }
                switch (column.width) {
                    case 1 -> column.appendByte((int) value);
                    case 2 -> column.appendShort((int) value);
                    case 4 -> column.appendInt((int) value);
                    default -> column.appendLong(value);
                }
            }
            default -> {
                return refuse("can't be a key in JSON");
            }
        }
        return end;
    }

    /** Of the rows {@code [from, to)} of a map's keys, the last of each that are equal, relative to {@code from}, ascending. */
    int[] lastOccurrences(Column keys, int from, int to) {
        if (to - from <= 8 && !hasEqual(keys, from, to)) {
            return new int[to - from];
        }
        Map<String, Integer> last = new HashMap<>();
        for (int i = from; i < to; i++) {
            last.put(keyOf(keys, i), i - from);
        }
        return last.values().stream().mapToInt(i -> i).sorted().toArray();
    }

    private static boolean hasEqual(Column keys, int from, int to) {
        for (int i = from + 1; i < to; i++) {
            for (int j = from; j < i; j++) {
                if (equal(keys, i, j)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean equal(Column keys, int i, int j) {
        if (keys.plan.isBytes()) {
            int[] at = keys.offsets;
            return Arrays.equals(keys.data, at[i], at[i + 1], keys.data, at[j], at[j + 1]);
        }
        int width = keys.width;
        return Arrays.equals(keys.data, i * width, (i + 1) * width, keys.data, j * width, (j + 1) * width);
    }

    private static String keyOf(Column keys, int row) {
        boolean bytes = keys.plan.isBytes();
        int from = bytes ? keys.offsets[row] : row * keys.width;
        int to = bytes ? keys.offsets[row + 1] : from + keys.width;
        return new String(keys.data, from, to - from, StandardCharsets.ISO_8859_1);
    }
}
