package io.sluice.s3;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import reactor.core.publisher.Flux;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.http.async.AsyncExecuteRequest;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;

/** An HTTP client that asks nobody, remembers what it should have asked, and says that all went well. */
final class RecordingHttpClient implements SdkAsyncHttpClient {

    private final Queue<SdkHttpRequest> requests = new ConcurrentLinkedQueue<>();

    List<SdkHttpRequest> requests() {
        return List.copyOf(requests);
    }

    @Override
    public CompletableFuture<Void> execute(AsyncExecuteRequest request) {
        requests.add(request.request());
        request.responseHandler()
                .onHeaders(SdkHttpResponse.builder()
                        .statusCode(200)
                        .putHeader("ETag", "\"e\"")
                        .build());
        request.responseHandler().onStream(Flux.empty());
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public void close() {}
}
