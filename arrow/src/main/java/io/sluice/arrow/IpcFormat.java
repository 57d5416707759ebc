package io.sluice.arrow;

import io.sluice.arrow.internal.ipc.IpcEncoder;
import io.sluice.arrow.internal.ipc.IpcFramer;
import io.sluice.arrow.internal.ipc.IpcReader;
import io.sluice.codec.Block;
import io.sluice.codec.Encoder;
import io.sluice.codec.FormatReader;
import io.sluice.codec.Framer;
import io.sluice.codec.Output;
import io.sluice.codec.ReadLimits;
import io.sluice.format.Format;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;

/** Arrow IPC: reads files and streams alike, writes one of them. */
final class IpcFormat implements Format<RecordBatch> {

    static final int MAX_BUFFERED_BATCHES = 2;

    private final boolean isFile;
    private final BufferAllocator allocator;
    private final IpcSpec spec;

    IpcFormat(boolean isFile, BufferAllocator allocator, IpcSpec spec) {
        this.isFile = isFile;
        this.allocator = allocator;
        this.spec = spec;
    }

    @Override
    public String name() {
        return isFile ? "arrow file" : "arrow stream";
    }

    @Override
    public List<String> extensions() {
        return isFile ? List.of(".arrow", ".arrows", ".feather") : List.of(".arrows", ".arrow", ".feather");
    }

    @Override
    public Framer framer(ReadLimits limits) {
        return new IpcFramer(spec.maxMessageBytes());
    }

    @Override
    public int maxBlockBytes(ReadLimits limits) {
        return spec.maxMessageBytes();
    }

    @Override
    public FormatReader<?, RecordBatch> reader(ReadLimits limits, List<Block> sample) {
        return new IpcReader<>(allocator, RecordBatch::of, spec.columns(), spec.maxMessageBytes());
    }

    @Override
    public Encoder<RecordBatch> encoder() {
        return new BatchEncoder(encoder(isFile, spec));
    }

    static IpcEncoder encoder(boolean isFile, IpcSpec spec) {
        IpcCompression compression = spec.compression();
        return new IpcEncoder(isFile, compression.codec(), compression.level(), spec.emptySchema());
    }

    @Override
    public int maxBufferedValues() {
        return MAX_BUFFERED_BATCHES;
    }

    @Override
    public void release(RecordBatch value) {
        value.close();
    }

    @Override
    public String toString() {
        return name();
    }

    private record BatchEncoder(IpcEncoder encoder) implements Encoder<RecordBatch> {

        @Override
        public int encode(RecordBatch value, Output out) {
            encoder.encode(value.root(), value.dictionaries(), out);
            return value.rowCount();
        }

        @Override
        public void undo() {
            encoder.undo();
        }

        @Override
        public void finish(Output out) {
            encoder.finish(out);
        }
    }
}
