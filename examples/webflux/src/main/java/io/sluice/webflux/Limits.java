package io.sluice.webflux;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * What {@code sluice.service.*} bounds. The longest record is {@code sluice.read.max-record}.
 *
 * @param maxBody an upload's bytes as they come
 * @param maxContent an upload's bytes, decompressed
 * @param maxReads downloads at a time; the next one is refused
 * @param maxWrites uploads at a time; the next one is refused
 * @param requestsPerSecond of one address, after a burst of as many; 0 for no limit
 * @param stall how long nothing may come of an upload that the service is waiting for
 * @param arrow for Arrow IPC streams
 */
@ConfigurationProperties("sluice.service")
record Limits(
        @DefaultValue("1GB") DataSize maxBody,
        @DefaultValue("16GB") DataSize maxContent,
        @DefaultValue("500") int maxReads,
        @DefaultValue("16") int maxWrites,
        @DefaultValue("100") int requestsPerSecond,
        @DefaultValue("30s") Duration stall,
        @DefaultValue Arrow arrow) {

    /**
     * For Arrow IPC streams.
     *
     * @param memory for the batches of all requests
     * @param batch the longest that is sent
     * @param message the longest that is taken
     */
    record Arrow(
            @DefaultValue("256MB") DataSize memory,
            @DefaultValue("256KB") DataSize batch,
            @DefaultValue("16MB") DataSize message) {}
}
