/**
 * Where bytes live: {@link io.sluice.storage.ObjectStore} and the stores of this module. A store knows keys, ranges
 * and bytes; it knows nothing of records, formats or compression.
 */
@NullMarked
package io.sluice.storage;

import org.jspecify.annotations.NullMarked;
