package io.sluice.arrow.internal.ipc;

import io.sluice.RecordException.Kind;
import io.sluice.arrow.internal.ipc.IpcChunk.DictionaryChange;
import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.DecodedBlock;
import io.sluice.codec.Rejection;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.apache.arrow.flatbuf.DictionaryBatch;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.flatbuf.MessageHeader;
import org.apache.arrow.flatbuf.RecordBatch;
import org.apache.arrow.vector.types.pojo.Field;
import org.jspecify.annotations.Nullable;

/** Takes the messages of a block apart, on any thread. */
final class IpcDecoder implements BlockDecoder<IpcChunk> {

    private static final int SAMPLE_BYTES = 256;

    private final @Nullable Set<String> wanted;
    private final long maxBytes;

    /**
     * @param wanted names of the columns to read, or null for all
     * @param maxBytes how much may come out of a block
     */
    IpcDecoder(@Nullable Set<String> wanted, long maxBytes) {
        this.wanted = wanted;
        this.maxBytes = maxBytes;
    }

    @Override
    public DecodedBlock<IpcChunk> decode(Block block) {
        IpcHeader header = (IpcHeader) Objects.requireNonNull(block.header());
        List<DictionaryChange> changes = new ArrayList<>();
        HeapBatch batch = null;
        long claimed = 0;
        int at = block.from();
        try {
            while (at < block.to()) {
                Part part = part(block.bytes(), at);
                if (part.message.headerType() == MessageHeader.DictionaryBatch) {
                    changes.add(dictionary(header.schema(), block.bytes(), part, maxBytes));
                } else {
                    RecordBatch columns = Messages.batch(part.message);
                    claimed = columns.length();
                    if (claimed > 0) {
                        batch = BodyReader.read(
                                columns,
                                header.schema().version(),
                                block.bytes(),
                                part.body,
                                part.bodyLength,
                                header.schema().columns().getFields(),
                                wanted,
                                maxBytes);
                    }
                }
                at = part.body + part.bodyLength;
            }
            if (batch == null) {
                throw new BadMessage("a block without a batch");
            }
            IpcChunk chunk = new IpcChunk(header, changes, batch);
            return new DecodedBlock<>(chunk, batch.rows(), batch.rows(), 0, block.length(), 0, List.of());
        } catch (RuntimeException e) {
            Rejection rejection = new Rejection(
                    0,
                    0,
                    0,
                    block.length(),
                    Arrays.copyOfRange(
                            block.bytes(), block.from(), block.from() + Math.min(block.length(), SAMPLE_BYTES)),
                    Kind.CORRUPT,
                    BadMessage.reason(e),
                    at - block.from(),
                    true,
                    claimed,
                    e instanceof BadMessage ? null : e);
            IpcChunk nothing = new IpcChunk(
                    header, List.of(), new HeapBatch(0, List.of(), List.of(), List.of(), java.util.Map.of()));
            return new DecodedBlock<>(nothing, 0, 0, 0, 0, 0, List.of(rejection));
        }
    }

    private record Part(Message message, int body, int bodyLength) {}

    private static Part part(byte[] bytes, int at) {
        int prefix = Slice.intAt(bytes, at) == Messages.CONTINUATION ? 8 : 4;
        int length = Slice.intAt(bytes, at + prefix - 4);
        Message message = Messages.metadata(bytes, at + prefix, length);
        return new Part(message, at + prefix + length, Math.toIntExact(message.bodyLength()));
    }

    /** Reads a message that the framer has kept. */
    static DictionaryChange dictionary(IpcSchema schema, byte[] message, long maxBytes) {
        return dictionary(schema, message, part(message, 0), maxBytes);
    }

    private static DictionaryChange dictionary(IpcSchema schema, byte[] bytes, Part part, long maxBytes) {
        DictionaryBatch dictionary = Messages.dictionary(part.message);
        Field values = schema.dictionaries().get(dictionary.id());
        RecordBatch data = dictionary.data();
        if (values == null || data == null) {
            throw new BadMessage("there is a dictionary " + dictionary.id() + ", which no column refers to");
        }
        HeapBatch batch = BodyReader.read(
                data, schema.version(), bytes, part.body, part.bodyLength, List.of(values), null, maxBytes);
        return new DictionaryChange(dictionary.id(), dictionary.isDelta(), batch);
    }
}
