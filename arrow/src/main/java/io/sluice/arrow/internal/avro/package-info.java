/**
 * Avro container files as column chunks: schemas mapped, programs compiled from them, and the loop that runs those. Not API: anything
 * here may change at any time.
 */
@NullMarked
package io.sluice.arrow.internal.avro;

import org.jspecify.annotations.NullMarked;
