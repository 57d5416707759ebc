package io.sluice.cli;

import io.sluice.Dataset;
import io.sluice.avro.Avro;
import io.sluice.avro.AvroCodec;
import io.sluice.avro.AvroHeader;
import io.sluice.avro.AvroSpec;
import io.sluice.codec.Compressions;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Avro container files on the command line. */
final class AvroFiles {

    static final String EXTENSION = ".avro";

    private AvroFiles() {}

    /** Whether a location's name says that it holds container files; a directory's may, too ({@code out.avro/}). */
    static boolean isNamedBy(String location) {
        String name = Compressions.withoutExtension(location.replaceAll("/+$", ""));
        return name.toLowerCase(Locale.ROOT).endsWith(EXTENSION);
    }

    /** What the options say of the blocks' compression. */
    static AvroCodec codec(String name, @Nullable Integer level) {
        try {
            switch (name) {
                case "none", "null":
                    break;
                case "deflate":
                    return level == null ? AvroCodec.deflate() : AvroCodec.deflate(level);
                case "zstd", "zstandard":
                    return level == null ? AvroCodec.zstandard() : AvroCodec.zstandard(level);
                case "xz":
                    return level == null ? AvroCodec.xz() : AvroCodec.xz(level);
                case "snappy", "bzip2":
                    if (level == null) {
                        return AvroCodec.named(name);
                    }
                    break;
                default:
                    throw new UsageException(
                            "--compression is none, deflate, snappy, zstd, bzip2 or xz for Avro, not " + name);
            }
        } catch (IllegalArgumentException e) {
            throw new UsageException("--level: " + e.getMessage());
        }
        if (level != null) {
            throw new UsageException("--level is for deflate, zstd and xz; say --compression zstd");
        }
        return AvroCodec.none();
    }

    /** The header of a data set's first file. */
    static AvroHeader header(Dataset<?> dataset) {
        AvroHeader header = Avro.header(dataset).block();
        if (header == null) {
            throw new UsageException("there is nothing in " + dataset.location());
        }
        return header;
    }

    /** How to write a file like another: its schema, its compression, its metadata. */
    static AvroSpec like(AvroHeader header) {
        AvroSpec spec = AvroSpec.create().schema(header.schema()).codec(header.codec());
        for (Map.Entry<String, byte[]> entry : header.metadata().entrySet()) {
            if (!entry.getKey().startsWith("avro.")) {
                spec = spec.metadata(entry.getKey(), entry.getValue());
            }
        }
        return spec;
    }
}
