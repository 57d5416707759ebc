/** The command line: one class a command, on the public API alone. */
@NullMarked
package io.sluice.cli;

import org.jspecify.annotations.NullMarked;
