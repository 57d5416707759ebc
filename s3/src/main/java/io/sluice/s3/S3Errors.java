package io.sluice.s3;

import io.netty.handler.ssl.NotSslRecordException;
import io.sluice.StorageException;
import io.sluice.StorageException.Kind;
import java.io.IOException;
import java.net.UnknownHostException;
import java.security.cert.CertificateException;
import java.util.Set;
import java.util.concurrent.CompletionException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.ApiCallAttemptTimeoutException;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;

/** What the SDK's exceptions mean to a user of a store. Messages carry what S3 said, which never includes credentials. */
final class S3Errors {

    private static final Set<String> DENIED = Set.of(
            "AccessDenied",
            "AllAccessDisabled",
            "AccountProblem",
            "ExpiredToken",
            "InvalidAccessKeyId",
            "InvalidToken",
            "NotSignedUp",
            "RequestTimeTooSkewed",
            "SignatureDoesNotMatch",
            "TokenRefreshRequired");
    private static final Set<String> ELSEWHERE = Set.of(
            "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException",
            "IncorrectEndpoint",
            "PermanentRedirect",
            "TemporaryRedirect");
    private static final Set<String> BUSY = Set.of(
            "SlowDown",
            "Throttling",
            "ThrottlingException",
            "RequestLimitExceeded",
            "TooManyRequestsException",
            "RequestThrottled");
    private static final Set<String> NETWORK =
            Set.of("InternalError", "RequestTimeout", "IncompleteBody", "ServiceUnavailable", "OperationAborted");

    private static final String NO_SUCH_BUCKET = "NoSuchBucket";

    private S3Errors() {}

    /** Status 412: a condition of the request does not hold. */
    static boolean isPreconditionFailed(Throwable error) {
        return status(error) == 412;
    }

    /** Status 416: the range begins behind the object's end, or at it. */
    static boolean isRangeBehindEnd(Throwable error) {
        return status(error) == 416;
    }

    /** Status 404. */
    static boolean isNotFound(Throwable error) {
        return status(error) == 404;
    }

    /** Status 501: the store does not know a header or an operation. */
    static boolean isNotImplemented(Throwable error) {
        return status(error) == 501;
    }

    /** Status 404, of the bucket. */
    static boolean isNoSuchBucket(Throwable error) {
        AwsServiceException answer = answer(error);
        AwsErrorDetails details = answer == null ? null : answer.awsErrorDetails();
        return details != null && NO_SUCH_BUCKET.equals(details.errorCode());
    }

    private static int status(Throwable error) {
        AwsServiceException answer = answer(error);
        return answer == null ? 0 : answer.statusCode();
    }

    /** The service's answer that an error is about; null if there was none. */
    private static @Nullable AwsServiceException answer(Throwable error) {
        for (Throwable at = error; at != null; at = at.getCause()) {
            if (at instanceof AwsServiceException service) {
                return service;
            }
        }
        return null;
    }

    /**
     * @param shown the key as people are shown it
     * @param onPrecondition what status 412 means for this request
     */
    static Throwable map(Throwable error, String shown, Kind onPrecondition) {
        Throwable cause = error;
        while ((cause instanceof CompletionException || cause instanceof java.util.concurrent.ExecutionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof StorageException || cause instanceof Error) {
            return cause;
        }
        if (cause instanceof AwsServiceException service) {
            return service(service, shown, onPrecondition);
        }
        return client(cause, shown);
    }

    private static StorageException service(AwsServiceException error, String shown, Kind onPrecondition) {
        AwsErrorDetails details = error.awsErrorDetails();
        String code = details == null || details.errorCode() == null ? "" : details.errorCode();
        String said = details == null ? null : details.errorMessage();
        int status = error.statusCode();
        String what = (said == null || said.isBlank() ? "S3 answered " + status : strip(said))
                + (code.isEmpty() ? "" : " (" + code + ")")
                + (error.requestId() == null ? "" : ", request " + error.requestId());
        if (DENIED.contains(code) || ((status == 401 || status == 403) && !ELSEWHERE.contains(code))) {
            return new StorageException(
                    Kind.ACCESS_DENIED, shown, what + "; check the credentials and the bucket's policy", error);
        }
        if (ELSEWHERE.contains(code) || status == 301 || status == 307) {
            String region = details == null || details.sdkHttpResponse() == null
                    ? null
                    : details.sdkHttpResponse()
                            .firstMatchingHeader("x-amz-bucket-region")
                            .orElse(null);
            return new StorageException(
                    Kind.INVALID_REQUEST,
                    shown,
                    what + "; the bucket is in " + (region == null ? "another region" : "the region " + region)
                            + ": name it in the S3ClientSpec, or use crossRegion()",
                    error);
        }
        if (BUSY.contains(code) || status == 429 || error.isThrottlingException()) {
            return new StorageException(Kind.THROTTLED, shown, what, error);
        }
        if (status == 412) {
            String why = onPrecondition == Kind.ALREADY_EXISTS
                    ? "exists already; write to another key, or overwrite with PutMode.OVERWRITE"
                    : "was replaced since its ETag was taken";
            return new StorageException(onPrecondition, shown, why, error);
        }
        if (status == 501 || status == 405 || code.equals("NotImplemented")) {
            return new StorageException(Kind.UNSUPPORTED, shown, what, error);
        }
        if (status >= 500 || status == 408 || status == 409 || NETWORK.contains(code)) {
            return new StorageException(Kind.NETWORK, shown, what, error);
        }
        if (status == 404) {
            String missing;
            if (code.equals(NO_SUCH_BUCKET)) {
                missing = "there is no such bucket";
            } else if (details == null || isWithoutBody(details)) {
                missing = "there is no such object, or no such bucket";
            } else {
                missing = code.equals("NoSuchKey") ? "there is no such object" : what;
            }
            return new StorageException(Kind.NOT_FOUND, shown, missing, error);
        }
        return new StorageException(Kind.INVALID_REQUEST, shown, what, error);
    }

    /** As to HEAD: code and message are then the SDK's. */
    private static boolean isWithoutBody(AwsErrorDetails details) {
        return details.rawResponse() == null || details.rawResponse().asByteArrayUnsafe().length == 0;
    }

    private static StorageException client(Throwable error, String shown) {
        String tls = noTls(error);
        if (tls != null) {
            return new StorageException(Kind.IO, shown, "no TLS connection: " + tls, error);
        }
        for (Throwable at = error; at != null; at = at.getCause()) {
            if (at instanceof UnknownHostException) {
                return new StorageException(
                        Kind.NOT_FOUND,
                        shown,
                        "there is no such host, check endpoint and region: " + describe(at),
                        error);
            }
            if (at instanceof IOException
                    || at instanceof java.util.concurrent.TimeoutException
                    || at instanceof ApiCallTimeoutException
                    || at instanceof ApiCallAttemptTimeoutException
                    || at instanceof io.netty.handler.timeout.TimeoutException) {
                return new StorageException(Kind.NETWORK, shown, "the connection failed: " + describe(at), error);
            }
        }
        String message = String.valueOf(error.getMessage());
        if (message.startsWith("Unable to load credentials from any of the providers")) {
            return new StorageException(
                    Kind.ACCESS_DENIED,
                    shown,
                    "no credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile that has"
                            + " them, or ask anonymously",
                    error);
        }
        if (message.contains("redentials")) {
            return new StorageException(Kind.ACCESS_DENIED, shown, message, error);
        }
        return new StorageException(Kind.IO, shown, "failed: " + describe(error), error);
    }

    /** What will not pass by itself of what keeps TLS from being spoken; null if it is nothing of that. */
    private static @Nullable String noTls(Throwable error) {
        for (Throwable at = error; at != null; at = at.getCause()) {
            if (at instanceof NotSslRecordException) {
                return "the server does not speak TLS";
            }
            if (at instanceof CertificateException || at instanceof SSLPeerUnverifiedException) {
                return describe(at);
            }
        }
        return null;
    }

    private static String describe(Throwable error) {
        return error.getMessage() == null ? error.getClass().getSimpleName() : strip(error.getMessage());
    }

    /** Of the SDK's "message (Service: S3, Status Code: 403, …)" the message; one line. */
    private static String strip(String message) {
        int details = message.indexOf(" (Service: ");
        return (details > 0 ? message.substring(0, details) : message)
                .replace('\n', ' ')
                .strip();
    }

    static StorageException invalid(@Nullable String shown, String reason, @Nullable Throwable cause) {
        return new StorageException(Kind.INVALID_REQUEST, shown, reason, cause);
    }
}
