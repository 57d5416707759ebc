package io.sluice.codec;

/**
 * Bounds on what a reader takes from its input.
 *
 * @param blockBytes aimed-at length of a block
 * @param maxRecordBytes the longest record, terminator excluded
 * @param maxNesting the deepest nesting of arrays and objects
 */
public record ReadLimits(int blockBytes, int maxRecordBytes, int maxNesting) {}
