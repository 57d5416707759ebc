/**
 * What the Avro formats share: framing, block codecs, walking and decoding Avro's binary encoding. Not API: anything
 * here may change at any time.
 */
@NullMarked
package io.sluice.avro.internal;

import org.jspecify.annotations.NullMarked;
