/**
 * Arrow's IPC format: framing, decompression and checks of messages on the heap, batches made of them, messages made of
 * batches. Knows nothing of Reactor, stores and {@code RecordBatch}; not API.
 */
@NullMarked
package io.sluice.arrow.internal.ipc;

import org.jspecify.annotations.NullMarked;
