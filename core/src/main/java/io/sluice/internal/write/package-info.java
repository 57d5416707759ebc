/**
 * Writing: the rolling subscriber, its shards and their numbers. {@link io.sluice.internal.write.ShardWriters} is the way in.
 */
@NullMarked
package io.sluice.internal.write;

import org.jspecify.annotations.NullMarked;
