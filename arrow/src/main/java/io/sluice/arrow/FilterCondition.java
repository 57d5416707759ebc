package io.sluice.arrow;

import io.sluice.arrow.internal.ColumnPlan;
import io.sluice.arrow.internal.avro.RowCondition;
import java.time.format.DateTimeFormatter;
import java.util.List;

/** A {@link RowFilter} for decoders that live elsewhere. */
record FilterCondition(RowFilter filter, List<DateTimeFormatter> patterns) implements RowCondition {

    @Override
    public List<String> columns() {
        return List.copyOf(filter.columns());
    }

    @Override
    public Test compile(List<ColumnPlan> plans) {
        return new CompiledFilter(filter, plans, patterns)::test;
    }
}
