package io.sluice.arrow.internal.ipc;

import com.google.flatbuffers.FlatBufferBuilder;
import io.sluice.RecordException;
import io.sluice.RecordException.Kind;
import io.sluice.SluiceException;
import io.sluice.codec.Output;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.flatbuf.BodyCompression;
import org.apache.arrow.flatbuf.BodyCompressionMethod;
import org.apache.arrow.flatbuf.Buffer;
import org.apache.arrow.flatbuf.DictionaryBatch;
import org.apache.arrow.flatbuf.FieldNode;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.flatbuf.MessageHeader;
import org.apache.arrow.flatbuf.MetadataVersion;
import org.apache.arrow.flatbuf.RecordBatch;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.vector.ipc.message.ArrowBlock;
import org.apache.arrow.vector.ipc.message.ArrowFieldNode;
import org.apache.arrow.vector.ipc.message.ArrowFooter;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.ipc.message.IpcOption;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/** Writes encapsulated messages (Arrow's columnar format, version 1.0 and later). Single-threaded. */
final class MessageWriter {

    /** Multiple that every buffer's and message's length is. */
    private static final int ALIGNMENT = 8;

    private static final byte[] PADDING = new byte[ALIGNMENT];
    private static final byte[] PLAIN = {};
    private static final int MAX_BODY = Integer.MAX_VALUE - (1 << 20);

    private final @Nullable BodyCodec codec;
    private final int level;
    private byte[] scratch = new byte[0];

    /** @param codec how bodies are compressed; null for not at all */
    MessageWriter(@Nullable BodyCodec codec, int level) {
        this.codec = codec;
        this.level = level;
    }

    static void magic(Output out) {
        out.write(Messages.MAGIC, 0, Messages.MAGIC.length);
        out.write(PADDING, 0, Messages.MAGIC_BYTES - Messages.MAGIC.length);
    }

    /** @param schema dictionary-encoded fields with the type of their values */
    static void schema(Schema schema, Output out) {
        metadata(MessageSerializer.serializeMetadata(schema, IpcOption.DEFAULT), out);
    }

    /** The mark of the end. */
    static void end(Output out) {
        byte[] b = out.ensure(8);
        Slice.putInt(b, out.position(), Messages.CONTINUATION);
        Slice.putInt(b, out.position() + 4, 0);
        out.position(out.position() + 8);
    }

    static void footer(Schema schema, List<ArrowBlock> dictionaries, List<ArrowBlock> batches, Output out) {
        FlatBufferBuilder builder = new FlatBufferBuilder();
        builder.finish(new ArrowFooter(schema, dictionaries, batches).writeTo(builder));
        ByteBuffer footer = builder.dataBuffer();
        int length = footer.remaining();
        byte[] b = out.ensure(length + 4 + Messages.MAGIC.length);
        footer.get(b, out.position(), length);
        Slice.putInt(b, out.position() + length, length);
        out.position(out.position() + length + 4);
        out.write(Messages.MAGIC, 0, Messages.MAGIC.length);
    }

    /**
     * Writes a record batch, or the values of a dictionary; where that stands relative to the position that {@code out} had.
     *
     * @param dictionary id of the dictionary; negative for a record batch
     * @param adds whether the values come behind those that the dictionary has
     */
    ArrowBlock batch(ArrowRecordBatch batch, long dictionary, boolean adds, Output out) {
        List<ArrowBuf> buffers = batch.getBuffers();
        int count = buffers.size();
        long[] offsets = new long[count];
        long[] lengths = new long[count];
        byte[][] compressed = new byte[count][0];
        long body = 0;
        for (int i = 0; i < count; i++) {
            ArrowBuf buffer = buffers.get(i);
            long length = buffer.readableBytes();
            if (length > MAX_BODY) {
                throw tooLong();
            }
            if (codec != null && length > 0) {
                byte[] smaller = compress(codec, buffer, (int) length);
                compressed[i] = smaller;
                length = smaller.length == 0 ? length + 8 : smaller.length + 8L;
            }
            offsets[i] = body;
            lengths[i] = length;
            body += padded(length);
            if (body > MAX_BODY) {
                throw tooLong();
            }
        }
        int start = out.position();
        metadata(metadata(batch, dictionary, adds, offsets, lengths, body), out);
        int metadataLength = out.position() - start;
        for (int i = 0; i < count; i++) {
            body(buffers.get(i), compressed[i], (int) lengths[i], out);
        }
        return new ArrowBlock(0, metadataLength, body);
    }

    private void body(ArrowBuf buffer, byte[] compressed, int length, Output out) {
        int padded = (int) padded(length);
        byte[] b = out.ensure(padded);
        int p = out.position();
        int prefix = codec == null || length == 0 ? 0 : 8;
        if (prefix > 0) {
            Slice.putLong(b, p, compressed.length == 0 ? -1 : buffer.readableBytes());
        }
        if (compressed.length > 0) {
            System.arraycopy(compressed, 0, b, p + prefix, compressed.length);
        } else if (length > prefix) {
            buffer.getBytes(buffer.readerIndex(), b, p + prefix, length - prefix);
        }
        System.arraycopy(PADDING, 0, b, p + length, padded - length);
        out.position(p + padded);
    }

    private static RecordException tooLong() {
        return new RecordException(
                Kind.TOO_LONG, null, -1, -1, "a batch of more than 2 GiB can't be written: write smaller ones", null);
    }

    private static long padded(long length) {
        return (length + ALIGNMENT - 1) & -ALIGNMENT;
    }

    /** The compressed bytes, or none where that would not be worth it. */
    private byte[] compress(BodyCodec with, ArrowBuf buffer, int length) {
        if (scratch.length < length) {
            scratch = new byte[Math.max(length, Math.min(MAX_BODY, scratch.length * 2))];
        }
        buffer.getBytes(buffer.readerIndex(), scratch, 0, length);
        try {
            byte[] smaller = with.compress(scratch, length, level);
            return smaller.length < length ? smaller : PLAIN;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (NoClassDefFoundError e) {
            throw new SluiceException(
                    null, -1, -1, with + " compression needs a library that is not there: " + with.missing(), e);
        }
    }

    private ByteBuffer metadata(
            ArrowRecordBatch batch, long dictionary, boolean adds, long[] offsets, long[] lengths, long body) {
        FlatBufferBuilder builder = new FlatBufferBuilder();
        List<ArrowFieldNode> nodes = batch.getNodes();
        RecordBatch.startNodesVector(builder, nodes.size());
        for (int i = nodes.size() - 1; i >= 0; i--) {
            FieldNode.createFieldNode(
                    builder, nodes.get(i).getLength(), nodes.get(i).getNullCount());
        }
        int nodesAt = builder.endVector();
        RecordBatch.startBuffersVector(builder, offsets.length);
        for (int i = offsets.length - 1; i >= 0; i--) {
            Buffer.createBuffer(builder, offsets[i], lengths[i]);
        }
        int buffersAt = builder.endVector();
        int compressionAt = codec == null
                ? 0
                : BodyCompression.createBodyCompression(builder, codec.id, BodyCompressionMethod.BUFFER);
        List<Long> variadic = batch.getVariadicBufferCounts();
        int variadicAt = variadic == null || variadic.isEmpty()
                ? 0
                : RecordBatch.createVariadicBufferCountsVector(
                        builder, variadic.stream().mapToLong(Long::longValue).toArray());
        RecordBatch.startRecordBatch(builder);
        RecordBatch.addLength(builder, batch.getLength());
        RecordBatch.addNodes(builder, nodesAt);
        RecordBatch.addBuffers(builder, buffersAt);
        if (compressionAt != 0) {
            RecordBatch.addCompression(builder, compressionAt);
        }
        if (variadicAt != 0) {
            RecordBatch.addVariadicBufferCounts(builder, variadicAt);
        }
        int header = RecordBatch.endRecordBatch(builder);
        byte type = MessageHeader.RecordBatch;
        if (dictionary >= 0) {
            DictionaryBatch.startDictionaryBatch(builder);
            DictionaryBatch.addId(builder, dictionary);
            DictionaryBatch.addData(builder, header);
            DictionaryBatch.addIsDelta(builder, adds);
            header = DictionaryBatch.endDictionaryBatch(builder);
            type = MessageHeader.DictionaryBatch;
        }
        Message.startMessage(builder);
        Message.addHeaderType(builder, type);
        Message.addHeader(builder, header);
        Message.addVersion(builder, MetadataVersion.V5);
        Message.addBodyLength(builder, body);
        builder.finish(Message.endMessage(builder));
        return builder.dataBuffer();
    }

    private static void metadata(ByteBuffer message, Output out) {
        int length = message.remaining();
        int padded = (int) padded(length);
        byte[] b = out.ensure(8 + padded);
        int p = out.position();
        Slice.putInt(b, p, Messages.CONTINUATION);
        Slice.putInt(b, p + 4, padded);
        message.get(b, p + 8, length);
        System.arraycopy(PADDING, 0, b, p + 8 + length, padded - length);
        out.position(p + 8 + padded);
    }

    /** A batch's buffers as they lie in memory. */
    static List<byte[]> copy(ArrowRecordBatch batch) {
        List<byte[]> all = new ArrayList<>();
        for (ArrowBuf buffer : batch.getBuffers()) {
            byte[] bytes = new byte[Math.toIntExact(buffer.readableBytes())];
            buffer.getBytes(buffer.readerIndex(), bytes);
            all.add(bytes);
        }
        return all;
    }
}
