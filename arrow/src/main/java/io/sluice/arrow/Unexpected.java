package io.sluice.arrow;

/**
 * What becomes of keys that the schema of a stream does not have, and of values that do not fit their column: one schema
 * is fixed before the first batch, but data may turn up later that it did not foresee.
 */
public enum Unexpected {
    /**
     * The record is refused, with a message that names key, type and place; the reader's {@link io.sluice.ErrorPolicy} decides
     * whether that ends the stream. The default.
     */
    FAIL,
    /**
     * They are kept as JSON text in one more column, {@value ArrowSpec#REST_COLUMN}: an object with an entry for each, under
     * its path ({@code "payload.ref"}). What is inside of a list or map takes the whole list or map with it. The column that
     * a value did not fit is null in that row; where it can't be, the record is refused.
     */
    COLLECT,
    /**
     * Keys that the schema does not have are passed over, and counted, see {@link ArrowSpec#onIgnored}. Values that do not fit
     * their column are refused as under {@link #FAIL}: leaving them out would be a silent null.
     */
    IGNORE,
    /**
     * The schema grows: from the batch that first holds such a record on, batches have the new columns and wider types (what
     * was promised of types when schemas are inferred holds here too). The batch before it ends early.
     */
    WIDEN
}
