/**
 * Arrow for Sluice: formats whose records arrive as {@link io.sluice.arrow.RecordBatch}es, schema inference, and Arrow
 * IPC in both directions. Whoever receives a batch owns it and closes it.
 */
@NullMarked
package io.sluice.arrow;

import org.jspecify.annotations.NullMarked;
