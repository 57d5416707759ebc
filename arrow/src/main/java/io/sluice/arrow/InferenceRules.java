package io.sluice.arrow;

import java.time.format.DateTimeFormatter;
import java.util.List;

/**
 * What schemas are inferred by.
 *
 * @param timestamps whether strings that are all timestamps, dates or times become such
 * @param decimals whether numbers with a fraction become decimals rather than doubles
 * @param unions whether places with values of several kinds become dense unions rather than JSON text
 */
record InferenceRules(boolean timestamps, boolean decimals, boolean unions, List<DateTimeFormatter> patterns) {}
