/** JSON codecs by Jackson 3 ({@code tools.jackson.core:jackson-databind}, an optional dependency). */
@NullMarked
package io.sluice.format.jackson3;

import org.jspecify.annotations.NullMarked;
