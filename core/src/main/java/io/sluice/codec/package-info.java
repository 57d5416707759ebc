/**
 * The SPI between bytes and records: framers, block decoders, encoders, compressions. All of it is sans-IO: plain
 * single-threaded objects that are fed bytes, free of {@code reactor.*}, of stores and of each other.
 */
@NullMarked
package io.sluice.codec;

import org.jspecify.annotations.NullMarked;
