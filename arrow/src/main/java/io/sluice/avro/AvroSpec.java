package io.sluice.avro;

import io.sluice.avro.internal.BlockCodecs;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;

/** Options of the Avro formats. Immutable: every method answers a changed copy. */
public final class AvroSpec {

    /** The longest block, compressed and uncompressed, that is read unless told otherwise: 64 MiB. */
    public static final int DEFAULT_MAX_BLOCK_BYTES = 64 << 20;

    /** The longest file header that is read unless told otherwise: 64 MiB. */
    public static final int DEFAULT_MAX_HEADER_BYTES = 64 << 20;

    /** The size, uncompressed, at which a block is written unless told otherwise: 256 KiB. */
    public static final int DEFAULT_BLOCK_BYTES = 256 << 10;

    /** What happens where the files of one data set have different schemas, and none was {@linkplain #schema given}. */
    public enum FileSchemas {
        /** Each file is read as it was written. Not for record batches, which have one schema a stream. */
        AS_WRITTEN,
        /** They must be equal; the first file that differs is an error that names it. */
        SAME,
        /** They are resolved to the schema of the first file that holds a block. */
        FIRST
    }

    /** What becomes of values with a logical type. Record batches always have logical types. */
    public enum LogicalValues {
        /** {@code java.time}, {@code BigDecimal}, {@code UUID}: see {@link Avro#maps()}. */
        JAVA,
        /** The values of the type that carries them: numbers, strings, bytes. */
        BASE
    }

    private static final AvroSpec DEFAULT = new AvroSpec(new Options());

    private static final class Options implements Cloneable {
        @Nullable
        Schema schema;

        List<String> fields = List.of();

        @Nullable
        FileSchemas fileSchemas;

        LogicalValues logicalValues = LogicalValues.JAVA;
        int maxBlockBytes = DEFAULT_MAX_BLOCK_BYTES;
        int maxHeaderBytes = DEFAULT_MAX_HEADER_BYTES;
        AvroCodec codec = AvroCodec.none();
        List<AvroCodec> codecs = List.of();
        int blockBytes = DEFAULT_BLOCK_BYTES;
        Map<String, byte[]> metadata = Map.of();

        Options copy() {
            try {
                return (Options) clone();
            } catch (CloneNotSupportedException e) {
                throw new AssertionError(e);
            }
        }
    }

    private final Options options;

    private AvroSpec(Options options) {
        this.options = options;
    }

    /** The defaults. */
    public static AvroSpec create() {
        return DEFAULT;
    }

    /**
     * The schema of this side: what is read is resolved to it, what is written is written with it. Without one, files are
     * read as they were written; maps can't be written.
     */
    public AvroSpec schema(Schema schema) {
        Options copy = options.copy();
        copy.schema = Objects.requireNonNull(schema, "schema");
        return new AvroSpec(copy);
    }

    /** As {@link #schema(Schema)}, from its JSON. */
    public AvroSpec schema(String json) {
        return schema(new Schema.Parser().parse(json));
    }

    /** See {@link #schema(Schema)}. */
    public @Nullable Schema schema() {
        return options.schema;
    }

    /**
     * Reads these fields alone; the others are skipped without being decoded. A path names fields inside records by dots
     * ({@code "customer.address.city"}), looking through arrays, maps and unions. Order is the schema's.
     */
    public AvroSpec fields(String... paths) {
        return fields(List.of(paths));
    }

    /** See {@link #fields(String...)}. */
    public AvroSpec fields(List<String> paths) {
        Options copy = options.copy();
        copy.fields = List.copyOf(paths);
        return new AvroSpec(copy);
    }

    /** The paths to read; empty for all. */
    public List<String> fields() {
        return options.fields;
    }

    /** By default {@link FileSchemas#AS_WRITTEN}, for record batches {@link FileSchemas#SAME}. */
    public AvroSpec fileSchemas(FileSchemas rule) {
        Options copy = options.copy();
        copy.fileSchemas = Objects.requireNonNull(rule, "rule");
        return new AvroSpec(copy);
    }

    /** See {@link #fileSchemas(FileSchemas)}; null for the format's default. */
    public @Nullable FileSchemas fileSchemas() {
        return options.fileSchemas;
    }

    /** By default {@link LogicalValues#JAVA}. */
    public AvroSpec logicalValues(LogicalValues values) {
        Options copy = options.copy();
        copy.logicalValues = Objects.requireNonNull(values, "values");
        return new AvroSpec(copy);
    }

    /** See {@link #logicalValues(LogicalValues)}. */
    public LogicalValues logicalValues() {
        return options.logicalValues;
    }

    /** The longest block, compressed and uncompressed, that is read; longer ones are lost. */
    public AvroSpec maxBlockBytes(int bytes) {
        Options copy = options.copy();
        copy.maxBlockBytes = positive("maxBlockBytes", bytes);
        return new AvroSpec(copy);
    }

    /** See {@link #maxBlockBytes(int)}. */
    public int maxBlockBytes() {
        return options.maxBlockBytes;
    }

    /** The longest header that is read; a file with a longer one is lost. */
    public AvroSpec maxHeaderBytes(int bytes) {
        Options copy = options.copy();
        copy.maxHeaderBytes = positive("maxHeaderBytes", bytes);
        return new AvroSpec(copy);
    }

    /** See {@link #maxHeaderBytes(int)}. */
    public int maxHeaderBytes() {
        return options.maxHeaderBytes;
    }

    /** How blocks are compressed when writing, and one more codec that is understood when reading. */
    public AvroSpec codec(AvroCodec codec) {
        Options copy = options.copy();
        copy.codec = Objects.requireNonNull(codec, "codec");
        return new AvroSpec(copy);
    }

    /** How blocks are compressed when writing; by default not at all. */
    public AvroCodec codec() {
        return options.codec;
    }

    /** Understands this codec too when reading. */
    public AvroSpec alsoReading(AvroCodec codec) {
        Options copy = options.copy();
        List<AvroCodec> all = new ArrayList<>(options.codecs);
        all.add(Objects.requireNonNull(codec, "codec"));
        copy.codecs = List.copyOf(all);
        return new AvroSpec(copy);
    }

    /** The codec that files name {@code name}, or null. */
    public @Nullable AvroCodec codec(String name) {
        for (AvroCodec codec : options.codecs) {
            if (codec.name().equals(name)) {
                return codec;
            }
        }
        return options.codec.name().equals(name) ? options.codec : BlockCodecs.find(name);
    }

    /** The size, uncompressed, at which a block is written. */
    public AvroSpec blockBytes(int bytes) {
        Options copy = options.copy();
        copy.blockBytes = positive("blockBytes", bytes);
        return new AvroSpec(copy);
    }

    /** See {@link #blockBytes(int)}. */
    public int blockBytes() {
        return options.blockBytes;
    }

    /**
     * Adds an entry to the header of files that are written.
     *
     * @throws IllegalArgumentException for a key that begins with {@code avro.}, which the specification reserves
     */
    public AvroSpec metadata(String key, byte[] value) {
        if (key.startsWith("avro.")) {
            throw new IllegalArgumentException("metadata keys that begin with 'avro.' are reserved: " + key);
        }
        Options copy = options.copy();
        Map<String, byte[]> all = new LinkedHashMap<>(options.metadata);
        all.put(key, value.clone());
        copy.metadata = Collections.unmodifiableMap(all);
        return new AvroSpec(copy);
    }

    /** The entries to write into headers. */
    public Map<String, byte[]> metadata() {
        return options.metadata;
    }

    private static int positive(String what, int value) {
        if (value <= 0) {
            throw new IllegalArgumentException(what + " must be positive: " + value);
        }
        return value;
    }
}
