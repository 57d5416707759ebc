/**
 * Data sets over HTTP. Begin with {@link io.sluice.webflux.DatasetService}, which has the routes; {@code Reads} and {@code Writes} are
 * what they lead to. Uses Sluice's API only.
 */
@NullMarked
package io.sluice.webflux;

import org.jspecify.annotations.NullMarked;
