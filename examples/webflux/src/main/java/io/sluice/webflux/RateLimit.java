package io.sluice.webflux;

import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Component;
import org.springframework.web.ErrorResponseException;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;

/** A bucket of tokens for each address: 429 to those who ask more often than is configured. */
@Component
class RateLimit implements WebFilter {

    private static final int MOST_ADDRESSES = 10_000;

    private final int perSecond;
    private final Meters meters;

    /** Those that have not asked for longest are forgotten, so nobody can fill the memory by coming from everywhere. */
    private final Map<String, Bucket> buckets = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Bucket> eldest) {
            return size() > MOST_ADDRESSES;
        }
    };

    RateLimit(Limits limits, Meters meters) {
        this.perSecond = limits.requestsPerSecond();
        this.meters = meters;
    }

    private record Bucket(double tokens, long nanos) {}

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        InetSocketAddress client = exchange.getRequest().getRemoteAddress();
        if (perSecond == 0 || client == null || take(client.getHostString())) {
            return chain.filter(exchange);
        }
        meters.rejected("rate");
        ErrorResponseException tooMany = Problem.of(
                HttpStatus.TOO_MANY_REQUESTS, "more than " + perSecond + " requests a second; wait a second");
        tooMany.getHeaders().set("Retry-After", "1");
        return Mono.error(tooMany);
    }

    private boolean take(String address) {
        long now = System.nanoTime();
        synchronized (buckets) {
            Bucket bucket = buckets.getOrDefault(address, new Bucket(perSecond, now));
            double tokens = Math.min(perSecond, bucket.tokens + (now - bucket.nanos) * 1e-9 * perSecond);
            boolean taken = tokens >= 1;
            buckets.put(address, new Bucket(taken ? tokens - 1 : tokens, now));
            return taken;
        }
    }
}
