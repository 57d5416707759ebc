package io.sluice.webflux;

import io.sluice.codec.Compression;
import io.sluice.codec.Compressions;
import io.sluice.codec.Compressor;
import io.sluice.codec.Output;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Schedulers;

/** Content codings (RFC 9110, section 8.4): none, gzip, zstd. */
enum Encoding {
    IDENTITY(Compressions.none()),
    GZIP(Compressions.gzip()),
    ZSTD(Compressions.zstd());

    final Compression compression;

    Encoding(Compression compression) {
        this.compression = compression;
    }

    /** What {@code Accept-Encoding} prefers; zstd before gzip where it does not. */
    static Encoding of(@Nullable String accept) {
        if (accept == null) {
            return IDENTITY;
        }
        Encoding best = IDENTITY;
        double bestWeight = 0;
        for (Encoding one : new Encoding[] {ZSTD, GZIP}) {
            double weight = weight(accept, one.token());
            if (weight > bestWeight) {
                best = one;
                bestWeight = weight;
            }
        }
        return best;
    }

    private static double weight(String accept, String token) {
        return Arrays.stream(accept.toLowerCase(Locale.ROOT).split(","))
                .map(part -> part.trim().split("\\s*;\\s*q\\s*=\\s*"))
                .filter(part -> part[0].equals(token))
                .mapToDouble(part ->
                        part.length == 1 ? 1 : part[1].matches("[01](\\.\\d*)?") ? Double.parseDouble(part[1]) : 0)
                .findFirst()
                .orElse(0);
    }

    /** What {@code Content-Encoding} of an upload says. */
    static Encoding ofContent(@Nullable String content) {
        for (Encoding one : values()) {
            if (one.token().equalsIgnoreCase(content == null ? "identity" : content.trim())) {
                return one;
            }
        }
        throw Problem.of(HttpStatus.UNSUPPORTED_MEDIA_TYPE, "Content-Encoding may be gzip, zstd or identity");
    }

    private String token() {
        return name().toLowerCase(Locale.ROOT);
    }

    void describe(HttpHeaders headers) {
        if (this != IDENTITY) {
            headers.set(HttpHeaders.CONTENT_ENCODING, token());
        }
    }

    /** Every block compressed so that the client can decompress all of it when it has come. */
    Flux<ByteBuffer> apply(Flux<ByteBuffer> blocks) {
        return this == IDENTITY
                ? blocks
                : Flux.using(
                        () -> new Stream(compression.compressor()),
                        stream -> blocks.publishOn(Schedulers.boundedElastic(), 1) // off the event loop
                                .map(stream::block)
                                .concatWith(Flux.defer(() -> Flux.just(stream.end()))),
                        // a client that leaves says so on another thread, and native memory may be in use
                        stream -> Schedulers.boundedElastic().schedule(stream::close));
    }

    private static final class Stream {
        private final Compressor compressor;
        private boolean closed;

        Stream(Compressor compressor) {
            this.compressor = compressor;
        }

        synchronized ByteBuffer block(ByteBuffer block) {
            Output out = new Output(block.remaining() / 3 + 64);
            if (!closed) {
                compressor.compress(block.array(), block.arrayOffset() + block.position(), block.remaining(), out);
                compressor.flush(out);
            }
            return ByteBuffer.wrap(out.array(), 0, out.position());
        }

        synchronized ByteBuffer end() {
            Output out = new Output(64);
            if (!closed) {
                compressor.finish(out);
            }
            return ByteBuffer.wrap(out.array(), 0, out.position());
        }

        synchronized void close() {
            closed = true;
            compressor.close();
        }
    }
}
