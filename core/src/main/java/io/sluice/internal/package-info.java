/** The read operator, the shard sequence and the rolling subscriber. Not API: anything may change here. */
@NullMarked
package io.sluice.internal;

import org.jspecify.annotations.NullMarked;
