package io.sluice.s3;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.time.Duration;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.netty.NettyOutbound;

/**
 * Keeps a request's body back until the server says {@code 100 Continue} (RFC 9110, 10.1.1), which Reactor Netty by itself
 * does not. A server that says nothing gets the body after a while; one that answers otherwise does not get it at all, and
 * Reactor Netty then closes the connection behind the answer.
 */
final class ExpectContinue extends ChannelInboundHandlerAdapter {

    /** As long as curl waits. */
    static final Duration PATIENCE = Duration.ofSeconds(1);

    private final Sinks.One<Boolean> wanted = Sinks.one();

    private ExpectContinue() {}

    /** Sends the head, then the body if the server wants it. */
    static Publisher<Void> send(NettyOutbound outbound, Flux<ByteBuf> body) {
        ExpectContinue answer = new ExpectContinue();
        outbound.withConnection(connection -> connection.addHandlerLast(answer));
        return outbound.send(answer.wanted
                .asMono()
                .timeout(PATIENCE, Mono.just(true))
                // an empty body would be a whole request to the client, although the server was told of a longer one
                .flatMapMany(isWanted -> isWanted ? body : Flux.never()));
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (message instanceof HttpResponse response) {
            // the first answer decides; there is nobody left to hear of a second
            wanted.tryEmitValue(response.status().code() == HttpResponseStatus.CONTINUE.code());
        }
        context.fireChannelRead(message);
    }
}
