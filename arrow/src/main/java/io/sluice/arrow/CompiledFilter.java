package io.sluice.arrow;

import io.sluice.arrow.internal.Column;
import io.sluice.arrow.internal.ColumnChunk;
import io.sluice.arrow.internal.ColumnPlan;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.jspecify.annotations.Nullable;

/** A {@link RowFilter} bound to the columns of a chunk. Single-threaded. */
final class CompiledFilter {

    private static final int UNKNOWN = 0;
    private static final int FALSE = -1;
    private static final int TRUE = 1;

    /** Finds a column, and compares its value in a row with a constant; both constants in the column's own form. */
    private record Operand(int[] path, ColumnPlan plan, List<Object> constants) {}

    private final RowFilter filter;
    private final @Nullable Operand operand;
    private final List<CompiledFilter> operands = new ArrayList<>();

    CompiledFilter(RowFilter filter, List<ColumnPlan> plans, List<DateTimeFormatter> patterns) {
        this.filter = filter;
        for (RowFilter each : filter.operands) {
            operands.add(new CompiledFilter(each, plans, patterns));
        }
        this.operand = filter.column.isEmpty() ? null : bind(filter, plans, patterns);
    }

    private static Operand bind(RowFilter filter, List<ColumnPlan> plans, List<DateTimeFormatter> patterns) {
        List<Integer> path = new ArrayList<>();
        ColumnPlan plan = find(filter.column, plans, path);
        if (plan == null) {
            throw new IllegalArgumentException("no column '" + filter.column + "' to filter by");
        }
        List<Object> constants = new ArrayList<>();
        for (Object value : filter.values) {
            constants.add(constant(plan, value, patterns));
        }
        return new Operand(path.stream().mapToInt(i -> i).toArray(), plan, constants);
    }

    /** Names may hold dots themselves, so every split is tried. */
    private static @Nullable ColumnPlan find(String path, List<ColumnPlan> plans, List<Integer> indexes) {
        for (int i = 0; i < plans.size(); i++) {
            ColumnPlan plan = plans.get(i);
            String name = plan.field.getName();
            if (name.equals(path)) {
                indexes.add(i);
                return plan;
            }
            if (path.startsWith(name + ".") && plan.layout == ColumnPlan.STRUCT) {
                indexes.add(i);
                ColumnPlan found = find(path.substring(name.length() + 1), plan.children, indexes);
                if (found != null) {
                    return found;
                }
                indexes.remove(indexes.size() - 1);
            }
        }
        return null;
    }

    private static Object constant(ColumnPlan plan, Object value, List<DateTimeFormatter> patterns) {
        ArrowType type = plan.field.getType();
        if (plan.layout == ColumnPlan.BOOL && value instanceof Boolean) {
            return value;
        }
        boolean string = plan.isBytes() || plan.layout == ColumnPlan.DICTIONARY;
        if (string && value instanceof String text) {
            return text.getBytes(StandardCharsets.UTF_8);
        }
        if (plan.layout == ColumnPlan.FIXED) {
            switch (type.getTypeID()) {
                case Int, FloatingPoint, Decimal -> {
                    if (value instanceof BigDecimal) {
                        return value;
                    }
                }
                case Date, Time, Timestamp, Duration -> {
                    if (value instanceof BigDecimal) {
                        return value;
                    }
                    byte[] text = value.toString().getBytes(StandardCharsets.UTF_8);
                    Temporals temporals = new Temporals(patterns);
                    if (temporals.read(type, text, 0, text.length)) {
                        return BigDecimal.valueOf(temporals.value());
                    }
                }
                default -> {}
            }
        }
        throw new IllegalArgumentException(
                "column '" + plan.field.getName() + "' (" + type + ") can't be compared with " + value);
    }

    /** Whether the row is wanted. Columns may still be unpadded. */
    boolean test(ColumnChunk chunk, int row) {
        return evaluate(chunk, row) == TRUE;
    }

    private int evaluate(ColumnChunk chunk, int row) {
        switch (filter.operator) {
            case AND -> {
                int all = TRUE;
                for (CompiledFilter each : operands) {
                    all = Math.min(all, each.evaluate(chunk, row));
                }
                return all;
            }
            case OR -> {
                int any = FALSE;
                for (CompiledFilter each : operands) {
                    any = Math.max(any, each.evaluate(chunk, row));
                }
                return any;
            }
            case NOT -> {
                return -operands.get(0).evaluate(chunk, row);
            }
            default -> {
                return operand == null ? UNKNOWN : compare(operand, chunk, row);
            }
        }
    }

    private int compare(Operand of, ColumnChunk chunk, int row) {
        Column column = chunk.columns[of.path[0]];
        boolean isNull = column.rows <= row || column.isNull(row);
        for (int i = 1; i < of.path.length && !isNull; i++) {
            column = column.children[of.path[i]];
            isNull = column.rows <= row || column.isNull(row);
        }
        if (filter.operator == RowFilter.Operator.IS_NULL) {
            return isNull ? TRUE : FALSE;
        }
        if (isNull) {
            return UNKNOWN;
        }
        boolean holds = false;
        for (Object constant : of.constants) {
            int order = order(column, row, constant);
            holds |= order != UNORDERED
                    && switch (filter.operator) {
                        case EQUAL, IN -> order == 0;
                        case NOT_EQUAL -> order != 0;
                        case LESS -> order < 0;
                        case AT_MOST -> order <= 0;
                        case GREATER -> order > 0;
                        default -> order >= 0;
                    };
        }
        return holds ? TRUE : FALSE;
    }

    private static final int UNORDERED = Integer.MIN_VALUE;

    private static int order(Column column, int row, Object constant) {
        if (constant instanceof byte[] bytes) {
            if (column.table != null) {
                return column.table.compare((int) Column.INTS.get(column.data, row * 4), bytes);
            }
            return Arrays.compareUnsigned(
                    column.data, column.offsets[row], column.offsets[row + 1], bytes, 0, bytes.length);
        }
        if (constant instanceof Boolean value) {
            return Boolean.compare(column.data[row] != 0, value);
        }
        BigDecimal number = number(column, row);
        return number == null ? UNORDERED : Integer.signum(number.compareTo((BigDecimal) constant));
    }

    /** The exact value; null for NaN and infinities. */
    private static @Nullable BigDecimal number(Column column, int row) {
        ArrowType type = column.plan.field.getType();
        if (type instanceof ArrowType.FloatingPoint real) {
            // as they are written: 0.1 in the data equals 0.1 in the filter
            if (real.getPrecision() == FloatingPointPrecision.DOUBLE) {
                double value = Double.longBitsToDouble((long) Column.LONGS.get(column.data, row * 8));
                return Double.isFinite(value) ? new BigDecimal(Double.toString(value)) : null;
            }
            float value = Float.intBitsToFloat((int) Column.INTS.get(column.data, row * 4));
            return Float.isFinite(value) ? new BigDecimal(Float.toString(value)) : null;
        }
        byte[] big = new byte[column.width];
        for (int i = 0; i < big.length; i++) {
            big[i] = column.data[(row + 1) * column.width - 1 - i];
        }
        boolean unsigned = type instanceof ArrowType.Int integer && !integer.getIsSigned();
        BigInteger value = unsigned ? new BigInteger(1, big) : new BigInteger(big);
        return type instanceof ArrowType.Decimal decimal
                ? new BigDecimal(value, decimal.getScale())
                : new BigDecimal(value);
    }
}
