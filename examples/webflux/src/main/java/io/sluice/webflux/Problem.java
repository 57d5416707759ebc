package io.sluice.webflux;

import io.sluice.RecordException;
import io.sluice.SluiceException;
import io.sluice.StorageException;
import org.apache.arrow.memory.OutOfMemoryException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.http.codec.HttpMessageWriter;
import org.springframework.http.codec.ServerCodecConfigurer;
import org.springframework.stereotype.Component;
import org.springframework.web.ErrorResponse;
import org.springframework.web.ErrorResponseException;
import org.springframework.web.reactive.function.server.ServerResponse;
import org.springframework.web.reactive.result.view.ViewResolver;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebExceptionHandler;
import reactor.core.publisher.Mono;

/**
 * Answers errors as problems (RFC 9457): {@code {"title":…,"status":400,"detail":…,"kind":…,"line":…,"offset":…}}. Once an answer has
 * begun there is no other way to say it than to break off: no client takes what it got for all there is.
 */
@Component
@Order(-2)
class Problem implements WebExceptionHandler {

    private static final Logger LOG = LoggerFactory.getLogger(Problem.class);

    private final ServerCodecConfigurer codecs;

    Problem(ServerCodecConfigurer codecs) {
        this.codecs = codecs;
    }

    static ErrorResponseException of(HttpStatus status, String detail) {
        return new ErrorResponseException(status, ProblemDetail.forStatusAndDetail(status, detail), null);
    }

    /** 503, for what may work in a moment. */
    static ErrorResponseException busy(String detail) {
        ErrorResponseException busy = of(HttpStatus.SERVICE_UNAVAILABLE, detail + "; try again in a moment");
        busy.getHeaders().set(HttpHeaders.RETRY_AFTER, "1");
        return busy;
    }

    /** An error in what a client sent: 413 beyond a limit, else 400; with its line and offset. */
    static ErrorResponseException inBody(SluiceException e, boolean tooLarge) {
        ErrorResponseException problem =
                of(tooLarge ? HttpStatus.CONTENT_TOO_LARGE : HttpStatus.BAD_REQUEST, e.reason());
        ProblemDetail body = problem.getBody();
        if (e.line() >= 0) {
            body.setProperty("line", e.line());
        }
        if (e.offset() >= 0) {
            body.setProperty("offset", e.offset());
        }
        if (e instanceof RecordException record) {
            body.setProperty("kind", record.kind());
        }
        return problem;
    }

    @Override
    public Mono<Void> handle(ServerWebExchange exchange, Throwable error) {
        if (exchange.getResponse().isCommitted()) {
            LOG.warn("{} broke off: {}", exchange.getRequest().getURI().getRawPath(), error.toString());
            return Mono.error(error);
        }
        ErrorResponse problem = error instanceof ErrorResponse known
                ? known
                : error instanceof StorageException storage
                        ? of(status(storage), detail(storage))
                        : error.getCause() instanceof OutOfMemoryException
                                ? busy("no memory is left for Arrow batches")
                                : of(HttpStatus.INTERNAL_SERVER_ERROR, "see the service's log");
        if (problem.getStatusCode().is5xxServerError() && error != problem) {
            LOG.error("{} failed", exchange.getRequest().getURI().getRawPath(), error);
        }
        exchange.getResponse().getHeaders().clear();
        return ServerResponse.status(problem.getStatusCode())
                .headers(headers -> headers.addAll(problem.getHeaders()))
                .contentType(MediaType.APPLICATION_PROBLEM_JSON)
                .bodyValue(problem.getBody())
                .flatMap(response -> response.writeTo(exchange, new Writers(codecs)));
    }

    private static HttpStatus status(StorageException e) {
        return switch (e.kind()) {
            case NOT_FOUND -> HttpStatus.NOT_FOUND;
            case CHANGED -> HttpStatus.PRECONDITION_FAILED;
            case INVALID_REQUEST -> HttpStatus.BAD_REQUEST;
            case THROTTLED, NETWORK -> HttpStatus.SERVICE_UNAVAILABLE;
            default -> HttpStatus.INTERNAL_SERVER_ERROR;
        };
    }

    /** The reason, which names no place: where the store is, is nobody's business. */
    private static String detail(StorageException e) {
        return switch (e.kind()) {
            case NOT_FOUND, CHANGED -> e.reason();
            case INVALID_REQUEST -> "the store refused the request; is the position from another data set?";
            default -> "the store failed";
        };
    }

    private record Writers(ServerCodecConfigurer codecs) implements ServerResponse.Context {
        @Override
        public java.util.List<HttpMessageWriter<?>> messageWriters() {
            return codecs.getWriters();
        }

        @Override
        public java.util.List<ViewResolver> viewResolvers() {
            return java.util.List.of();
        }
    }
}
