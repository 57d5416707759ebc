package io.sluice.webflux;

import io.sluice.CorruptDataException;
import io.sluice.Dataset;
import io.sluice.ErrorPolicy;
import io.sluice.ReadSpec;
import io.sluice.RecordException;
import io.sluice.Rejected;
import io.sluice.Shard;
import io.sluice.ShardWriter;
import io.sluice.StorageException;
import io.sluice.WriteResult;
import io.sluice.WriteSpec;
import io.sluice.arrow.Arrow;
import io.sluice.arrow.IpcSpec;
import io.sluice.format.Format;
import io.sluice.format.Jsonl;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.arrow.memory.BufferAllocator;
import org.springframework.context.SmartLifecycle;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;
import org.springframework.web.ErrorResponseException;
import org.springframework.web.reactive.function.BodyExtractors;
import org.springframework.web.reactive.function.server.ServerRequest;
import org.springframework.web.reactive.function.server.ServerResponse;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * {@code POST /datasets/{name}}: reads the body as a file of records and writes them as shards. An upload that fails, is broken off, or
 * is still under way when the service has stopped leaves nothing: the shards that it had committed are deleted.
 */
@Component
class Writes implements SmartLifecycle {

    private static final int MOST_REJECTED_SHOWN = 10;

    private final Catalog catalog;
    private final ReadSpec readSpec;
    private final WriteSpec writeSpec;
    private final BufferAllocator arrowMemory;
    private final Limits limits;
    private final Meters meters;
    private final Set<Upload<?>> open = ConcurrentHashMap.newKeySet();
    private volatile boolean running;

    Writes(
            Catalog catalog,
            ReadSpec readSpec,
            WriteSpec writeSpec,
            BufferAllocator arrowMemory,
            Limits limits,
            Meters meters) {
        this.catalog = catalog;
        this.readSpec = readSpec;
        this.writeSpec = writeSpec;
        this.arrowMemory = arrowMemory;
        this.limits = limits;
        this.meters = meters;
    }

    /** What the answer says. */
    record Summary(
            String dataset,
            long records,
            long bytes,
            long storedBytes,
            List<Part> shards,
            long rejected,
            List<Bad> firstRejected) {}

    record Part(String name, long records, long bytes, long storedBytes, String checksum) {}

    record Bad(long line, long offset, String reason) {}

    Mono<ServerResponse> post(ServerRequest request) {
        MediaType type = request.headers().contentType().orElse(MediaType.APPLICATION_NDJSON);
        if (type.equalsTypeAndSubtype(Representation.ARROW.type)) {
            IpcSpec sent = IpcSpec.create()
                    .maxMessageBytes(Math.toIntExact(limits.arrow().message().toBytes()));
            return post(request, Arrow.ipcStream(arrowMemory, sent), Arrow.jsonl(arrowMemory));
        }
        return type.getSubtype().matches("x-ndjson|jsonl|x-jsonlines|octet-stream|x-www-form-urlencoded")
                ? post(request, Jsonl.checkedBytes(), Jsonl.bytes())
                : Mono.error(Problem.of(
                        HttpStatus.UNSUPPORTED_MEDIA_TYPE,
                        "send " + Representation.NDJSON.type + " or " + Representation.ARROW.type));
    }

    private <T> Mono<ServerResponse> post(ServerRequest request, Format<T> sent, Format<T> stored) {
        String name = request.pathVariable("name");
        return catalog.at(name, stored)
                .flatMap(data -> Mono.usingWhen(
                        Mono.fromSupplier(() -> new Upload<>(data, request, sent)),
                        Upload::run,
                        Upload::leave,
                        (upload, error) -> upload.undo(),
                        Upload::undo))
                .onErrorMap(
                        StorageException.class, e -> e.getCause() instanceof ErrorResponseException known ? known : e)
                .onErrorMap(RecordException.class, e -> Problem.inBody(e, e.kind() == RecordException.Kind.TOO_LONG))
                .onErrorMap(
                        CorruptDataException.class,
                        e -> Problem.inBody(e, e.offset() >= limits.maxContent().toBytes()))
                .doOnError(ErrorResponseException.class, e -> {
                    if (e.getStatusCode().is4xxClientError()) {
                        meters.rejected(
                                switch (e.getStatusCode().value()) {
                                    case 408 -> "stall";
                                    case 413 -> "limit";
                                    default -> "record";
                                });
                    }
                })
                .flatMap(summary -> ServerResponse.created(URI.create("/datasets/" + name))
                        .contentType(MediaType.APPLICATION_JSON)
                        .bodyValue(summary));
    }

    private final class Upload<T> {
        private final Dataset<T> data;
        private final String name;
        private final Flux<T> records;
        private final ShardWriter<T> writer;
        private final List<Bad> firstRejected = new ArrayList<>();
        private long rejected;
        private final Runnable leave;
        private volatile boolean committed;

        Upload(Dataset<T> data, ServerRequest request, Format<T> sent) {
            if (!running) {
                throw Problem.of(HttpStatus.SERVICE_UNAVAILABLE, "the service is stopping");
            }
            this.data = data;
            this.name = request.pathVariable("name");
            this.records = records(request, sent);
            this.writer = data.writer(writeSpec);
            this.leave = meters.writes.enter();
            open.add(this);
        }

        private Flux<T> records(ServerRequest request, Format<T> sent) {
            HttpHeaders headers = request.headers().asHttpHeaders();
            if (headers.getContentLength() > limits.maxBody().toBytes()) {
                throw RequestBody.tooLarge(limits.maxBody().toBytes());
            }
            ErrorPolicy policy = switch (request.queryParam("on-error").orElse("fail")) {
                case "fail" -> ErrorPolicy.fail();
                case "skip" -> ErrorPolicy.deadLetter(this::rejected);
                default -> throw Problem.of(HttpStatus.BAD_REQUEST, "on-error may be fail or skip");
            };
            Flux<DataBuffer> body = request.body(BodyExtractors.toDataBuffers());
            return Dataset.at(new RequestBody(body, limits), RequestBody.KEY, sent)
                    .read(readSpec.onError(policy)
                            .compression(Encoding.ofContent(headers.getFirst(HttpHeaders.CONTENT_ENCODING)).compression)
                            .maxDecompressedBytes(limits.maxContent().toBytes()));
        }

        private void rejected(Rejected bad) {
            meters.rejected("record");
            rejected++;
            if (firstRejected.size() < MOST_REJECTED_SHOWN) {
                firstRejected.add(new Bad(bad.line(), bad.offset(), bad.cause().reason()));
            }
        }

        Mono<Summary> run() {
            return Mono.defer(() -> {
                        records.subscribe(writer);
                        return writer.result();
                    })
                    .doOnNext(result -> committed = true)
                    .map(this::summary);
        }

        private Summary summary(WriteResult result) {
            meters.writes.records.increment((double) result.records());
            meters.writes.bytes.increment((double) result.bytes());
            List<Part> parts = result.shards().stream()
                    .map(shard -> new Part(
                            shard.key().substring(data.location().length()),
                            shard.records(),
                            shard.bytes(),
                            shard.writtenBytes(),
                            shard.checksum()))
                    .toList();
            return new Summary(
                    name, result.records(), result.bytes(), result.writtenBytes(), parts, rejected, firstRejected);
        }

        Mono<Void> leave() {
            return Mono.fromRunnable(() -> {
                leave.run();
                open.remove(this);
            });
        }

        /** Waits for what the writer is just doing, and takes it back. */
        Mono<Void> undo() {
            if (committed) {
                return leave();
            }
            writer.dispose();
            return writer.committed()
                    .map(Shard::key)
                    .onErrorComplete()
                    .collectList()
                    .flatMapIterable(keys -> keys)
                    .flatMap(key -> data.store().delete(key), 8)
                    .then()
                    .onErrorComplete()
                    .then(leave());
        }
    }

    // --- behind the web server's own phases: it has refused new requests and waited for those under way

    @Override
    public int getPhase() {
        return DEFAULT_PHASE - 4096;
    }

    @Override
    public void start() {
        running = true;
    }

    @Override
    public void stop() {
        throw new UnsupportedOperationException("Spring calls stop(Runnable)");
    }

    @Override
    public void stop(Runnable stopped) {
        running = false;
        Flux.fromIterable(open)
                .flatMap(Upload::undo, 64)
                .then()
                .doFinally(end -> stopped.run())
                .subscribe();
    }

    @Override
    public boolean isRunning() {
        return running;
    }
}
