package io.sluice.webflux;

import io.sluice.storage.StoreProvider.Location;
import org.springframework.boot.health.contributor.AbstractReactiveHealthIndicator;
import org.springframework.boot.health.contributor.Health;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** {@code /actuator/health}: whether the location can be listed. */
@Component
class StoreHealth extends AbstractReactiveHealthIndicator {

    private final Location root;

    StoreHealth(Location root) {
        this.root = root;
    }

    @Override
    protected Mono<Health> doHealthCheck(Health.Builder builder) {
        return root.store()
                .listDirectory(root.key())
                .next()
                .thenReturn(builder.up().build());
    }
}
