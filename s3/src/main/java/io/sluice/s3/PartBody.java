package io.sluice.s3;

import io.sluice.s3.PartFlux.Part;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.reactivestreams.Subscriber;
import reactor.core.publisher.Flux;
import software.amazon.awssdk.core.async.AsyncRequestBody;

/**
 * A part as the body of a request, which the SDK subscribes to again for every attempt. Its own bodies show their bytes read-only,
 * and of such the SDK makes a copy wherever it wants an array.
 */
record PartBody(Part part) implements AsyncRequestBody {

    @Override
    public Optional<Long> contentLength() {
        return Optional.of((long) part.length());
    }

    @Override
    public void subscribe(Subscriber<? super ByteBuffer> subscriber) {
        Flux.fromIterable(part.pieces()).map(ByteBuffer::duplicate).subscribe(subscriber);
    }
}
