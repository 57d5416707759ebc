package io.sluice.avro;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;

/** What a container file says of itself before its first block. Immutable. */
public final class AvroHeader {

    /** The metadata key that holds the schema. */
    public static final String SCHEMA_KEY = "avro.schema";

    /** The metadata key that holds the codec's name. */
    public static final String CODEC_KEY = "avro.codec";

    private final Schema schema;
    private final String schemaJson;
    private final AvroCodec codec;
    private final byte[] sync;
    private final Map<String, byte[]> metadata;
    private final long length;

    /**
     * @param schema the schema that the file was written with
     * @param schemaJson its text as it stands in the file
     * @param codec how the blocks are compressed
     * @param sync the 16 bytes that end every block
     * @param metadata all entries, the ones above included
     * @param length the header's bytes, sync marker included
     */
    public AvroHeader(
            Schema schema, String schemaJson, AvroCodec codec, byte[] sync, Map<String, byte[]> metadata, long length) {
        this.schema = Objects.requireNonNull(schema, "schema");
        this.schemaJson = Objects.requireNonNull(schemaJson, "schemaJson");
        this.codec = Objects.requireNonNull(codec, "codec");
        this.sync = sync.clone();
        Map<String, byte[]> copy = new LinkedHashMap<>();
        metadata.forEach((key, value) -> copy.put(key, value.clone()));
        this.metadata = copy;
        this.length = length;
    }

    /** The schema that the file was written with. */
    public Schema schema() {
        return schema;
    }

    /** The schema's text as it stands in the file. */
    public String schemaJson() {
        return schemaJson;
    }

    /** How the blocks are compressed. */
    public AvroCodec codec() {
        return codec;
    }

    /** A copy of the 16 bytes that end every block. */
    public byte[] sync() {
        return sync.clone();
    }

    /** A copy of the metadata, in the file's order, the schema's and the codec's entries included. */
    public Map<String, byte[]> metadata() {
        Map<String, byte[]> copy = new LinkedHashMap<>();
        metadata.forEach((key, value) -> copy.put(key, value.clone()));
        return Collections.unmodifiableMap(copy);
    }

    /** A metadata value as text, or null. */
    public @Nullable String metadata(String key) {
        byte[] value = metadata.get(key);
        return value == null ? null : new String(value, StandardCharsets.UTF_8);
    }

    /** The header's length in bytes: the offset of the first block. */
    public long length() {
        return length;
    }

    @Override
    public String toString() {
        return "AvroHeader[codec=" + codec.name() + ", schema=" + schemaJson + "]";
    }
}
