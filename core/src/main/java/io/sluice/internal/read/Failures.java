package io.sluice.internal.read;

import io.sluice.CorruptDataException;
import io.sluice.RecordException;
import io.sluice.Rejected;
import io.sluice.SluiceException;
import io.sluice.codec.Rejection;

/** Adds the place to errors that were raised without it. */
final class Failures {

    private Failures() {}

    /** {@code e} with the shard's name, if it has none yet. */
    static Throwable placed(Throwable e, String name, long offset) {
        if (!(e instanceof SluiceException known) || known.key() != null) {
            return e;
        }
        SluiceException placed;
        if (e instanceof CorruptDataException corrupt) {
            placed = new CorruptDataException(
                    name, offset, corrupt.compressedOffset(), corrupt.reason(), corrupt.getCause());
        } else if (e instanceof RecordException record) {
            placed = new RecordException(
                    record.kind(), name, record.line(), Math.max(offset, record.offset()), record.reason(), e);
        } else {
            placed = new SluiceException(name, known.line(), known.offset(), known.reason(), e);
        }
        for (Throwable suppressed : e.getSuppressed()) {
            placed.addSuppressed(suppressed);
        }
        return placed;
    }

    /** What an error policy is shown. */
    static Rejected rejected(Rejection r, String name, long line, long partOffset) {
        long start = partOffset + r.start();
        String reason =
                r.at() > r.start() ? r.reason() + " (byte " + (r.at() - r.start()) + " of the record)" : r.reason();
        RecordException cause = new RecordException(r.kind(), name, line, start, reason, r.cause());
        return new Rejected(name, line, start, r.length(), r.raw(), null, cause);
    }
}
