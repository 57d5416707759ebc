package io.sluice.arrow;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.Period;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.SignStyle;
import java.time.temporal.ChronoField;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.DateMilliVector;
import org.apache.arrow.vector.DurationVector;
import org.apache.arrow.vector.IntervalDayVector;
import org.apache.arrow.vector.IntervalMonthDayNanoVector;
import org.apache.arrow.vector.IntervalYearVector;
import org.apache.arrow.vector.PeriodDuration;
import org.apache.arrow.vector.TimeMicroVector;
import org.apache.arrow.vector.TimeMilliVector;
import org.apache.arrow.vector.TimeNanoVector;
import org.apache.arrow.vector.TimeSecVector;
import org.apache.arrow.vector.TimeStampVector;
import org.apache.arrow.vector.ValueVector;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.jspecify.annotations.Nullable;

/**
 * The values of a column of dates, times or durations as {@link Temporals} reads them: ISO 8601 in quotes, timestamps with a zone in UTC
 * (RFC 3339); what that has no room for (years of ten digits) as the bare number.
 */
abstract class TemporalText {

    private static final long NANOS = 1_000_000_000L;

    private static final DateTimeFormatter DATE = new DateTimeFormatterBuilder()
            .appendValue(ChronoField.YEAR, 4, 9, SignStyle.EXCEEDS_PAD)
            .appendLiteral('-')
            .appendValue(ChronoField.MONTH_OF_YEAR, 2)
            .appendLiteral('-')
            .appendValue(ChronoField.DAY_OF_MONTH, 2)
            .toFormatter(java.util.Locale.ROOT);

    private static final DateTimeFormatter TIME = new DateTimeFormatterBuilder()
            .appendValue(ChronoField.HOUR_OF_DAY, 2)
            .appendLiteral(':')
            .appendValue(ChronoField.MINUTE_OF_HOUR, 2)
            .appendLiteral(':')
            .appendValue(ChronoField.SECOND_OF_MINUTE, 2)
            .appendFraction(ChronoField.NANO_OF_SECOND, 0, 9, true)
            .toFormatter(java.util.Locale.ROOT);

    /** The value as JSON text; null where it is none of its type. */
    abstract @Nullable String text(int row);

    static TemporalText of(ValueVector vector) {
        if (vector instanceof DateDayVector v) {
            return text(row -> quoted(DATE.format(LocalDate.ofEpochDay(v.get(row)))));
        }
        if (vector instanceof DateMilliVector v) {
            return text(row -> dateMillis(v.get(row)));
        }
        if (vector instanceof TimeSecVector v) {
            return text(row -> time(v.get(row), 1));
        }
        if (vector instanceof TimeMilliVector v) {
            return text(row -> time(v.get(row), 1_000));
        }
        if (vector instanceof TimeMicroVector v) {
            return text(row -> time(v.get(row), 1_000_000));
        }
        if (vector instanceof TimeNanoVector v) {
            return text(row -> time(v.get(row), NANOS));
        }
        if (vector instanceof TimeStampVector v) {
            ArrowType.Timestamp type = (ArrowType.Timestamp) v.getField().getType();
            long perSecond = Temporals.perSecond(type.getUnit());
            String suffix = type.getTimezone() == null ? "" : "Z";
            return text(row -> timestamp(v.get(row), perSecond, suffix));
        }
        if (vector instanceof DurationVector v) {
            long perSecond =
                    Temporals.perSecond(((ArrowType.Duration) v.getField().getType()).getUnit());
            return text(row -> {
                long value = DurationVector.get(v.getDataBuffer(), row);
                return quoted(Duration.ofSeconds(
                                Math.floorDiv(value, perSecond), Math.floorMod(value, perSecond) * (NANOS / perSecond))
                        .toString());
            });
        }
        if (vector instanceof IntervalYearVector v) {
            return text(row -> quoted(Period.ofMonths(v.get(row)).normalized().toString()));
        }
        if (vector instanceof IntervalDayVector v) {
            return text(row -> quoted(new PeriodDuration(
                            Period.ofDays(IntervalDayVector.getDays(v.getDataBuffer(), row)),
                            Duration.ofMillis(IntervalDayVector.getMilliseconds(v.getDataBuffer(), row)))
                    .toISO8601IntervalString()));
        }
        IntervalMonthDayNanoVector v = (IntervalMonthDayNanoVector) vector;
        return text(row -> quoted(v.getObject(row).toISO8601IntervalString()));
    }

    private static String quoted(String text) {
        return '"' + text + '"';
    }

    private static String dateMillis(long millis) {
        long days = Math.floorDiv(millis, 86_400_000L);
        boolean plain = Math.floorMod(millis, 86_400_000L) == 0 && Math.abs(days) < 365_000_000_000L;
        return plain ? quoted(DATE.format(LocalDate.ofEpochDay(days))) : Long.toString(millis);
    }

    private static @Nullable String time(long value, long perSecond) {
        if (value < 0 || value >= 86_400 * perSecond) {
            return null;
        }
        return quoted(TIME.format(LocalTime.ofNanoOfDay(value * (NANOS / perSecond))));
    }

    private static String timestamp(long value, long perSecond, String suffix) {
        long second = Math.floorDiv(value, perSecond);
        if (second < Instant.MIN.getEpochSecond() / 2 || second > Instant.MAX.getEpochSecond() / 2) {
            return Long.toString(value);
        }
        int nano = (int) (Math.floorMod(value, perSecond) * (NANOS / perSecond));
        LocalDateTime local = LocalDateTime.ofEpochSecond(second, nano, ZoneOffset.UTC);
        return quoted(DATE.format(local) + "T" + TIME.format(local) + suffix);
    }

    @FunctionalInterface
    private interface OfRow {
        @Nullable
        String text(int row);
    }

    private static TemporalText text(OfRow text) {
        return new TemporalText() {
            @Override
            @Nullable
            String text(int row) {
                return text.text(row);
            }
        };
    }
}
