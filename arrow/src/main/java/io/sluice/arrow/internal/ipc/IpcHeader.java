package io.sluice.arrow.internal.ipc;

import java.util.List;

/**
 * What stands before a shard's first batch; one object for each shard.
 *
 * @param dictionaries messages that a read which begins in the middle of the shard has passed over, and which count
 */
record IpcHeader(IpcSchema schema, List<byte[]> dictionaries) {}
