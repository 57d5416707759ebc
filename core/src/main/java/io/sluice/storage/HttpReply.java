package io.sluice.storage;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import reactor.netty.http.client.HttpClientResponse;

/** What a response's head says (RFC 9110): status, version, length and range. Numbers are the server's claims. */
final class HttpReply {

    private static final Pattern CONTENT_RANGE =
            Pattern.compile("bytes +(?:(\\d{1,18})-(\\d{1,18})|\\*)/(\\d{1,18}|\\*)");

    private final int status;
    private final String reason;
    private final HttpHeaders headers;
    private final long first;
    private final long last;
    private final long rangeTotal;

    HttpReply(HttpClientResponse response) {
        this.status = response.status().code();
        this.reason = response.status().reasonPhrase();
        this.headers = response.responseHeaders();
        String range = headers.get(HttpHeaderNames.CONTENT_RANGE);
        Matcher matcher = CONTENT_RANGE.matcher(range == null ? "" : range.trim());
        boolean known = matcher.matches();
        this.first = known && matcher.group(1) != null ? Long.parseLong(matcher.group(1)) : -1;
        this.last = known && matcher.group(2) != null ? Long.parseLong(matcher.group(2)) : -1;
        this.rangeTotal = known && !matcher.group(3).equals("*") ? Long.parseLong(matcher.group(3)) : -1;
    }

    int status() {
        return status;
    }

    /** For messages. */
    String statusLine() {
        return status + " " + reason;
    }

    @Nullable
    String header(CharSequence name) {
        return headers.get(name);
    }

    /** First byte of a {@code Content-Range}, -1 if there is none. */
    long first() {
        return first;
    }

    /** Last byte of a {@code Content-Range}, -1 if there is none. */
    long last() {
        return last;
    }

    /** Length of the whole object by {@code Content-Range}, -1 if it is not told. */
    long rangeTotal() {
        return rangeTotal;
    }

    /** Length of the body, -1 if it is not told. */
    long contentLength() {
        String length = headers.get(HttpHeaderNames.CONTENT_LENGTH);
        if (length == null || headers.contains(HttpHeaderNames.TRANSFER_ENCODING)) {
            return -1;
        }
        try {
            return Long.parseLong(length.trim());
        } catch (NumberFormatException malformed) {
            return -1;
        }
    }

    /** The ETag as it was sent, or else the time of modification in the shape of one; null where there is neither. */
    @Nullable
    String version() {
        String etag = headers.get(HttpHeaderNames.ETAG);
        if (etag != null && !etag.isBlank()) {
            return etag.trim();
        }
        Instant modified = lastModified();
        return modified == null ? null : MODIFIED + modified.getEpochSecond();
    }

    /** What begins a version that is no ETag. */
    private static final String MODIFIED = "modified-";

    /** Whether {@code If-Match} can be asked for a version: a weak ETag never matches there. */
    static boolean isStrongEtag(String version) {
        return version.startsWith("\"");
    }

    @Nullable
    Instant lastModified() {
        return date(HttpHeaderNames.LAST_MODIFIED);
    }

    /** How long the server asks to be left alone, null if it does not say. */
    @Nullable
    Duration retryAfter() {
        String value = headers.get(HttpHeaderNames.RETRY_AFTER);
        if (value == null) {
            return null;
        }
        if (value.trim().matches("\\d{1,9}")) {
            return Duration.ofSeconds(Long.parseLong(value.trim()));
        }
        Instant at = date(HttpHeaderNames.RETRY_AFTER);
        return at == null ? null : Duration.between(Instant.now(), at);
    }

    private @Nullable Instant date(CharSequence name) {
        String value = headers.get(name);
        if (value == null) {
            return null;
        }
        try {
            return ZonedDateTime.parse(value.trim(), DateTimeFormatter.RFC_1123_DATE_TIME)
                    .toInstant();
        } catch (DateTimeParseException malformed) {
            return null;
        }
    }
}
