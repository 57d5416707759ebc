package io.sluice.codec;

import java.util.List;
import java.util.Locale;

/**
 * The compressions of this module, and how to find the one a shard has.
 *
 * <p>Reading accepts what the reference commands accept and nothing that they would lose silently: every frame or member
 * of a stream is read, an empty file is an empty stream, and a stream that is cut off, fails its checksum or goes on with
 * something else is an error. Content with a wrong checksum is only known as such at the end of its frame or member.
 *
 * <p>After {@link Compressor#finish} the compressors here may be used on: what follows becomes a further frame or member,
 * which costs less than a new compressor. A second {@code finish} with nothing in between appends nothing.
 */
public final class Compressions {

    /** The level of {@link #gzip()}, that of the gzip command. */
    public static final int DEFAULT_GZIP_LEVEL = 6;

    /** The level of {@link #zstd()}, that of the zstd command. */
    public static final int DEFAULT_ZSTD_LEVEL = 3;

    private static final Compression NONE = new NoCompression();
    private static final Compression GZIP = new GzipCompression(DEFAULT_GZIP_LEVEL);
    private static final Compression ZSTD = new ZstdCompression(DEFAULT_ZSTD_LEVEL);
    private static final List<Compression> ALL = List.of(ZSTD, GZIP);

    private Compressions() {}

    /** No compression: bytes pass as they are, and {@link DecompressionLimits} do not apply. Its extension is empty. */
    public static Compression none() {
        return NONE;
    }

    /** gzip (RFC 1952) at the default level. */
    public static Compression gzip() {
        return GZIP;
    }

    /** gzip (RFC 1952). Zero padding behind the last member is accepted, as the gzip command does.
     *
     * @param level 0 (stored) to 9 (smallest), matters for writing only
     */
    public static Compression gzip(int level) {
        return new GzipCompression(level);
    }

    /** Zstandard (RFC 8878) at the default level. */
    public static Compression zstd() {
        return ZSTD;
    }

    /**
     * Zstandard (RFC 8878), written with a content checksum. Frames that need a dictionary and formats older than
     * version 0.8 are refused.
     *
     * @param level -131072 (fastest) to 22 (smallest), 0 being the default; matters for writing only
     */
    public static Compression zstd(int level) {
        return new ZstdCompression(level);
    }

    /** The compression that a key's extension names, whatever its case; {@link #none()} where it names none. */
    public static Compression ofKey(String key) {
        for (Compression compression : ALL) {
            if (!extension(key, compression).isEmpty()) {
                return compression;
            }
        }
        return NONE;
    }

    /**
     * The compression that a shard's first bytes show; {@link #none()} where they show none. Four bytes are enough, fewer
     * are not.
     */
    public static Compression ofHead(byte[] head, int from, int length) {
        for (Compression compression : ALL) {
            if (length >= 4 && compression.matches(head, from, length)) {
                return compression;
            }
        }
        return NONE;
    }

    /** The key without the extension of its compression: {@code a.jsonl} for {@code a.jsonl.zst}. */
    public static String withoutExtension(String key) {
        return key.substring(0, key.length() - extension(key, ofKey(key)).length());
    }

    private static String extension(String key, Compression compression) {
        String lower = key.toLowerCase(Locale.ROOT);
        for (String extension : compression.extensions()) {
            if (lower.endsWith(extension)) {
                return extension;
            }
        }
        return "";
    }
}
