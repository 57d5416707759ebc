/**
 * The API of Sluice: a {@link io.sluice.Dataset} names files of records and reads or writes them as streams; its
 * specs, policies, positions, reports and exceptions live beside it. Nothing here does I/O before it is subscribed.
 */
@NullMarked
package io.sluice;

import org.jspecify.annotations.NullMarked;
