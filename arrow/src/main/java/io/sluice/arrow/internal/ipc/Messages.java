package io.sluice.arrow.internal.ipc;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.apache.arrow.flatbuf.DictionaryBatch;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.flatbuf.MessageHeader;
import org.apache.arrow.flatbuf.RecordBatch;
import org.apache.arrow.flatbuf.Schema;
import org.jspecify.annotations.Nullable;

/** Encapsulated messages: a marker, the length of the metadata, the metadata, the body. */
final class Messages {

    static final byte[] MAGIC = {'A', 'R', 'R', 'O', 'W', '1'};
    /** The magic and its padding. */
    static final int MAGIC_BYTES = 8;

    static final int CONTINUATION = -1;

    private Messages() {}

    /** The metadata that stands at {@code from}; reading it may throw anything. */
    static Message metadata(byte[] bytes, int from, int length) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes, from, length).slice().order(ByteOrder.LITTLE_ENDIAN);
        return Message.getRootAsMessage(buffer);
    }

    static Schema schema(Message message) {
        return header((Schema) message.header(new Schema()));
    }

    static RecordBatch batch(Message message) {
        return header((RecordBatch) message.header(new RecordBatch()));
    }

    static DictionaryBatch dictionary(Message message) {
        return header((DictionaryBatch) message.header(new DictionaryBatch()));
    }

    private static <T> T header(@Nullable T header) {
        if (header == null) {
            throw new BadMessage("a message has no header");
        }
        return header;
    }

    static boolean isMagic(byte[] bytes, int from) {
        for (int i = 0; i < MAGIC.length; i++) {
            if (bytes[from + i] != MAGIC[i]) {
                return false;
            }
        }
        return true;
    }

    static String type(byte headerType) {
        return headerType >= 0 && headerType < MessageHeader.names.length
                ? MessageHeader.name(headerType)
                : "type " + headerType;
    }
}
