package io.sluice.codec;

import java.util.List;

/**
 * A block's values and the account of its bytes: {@code bytesDelivered + bytesBlank} plus the lengths of all rejections
 * equal the block's length.
 *
 * @param values the values, in whatever form the format's {@link BlockEmitter} takes; garbage-collected, never
 *     reference-counted, because it crosses threads
 * @param count number of values (records that were decoded)
 * @param lines lines (or records) that the block covers, blank ones included
 * @param blankLines how many of them were blank
 * @param bytesDelivered bytes of the records that became values, terminators included
 * @param bytesBlank bytes between records: blank lines, a byte order mark, headers, sync markers
 * @param rejections what did not become a value, in order
 */
public record DecodedBlock<B>(
        B values,
        int count,
        long lines,
        long blankLines,
        long bytesDelivered,
        long bytesBlank,
        List<Rejection> rejections) {}
