package io.sluice.webflux;

import static org.springframework.web.reactive.function.server.RouterFunctions.route;

import io.sluice.arrow.Arrow;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.web.reactive.function.server.RouterFunction;
import org.springframework.web.reactive.function.server.ServerResponse;

/**
 * The service and its routes.
 *
 * <pre>
 * GET    /datasets          the data sets: names, shards, bytes
 * GET    /datasets/{name}   the records, as NDJSON, JSON, CSV, Arrow; ?limit= ?from= ?skip= ?positions= ?columns= ?schema=
 * POST   /datasets/{name}   appends records, NDJSON or Arrow, as shards; ?on-error=
 * DELETE /datasets/{name}
 * </pre>
 */
@SpringBootApplication
@EnableConfigurationProperties(Limits.class)
public class DatasetService {

    /** {@code --data DIR} says where the data sets are; all else are Spring Boot's options, {@code --server.port=8080}. */
    public static void main(String[] args) {
        var environment =
                SpringApplication.run(DatasetService.class, options(args)).getEnvironment();
        System.out.println("serving " + environment.getProperty("sluice.location") + " at http://"
                + environment.getProperty("server.address") + ":" + environment.getProperty("local.server.port")
                + "/datasets");
    }

    /** Spring Boot wants {@code --data=DIR}; people write {@code --data DIR}. */
    static String[] options(String[] args) {
        List<String> options = new ArrayList<>();
        for (int i = 0; i < args.length; i++) {
            boolean apart = args[i].equals("--data") && i + 1 < args.length;
            options.add(apart ? "--data=" + args[++i] : args[i]);
        }
        return options.toArray(String[]::new);
    }

    /** The memory of all Arrow batches. */
    @Bean
    BufferAllocator arrowMemory(Limits limits) {
        return Arrow.allocator(limits.arrow().memory().toBytes());
    }

    @Bean
    RouterFunction<ServerResponse> routes(Catalog catalog, Reads reads, Writes writes) {
        return route().GET("/datasets", request -> ServerResponse.ok().body(catalog.list(), Catalog.Summary.class))
                .GET("/datasets/{name}", reads::get)
                .HEAD("/datasets/{name}", reads::get)
                .POST("/datasets/{name}", writes::post)
                .DELETE(
                        "/datasets/{name}",
                        request -> catalog.delete(request.pathVariable("name"))
                                .then(ServerResponse.noContent().build()))
                .build();
    }
}
