/**
 * The column machinery that every format of this module writes into: plain heap columns filled by workers, and the
 * assembler that copies them into Arrow buffers on the emitting thread. Not API: anything here may change at any time.
 */
@NullMarked
package io.sluice.arrow.internal;

import org.jspecify.annotations.NullMarked;
