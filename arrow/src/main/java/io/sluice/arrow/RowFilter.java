package io.sluice.arrow;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A condition on columns, decided for each record before anything else of it is built. Immutable.
 *
 * <p>Columns are named by path ({@code "actor.login"}), and hold booleans, numbers, strings, dates, times or timestamps. They are
 * compared with a {@code Boolean}, a {@code Number} or a {@code CharSequence}; a date, time or timestamp with the text that
 * stands for it in JSON, or the number in its unit. As in SQL, a comparison with a null is neither true nor false: such a row is left
 * out, also under {@link #not}.
 */
public final class RowFilter {

    enum Operator {
        EQUAL,
        NOT_EQUAL,
        LESS,
        AT_MOST,
        GREATER,
        AT_LEAST,
        IN,
        IS_NULL,
        AND,
        OR,
        NOT
    }

    final Operator operator;
    final String column;
    final List<Object> values;
    final List<RowFilter> operands;

    private RowFilter(Operator operator, String column, List<Object> values, List<RowFilter> operands) {
        this.operator = operator;
        this.column = column;
        this.values = values;
        this.operands = operands;
    }

    private static RowFilter comparison(Operator operator, String column, Object... values) {
        Objects.requireNonNull(column, "column");
        List<Object> all = new ArrayList<>();
        for (Object value : values) {
            all.add(value(value));
        }
        return new RowFilter(operator, column, List.copyOf(all), List.of());
    }

    private static Object value(@Nullable Object value) {
        if (value instanceof Boolean) {
            return value;
        }
        if (value instanceof Number number) {
            return new BigDecimal(number.toString());
        }
        if (value instanceof CharSequence) {
            return value.toString();
        }
        throw new IllegalArgumentException("can't compare a column with " + value + "; use isNull for null");
    }

    /** The column equals {@code value}. */
    public static RowFilter equal(String column, Object value) {
        return comparison(Operator.EQUAL, column, value);
    }

    /** The column has a value, which differs from {@code value}. */
    public static RowFilter notEqual(String column, Object value) {
        return comparison(Operator.NOT_EQUAL, column, value);
    }

    /** The column is less than {@code value}; strings by their UTF-8 bytes. */
    public static RowFilter less(String column, Object value) {
        return comparison(Operator.LESS, column, value);
    }

    /** The column is less than or equal to {@code value}. */
    public static RowFilter atMost(String column, Object value) {
        return comparison(Operator.AT_MOST, column, value);
    }

    /** The column is greater than {@code value}. */
    public static RowFilter greater(String column, Object value) {
        return comparison(Operator.GREATER, column, value);
    }

    /** The column is greater than or equal to {@code value}. */
    public static RowFilter atLeast(String column, Object value) {
        return comparison(Operator.AT_LEAST, column, value);
    }

    /** The column equals one of {@code values}. */
    public static RowFilter in(String column, Object... values) {
        return comparison(Operator.IN, column, values);
    }

    /** The column is null, or missing from the record. */
    public static RowFilter isNull(String column) {
        return comparison(Operator.IS_NULL, column);
    }

    /** The column has a value. */
    public static RowFilter isNotNull(String column) {
        return not(isNull(column));
    }

    /** All of these hold. */
    public static RowFilter and(RowFilter... filters) {
        return new RowFilter(Operator.AND, "", List.of(), List.of(filters));
    }

    /** One of these holds. */
    public static RowFilter or(RowFilter... filters) {
        return new RowFilter(Operator.OR, "", List.of(), List.of(filters));
    }

    /** This does not hold. */
    public static RowFilter not(RowFilter filter) {
        return new RowFilter(Operator.NOT, "", List.of(), List.of(filter));
    }

    /** Paths of all columns that it looks at. */
    public Set<String> columns() {
        Set<String> all = new LinkedHashSet<>();
        if (operands.isEmpty()) {
            if (!column.isEmpty()) {
                all.add(column);
            }
        } else {
            operands.forEach(operand -> all.addAll(operand.columns()));
        }
        return all;
    }

    @Override
    public String toString() {
        return operands.isEmpty() ? column + " " + operator + " " + values : operator + operands.toString();
    }
}
