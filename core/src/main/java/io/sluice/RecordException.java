package io.sluice;

import org.jspecify.annotations.Nullable;

/** One record was refused: malformed, too long, nested too deeply, of the wrong type. Final: reading it again won't help. */
public class RecordException extends SluiceException {

    private static final long serialVersionUID = 1L;

    /** Why a record was refused. */
    public enum Kind {
        /** The bytes are not what the format's grammar allows. */
        MALFORMED,
        /** Well-formed, but not a value this reader takes (a root that is not an object, a type that does not fit). */
        UNEXPECTED_TYPE,
        /** Longer than {@code maxRecordBytes}. */
        TOO_LONG,
        /** Nested deeper than {@code maxNesting}. */
        TOO_DEEP,
        /** Bytes that are not valid UTF-8, or a surrogate without its other half. */
        INVALID_UNICODE,
        /** The input ended inside the record. */
        TRUNCATED,
        /** Bytes between records that belong to no readable record. */
        CORRUPT,
        /** The codec or the user's mapping refused a well-formed record. */
        UNMAPPABLE
    }

    private final Kind kind;

    /** See {@link SluiceException#SluiceException}. */
    public RecordException(
            Kind kind, @Nullable String key, long line, long offset, String reason, @Nullable Throwable cause) {
        super(key, line, offset, reason, cause);
        this.kind = kind;
    }

    /** Why it was refused. */
    public Kind kind() {
        return kind;
    }
}
