package io.sluice.avro;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.util.TimePeriod;

/** What {@link Avro#maps()} promises, said of the values that Apache Avro's generic reader makes: the oracle. */
final class GenericAsMaps {

    private GenericAsMaps() {}

    static Object of(Schema schema, Object value) {
        String logical =
                schema.getLogicalType() == null ? "" : schema.getLogicalType().getName();
        switch (schema.getType()) {
            case RECORD:
                Map<String, Object> record = new LinkedHashMap<>();
                for (Schema.Field field : schema.getFields()) {
                    record.put(field.name(), of(field.schema(), ((IndexedRecord) value).get(field.pos())));
                }
                return record;
            case ARRAY:
                List<Object> list = new ArrayList<>();
                ((Iterable<?>) value).forEach(element -> list.add(of(schema.getElementType(), element)));
                return list;
            case MAP:
                Map<String, Object> map = new LinkedHashMap<>();
                ((Map<?, ?>) value).forEach((k, v) -> map.put(k.toString(), of(schema.getValueType(), v)));
                return map;
            case UNION:
                return of(schema.getTypes().get(GenericData.get().resolveUnion(schema, value)), value);
            case ENUM, STRING:
                return logical.equals("uuid") ? UUID.fromString(value.toString()) : value.toString();
            case BYTES:
                ByteBuffer buffer = ((ByteBuffer) value).duplicate();
                byte[] bytes = new byte[buffer.remaining()];
                buffer.get(bytes);
                return bytes(schema, logical, bytes);
            case FIXED:
                return bytes(schema, logical, ((GenericFixed) value).bytes().clone());
            case INT:
                int i = (Integer) value;
                return switch (logical) {
                    case "date" -> LocalDate.ofEpochDay(i);
                    case "time-millis" -> LocalTime.MIDNIGHT.plus(i, ChronoUnit.MILLIS);
                    default -> i;
                };
            case LONG:
                long l = (Long) value;
                return switch (logical) {
                    case "time-micros" -> LocalTime.MIDNIGHT.plus(l, ChronoUnit.MICROS);
                    case "timestamp-millis" -> Instant.EPOCH.plus(l, ChronoUnit.MILLIS);
                    case "timestamp-micros" -> Instant.EPOCH.plus(l, ChronoUnit.MICROS);
                    case "timestamp-nanos" -> Instant.EPOCH.plus(l, ChronoUnit.NANOS);
                    case "local-timestamp-millis" -> epoch().plus(l, ChronoUnit.MILLIS);
                    case "local-timestamp-micros" -> epoch().plus(l, ChronoUnit.MICROS);
                    case "local-timestamp-nanos" -> epoch().plus(l, ChronoUnit.NANOS);
                    default -> l;
                };
            default:
                return value;
        }
    }

    private static LocalDateTime epoch() {
        return LocalDateTime.ofEpochSecond(0, 0, ZoneOffset.UTC);
    }

    private static Object bytes(Schema schema, String logical, byte[] bytes) {
        switch (logical) {
            case "decimal":
                return new BigDecimal(
                        new BigInteger(bytes), ((LogicalTypes.Decimal) schema.getLogicalType()).getScale());
            case "uuid":
                ByteBuffer both = ByteBuffer.wrap(bytes);
                return new UUID(both.getLong(), both.getLong());
            case "duration":
                ByteBuffer parts = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
                return TimePeriod.of(
                        Integer.toUnsignedLong(parts.getInt()),
                        Integer.toUnsignedLong(parts.getInt()),
                        Integer.toUnsignedLong(parts.getInt()));
            default:
                return bytes;
        }
    }

    /** Values with their types, as text: equal where the values are, NaNs and arrays included. */
    static String render(Object value) {
        StringBuilder text = new StringBuilder();
        render(value, text);
        return text.toString();
    }

    private static void render(Object value, StringBuilder text) {
        if (value instanceof Map<?, ?> map) {
            text.append('{');
            // Apache Avro's maps have no order
            new java.util.TreeMap<>(map).forEach((k, v) -> {
                text.append(k).append('=');
                render(v, text);
                text.append(", ");
            });
            text.append('}');
        } else if (value instanceof List<?> list) {
            text.append('[');
            list.forEach(v -> {
                render(v, text);
                text.append(", ");
            });
            text.append(']');
        } else if (value instanceof byte[] bytes) {
            text.append("bytes ").append(java.util.HexFormat.of().formatHex(bytes));
        } else if (value != null) {
            text.append(value.getClass().getSimpleName()).append(' ').append(value);
        } else {
            text.append("null");
        }
    }
}
