/** What the tests of all modules share; part of the test jar. */
@NullMarked
package io.sluice.testing;

import org.jspecify.annotations.NullMarked;
