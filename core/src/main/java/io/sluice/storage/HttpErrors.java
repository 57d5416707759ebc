package io.sluice.storage;

import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslClosedEngineException;
import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import java.io.IOException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** What a server or the way to it said, as a {@link StorageException} that names the URL, and how to show a URL. */
final class HttpErrors {

    private static final Pattern SECRET =
            Pattern.compile("sig|token|secret|passw|pwd|credential|key|auth|session|expires", Pattern.CASE_INSENSITIVE);
    private static final Pattern PARAMETER = Pattern.compile("([?&;])([^=&;]*)=([^&;]*)");

    private HttpErrors() {}

    /** A failure that may pass, and when the server wants to be asked again. */
    static final class Busy extends StorageException {

        private static final long serialVersionUID = 1L;

        final transient @Nullable Duration retryAfter;

        Busy(Kind kind, String name, String reason, @Nullable Duration retryAfter) {
            super(kind, name, reason, null);
            this.retryAfter = retryAfter;
        }
    }

    /** The error that a status of 4xx or 5xx stands for. */
    static StorageException of(HttpReply reply, String name) {
        int status = reply.status();
        String said = "the server says " + reply.statusLine();
        return switch (status) {
            case 404, 410 -> new StorageException(Kind.NOT_FOUND, name, "there is no such object: " + said, null);
            case 401, 403, 407 ->
                new StorageException(
                        Kind.ACCESS_DENIED,
                        name,
                        "access is denied: " + said + "; check the headers that authenticate",
                        null);
            case 412 -> new StorageException(Kind.CHANGED, name, "is not the version that was pinned: " + said, null);
            case 429 -> new Busy(Kind.THROTTLED, name, "too many requests: " + said, reply.retryAfter());
            case 408, 500, 502, 503, 504 -> new Busy(Kind.NETWORK, name, said, reply.retryAfter());
            case 405, 501, 505 -> new StorageException(Kind.UNSUPPORTED, name, said, null);
            default -> new StorageException(Kind.INVALID_REQUEST, name, said, null);
        };
    }

    /** What went wrong on the way. */
    static StorageException of(Throwable error, String name) {
        if (error instanceof StorageException known) {
            return known;
        }
        Throwable cause = error instanceof DecoderException && error.getCause() != null ? error.getCause() : error;
        if (cause instanceof UnknownHostException) {
            return new StorageException(Kind.NOT_FOUND, name, "the host is not known", error);
        }
        if (cause instanceof SSLException && !isBroken((SSLException) cause)) {
            return new StorageException(Kind.IO, name, "no TLS connection: " + said(cause), error);
        }
        if (cause instanceof IOException || cause instanceof TimeoutException || error instanceof DecoderException) {
            return new StorageException(Kind.NETWORK, name, "the connection failed: " + text(cause), error);
        }
        return new StorageException(Kind.IO, name, "the request failed: " + text(cause), error);
    }

    /** Whether the connection went away under TLS, which may pass, while a certificate stays as it is. */
    private static boolean isBroken(SSLException error) {
        return error instanceof SslClosedEngineException
                || String.valueOf(error.getMessage()).startsWith("Connection closed while")
                || (error.getCause() instanceof IOException && !(error.getCause() instanceof SSLException));
    }

    /** What does not speak TLS is shown in whole by Netty, in hexadecimal. */
    private static String said(Throwable error) {
        return error instanceof NotSslRecordException ? "the server does not speak TLS" : text(error);
    }

    private static String text(Throwable error) {
        String message = error.getMessage();
        return message == null || message.isEmpty() ? error.getClass().getSimpleName() : message;
    }

    /** A URL without user, password, fragment and the values of parameters that look like secrets. */
    static String displayName(String url) {
        String shown = url.replaceFirst("^([a-zA-Z][a-zA-Z0-9+.-]*://)[^/?#]*@", "$1");
        int query = shown.indexOf('?');
        if (query < 0) {
            return shown;
        }
        Matcher matcher = PARAMETER.matcher(shown.substring(query));
        StringBuilder redacted = new StringBuilder(shown.substring(0, query));
        while (matcher.find()) {
            boolean secret =
                    SECRET.matcher(matcher.group(2).toLowerCase(Locale.ROOT)).find();
            matcher.appendReplacement(
                    redacted,
                    Matcher.quoteReplacement(
                            matcher.group(1) + matcher.group(2) + "=" + (secret ? "***" : matcher.group(3))));
        }
        return matcher.appendTail(redacted).toString();
    }
}
