package io.sluice.webflux;

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
 */
@ConfigurationProperties("sluice.service")
record Limits(
        @DefaultValue("1GB") DataSize maxBody,
        @DefaultValue("16GB") DataSize maxContent,
        @DefaultValue("500") int maxReads,
        @DefaultValue("16") int maxWrites,
        @DefaultValue("100") int requestsPerSecond) {}
