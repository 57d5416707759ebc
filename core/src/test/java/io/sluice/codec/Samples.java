package io.sluice.codec;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Assumptions;

/** Bytes to compress, ways to compress them, and the commands to compare with. */
final class Samples {

    private Samples() {}

    /** JSON lines of about this length in sum, compressible but not trivially. */
    static byte[] lines(int length, long seed) {
        Random random = new Random(seed);
        StringBuilder text = new StringBuilder(length + 100);
        while (text.length() < length) {
            text.append("{\"id\":").append(random.nextInt(1_000_000));
            text.append(",\"name\":\"user-").append(Integer.toString(random.nextInt(5000), 36));
            text.append("\",\"score\":").append(random.nextInt(100) / 4.0).append("}\n");
        }
        return text.substring(0, length).getBytes(StandardCharsets.ISO_8859_1);
    }

    static byte[] random(int length, long seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    static byte[] concat(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    static byte[] compress(Compression compression, byte[] bytes) {
        return compress(compression, bytes, Math.max(1, bytes.length));
    }

    static byte[] compress(Compression compression, byte[] bytes, int piece) {
        Output out = new Output(16);
        try (Compressor compressor = compression.compressor()) {
            for (int at = 0; at < bytes.length; at += piece) {
                compressor.compress(bytes, at, Math.min(piece, bytes.length - at), out);
            }
            compressor.finish(out);
        }
        return bytes(out);
    }

    static byte[] bytes(Output out) {
        return Arrays.copyOf(out.array(), out.position());
    }

    static byte[] skippable(int id, int length) {
        return ByteBuffer.allocate(8 + length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0x184D2A50 + id)
                .putInt(length)
                .array();
    }

    static byte[] javaGzip(byte[] bytes) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /** A gzip member with every optional header field. */
    static byte[] gzipWithAllFields(byte[] bytes) {
        byte[] plain = javaGzip(bytes);
        byte[] header = concat(
                new byte[] {0x1F, (byte) 0x8B, 8, 0x1E, 1, 2, 3, 4, 0, 3},
                new byte[] {5, 0, 'a', 'b', 1, 0, 9},
                "name.jsonl\0".getBytes(StandardCharsets.ISO_8859_1),
                "a comment\0".getBytes(StandardCharsets.ISO_8859_1));
        CRC32 crc = new CRC32();
        crc.update(header);
        byte[] headerCrc = {(byte) crc.getValue(), (byte) (crc.getValue() >>> 8)};
        return concat(header, headerCrc, Arrays.copyOfRange(plain, 10, plain.length));
    }

    /** What a command writes to its standard output; where it is not installed the calling test is skipped and says so. */
    static byte[] command(byte[] input, String... command) throws IOException, InterruptedException {
        boolean installed = false;
        for (String folder : System.getenv().getOrDefault("PATH", "").split(java.io.File.pathSeparator)) {
            installed |= Files.isExecutable(Path.of(folder, command[0]));
        }
        Assumptions.assumeTrue(installed, "the command " + command[0] + " is not installed");
        Path in = Files.createTempFile("sluice", ".in");
        Path out = Files.createTempFile("sluice", ".out");
        try {
            Files.write(in, input);
            List<String> line = new ArrayList<>(List.of(command));
            Process process = new ProcessBuilder(line)
                    .redirectInput(in.toFile())
                    .redirectOutput(out.toFile())
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            int exit = process.waitFor();
            if (exit != 0) {
                throw new IOException(line + " exited with " + exit);
            }
            return Files.readAllBytes(out);
        } finally {
            Files.delete(in);
            Files.delete(out);
        }
    }
}
