package io.sluice.avro.internal;

import io.sluice.RecordException.Kind;
import org.jspecify.annotations.Nullable;

/** A record that can't become a value: raised deep inside a decoder, made a rejection by {@link AvroBlockDecoder}. */
public final class BadRecord extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final Kind kind;
    private final boolean bounded;

    private BadRecord(Kind kind, String reason, boolean bounded, @Nullable Throwable cause) {
        super(reason, cause, false, false);
        this.kind = kind;
        this.bounded = bounded;
    }

    /** The bytes are not what the schema says: nobody knows where the next record begins. */
    public static BadRecord broken(String reason) {
        return new BadRecord(Kind.MALFORMED, reason, false, null);
    }

    /** Nested too deeply to be followed. */
    public static BadRecord tooDeep(int maxNesting) {
        return new BadRecord(Kind.TOO_DEEP, "nested deeper than " + maxNesting, false, null);
    }

    /** The record can be walked through, but not be taken as it is: the next one may be good. */
    public static BadRecord refused(Kind kind, String reason, @Nullable Throwable cause) {
        return new BadRecord(kind, reason, true, cause);
    }

    public Kind kind() {
        return kind;
    }

    /** Whether the record's end can be found by walking its schema. */
    public boolean bounded() {
        return bounded;
    }

    public String reason() {
        return String.valueOf(getMessage());
    }
}
