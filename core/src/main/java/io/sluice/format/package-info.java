/** What a file's bytes mean: {@link io.sluice.format.Format} and the formats of this module, JSONL first. */
@NullMarked
package io.sluice.format;

import org.jspecify.annotations.NullMarked;
