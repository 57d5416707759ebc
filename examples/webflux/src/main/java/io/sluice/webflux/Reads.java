package io.sluice.webflux;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.sluice.Checkpoint;
import io.sluice.Dataset;
import io.sluice.DatasetListener;
import io.sluice.Position;
import io.sluice.Positioned;
import io.sluice.ReadProgress;
import io.sluice.ReadSpec;
import io.sluice.format.Jsonl;
import io.sluice.webflux.Representation.Chunk;
import io.sluice.webflux.Representation.Table;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.apache.arrow.memory.BufferAllocator;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ReactiveHttpOutputMessage;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.http.server.reactive.ServerHttpResponseDecorator;
import org.springframework.stereotype.Component;
import org.springframework.web.reactive.function.server.ServerRequest;
import org.springframework.web.reactive.function.server.ServerResponse;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.http.server.HttpServerResponse;

/** {@code GET /datasets/{name}}: opens the data set, encodes, and lets the socket ask for one block after the other. */
@Component
class Reads {

    private final Catalog catalog;
    private final ReadSpec spec;
    private final BufferAllocator arrowMemory;
    private final Limits limits;
    private final Meters meters;

    Reads(Catalog catalog, ReadSpec spec, BufferAllocator arrowMemory, Limits limits, Meters meters) {
        this.catalog = catalog;
        this.spec = spec;
        this.arrowMemory = arrowMemory;
        this.limits = limits;
        this.meters = meters;
    }

    /** What a client asks for. */
    private record Query(
            Representation as,
            Encoding encoding,
            long limit,
            long skip,
            boolean positions,
            List<String> columns,
            boolean wholeSchema) {

        static Query of(ServerRequest request) {
            Representation as = Representation.of(request.headers().accept());
            return new Query(
                    as,
                    Encoding.of(request.headers().firstHeader(HttpHeaders.ACCEPT_ENCODING)),
                    number(request.queryParam("limit"), "limit", Long.MAX_VALUE),
                    number(request.queryParam("skip"), "skip", 0),
                    as == Representation.NDJSON && is(request, "positions", "true"),
                    request.queryParam("columns")
                            .map(names -> Stream.of(names.split(",")).distinct().toList())
                            .orElse(List.of()),
                    is(request, "schema", "all"));
        }

        private static boolean is(ServerRequest request, String name, String value) {
            return request.queryParam(name).filter(value::equals).isPresent();
        }

        private static long number(Optional<String> text, String name, long otherwise) {
            try {
                long number = text.map(Long::parseLong).orElse(otherwise);
                if (number >= 0) {
                    return number;
                }
            } catch (NumberFormatException e) {
                // as below
            }
            throw Problem.of(HttpStatus.BAD_REQUEST, name + " must be a number, at least 0");
        }
    }

    Mono<ServerResponse> get(ServerRequest request) {
        String name = request.pathVariable("name");
        return Mono.fromSupplier(() -> Query.of(request))
                .flatMap(query -> catalog.shards(name)
                        .map(shards ->
                                Resume.checkpoint(request.queryParam("from").orElse(null), shards))
                        .zipWith(catalog.at(name, Jsonl.counts()))
                        .flatMap(found -> skip(found.getT2(), found.getT1(), query.skip)
                                .flatMap(from -> respond(found.getT2(), from, query))));
    }

    /** The place that is {@code records} further on: their lines are counted, not parsed. */
    private Mono<Checkpoint> skip(Dataset<Long> counts, Checkpoint from, long records) {
        return records == 0
                ? Mono.just(from)
                : counts.readPositioned(spec.from(from).limit(records))
                        .last()
                        .map(Positioned::checkpoint)
                        .onErrorResume(java.util.NoSuchElementException.class, nothing -> Mono.just(from));
    }

    private Mono<ServerResponse> respond(Dataset<?> data, Checkpoint from, Query query) {
        AtomicReference<String> reached = new AtomicReference<>(Resume.token(from.position(), from.shards()));
        Table table = new Table(
                query.columns,
                query.wholeSchema,
                spec,
                arrowMemory,
                limits.arrow().batch().toBytes());
        Flux<ByteBuffer> blocks = Flux.using(
                        meters.reads::enter,
                        entered -> query.as.open(data, listening(spec.from(from).limit(query.limit)), table),
                        Runnable::run)
                .map(chunk -> delivered(chunk, from, query, reached));
        return ServerResponse.ok()
                .contentType(query.as.type)
                .header(Resume.HEADER, reached.get())
                .header(HttpHeaders.VARY, HttpHeaders.ACCEPT, HttpHeaders.ACCEPT_ENCODING)
                .headers(headers -> query.encoding.describe(headers))
                .body((message, context) -> write(query.encoding.apply(blocks), message, reached));
    }

    private ReadSpec listening(ReadSpec read) {
        return read.listener(new DatasetListener() {
            private long counted;

            @Override
            public void progress(ReadProgress progress) {
                meters.reads.records.increment((double) (progress.records() - counted));
                counted = progress.records();
            }
        });
    }

    private ByteBuffer delivered(Chunk chunk, Checkpoint from, Query query, AtomicReference<String> reached) {
        meters.reads.bytes.increment(chunk.bytes().remaining());
        Position position = chunk.position();
        if (position == null) {
            return chunk.bytes();
        }
        String token = Resume.token(position, from.shards());
        reached.set(token);
        return query.positions ? Resume.marked(chunk.bytes(), token) : chunk.bytes();
    }

    @SuppressWarnings("NestedPublishers") // as Spring has it
    private static Mono<Void> write(
            Flux<ByteBuffer> blocks, ReactiveHttpOutputMessage message, AtomicReference<String> reached) {
        Mono<Void> written = Mono.empty();
        AtomicReference<Channel> channel = new AtomicReference<>();
        if (message instanceof ServerHttpResponse response
                && ServerHttpResponseDecorator.getNativeResponse(response) instanceof HttpServerResponse netty) {
            // Spring has no trailers; Reactor Netty sends those that the header announces
            message.getHeaders().set(HttpHeaders.TRAILER, Resume.HEADER);
            netty.trailerHeaders(headers -> headers.set(Resume.HEADER, reached.get()));
            netty.withConnection(connection -> channel.set(connection.channel()));
            written = Mono.defer(() -> written(channel.get()));
        }
        Flux<DataBuffer> buffers = blocks.map(message.bufferFactory()::wrap);
        return message.writeAndFlushWith(BlockByBlock.of(buffers, written));
    }

    /** Completes when all that was written to the channel so far has gone to the socket: nothing overtakes an empty buffer. */
    private static Mono<Void> written(Channel channel) {
        return Mono.create(sink -> channel.eventLoop()
                .execute(() -> channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(done -> {
                    if (done.isSuccess()) {
                        sink.success();
                    } else {
                        sink.error(done.cause());
                    }
                })));
    }
}
