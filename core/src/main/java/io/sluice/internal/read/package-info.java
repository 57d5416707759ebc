/**
 * The one read operator. {@code ReadFlux} makes a {@code ReadSubscription}, which owns demand, order, policies and
 * reports (the emitting side); its {@code BlockPump} owns opening, fetching, decompression and framing (the reading side);
 * workers decode in between. Not API.
 */
@NullMarked
package io.sluice.internal.read;

import org.jspecify.annotations.NullMarked;
