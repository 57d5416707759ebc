package io.sluice.webflux;

import io.sluice.Dataset;
import io.sluice.Position;
import io.sluice.Positioned;
import io.sluice.ReadSpec;
import io.sluice.arrow.Arrow;
import io.sluice.arrow.ArrowSpec;
import io.sluice.arrow.IpcSpec;
import io.sluice.arrow.RecordBatch;
import io.sluice.format.Jsonl;
import io.sluice.format.JsonlSpec;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What a data set can be answered as; the first one is what those get who do not care. */
enum Representation {

    /** The lines as they are stored, a block at a time. */
    NDJSON("application/x-ndjson") {
        @Override
        Flux<Chunk> open(Dataset<?> data, ReadSpec spec, Table table) {
            return data.as(Jsonl.blocks())
                    .readPositioned(spec)
                    .map(block -> new Chunk(block.value(), block.position()));
        }
    },

    /** One array, of the records as they are stored, but checked: one bad line would spoil all. */
    JSON("application/json") {
        @Override
        Flux<Chunk> open(Dataset<?> data, ReadSpec spec, Table table) {
            return Flux.defer(() -> {
                boolean[] begun = {false};
                return groups(data.as(Jsonl.checkedBytes()).readPositioned(spec), spec.blockBytes())
                        .map(records -> {
                            ByteArrayOutputStream out = new ByteArrayOutputStream(spec.blockBytes() + 1024);
                            for (Positioned<ByteBuffer> record : records) {
                                ByteBuffer value = record.value();
                                out.writeBytes(bytes(begun[0] ? ",\n" : "["));
                                out.write(value.array(), value.arrayOffset() + value.position(), value.remaining());
                                begun[0] = true;
                            }
                            return new Chunk(
                                    ByteBuffer.wrap(out.toByteArray()),
                                    records.get(records.size() - 1).position());
                        })
                        .concatWith(Flux.defer(() ->
                                Flux.just(new Chunk(ByteBuffer.wrap(bytes(begun[0] ? "]\n" : "[]\n")), null))));
            });
        }

        private Flux<List<Positioned<ByteBuffer>>> groups(Flux<Positioned<ByteBuffer>> records, int most) {
            int[] bytes = {0};
            return records.bufferUntil(record -> {
                bytes[0] += record.value().remaining() + 2;
                boolean full = bytes[0] >= most;
                bytes[0] = full ? 0 : bytes[0];
                return full;
            });
        }
    },

    /** See {@link Csv}. */
    CSV("text/csv") {
        @Override
        Flux<Chunk> open(Dataset<?> data, ReadSpec spec, Table table) {
            return Flux.defer(() -> {
                Csv csv = new Csv(table.columns);
                return data.as(Jsonl.maps(JsonlSpec.create().bigDecimals()))
                        .readPositioned(spec)
                        .buffer(Csv.ROWS)
                        .map(rows -> new Chunk(
                                csv.encode(rows.stream().map(Positioned::value).toList()),
                                rows.get(rows.size() - 1).position()));
            });
        }
    },

    /** Record batches, as an Arrow IPC stream. Wherever in the data set an answer begins, its columns are the same. */
    ARROW("application/vnd.apache.arrow.stream") {
        @Override
        Flux<Chunk> open(Dataset<?> data, ReadSpec spec, Table table) {
            ArrowSpec columns =
                    ArrowSpec.create().batchBytes(table.batchBytes).columns(table.columns.toArray(String[]::new));
            Dataset<RecordBatch> inferred = data.as(Arrow.jsonl(table.memory));
            Mono<Schema> schema =
                    table.wholeSchema ? Arrow.schema(inferred, table.fromItsStart) : Arrow.schema(inferred);
            return schema.map(table::columnsOf).flatMapMany(chosen -> {
                AtomicReference<@Nullable Position> behind = new AtomicReference<>();
                Flux<RecordBatch> batches = data.as(Arrow.jsonl(table.memory, columns.schema(chosen)))
                        .readPositioned(spec)
                        .map(batch -> {
                            behind.set(batch.position());
                            return batch.value();
                        });
                return Arrow.ipcBytes(batches, IpcSpec.create().emptySchema(chosen))
                        .map(bytes -> new Chunk(bytes, behind.get()));
            });
        }
    };

    /** Some of the answer, and where to read on behind it; null where that is where the chunk before ended. */
    record Chunk(ByteBuffer bytes, @Nullable Position position) {}

    /**
     * How records become rows.
     *
     * @param columns the keys that are wanted; none for all
     * @param wholeSchema whether Arrow's schema is that of all records, and not of the first
     * @param fromItsStart how to read the whole data set
     * @param memory where Arrow's batches live
     * @param batchBytes the most that one of them holds
     */
    record Table(
            List<String> columns, boolean wholeSchema, ReadSpec fromItsStart, BufferAllocator memory, long batchBytes) {

        private Schema columnsOf(Schema schema) {
            List<Field> fields = schema.getFields().stream()
                    .filter(field -> columns.isEmpty() || columns.contains(field.getName()))
                    .sorted(Comparator.comparingInt(field -> columns.indexOf(field.getName())))
                    .toList();
            if (fields.size() < columns.size()) {
                throw Problem.of(
                        HttpStatus.BAD_REQUEST,
                        "not all of these columns are there; there are "
                                + schema.getFields().stream()
                                        .map(Field::getName)
                                        .toList());
            }
            return new Schema(fields);
        }
    }

    final MediaType type;

    Representation(String type) {
        this.type = MediaType.parseMediaType(type);
    }

    abstract Flux<Chunk> open(Dataset<?> data, ReadSpec spec, Table table);

    /** The one that a client wants most. */
    static Representation of(List<MediaType> accept) {
        if (accept.isEmpty()) {
            return NDJSON;
        }
        List<MediaType> byPreference = accept.stream()
                .filter(type -> type.getQualityValue() > 0)
                .sorted(Comparator.comparingDouble(MediaType::getQualityValue).reversed())
                .toList();
        for (MediaType wanted : byPreference) {
            for (Representation one : values()) {
                if (wanted.includes(one.type)) {
                    return one;
                }
            }
        }
        throw Problem.of(
                HttpStatus.NOT_ACCEPTABLE,
                "there are " + Arrays.stream(values()).map(one -> one.type).toList());
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
