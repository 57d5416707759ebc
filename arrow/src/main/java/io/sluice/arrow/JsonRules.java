package io.sluice.arrow;

import java.time.format.DateTimeFormatter;
import java.util.List;

/**
 * How a parser takes JSON text.
 *
 * @param patterns how timestamps may be written beside RFC 3339
 */
record JsonRules(
        int maxNesting,
        int maxNumberDigits,
        boolean nonFinite,
        boolean uniqueKeys,
        Projection projection,
        Unexpected unexpected,
        List<DateTimeFormatter> patterns) {}
