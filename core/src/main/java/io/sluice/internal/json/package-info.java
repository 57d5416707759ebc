/**
 * How JSON text in lines is cut, parsed and written: line walking, strings, numbers, maps. Not API: public only because the
 * JSONL formats of several packages share it. Sans-IO, free of {@code reactor.*}.
 */
@NullMarked
package io.sluice.internal.json;

import org.jspecify.annotations.NullMarked;
