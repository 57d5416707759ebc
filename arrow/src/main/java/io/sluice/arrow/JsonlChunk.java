package io.sluice.arrow;

import io.sluice.arrow.internal.ColumnChunk;
import io.sluice.codec.Block;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a worker makes of a block.
 *
 * @param columns its rows
 * @param shape the schema they were read with
 * @param block under {@link Unexpected#WIDEN}: the block itself, should it have to be read with another schema
 * @param misfit path of the first column that a value did not fit under {@link Unexpected#WIDEN}, in which case the rows are not
 *     to be used; or null
 * @param ignored how often which keys were passed over
 */
record JsonlChunk(
        ColumnChunk columns,
        JsonlArrowReader.Shape shape,
        @Nullable Block block,
        @Nullable String misfit,
        Map<String, Long> ignored) {}
