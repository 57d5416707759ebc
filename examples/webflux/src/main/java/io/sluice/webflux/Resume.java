package io.sluice.webflux;

import io.sluice.Checkpoint;
import io.sluice.Position;
import io.sluice.storage.ObjectMeta;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;

/**
 * Positions as clients see them: {@code ?from=}, the header and trailer {@code Sluice-Position}, and marks. A token is a position's,
 * a dot, and a checksum of its shard's ETag: where the data set was deleted and written anew, going on from it is refused.
 *
 * <p>A mark is white space at the end of a line, which JSON allows there (RFC 8259, section 2), so that those who do not look for
 * it do not see it: eight tabs, then the token, each bit of its ASCII characters a space (0) or a tab (1), highest first. As no
 * character has its highest bit set, a token never has eight tabs in a row. It says where to go on behind that line.
 */
final class Resume {

    static final String HEADER = "Sluice-Position";

    private static final byte[] BEGIN = "\t".repeat(Byte.SIZE).getBytes(StandardCharsets.US_ASCII);

    private Resume() {}

    static String token(Position position, List<Checkpoint.Pin> shards) {
        for (Checkpoint.Pin shard : shards) {
            if (shard.key().equals(position.key())) {
                return position.token() + '.' + tag(shard.etag());
            }
        }
        throw new IllegalStateException("a position in none of the shards: " + position);
    }

    /** Where to begin reading the shards as they are now. */
    static Checkpoint checkpoint(@Nullable String token, List<ObjectMeta> found) {
        List<Checkpoint.Pin> shards = found.stream()
                .map(meta -> new Checkpoint.Pin(meta.key(), meta.size(), meta.etag()))
                .toList();
        if (token == null) {
            return new Checkpoint(shards, Position.startOf(shards.get(0).key()));
        }
        int dot = token.indexOf('.');
        Position position;
        try {
            position = Position.parse(dot < 0 ? token : token.substring(0, dot));
        } catch (IllegalArgumentException e) {
            throw Problem.of(HttpStatus.BAD_REQUEST, "from is not a position that this service has given");
        }
        for (Checkpoint.Pin shard : shards) {
            if (shard.key().equals(position.key()) && tag(shard.etag()).equals(token.substring(dot + 1))) {
                return new Checkpoint(shards, position);
            }
        }
        throw Problem.of(
                HttpStatus.PRECONDITION_FAILED,
                "the data set has been replaced since the position was given; read it from its start");
    }

    private static String tag(@Nullable String etag) {
        CRC32 checksum = new CRC32();
        checksum.update(String.valueOf(etag).getBytes(StandardCharsets.UTF_8));
        return Long.toHexString(checksum.getValue());
    }

    /** The block with a mark at the end of its last line. */
    static ByteBuffer marked(ByteBuffer block, String token) {
        ByteBuffer marked = ByteBuffer.allocate(block.remaining() + BEGIN.length + token.length() * Byte.SIZE);
        marked.put(block.slice(block.position(), block.remaining() - 1)).put(BEGIN);
        for (int i = 0; i < token.length(); i++) {
            for (int bit = Byte.SIZE - 1; bit >= 0; bit--) {
                marked.put((byte) ((token.charAt(i) >> bit & 1) == 0 ? ' ' : '\t'));
            }
        }
        return marked.put((byte) '\n').flip();
    }
}
