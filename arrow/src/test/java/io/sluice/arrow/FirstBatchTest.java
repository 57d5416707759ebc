package io.sluice.arrow;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.Dataset;
import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.BlockEmitter;
import io.sluice.codec.BlockOrigin;
import io.sluice.codec.Encoder;
import io.sluice.codec.FormatReader;
import io.sluice.codec.Framer;
import io.sluice.codec.ReadLimits;
import io.sluice.format.Format;
import io.sluice.storage.InMemoryObjectStore;
import java.util.List;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Whoever is told something about the first batch may close the allocator then, whatever reading held besides that batch. */
class FirstBatchTest {

    /** Batches of another format, during whose reading memory is held until it is over. */
    private record Holding(Format<RecordBatch> batches, BufferAllocator allocator) implements Format<RecordBatch> {

        @Override
        public String name() {
            return batches.name();
        }

        @Override
        public List<String> extensions() {
            return batches.extensions();
        }

        @Override
        public Framer framer(ReadLimits limits) {
            return batches.framer(limits);
        }

        @Override
        public int maxBlockBytes(ReadLimits limits) {
            return batches.maxBlockBytes(limits);
        }

        @Override
        public FormatReader<?, RecordBatch> reader(ReadLimits limits, List<Block> sample) {
            return new HoldingReader<>(batches.reader(limits, sample), allocator);
        }

        @Override
        public Encoder<RecordBatch> encoder() {
            return batches.encoder();
        }

        @Override
        public void release(RecordBatch value) {
            value.close();
        }
    }

    private record HoldingReader<B>(FormatReader<B, RecordBatch> reader, BufferAllocator allocator)
            implements FormatReader<B, RecordBatch> {

        @Override
        public BlockDecoder<B> decoder() {
            return reader.decoder();
        }

        @Override
        public BlockEmitter<B, RecordBatch> emitter() {
            return new HoldingEmitter<>(reader.emitter(), allocator.buffer(64));
        }
    }

    private record HoldingEmitter<B>(BlockEmitter<B, RecordBatch> emitter, ArrowBuf held)
            implements BlockEmitter<B, RecordBatch> {

        @Override
        public void accept(BlockOrigin origin, B values, int from, int to) {
            emitter.accept(origin, values, from, to);
        }

        @Override
        public void skipped(BlockOrigin origin, B values) {
            emitter.skipped(origin, values);
        }

        @Override
        public boolean hasNext() {
            return emitter.hasNext();
        }

        @Override
        public @Nullable RecordBatch poll() {
            return emitter.poll();
        }

        @Override
        public int polledRecords() {
            return emitter.polledRecords();
        }

        @Override
        public boolean holdsBack() {
            return emitter.holdsBack();
        }

        @Override
        public void end() {
            emitter.end();
        }

        @Override
        public void close() {
            emitter.close();
            held.close();
        }
    }

    @Test
    void comesWhenAllMemoryIsBack() {
        try (BufferAllocator allocator = new RootAllocator()) {
            InMemoryObjectStore store = InMemoryObjectStore.create();
            Format<RecordBatch> format = new Holding(Arrow.ipcFile(allocator), allocator);
            Dataset<RecordBatch> dataset = Dataset.at(store, "x.arrow", format);
            dataset.write(Flux.range(0, 3).map(i -> Batches.random(allocator, i, 50)))
                    .block();

            for (Mono<?> told : List.of(Arrow.schema(dataset), Arrow.estimateBatchBytes(dataset))) {
                Long inUse = told.map(value -> allocator.getAllocatedMemory()).block();
                assertThat(inUse).isZero();
            }
        }
    }
}
