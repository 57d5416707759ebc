package io.sluice.cli;

import io.sluice.arrow.Arrow;
import io.sluice.arrow.ArrowSpec;
import io.sluice.arrow.IpcCompression;
import io.sluice.arrow.IpcSpec;
import io.sluice.arrow.RecordBatch;
import io.sluice.avro.AvroSpec;
import io.sluice.codec.Compressions;
import io.sluice.format.Format;
import java.util.List;
import java.util.Locale;
import org.apache.arrow.memory.BufferAllocator;
import org.jspecify.annotations.Nullable;

/** Files of record batches: which names mean them, and the formats they are read and written with. */
final class Columns implements AutoCloseable {

    /** More than a batch of defaults ever takes, and far less than a machine has. */
    private static final long MEMORY_BYTES = 2L << 30;

    private static final List<String> FILES = List.of(".arrow", ".feather");
    private static final List<String> STREAMS = List.of(".arrows");

    /** How container files are written. */
    AvroSpec avro = AvroSpec.create();

    final BufferAllocator allocator = Arrow.allocator(MEMORY_BYTES);

    /** Whether a location's name says that it holds batches; a directory's name may, too ({@code out.arrow/}). */
    static boolean isNamedBy(String location) {
        return has(location, FILES) || has(location, STREAMS) || AvroFiles.isNamedBy(location);
    }

    /** What only looks at JSONL and Avro says so, rather than take an Arrow file for bad JSONL. */
    static void refuseArrow(String command, String location) {
        if (isNamedBy(location) && !AvroFiles.isNamedBy(location)) {
            throw new UsageException(command + " reads JSONL and Avro, not Arrow: try sluice cat " + location
                    + " | sluice " + command + " -");
        }
    }

    /** The extensions that name them. */
    static List<String> extensions() {
        return List.of(".arrow", ".arrows", ".feather", AvroFiles.EXTENSION);
    }

    private static boolean has(String location, List<String> extensions) {
        String name = Compressions.withoutExtension(location.replaceAll("/+$", ""));
        String lower = name.toLowerCase(Locale.ROOT);
        return extensions.stream().anyMatch(lower::endsWith);
    }

    /** How a location is read or written as batches: JSONL, unless its name says otherwise. */
    Format<RecordBatch> format(String location, ArrowSpec records, IpcSpec messages) {
        if (!isNamedBy(location)) {
            return Arrow.jsonl(allocator, records);
        }
        if (AvroFiles.isNamedBy(location)) {
            return Arrow.avro(allocator, avro, records);
        }
        return has(location, STREAMS) ? Arrow.ipcStream(allocator, messages) : Arrow.ipcFile(allocator, messages);
    }

    /** What an option says. */
    static IpcCompression compression(String name, @Nullable Integer level) {
        try {
            switch (name) {
                case "zstd":
                    return level == null ? IpcCompression.zstd() : IpcCompression.zstd(level);
                case "none":
                    if (level == null) {
                        return IpcCompression.none();
                    }
                    break;
                case "lz4":
                    if (level == null) {
                        return IpcCompression.lz4();
                    }
                    break;
                default:
                    throw new UsageException("--compression is none, zstd or lz4, not " + name);
            }
        } catch (IllegalArgumentException e) {
            throw new UsageException("--level: " + e.getMessage());
        }
        throw new UsageException("--level is for zstd; say --compression zstd");
    }

    @Override
    public void close() {
        allocator.close();
    }
}
