package io.sluice.avro.internal;

import io.sluice.RecordException.Kind;
import io.sluice.codec.Output;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.avro.LogicalType;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.util.TimePeriod;
import org.jspecify.annotations.Nullable;

/**
 * Compiles schemas into writers of plain Java values: the reverse of {@link MapReaders}. Nothing is lost on the way: a number is
 * written as another type only where it stays the same, and a key that the schema lacks is refused.
 */
public final class MapWriters {

    /** How well a value suits a type: for choosing among a union's branches. */
    private static final int NOT = 0;

    private static final int LOOSELY = 1;
    private static final int EXACTLY = 2;

    private static final int FIT_DEPTH = 2;
    private static final long NANOS_PER_DAY = 86_400_000_000_000L;

    /** Writes values of one schema. */
    public interface ValueWriter {

        /**
         * How well the value suits: 0 for not at all.
         *
         * @param depth how many records deep to look; the choice among a union's branches would otherwise take time that
         *     doubles with each union inside
         */
        int fit(@Nullable Object value, int depth);

        /**
         * Writes the value.
         *
         * @throws BadRecord where it does not suit
         */
        void write(@Nullable Object value, Output out);
    }

    private final Map<Schema, RecordWriter> records = new IdentityHashMap<>();

    private MapWriters() {}

    /** A writer of values of {@code schema}. */
    public static ValueWriter compile(Schema schema) {
        return new MapWriters().value(schema);
    }

    private static BadRecord refused(String expected, @Nullable Object value) {
        String what = value == null ? "null" : value.getClass().getSimpleName() + " " + value;
        String text = what.length() <= 100 ? what : what.substring(0, 100) + "…";
        return BadRecord.refused(Kind.UNMAPPABLE, "the schema wants " + expected + ", not " + text, null);
    }

    private ValueWriter value(Schema schema) {
        LogicalType logical = schema.getLogicalType();
        String name = logical == null ? "" : logical.getName();
        return switch (schema.getType()) {
            case NULL -> of("null", v -> v == null ? EXACTLY : NOT, (v, out) -> {});
            case BOOLEAN ->
                of(
                        "a boolean",
                        v -> v instanceof Boolean ? EXACTLY : NOT,
                        (v, out) -> out.write(Boolean.TRUE.equals(v) ? 1 : 0));
            case INT -> integral(name, true);
            case LONG -> integral(name, false);
            case FLOAT ->
                of(
                        "a float",
                        MapWriters::fitFloat,
                        (v, out) -> BinaryOutput.writeFloat(number(v).floatValue(), out));
            case DOUBLE ->
                of(
                        "a double",
                        MapWriters::fitDouble,
                        (v, out) -> BinaryOutput.writeDouble(number(v).doubleValue(), out));
            case STRING ->
                of(
                        "a string",
                        v -> v instanceof CharSequence || (v instanceof UUID && name.equals("uuid"))
                                ? EXACTLY
                                : v instanceof Enum<?> ? LOOSELY : NOT,
                        (v, out) -> BinaryOutput.writeString(String.valueOf(v), out));
            case BYTES -> bytes(schema, logical, -1);
            case FIXED -> bytes(schema, logical, schema.getFixedSize());
            case ENUM -> enumeration(schema);
            case ARRAY -> new ArrayWriter(value(schema.getElementType()));
            case MAP -> new MapWriter(value(schema.getValueType()));
            case RECORD -> record(schema);
            case UNION ->
                new UnionWriter(schema.getTypes().stream().map(this::value).toArray(ValueWriter[]::new), schema);
        };
    }

    private interface Fit {
        int fit(@Nullable Object value);
    }

    private interface Write {
        void write(@Nullable Object value, Output out);
    }

    private static ValueWriter of(String what, Fit fit, Write write) {
        return new ValueWriter() {
            @Override
            public int fit(@Nullable Object value, int depth) {
                return fit.fit(value);
            }

            @Override
            public void write(@Nullable Object value, Output out) {
                if (fit.fit(value) == NOT) {
                    throw refused(what, value);
                }
                write.write(value, out);
            }
        };
    }

    private static Number number(@Nullable Object value) {
        return value instanceof Number number ? number : 0;
    }

    private static boolean isInteger(@Nullable Object value) {
        return value instanceof Integer || value instanceof Long || value instanceof Short || value instanceof Byte;
    }

    private static int fitFloat(@Nullable Object value) {
        if (value instanceof Float) {
            return EXACTLY;
        }
        if (value instanceof Double d) {
            return (double) d.floatValue() == d || Double.isNaN(d) ? LOOSELY : NOT;
        }
        return isInteger(value)
                        && (long) (float) number(value).longValue()
                                == number(value).longValue()
                ? LOOSELY
                : NOT;
    }

    private static int fitDouble(@Nullable Object value) {
        if (value instanceof Double) {
            return EXACTLY;
        }
        if (value instanceof Float) {
            return LOOSELY;
        }
        if (value instanceof BigDecimal decimal) {
            double d = decimal.doubleValue();
            return Double.isFinite(d) && new BigDecimal(d).compareTo(decimal) == 0 ? LOOSELY : NOT;
        }
        return isInteger(value)
                        && (long) (double) number(value).longValue()
                                == number(value).longValue()
                ? LOOSELY
                : NOT;
    }

    /** An int or a long, or what stands for one. */
    private static ValueWriter integral(String logical, boolean isInt) {
        return of(
                logical.isEmpty() ? isInt ? "an int" : "a long" : "a " + logical,
                v -> {
                    if (isInteger(v)) {
                        long l = number(v).longValue();
                        if (isInt) {
                            return l != (int) l ? NOT : v instanceof Long || !logical.isEmpty() ? LOOSELY : EXACTLY;
                        }
                        return v instanceof Long && logical.isEmpty() ? EXACTLY : LOOSELY;
                    }
                    if (v instanceof BigInteger big) {
                        return big.bitLength() < (isInt ? 32 : 64) ? LOOSELY : NOT;
                    }
                    return v != null && units(logical, v) != null ? EXACTLY : NOT;
                },
                (v, out) -> {
                    Long units = v == null ? null : units(logical, v);
                    BinaryOutput.writeLong(units == null ? number(v).longValue() : units, out);
                });
    }

    /** A date or time in the units of its logical type; null where it is something else, or would lose digits. */
    private static @Nullable Long units(String logical, Object value) {
        try {
            if (value instanceof LocalDate date && logical.equals("date")) {
                long day = date.toEpochDay();
                return day == (int) day ? day : null;
            }
            if (value instanceof LocalTime time) {
                long nanos = time.toNanoOfDay();
                return switch (logical) {
                    case "time-millis" -> exact(nanos, 1_000_000);
                    case "time-micros" -> exact(nanos, 1_000);
                    default -> null;
                };
            }
            if (value instanceof Instant instant && logical.startsWith("timestamp-")) {
                return since(instant.getEpochSecond(), instant.getNano(), logical);
            }
            if (value instanceof LocalDateTime local && logical.startsWith("local-timestamp-")) {
                Instant instant = local.toInstant(ZoneOffset.UTC);
                return since(instant.getEpochSecond(), instant.getNano(), logical);
            }
        } catch (ArithmeticException e) {
            return null; // out of the type's range
        }
        return null;
    }

    private static @Nullable Long exact(long nanos, long unit) {
        return nanos % unit == 0 && nanos < NANOS_PER_DAY ? nanos / unit : null;
    }

    private static @Nullable Long since(long seconds, int nanos, String logical) {
        int unit = logical.endsWith("millis") ? 1_000_000 : logical.endsWith("micros") ? 1_000 : 1;
        if (nanos % unit != 0) {
            return null;
        }
        long perSecond = 1_000_000_000L / unit;
        // from the end of the second where it lies before the epoch, so that the lowest value does not overflow on the
        // way
        return seconds < 0 && nanos > 0
                ? Math.addExact(Math.multiplyExact(seconds + 1, perSecond), nanos / unit - perSecond)
                : Math.addExact(Math.multiplyExact(seconds, perSecond), nanos / unit);
    }

    /** @param size bytes of a fixed, -1 for bytes */
    private static ValueWriter bytes(Schema schema, @Nullable LogicalType logical, int size) {
        String what = logical == null ? schema.getType().getName() : logical.getName();
        return of(
                size < 0 ? what : what + " of " + size + " bytes",
                v -> {
                    if (v instanceof byte[] || v instanceof ByteBuffer) {
                        int length = v instanceof byte[] raw ? raw.length : ((ByteBuffer) v).remaining();
                        return size >= 0 && length != size ? NOT : logical == null ? EXACTLY : LOOSELY;
                    }
                    if (v == null || logical == null || carried(v, logical, size) == null) {
                        return NOT;
                    }
                    return v instanceof BigDecimal || !(v instanceof Number) ? EXACTLY : LOOSELY;
                },
                (v, out) -> {
                    byte[] bytes;
                    if (v instanceof byte[] raw) {
                        bytes = raw;
                    } else if (v instanceof ByteBuffer buffer) {
                        bytes = new byte[buffer.remaining()];
                        buffer.duplicate().get(bytes);
                    } else {
                        byte[] made = v == null || logical == null ? null : carried(v, logical, size);
                        bytes = made == null ? new byte[0] : made;
                    }
                    if (size < 0) {
                        BinaryOutput.writeBytes(bytes, out);
                    } else {
                        out.write(bytes, 0, bytes.length);
                    }
                });
    }

    /** A logical value's bytes; null where it is something else, or does not fit. */
    private static byte @Nullable [] carried(Object value, LogicalType logical, int size) {
        if (logical instanceof LogicalTypes.Decimal decimal) {
            return decimal(value, decimal, size);
        }
        switch (logical.getName()) {
            case "uuid":
                return value instanceof UUID uuid
                        ? ByteBuffer.allocate(16)
                                .putLong(uuid.getMostSignificantBits())
                                .putLong(uuid.getLeastSignificantBits())
                                .array()
                        : null;
            case "duration":
                if (!(value instanceof TimePeriod period)) {
                    return null;
                }
                Output parts = new Output(16);
                BinaryOutput.writeFixedLong(period.getMonths() | period.getDays() << 32, parts);
                BinaryOutput.writeFixedLong(period.getMillis(), parts);
                return Arrays.copyOf(parts.array(), 12);
            case "big-decimal":
                if (!(value instanceof BigDecimal big)) {
                    return null;
                }
                Output both = new Output(32);
                BinaryOutput.writeBytes(big.unscaledValue().toByteArray(), both);
                BinaryOutput.writeLong(big.scale(), both);
                return Arrays.copyOf(both.array(), both.position());
            default:
                return null;
        }
    }

    private static byte @Nullable [] decimal(Object value, LogicalTypes.Decimal type, int size) {
        BigDecimal exact = value instanceof BigDecimal big
                ? big
                : value instanceof BigInteger integer
                        ? new BigDecimal(integer)
                        : isInteger(value) ? BigDecimal.valueOf(number(value).longValue()) : null;
        if (exact == null) {
            return null;
        }
        try {
            exact = exact.setScale(type.getScale());
        } catch (ArithmeticException e) {
            return null;
        }
        byte[] bytes = exact.unscaledValue().toByteArray();
        if (exact.precision() > type.getPrecision() || (size >= 0 && bytes.length > size)) {
            return null;
        }
        if (size < 0) {
            return bytes;
        }
        byte[] padded = new byte[size];
        Arrays.fill(padded, 0, size - bytes.length, exact.signum() < 0 ? (byte) -1 : 0);
        System.arraycopy(bytes, 0, padded, size - bytes.length, bytes.length);
        return padded;
    }

    private static ValueWriter enumeration(Schema schema) {
        List<String> symbols = schema.getEnumSymbols();
        return of(
                "one of " + symbols,
                v -> (v instanceof CharSequence || v instanceof Enum<?>) && symbols.contains(v.toString())
                        ? EXACTLY
                        : NOT,
                (v, out) -> BinaryOutput.writeLong(symbols.indexOf(String.valueOf(v)), out));
    }

    private ValueWriter record(Schema schema) {
        RecordWriter known = records.get(schema);
        if (known != null) {
            return known;
        }
        RecordWriter made = new RecordWriter(schema); // before its fields, which may hold it again
        records.put(schema, made);
        for (Schema.Field field : schema.getFields()) {
            byte[] absent = field.hasDefaultValue()
                    ? Resolution.defaultBytes(field, Resolution.GENERIC.getDefaultValue(field))
                    : null;
            made.set(field.pos(), value(field.schema()), absent);
        }
        return made;
    }

    private record ArrayWriter(ValueWriter element) implements ValueWriter {

        @Override
        public int fit(@Nullable Object value, int depth) {
            return value instanceof Collection<?> ? EXACTLY : value instanceof Object[] ? LOOSELY : NOT;
        }

        @Override
        public void write(@Nullable Object value, Output out) {
            Collection<?> all;
            if (value instanceof Collection<?> collection) {
                all = collection;
            } else if (value instanceof Object[] array) {
                all = Arrays.asList(array);
            } else {
                throw refused("an array", value);
            }
            if (!all.isEmpty()) {
                BinaryOutput.writeLong(all.size(), out);
                for (Object each : all) {
                    element.write(each, out);
                }
            }
            out.write(0);
        }
    }

    private record MapWriter(ValueWriter values) implements ValueWriter {

        @Override
        public int fit(@Nullable Object value, int depth) {
            return value instanceof Map<?, ?> ? LOOSELY : NOT;
        }

        @Override
        public void write(@Nullable Object value, Output out) {
            if (!(value instanceof Map<?, ?> map)) {
                throw refused("a map", value);
            }
            if (!map.isEmpty()) {
                BinaryOutput.writeLong(map.size(), out);
                map.forEach((key, each) -> {
                    if (!(key instanceof CharSequence text)) {
                        throw refused("a string as key", key);
                    }
                    BinaryOutput.writeString(text, out);
                    values.write(each, out);
                });
            }
            out.write(0);
        }
    }

    private record UnionWriter(ValueWriter[] branches, Schema schema) implements ValueWriter {

        @Override
        public int fit(@Nullable Object value, int depth) {
            int best = NOT;
            for (int i = 0; i < branches.length && best < EXACTLY; i++) {
                best = Math.max(best, branches[i].fit(value, depth));
            }
            return best;
        }

        @Override
        public void write(@Nullable Object value, Output out) {
            int best = -1;
            int bestFit = NOT;
            for (int i = 0; i < branches.length && bestFit < EXACTLY; i++) {
                int fit = branches[i].fit(value, FIT_DEPTH);
                if (fit > bestFit) {
                    best = i;
                    bestFit = fit;
                }
            }
            if (best < 0) {
                throw refused(
                        "one of "
                                + schema.getTypes().stream()
                                        .map(Schema::getFullName)
                                        .toList(),
                        value);
            }
            BinaryOutput.writeLong(best, out);
            branches[best].write(value, out);
        }
    }

    private static final class RecordWriter implements ValueWriter {

        private final Schema schema;
        private final String[] names;
        private final ValueWriter[] fields;
        private final byte[] @Nullable [] absent;

        RecordWriter(Schema schema) {
            this.schema = schema;
            this.names = schema.getFields().stream().map(Schema.Field::name).toArray(String[]::new);
            this.fields = new ValueWriter[names.length];
            this.absent = new byte[names.length][];
        }

        void set(int i, ValueWriter writer, byte @Nullable [] whenAbsent) {
            fields[i] = writer;
            absent[i] = whenAbsent;
        }

        @Override
        public int fit(@Nullable Object value, int depth) {
            if (!(value instanceof Map<?, ?> map)) {
                return NOT;
            }
            int present = 0;
            for (int i = 0; i < names.length; i++) {
                if (map.containsKey(names[i])) {
                    if (depth > 0 && fields[i].fit(map.get(names[i]), depth - 1) == NOT) {
                        return NOT;
                    }
                    present++;
                } else if (absent[i] == null && fields[i].fit(null, 0) == NOT) {
                    return NOT;
                }
            }
            return present == map.size() ? EXACTLY : NOT;
        }

        @Override
        public void write(@Nullable Object value, Output out) {
            if (!(value instanceof Map<?, ?> map)) {
                throw refused("record " + schema.getFullName(), value);
            }
            int present = 0;
            for (int i = 0; i < names.length; i++) {
                Object each = map.get(names[i]);
                if (each != null || map.containsKey(names[i])) {
                    present++;
                    field(i, each, out);
                } else {
                    byte[] bytes = absent[i];
                    if (bytes != null) {
                        out.write(bytes, 0, bytes.length);
                    } else if (fields[i].fit(null, 0) != NOT) {
                        fields[i].write(null, out);
                    } else {
                        throw BadRecord.refused(
                                Kind.UNMAPPABLE,
                                "record " + schema.getFullName() + " wants '" + names[i] + "', which is missing",
                                null);
                    }
                }
            }
            if (present < map.size()) {
                List<String> known = List.of(names);
                throw BadRecord.refused(
                        Kind.UNMAPPABLE,
                        "record " + schema.getFullName() + " has no field for "
                                + map.keySet().stream()
                                        .filter(key -> !known.contains(String.valueOf(key)))
                                        .toList(),
                        null);
            }
        }

        private void field(int i, @Nullable Object value, Output out) {
            try {
                fields[i].write(value, out);
            } catch (BadRecord e) {
                throw BadRecord.refused(e.kind(), "field '" + names[i] + "': " + e.reason(), e.getCause());
            }
        }
    }
}
