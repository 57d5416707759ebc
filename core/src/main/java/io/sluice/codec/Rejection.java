package io.sluice.codec;

import io.sluice.RecordException;
import org.jspecify.annotations.Nullable;

/**
 * A record, or a stretch of bytes, that could not become a value. Places are relative to the block that held it; the
 * pipeline adds shard, absolute line and offset.
 *
 * @param valuesBefore how many values of the block come before it
 * @param linesBefore how many lines (or records) of the block come before it
 * @param start offset in bytes from the block's first byte
 * @param length bytes it covers, terminator included
 * @param raw the record's bytes without terminator; cut to a sample where the record was too long to hold
 * @param kind why
 * @param reason what was wrong, for people
 * @param at offset in bytes, from the block's first byte, of the very byte that was wrong
 * @param lost whether these are lost bytes that belong to no identifiable record, rather than a record
 * @param lostRecords how many records are known to have been lost with them (0 where unknown)
 * @param cause what raised it, if anything
 */
public record Rejection(
        int valuesBefore,
        long linesBefore,
        long start,
        long length,
        byte[] raw,
        RecordException.Kind kind,
        String reason,
        long at,
        boolean lost,
        long lostRecords,
        @Nullable Throwable cause) {}
