package io.sluice.webflux;

import io.sluice.Dataset;
import io.sluice.Position;
import io.sluice.Positioned;
import io.sluice.ReadSpec;
import io.sluice.format.Jsonl;
import io.sluice.format.JsonlSpec;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import reactor.core.publisher.Flux;

/** What a data set can be answered as; the first one is what those get who do not care. */
enum Representation {

    /** The lines as they are stored, a block at a time. */
    NDJSON("application/x-ndjson") {
        @Override
        Flux<Chunk> open(Dataset<?> data, ReadSpec spec, List<String> columns) {
            return data.as(Jsonl.blocks())
                    .readPositioned(spec)
                    .map(block -> new Chunk(block.value(), block.position()));
        }
    },

    /** One array, of the records as they are stored, but checked: one bad line would spoil all. */
    JSON("application/json") {
        @Override
        Flux<Chunk> open(Dataset<?> data, ReadSpec spec, List<String> columns) {
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
        Flux<Chunk> open(Dataset<?> data, ReadSpec spec, List<String> columns) {
            return Flux.defer(() -> {
                Csv csv = new Csv(columns);
                return data.as(Jsonl.maps(JsonlSpec.create().bigDecimals()))
                        .readPositioned(spec)
                        .buffer(Csv.ROWS)
                        .map(rows -> new Chunk(
                                csv.encode(rows.stream().map(Positioned::value).toList()),
                                rows.get(rows.size() - 1).position()));
            });
        }
    };

    /** Some of the answer, and where to read on behind it; null where that is where the chunk before ended. */
    record Chunk(ByteBuffer bytes, @Nullable Position position) {}

    final MediaType type;

    Representation(String type) {
        this.type = MediaType.parseMediaType(type);
    }

    abstract Flux<Chunk> open(Dataset<?> data, ReadSpec spec, List<String> columns);

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
        throw Problem.of(HttpStatus.NOT_ACCEPTABLE, "there are application/x-ndjson, application/json and text/csv");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
