/**
 * Avro object container files, read and written block by block: as maps, as Avro's own records, and, through
 * {@code io.sluice.arrow.Arrow}, as record batches. Needs {@code org.apache.avro:avro} on the class path. Formats are free of
 * stores and of Reactor's operators.
 */
@NullMarked
package io.sluice.avro;

import org.jspecify.annotations.NullMarked;
