/** JSON codecs by Jackson 2 ({@code com.fasterxml.jackson.core:jackson-databind}, an optional dependency). */
@NullMarked
package io.sluice.format.jackson2;

import org.jspecify.annotations.NullMarked;
