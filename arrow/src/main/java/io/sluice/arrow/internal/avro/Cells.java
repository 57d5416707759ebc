package io.sluice.arrow.internal.avro;

import io.sluice.RecordException.Kind;
import io.sluice.avro.internal.BadRecord;
import io.sluice.avro.internal.BinaryOutput;
import io.sluice.avro.internal.Utf8Check;
import io.sluice.codec.Output;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Objects;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.vector.BaseIntVector;
import org.apache.arrow.vector.BaseVariableWidthVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.DateMilliVector;
import org.apache.arrow.vector.Decimal256Vector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.DurationVector;
import org.apache.arrow.vector.FixedSizeBinaryVector;
import org.apache.arrow.vector.FloatingPointVector;
import org.apache.arrow.vector.IntervalDayVector;
import org.apache.arrow.vector.IntervalMonthDayNanoVector;
import org.apache.arrow.vector.IntervalYearVector;
import org.apache.arrow.vector.LargeVarBinaryVector;
import org.apache.arrow.vector.LargeVarCharVector;
import org.apache.arrow.vector.TimeMicroVector;
import org.apache.arrow.vector.TimeMilliVector;
import org.apache.arrow.vector.TimeNanoVector;
import org.apache.arrow.vector.TimeSecVector;
import org.apache.arrow.vector.TimeStampVector;
import org.apache.arrow.vector.UInt8Vector;
import org.apache.arrow.vector.ValueVector;
import org.apache.arrow.vector.ViewVarBinaryVector;
import org.apache.arrow.vector.ViewVarCharVector;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.jspecify.annotations.Nullable;

/** The cells of columns without columns inside. */
final class Cells {

    private static final long MILLIS_PER_DAY = 86_400_000L;
    private static final long NANOS_PER_MILLI = 1_000_000L;
    private static final long MAX_UNSIGNED = 0xFFFFFFFFL;

    private Cells() {}

    /** Writes one cell of a vector. */
    interface Put<V> {
        void put(V vector, int row, Output out);
    }

    /** Columns of vectors of one class. */
    static <V extends ValueVector> CellWriter of(Class<V> type, Put<V> put) {
        return new CellWriter() {
            private @Nullable V vector;

            @Override
            void bind(ValueVector to, DictionaryProvider dictionaries) {
                vector = type.cast(to);
            }

            @Override
            boolean isNull(int row) {
                return Objects.requireNonNull(vector).isNull(row);
            }

            @Override
            void write(int row, Output out) {
                put.put(Objects.requireNonNull(vector), row, out);
            }
        };
    }

    private interface ToLong<V> {
        long at(V vector, int row);
    }

    private static <V extends ValueVector> CellWriter longs(Class<V> type, ToLong<V> value) {
        return of(type, (vector, row, out) -> BinaryOutput.writeLong(value.at(vector, row), out));
    }

    static CellWriter nothing() {
        return of(ValueVector.class, (vector, row, out) -> {});
    }

    static CellWriter booleans() {
        return of(BitVector.class, (vector, row, out) -> out.write(vector.get(row)));
    }

    /** All integers that a signed long holds. */
    static CellWriter integers() {
        return of(
                ValueVector.class,
                (vector, row, out) -> BinaryOutput.writeLong(((BaseIntVector) vector).getValueAsLong(row), out));
    }

    /** Unsigned 64 bits, as decimals without a fraction. */
    static CellWriter unsignedLongs() {
        return of(
                UInt8Vector.class,
                (vector, row, out) -> BinaryOutput.writeBytes(
                        UInt8Vector.getNoOverflow(vector.getDataBuffer(), row).toByteArray(), out));
    }

    static CellWriter floats() {
        return of(
                ValueVector.class,
                (vector, row, out) ->
                        BinaryOutput.writeFloat((float) ((FloatingPointVector) vector).getValueAsDouble(row), out));
    }

    static CellWriter doubles() {
        return of(
                ValueVector.class,
                (vector, row, out) ->
                        BinaryOutput.writeDouble(((FloatingPointVector) vector).getValueAsDouble(row), out));
    }

    /** Bytes of varying length, of any layout. */
    static CellWriter bytes(boolean text) {
        return of(ValueVector.class, (vector, row, out) -> {
            if (vector instanceof BaseVariableWidthVector plain) {
                int from = plain.getStartOffset(row);
                int length = plain.getValueLength(row);
                BinaryOutput.writeLong(length, out);
                byte[] array = out.ensure(length);
                plain.getDataBuffer().getBytes(from, array, out.position(), length);
                out.position(out.position() + length);
                check(text, array, out.position() - length, out.position());
                return;
            }
            byte[] value = other(vector, row);
            check(text, value, 0, value.length);
            BinaryOutput.writeBytes(value, out);
        });
    }

    private static byte[] other(ValueVector vector, int row) {
        if (vector instanceof LargeVarCharVector large) {
            return large.get(row);
        } else if (vector instanceof LargeVarBinaryVector large) {
            return large.get(row);
        } else if (vector instanceof ViewVarCharVector view) {
            return view.get(row);
        }
        return ((ViewVarBinaryVector) vector).get(row);
    }

    private static void check(boolean text, byte[] bytes, int from, int to) {
        if (text && !Utf8Check.isValid(bytes, from, to)) {
            throw BadRecord.refused(Kind.INVALID_UNICODE, "a string is not UTF-8", null);
        }
    }

    static CellWriter fixed() {
        return of(FixedSizeBinaryVector.class, (vector, row, out) -> {
            int width = vector.getByteWidth();
            vector.getDataBuffer().getBytes((long) row * width, out.ensure(width), out.position(), width);
            out.position(out.position() + width);
        });
    }

    /**
     * Decimals as bytes.
     *
     * @param scale digits after the point in the Avro type
     * @param precision digits in all
     */
    static CellWriter decimals(int precision, int scale) {
        return of(ValueVector.class, (vector, row, out) -> {
            BigDecimal value = vector instanceof DecimalVector narrow
                    ? narrow.getObject(row)
                    : ((Decimal256Vector) vector).getObject(row);
            BigInteger unscaled = value.setScale(scale).unscaledValue();
            if (new BigDecimal(unscaled).precision() > precision) {
                throw CellWriter.refused("a decimal of more than " + precision + " digits: " + value.toPlainString());
            }
            BinaryOutput.writeBytes(unscaled.toByteArray(), out);
        });
    }

    static CellWriter days() {
        return longs(DateDayVector.class, DateDayVector::get);
    }

    static CellWriter millisAsDays() {
        return longs(DateMilliVector.class, (vector, row) -> {
            long millis = vector.get(row);
            long days = millis / MILLIS_PER_DAY;
            if (days * MILLIS_PER_DAY != millis || days != (int) days) {
                throw CellWriter.refused("a date that is no whole day: " + millis + " ms");
            }
            return days;
        });
    }

    static CellWriter secondsOfDay() {
        return longs(TimeSecVector.class, (vector, row) -> vector.get(row) * 1000L);
    }

    static CellWriter millisOfDay() {
        return longs(TimeMilliVector.class, TimeMilliVector::get);
    }

    static CellWriter microsOfDay() {
        return longs(TimeMicroVector.class, TimeMicroVector::get);
    }

    static CellWriter nanosOfDay() {
        return longs(TimeNanoVector.class, TimeNanoVector::get);
    }

    static CellWriter timestamps() {
        return longs(TimeStampVector.class, TimeStampVector::get);
    }

    static CellWriter secondsAsMillis() {
        return longs(TimeStampVector.class, (vector, row) -> {
            long seconds = vector.get(row);
            if (Math.abs(seconds / 2) > Long.MAX_VALUE / 2000) {
                throw CellWriter.refused("a timestamp that overflows in milliseconds: " + seconds + " s");
            }
            return seconds * 1000;
        });
    }

    static CellWriter durations() {
        return longs(DurationVector.class, (vector, row) -> DurationVector.get(vector.getDataBuffer(), row));
    }

    static CellWriter months() {
        return of(IntervalYearVector.class, (vector, row, out) -> period(vector.get(row), 0, 0, out));
    }

    static CellWriter daysAndMillis() {
        return of(IntervalDayVector.class, (vector, row, out) -> {
            ArrowBuf data = vector.getDataBuffer();
            period(0, IntervalDayVector.getDays(data, row), IntervalDayVector.getMilliseconds(data, row), out);
        });
    }

    static CellWriter monthsDaysAndNanos() {
        return of(IntervalMonthDayNanoVector.class, (vector, row, out) -> {
            ArrowBuf data = vector.getDataBuffer();
            long nanos = IntervalMonthDayNanoVector.getNanoseconds(data, row);
            if (nanos % NANOS_PER_MILLI != 0) {
                throw CellWriter.refused(
                        "an interval with a fraction of a millisecond, which Avro's durations don't have: " + nanos
                                + " ns");
            }
            period(
                    IntervalMonthDayNanoVector.getMonths(data, row),
                    IntervalMonthDayNanoVector.getDays(data, row),
                    nanos / NANOS_PER_MILLI,
                    out);
        });
    }

    /** Avro's duration: three unsigned numbers of four bytes. */
    private static void period(long months, long days, long millis, Output out) {
        if (months < 0 || days < 0 || millis < 0 || millis > MAX_UNSIGNED) {
            throw CellWriter.refused("an interval that Avro's durations, being unsigned, can't hold: " + months
                    + " months, " + days + " days, " + millis + " ms");
        }
        byte[] array = out.ensure(12);
        int at = out.position();
        for (int i = 0; i < 4; i++) {
            array[at + i] = (byte) (months >>> 8 * i);
            array[at + 4 + i] = (byte) (days >>> 8 * i);
            array[at + 8 + i] = (byte) (millis >>> 8 * i);
        }
        out.position(at + 12);
    }
}
