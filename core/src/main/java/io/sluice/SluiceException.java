package io.sluice;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The root of every error that Sluice raises. The message says where and what, the fields say it to a program.
 *
 * <p>Positions are 1-based lines and 0-based byte offsets into the uncompressed shard; {@code -1} stands for unknown.
 */
public class SluiceException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final @Nullable String key;
    private final long line;
    private final long offset;
    private final String reason;

    /**
     * @param key the shard's key, or null where no shard is involved
     * @param line 1-based line or record number, -1 if unknown
     * @param offset 0-based offset in bytes of the uncompressed shard, -1 if unknown
     * @param reason what was wrong and what to do about it, without the place
     * @param cause what raised it, if anything
     */
    public SluiceException(@Nullable String key, long line, long offset, String reason, @Nullable Throwable cause) {
        super(message(key, line, offset, reason), cause);
        this.key = key;
        this.line = line;
        this.offset = offset;
        this.reason = Objects.requireNonNull(reason, "reason");
    }

    private static String message(@Nullable String key, long line, long offset, String reason) {
        if (key == null && line < 0 && offset < 0) {
            return reason;
        }
        StringBuilder text = new StringBuilder();
        if (key != null) {
            text.append('[').append(key).append("] ");
        }
        if (line >= 0) {
            text.append("line ").append(line).append(' ');
        }
        if (offset >= 0) {
            text.append("@ byte ").append(offset);
        }
        int end = text.length();
        while (end > 0 && text.charAt(end - 1) == ' ') {
            end--;
        }
        text.setLength(end);
        return text.append(line < 0 && offset < 0 ? " " : ": ").append(reason).toString();
    }

    /** The shard's key, or null where no shard is involved. */
    public @Nullable String key() {
        return key;
    }

    /** 1-based line (JSONL) or record number in the shard, -1 if unknown. */
    public long line() {
        return line;
    }

    /** 0-based offset in bytes of the uncompressed shard, -1 if unknown. */
    public long offset() {
        return offset;
    }

    /** What was wrong, without the place. */
    public String reason() {
        return reason;
    }

    /** Whether the same call may succeed when it is made again: true for some storage errors, never for bad data. */
    public boolean isTransient() {
        return false;
    }
}
