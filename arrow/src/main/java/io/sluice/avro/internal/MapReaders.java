package io.sluice.avro.internal;

import io.sluice.RecordException.Kind;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.apache.avro.LogicalType;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Resolver;
import org.apache.avro.Resolver.Action;
import org.apache.avro.Schema;
import org.apache.avro.util.TimePeriod;
import org.jspecify.annotations.Nullable;

/** Compiles schemas into readers of plain Java values: maps, lists, strings, numbers, and java.time for logical types. */
public final class MapReaders {

    /** Logical values, or the base types that carry them. */
    public enum Logical {
        VALUES,
        BASE
    }

    private final Logical logical;
    private final Map<Action, RecordReader> records = new IdentityHashMap<>();

    private MapReaders(Logical logical) {
        this.logical = logical;
    }

    /** A reader of values written with {@code writer}, as values of {@code reader}. */
    public static ValueReader compile(Schema writer, Schema reader, Logical logical) {
        return new MapReaders(logical).compile(Resolution.resolve(writer, reader));
    }

    /** The reverse of {@link #wrapped}. */
    public static @Nullable Object unwrapped(Map<?, ?> map) {
        if (map.size() != 1 || !map.containsKey(VALUE_KEY)) {
            throw BadRecord.refused(
                    Kind.UNMAPPABLE,
                    "the file holds values, so the one key '" + VALUE_KEY + "' is wanted, not " + map.keySet(),
                    null);
        }
        return map.get(VALUE_KEY);
    }

    /** A reader of values that are resolved already. */
    public static ValueReader compile(Action action, Logical logical) {
        return new MapReaders(logical).compile(action);
    }

    /** The key under which values stand that are no records. */
    public static final String VALUE_KEY = "value";

    /** Values, whatever they are, as maps with the one key {@link #VALUE_KEY}. */
    public static ValueReader wrapped(ValueReader values) {
        return in -> {
            Map<String, @Nullable Object> map = new LinkedHashMap<>();
            map.put(VALUE_KEY, values.read(in));
            return map;
        };
    }

    private ValueReader compile(Action action) {
        switch (action.type) {
            case DO_NOTHING, PROMOTE:
                String why = Resolution.logicalMismatch(action.writer, action.reader);
                return why == null ? leaf(action.writer.getType(), action.reader) : refuse(why);
            case ENUM:
                return enumeration((Resolver.EnumAdjust) action);
            case CONTAINER:
                ValueReader element = compile(((Resolver.Container) action).elementAction);
                return action.reader.getType() == Schema.Type.ARRAY
                        ? new ArrayReader(
                                element,
                                Shape.of(action.writer.getElementType()).minBytes())
                        : new MapReader(element);
            case RECORD:
                return record((Resolver.RecordAdjust) action);
            case WRITER_UNION:
                Action[] actions = ((Resolver.WriterUnion) action).actions;
                ValueReader[] branches = new ValueReader[actions.length];
                for (int i = 0; i < actions.length; i++) {
                    branches[i] = compile(actions[i]);
                }
                return new UnionReader(branches);
            case READER_UNION:
                return compile(((Resolver.ReaderUnion) action).actualAction);
            case ERROR:
                return refuse(String.valueOf(action));
            default:
                throw new IllegalStateException("unexpected " + action.type);
        }
    }

    private static ValueReader refuse(String why) {
        return in -> {
            throw BadRecord.refused(Kind.UNEXPECTED_TYPE, why, null);
        };
    }

    private ValueReader record(Resolver.RecordAdjust action) {
        RecordReader known = records.get(action);
        if (known != null) {
            return known;
        }
        int writerFields = action.fieldActions.length;
        int readerFields = action.readerOrder.length;
        RecordReader made = new RecordReader(writerFields, readerFields, action.noReorder());
        records.put(action, made);
        int read = 0;
        for (int i = 0; i < writerFields; i++) {
            Action field = action.fieldActions[i];
            if (field.type == Action.Type.SKIP) {
                Shape shape = Shape.of(field.writer);
                made.set(i, null, -1, in -> {
                    shape.skip(in);
                    return null;
                });
            } else {
                Schema.Field to = action.readerOrder[read++];
                made.set(i, to.name(), to.pos(), compile(field));
            }
        }
        for (int i = action.firstDefault; i < readerFields; i++) {
            Schema.Field to = action.readerOrder[i];
            byte[] bytes = Resolution.defaultBytes(to, action.defaults[i - action.firstDefault]);
            ValueReader reader = compile(Resolver.resolve(to.schema(), to.schema(), Resolution.GENERIC));
            made.set(writerFields + i - action.firstDefault, to.name(), to.pos(), new DefaultReader(bytes, reader));
        }
        return made;
    }

    private static ValueReader enumeration(Resolver.EnumAdjust action) {
        List<String> written = action.writer.getEnumSymbols();
        List<String> wanted = action.reader.getEnumSymbols();
        @Nullable String[] symbols = new String[written.size()];
        for (int i = 0; i < symbols.length; i++) {
            int to = action.adjustments[i];
            symbols[i] = to < 0 ? null : wanted.get(to);
        }
        return in -> {
            int index = in.readIndex(symbols.length, "enum");
            String symbol = symbols[index];
            if (symbol == null) {
                throw BadRecord.refused(
                        Kind.UNEXPECTED_TYPE,
                        "the reader's enum " + action.reader.getFullName() + " has no symbol '" + written.get(index)
                                + "' and no default",
                        null);
            }
            return symbol;
        };
    }

    private ValueReader leaf(Schema.Type from, Schema to) {
        LogicalType type = logical == Logical.VALUES ? to.getLogicalType() : null;
        switch (to.getType()) {
            case NULL:
                return in -> null;
            case BOOLEAN:
                return BinaryInput::readBoolean;
            case INT:
                return type == null ? BinaryInput::readInt : logicalInt(type);
            case LONG:
                LongReader longs = from == Schema.Type.INT ? BinaryInput::readInt : BinaryInput::readLong;
                return type == null ? in -> longs.read(in) : logicalLong(type, longs);
            case FLOAT:
                return switch (from) {
                    case INT -> in -> (float) in.readInt();
                    case LONG -> in -> (float) in.readLong();
                    default -> BinaryInput::readFloat;
                };
            case DOUBLE:
                return switch (from) {
                    case INT -> in -> (double) in.readInt();
                    case LONG -> in -> (double) in.readLong();
                    case FLOAT -> in -> (double) in.readFloat();
                    default -> BinaryInput::readDouble;
                };
            case STRING:
                return is(type, "uuid") ? in -> uuid(in.readString()) : BinaryInput::readString;
            case BYTES:
                return logicalBytes(type, BinaryInput::readBytes);
            case FIXED:
                int size = to.getFixedSize();
                return logicalBytes(type, in -> in.readFixed(size));
            default:
                throw new IllegalStateException("no leaf: " + to);
        }
    }

    private static boolean is(@Nullable LogicalType type, String name) {
        return type != null && type.getName().equals(name);
    }

    private interface LongReader {
        long read(BinaryInput in);
    }

    private interface BytesReader {
        byte[] read(BinaryInput in);
    }

    private static ValueReader logicalInt(LogicalType type) {
        return switch (type.getName()) {
            case "date" -> in -> LocalDate.ofEpochDay(in.readInt());
            case "time-millis" -> in -> timeOfDay(in.readInt(), 1_000_000);
            default -> BinaryInput::readInt;
        };
    }

    private static ValueReader logicalLong(LogicalType type, LongReader longs) {
        return switch (type.getName()) {
            case "time-micros" -> in -> timeOfDay(longs.read(in), 1_000);
            case "timestamp-millis" -> in -> instant(longs.read(in), 1_000);
            case "timestamp-micros" -> in -> instant(longs.read(in), 1_000_000);
            case "timestamp-nanos" -> in -> instant(longs.read(in), 1_000_000_000);
            case "local-timestamp-millis" -> in -> local(longs.read(in), 1_000);
            case "local-timestamp-micros" -> in -> local(longs.read(in), 1_000_000);
            case "local-timestamp-nanos" -> in -> local(longs.read(in), 1_000_000_000);
            default -> in -> longs.read(in);
        };
    }

    private static ValueReader logicalBytes(@Nullable LogicalType type, BytesReader bytes) {
        if (type instanceof LogicalTypes.Decimal decimal) {
            int scale = decimal.getScale();
            int precision = decimal.getPrecision();
            return in -> decimal(bytes.read(in), precision, scale);
        }
        if (is(type, "uuid")) {
            return in -> {
                ByteBuffer both = ByteBuffer.wrap(bytes.read(in));
                return new UUID(both.getLong(), both.getLong());
            };
        }
        if (is(type, "duration")) {
            return in -> {
                ByteBuffer parts = ByteBuffer.wrap(bytes.read(in)).order(ByteOrder.LITTLE_ENDIAN);
                return TimePeriod.of(
                        parts.getInt() & 0xFFFFFFFFL, parts.getInt() & 0xFFFFFFFFL, parts.getInt() & 0xFFFFFFFFL);
            };
        }
        if (is(type, "big-decimal")) {
            return in -> bigDecimal(bytes.read(in));
        }
        return bytes::read;
    }

    private static BigDecimal decimal(byte[] unscaled, int precision, int scale) {
        if (unscaled.length == 0) {
            throw refused("a decimal of no bytes", null);
        }
        BigDecimal value = new BigDecimal(new BigInteger(unscaled), scale);
        if (value.precision() > precision) {
            throw refused("a decimal of " + value.precision() + " digits where the schema allows " + precision, null);
        }
        return value;
    }

    /** Avro for Java's own layout: the unscaled value as bytes, then the scale. */
    private static BigDecimal bigDecimal(byte[] bytes) {
        BinaryInput in = new BinaryInput(1);
        in.reset(bytes, 0, bytes.length);
        try {
            byte[] unscaled = in.readBytes();
            int scale = in.readInt();
            if (unscaled.length > 0 && in.remaining() == 0) {
                return new BigDecimal(new BigInteger(unscaled), scale);
            }
        } catch (BadRecord e) {
            // told below
        }
        throw refused("not a big-decimal", null);
    }

    private static UUID uuid(String text) {
        try {
            UUID uuid = UUID.fromString(text);
            if (text.length() == 36) {
                return uuid;
            }
        } catch (IllegalArgumentException e) {
            // told below
        }
        throw refused("not a UUID: '" + text.substring(0, Math.min(40, text.length())) + "'", null);
    }

    private static LocalTime timeOfDay(long units, long nanosPerUnit) {
        if (units < 0 || units >= 86_400_000_000_000L / nanosPerUnit) {
            throw refused("a time of day of " + units + " units", null);
        }
        return LocalTime.ofNanoOfDay(units * nanosPerUnit);
    }

    private static Instant instant(long units, int perSecond) {
        return Instant.ofEpochSecond(
                Math.floorDiv(units, perSecond), Math.floorMod(units, perSecond) * (1_000_000_000L / perSecond));
    }

    private static LocalDateTime local(long units, int perSecond) {
        try {
            return LocalDateTime.ofEpochSecond(
                    Math.floorDiv(units, perSecond),
                    Math.floorMod(units, perSecond) * (1_000_000_000 / perSecond),
                    ZoneOffset.UTC);
        } catch (DateTimeException e) {
            throw refused("a local timestamp out of java.time's range: " + units, e);
        }
    }

    private static BadRecord refused(String why, @Nullable Throwable cause) {
        return BadRecord.refused(Kind.UNMAPPABLE, why, cause);
    }

    private static final class ArrayReader implements ValueReader {

        private final ValueReader element;
        private final int minBytes;

        ArrayReader(ValueReader element, int minBytes) {
            this.element = element;
            this.minBytes = minBytes;
        }

        @Override
        public Object read(BinaryInput in) {
            in.enter();
            int count = in.readCount(minBytes);
            List<@Nullable Object> list = new ArrayList<>(Math.min(count, 1024));
            while (count > 0) {
                for (int i = 0; i < count; i++) {
                    list.add(element.read(in));
                }
                count = in.readCount(minBytes);
            }
            in.leave();
            return list;
        }
    }

    private static final class MapReader implements ValueReader {

        private final ValueReader value;

        MapReader(ValueReader value) {
            this.value = value;
        }

        @Override
        public Object read(BinaryInput in) {
            in.enter();
            Map<String, @Nullable Object> map = new LinkedHashMap<>();
            int count;
            while ((count = in.readCount(1)) > 0) {
                for (int i = 0; i < count; i++) {
                    String key = in.readString();
                    map.put(key, value.read(in));
                }
            }
            in.leave();
            return map;
        }
    }

    private static final class UnionReader implements ValueReader {

        private final ValueReader[] branches;

        UnionReader(ValueReader[] branches) {
            this.branches = branches;
        }

        @Override
        public @Nullable Object read(BinaryInput in) {
            return branches[in.readIndex(branches.length, "union")].read(in);
        }
    }

    private static final class RecordReader implements ValueReader {

        private final int writerFields;
        private final int readerFields;
        private final boolean inOrder;
        private final @Nullable String[] names;
        private final int[] targets;
        private final ValueReader[] readers;
        private final String[] ordered;

        RecordReader(int writerFields, int readerFields, boolean inOrder) {
            this.writerFields = writerFields;
            this.readerFields = readerFields;
            this.inOrder = inOrder;
            int steps = writerFields + readerFields;
            this.names = new String[steps];
            this.targets = new int[steps];
            this.readers = new ValueReader[steps];
            this.ordered = new String[readerFields];
        }

        void set(int step, @Nullable String name, int target, ValueReader reader) {
            names[step] = name;
            targets[step] = target;
            readers[step] = reader;
            if (name != null) {
                ordered[target] = name;
            }
        }

        @Override
        public Object read(BinaryInput in) {
            in.enter();
            Map<String, @Nullable Object> map = new LinkedHashMap<>(readerFields + readerFields / 3 + 1);
            @Nullable Object[] values = inOrder ? null : new Object[readerFields];
            for (int i = 0; i < readers.length; i++) {
                ValueReader reader = readers[i];
                if (reader == null) {
                    break; // fewer defaults than fields
                }
                Object value = reader.read(in);
                String name = names[i];
                if (name == null) {
                    continue;
                }
                if (values == null) {
                    map.put(name, value);
                } else {
                    values[targets[i]] = value;
                }
            }
            if (values != null) {
                for (int i = 0; i < readerFields; i++) {
                    map.put(ordered[i], values[i]);
                }
            }
            in.leave();
            return map;
        }

        @Override
        public String toString() {
            return "record of " + writerFields + " fields " + Arrays.toString(ordered);
        }
    }

    /** Makes the default anew for each record, so that nobody shares a list. */
    private static final class DefaultReader implements ValueReader {

        private final byte[] bytes;
        private final ValueReader reader;

        DefaultReader(byte[] bytes, ValueReader reader) {
            this.bytes = bytes;
            this.reader = Objects.requireNonNull(reader);
        }

        @Override
        public @Nullable Object read(BinaryInput in) {
            BinaryInput own = new BinaryInput(Integer.MAX_VALUE);
            own.reset(bytes, 0, bytes.length);
            return reader.read(own);
        }
    }
}
