package io.sluice.arrow;

import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.TemporalAccessor;
import java.util.List;
import org.apache.arrow.vector.types.DateUnit;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.pojo.ArrowType;

/**
 * Dates, times, timestamps (RFC 3339, with the ISO 8601 forms without offset, and patterns of the user's) and durations (ISO
 * 8601) as the numbers that Arrow stores. Exact: digits beyond the unit are refused unless they are zero. Single-threaded.
 */
final class Temporals {

    private static final long NANOS = 1_000_000_000L;

    private final List<DateTimeFormatter> patterns;
    private byte[] b = {};
    private int p;
    private int end;
    private long value;
    private String why = "";

    Temporals(List<DateTimeFormatter> patterns) {
        this.patterns = patterns;
    }

    /** What the last {@link #read} made. */
    long value() {
        return value;
    }

    /** Why the last {@link #read} answered false. */
    String why() {
        return why;
    }

    static boolean isInRange(ArrowType type, long value) {
        if (type instanceof ArrowType.Date date) {
            return date.getUnit() != DateUnit.DAY || (int) value == value;
        }
        if (type instanceof ArrowType.Time time) {
            return value >= 0 && value < 86_400 * perSecond(time.getUnit());
        }
        return true;
    }

    static long perSecond(TimeUnit unit) {
        return switch (unit) {
            case SECOND -> 1;
            case MILLISECOND -> 1_000;
            case MICROSECOND -> 1_000_000;
            case NANOSECOND -> NANOS;
        };
    }

    /** Reads a text as the value of a column; false where it is not one, or does not fit exactly. */
    boolean read(ArrowType type, byte[] bytes, int from, int to) {
        b = bytes;
        p = from;
        end = to;
        why = "takes " + form(type);
        try {
            if (type instanceof ArrowType.Timestamp timestamp) {
                return timestamp(timestamp, from) || patterned(timestamp, from);
            }
            if (type instanceof ArrowType.Date date) {
                return date(date);
            }
            if (type instanceof ArrowType.Time time) {
                return timeOfDay() && p == end && scaled(0, time.getUnit());
            }
            return duration(((ArrowType.Duration) type).getUnit(), from);
        } catch (ArithmeticException e) {
            why = "has no room for this time";
            return false;
        }
    }

    private static String form(ArrowType type) {
        if (type instanceof ArrowType.Timestamp timestamp) {
            return timestamp.getTimezone() == null
                    ? "timestamps without an offset, like 2026-01-31T12:00:00"
                    : "timestamps with an offset, like 2026-01-31T12:00:00Z";
        }
        return type instanceof ArrowType.Date
                ? "dates like 2026-01-31"
                : type instanceof ArrowType.Time ? "times like 12:34:56" : "ISO 8601 durations like PT1H30M";
    }

    // after reading parts
    private long epochDay;
    private long secondOfDay;
    private long nano;

    private boolean timestamp(ArrowType.Timestamp type, int from) {
        p = from;
        if (!day() || p >= end || (b[p] != 'T' && b[p] != 't' && b[p] != ' ')) {
            return false;
        }
        p++;
        if (!timeOfDay()) {
            return false;
        }
        long offset = 0;
        boolean hasOffset = p < end;
        if (hasOffset) {
            if (b[p] == 'Z' || b[p] == 'z') {
                p++;
            } else {
                int sign = b[p] == '+' ? 1 : b[p] == '-' ? -1 : 0;
                p++;
                int hours = digits(2);
                if (p < end && b[p] == ':') {
                    p++;
                }
                int minutes = p < end ? digits(2) : 0;
                if (sign == 0 || hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
                    return false;
                }
                offset = sign * (hours * 3600L + minutes * 60L);
            }
        }
        if (p != end || hasOffset == (type.getTimezone() == null)) {
            return false;
        }
        return scaled(Math.subtractExact(Math.multiplyExact(epochDay, 86_400L), offset), type.getUnit());
    }

    private boolean patterned(ArrowType.Timestamp type, int from) {
        if (patterns.isEmpty()) {
            return false;
        }
        String text = new String(b, from, end - from, StandardCharsets.UTF_8);
        for (DateTimeFormatter pattern : patterns) {
            try {
                TemporalAccessor parsed = pattern.parseBest(
                        text, ZonedDateTime::from, OffsetDateTime::from, LocalDateTime::from, LocalDate::from);
                boolean hasZone = parsed instanceof ZonedDateTime || parsed instanceof OffsetDateTime;
                if (hasZone != (type.getTimezone() != null)) {
                    continue;
                }
                Instant instant = hasZone
                        ? Instant.from(parsed)
                        : (parsed instanceof LocalDate date ? date.atStartOfDay() : LocalDateTime.from(parsed))
                                .toInstant(ZoneOffset.UTC);
                secondOfDay = 0;
                nano = instant.getNano();
                return scaled(instant.getEpochSecond(), type.getUnit());
            } catch (DateTimeException e) {
                // the next one may fit
            }
        }
        return false;
    }

    private boolean date(ArrowType.Date type) {
        if (!day() || p != end) {
            return false;
        }
        value = type.getUnit() == DateUnit.DAY ? Math.toIntExact(epochDay) : Math.multiplyExact(epochDay, 86_400_000L);
        return true;
    }

    private boolean duration(TimeUnit unit, int from) {
        try {
            Duration duration = Duration.parse(new String(b, from, end - from, StandardCharsets.UTF_8));
            nano = duration.getNano();
            secondOfDay = 0;
            return scaled(duration.getSeconds(), unit);
        } catch (DateTimeException e) {
            return false;
        }
    }

    /** {@code seconds}, with the time of the day, in units; false where the unit is too coarse. */
    private boolean scaled(long seconds, TimeUnit unit) {
        long perSecond = perSecond(unit);
        long nanosPerUnit = NANOS / perSecond;
        if (nano % nanosPerUnit != 0) {
            why = "would have to round this time";
            return false;
        }
        long whole = seconds + secondOfDay;
        long fraction = nano / nanosPerUnit;
        if (whole < 0 && fraction > 0) { // so that the smallest values do not overflow on the way
            value = Math.addExact(Math.multiplyExact(whole + 1, perSecond), fraction - perSecond);
        } else {
            value = Math.addExact(Math.multiplyExact(whole, perSecond), fraction);
        }
        return true;
    }

    /** {@code 2026-01-31}; years beyond 9999 or before 0 with a sign and up to nine digits. */
    private boolean day() {
        int sign = 1;
        int yearDigits = 4;
        if (p < end && (b[p] == '+' || b[p] == '-')) {
            sign = b[p++] == '-' ? -1 : 1;
            yearDigits = 0;
            while (p + yearDigits < end && yearDigits < 9 && isDigit(b[p + yearDigits])) {
                yearDigits++;
            }
            if (yearDigits < 4) {
                return false;
            }
        }
        int year = digits(yearDigits);
        if (year < 0 || !take('-')) {
            return false;
        }
        int month = digits(2);
        if (month < 1 || month > 12 || !take('-')) {
            return false;
        }
        int day = digits(2);
        year *= sign;
        if (day < 1 || day > 28 && day > daysIn(year, month)) {
            return false;
        }
        epochDay = epochDay(year, month, day);
        return true;
    }

    private static int daysIn(int year, int month) {
        return switch (month) {
            case 2 -> (year & 3) == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
            case 4, 6, 9, 11 -> 30;
            default -> 31;
        };
    }

    /** Days since 1970-01-01 in the proleptic Gregorian calendar: years begin in March, so that leap days come last. */
    static long epochDay(int year, int month, int day) {
        long y = month <= 2 ? year - 1L : year;
        long era = Math.floorDiv(y, 400);
        long ofEra = y - era * 400;
        long ofYear = (153L * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
        return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468;
    }

    /** {@code 12:34:56.789}; seconds may be left out. */
    private boolean timeOfDay() {
        int hour = digits(2);
        if (hour < 0 || hour > 23 || !take(':')) {
            return false;
        }
        int minute = digits(2);
        if (minute < 0 || minute > 59) {
            return false;
        }
        int second = 0;
        nano = 0;
        if (p < end && b[p] == ':') {
            p++;
            second = digits(2);
            if (second < 0 || second > 59) {
                return false;
            }
            if (p < end && (b[p] == '.' || b[p] == ',')) {
                p++;
                if (!fraction()) {
                    return false;
                }
            }
        }
        secondOfDay = hour * 3600L + minute * 60L + second;
        return true;
    }

    private boolean fraction() {
        int from = p;
        long scale = NANOS / 10;
        for (; p < end && isDigit(b[p]); p++, scale /= 10) {
            int digit = b[p] - '0';
            if (scale == 0 && digit != 0) {
                return false;
            }
            nano += digit * scale;
        }
        return p > from;
    }

    private boolean take(char c) {
        return p < end && b[p++] == c;
    }

    private int digits(int count) {
        if (p + count > end) {
            return -1;
        }
        int value = 0;
        for (int i = 0; i < count; i++) {
            byte c = b[p++];
            if (!isDigit(c)) {
                return -1;
            }
            value = value * 10 + (c - '0');
        }
        return value;
    }

    private static boolean isDigit(byte c) {
        return c >= '0' && c <= '9';
    }
}
